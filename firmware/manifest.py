# The product's own Python, the same on every board: the application, its packages and asyncio, and what is made at
# build time: the fonts (wgfonts), the root certificates (wgroots) and the time zones (wgzones).
# A board's manifest includes this file and adds its own `board` module (panel, pins).
import os

include("$(MPY_DIR)/extmod/asyncio")
module("boot.py", base_path=".")
module("main.py", base_path=".")
module("wg.py", base_path=".")
module("wgtrial.py", base_path=".")
package("wgdisplay", base_path=".")
for _name in ("fonts", "roots", "zones"):
    if os.path.isdir("../build/%s/wg%s" % (_name, _name)):
        package("wg" + _name, base_path="../build/" + _name)
