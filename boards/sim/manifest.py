# What is frozen into the simulated board: its hardware modules, the settings of the board that it
# simulates, and the product's firmware.
import os

freeze("modules")
if os.path.exists("../esp32s3/board.py"):
    module("board.py", base_path="../esp32s3")
if os.path.exists("../../firmware/wg.py"):
    include("../../firmware/manifest.py")
    if os.path.isdir("../../build/keys/sim/wgkeys"):
        package("wgkeys", base_path="../../build/keys/sim")
else:
    include("$(MPY_DIR)/extmod/asyncio")
