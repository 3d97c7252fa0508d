# The product's own Python, the same on every board: the application, its packages and asyncio.
# A board's manifest includes this file and adds its own `board` module (panel, pins).

include("$(MPY_DIR)/extmod/asyncio")
module("boot.py", base_path=".")
module("main.py", base_path=".")
module("wg.py", base_path=".")
package("wgdisplay", base_path=".")
