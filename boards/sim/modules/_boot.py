# Before boot.py, as on the ESP32 (ports/esp32/modules/_boot.py): the data partition becomes the root.
import gc

import vfs
from flashbdev import bdev

try:
    if bdev:
        vfs.mount(bdev, "/")
except OSError:
    import inisetup

    inisetup.setup()

gc.collect()
