"""Touch on the glass: a GT911 on its I2C bus, as on the ESP32-S3-BOX-3. Knows taps, by the picture's coordinates.

    controller  "GT911"
    i2c         number of the I2C unit; sda, scl: pins
    swap_xy, mirror_x, mirror_y     how its axes lie on the mounted glass, before the owner's rotation

Registers: GT911 Programming Guide V0.1, 3 (real-time commands) and 4 (coordinates).
"""

from micropython import const

_ADDRESSES = (0x5D, 0x14)  # which one depends on the INT pin's level at its reset
_FREQUENCY = const(400_000)
_PRODUCT_ID = const(0x8140)
_STATUS = const(0x814E)  # bit 7: new data; bits 0 to 3: fingers; to be written 0 when read
_POINT = const(0x8150)  # x, y of the first finger, 16 bits each, low byte first
_READY = const(0x80)
_FINGERS = const(0x0F)


class TouchError(Exception):
    """The touch controller can't be used; the message says what to look at."""


class Touch:
    """`width` x `height`: the picture's; `rotation`: the owner's, in degrees, as in `board.PANEL`."""

    def __init__(self, settings, width, height, rotation=0):
        from machine import I2C, Pin

        if settings.get("controller") != "GT911":
            raise TouchError("board.TOUCH controller must be 'GT911', not %r" % settings.get("controller"))
        for key in ("i2c", "sda", "scl"):
            if not isinstance(settings.get(key), int):
                raise TouchError("board.TOUCH %s must be a whole number, not %r" % (key, settings.get(key)))
        self._settings = settings
        self._width, self._height, self._rotation = width, height, rotation
        self._bus = I2C(settings["i2c"], scl=Pin(settings["scl"]), sda=Pin(settings["sda"]), freq=_FREQUENCY)
        self._byte = bytearray(1)
        self._point = bytearray(4)
        self._down = False
        self._address = self._find()

    def _find(self):
        name = bytearray(4)
        for address in _ADDRESSES:
            try:
                self._bus.readfrom_mem_into(address, _PRODUCT_ID, name, addrsize=16)
            except OSError:
                continue
            if name[:3] == b"911":
                return address
        raise TouchError("no GT911 answers on the I2C pins of board.TOUCH")

    def poll(self):
        """(x, y) of a finger that has just come down, or None. Raises OSError if the bus fails."""
        self._bus.readfrom_mem_into(self._address, _STATUS, self._byte, addrsize=16)
        status = self._byte[0]
        if not status & _READY:
            return None
        fingers = status & _FINGERS
        if fingers:
            self._bus.readfrom_mem_into(self._address, _POINT, self._point, addrsize=16)
        self._byte[0] = 0
        self._bus.writeto_mem(self._address, _STATUS, self._byte, addrsize=16)
        was, self._down = self._down, fingers > 0
        if was or not fingers:
            return None
        p = self._point
        return self._seen(p[0] | p[1] << 8, p[2] | p[3] << 8)

    def _seen(self, x, y):
        """From the controller's axes to the picture's."""
        s = self._settings
        width, height = self._width, self._height
        if self._rotation in (90, 270):
            width, height = height, width  # of the mounted glass
        if s.get("swap_xy"):
            x, y = y, x
        if s.get("mirror_x"):
            x = width - 1 - x
        if s.get("mirror_y"):
            y = height - 1 - y
        if self._rotation == 90:
            x, y = y, width - 1 - x
        elif self._rotation == 180:
            x, y = width - 1 - x, height - 1 - y
        elif self._rotation == 270:
            x, y = height - 1 - y, x
        return x, y
