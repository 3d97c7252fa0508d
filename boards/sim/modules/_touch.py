# A model of the GT911 touch controller with its glass, as mounted in the ESP32-S3-BOX-3: its axes are the picture's.
# Registers by the GT911 Programming Guide V0.1. The finger comes from _simhw.touch().
import _simhw
from micropython import const

PIN_SCL = const(18)
PIN_SDA = const(8)
ADDRESS = const(0x5D)

_PRODUCT_ID = const(0x8140)
_STATUS = const(0x814E)
_END = const(0x8158)


class GT911:
    def __init__(self):
        self._registers = bytearray(_END - _PRODUCT_ID)
        self._registers[0:4] = b"911\0"
        self._was = None

    def _measure(self):
        # A new reading waits until the last one was taken; the lifting of the finger is one more.
        at = _STATUS - _PRODUCT_ID
        if self._registers[at] & 0x80:
            return
        finger = _simhw.touch()
        if finger is None and self._was is None:
            return
        self._was = finger
        self._registers[at] = 0x80 | (0 if finger is None else 1)
        if finger is not None:
            x, y = finger
            self._registers[at + 2 : at + 6] = bytes((x & 255, x >> 8, y & 255, y >> 8))

    def read(self, register, buffer):
        self._measure()
        for i in range(len(buffer)):
            at = register + i - _PRODUCT_ID
            buffer[i] = self._registers[at] if 0 <= at < len(self._registers) else 0

    def write(self, register, buffer):
        if register == _STATUS:
            self._registers[_STATUS - _PRODUCT_ID] = buffer[0]


device = GT911()
