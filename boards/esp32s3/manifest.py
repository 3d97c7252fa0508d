# What is frozen into the ESP32-S3's firmware: the port's own start-up, this board's settings, and the product's
# firmware.
import os

freeze("$(PORT_DIR)/modules", ("_boot.py", "flashbdev.py", "machine.py"))
# The port's inisetup waits for ever if the file system can't be read; the display formats it and goes on. The same
# file as on the simulated board, where the tests try it.
module("inisetup.py", base_path="../sim/modules")
module("board.py", base_path=".")
include("../../firmware/manifest.py")
# The keys whose releases it installs; without them, none.
if os.path.isdir("../../build/keys/esp32s3/wgkeys"):
    package("wgkeys", base_path="../../build/keys/esp32s3")
