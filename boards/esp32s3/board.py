"""Settings of the ESP32-S3-BOX-3, the default board.

For another board, put a `board.py` with the same names into the root of the flash: it is found before this
one. Every key of `PANEL` is explained in `wgdisplay/display/panel.py`; a wrong key or value is reported at
boot. Source: Espressif's hardware overview of the ESP32-S3-BOX-3 (pin table of the main board).
"""

NAME = "ESP32-S3-BOX-3"

PANEL = {
    "model": "ILI9342C",
    "width": 320,  # as mounted and seen, before `rotation`
    "height": 240,
    "rotation": 0,
    "mirror_x": True,  # the glass is mounted upside down
    "mirror_y": True,
    "bgr": True,
    "invert": False,
    "spi": 1,
    "baudrate": 40_000_000,
    "sck": 7,
    "mosi": 6,
    "cs": 5,
    "dc": 4,
    "reset": 48,
    "reset_high": True,  # an inverter; the touch controller shares the line
    "backlight": 47,
    "backlight_hz": 20_000,
}

# name: (pin, pressed level). "boot" turns a page on; held while the board starts it asks for the safe mode.
# "mute" turns a page back.
BUTTONS = {
    "boot": (0, 0),
    "mute": (1, 0),
}

# Every key is explained in `wgdisplay/touch.py`. A tap turns a page on; one at the left, back.
TOUCH = {"controller": "GT911", "i2c": 0, "sda": 8, "scl": 18}
