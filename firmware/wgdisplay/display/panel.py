"""Driver for the MIPI-DCS panels of small boards, over 4-wire SPI (MIPI DBI type C, option 3).

One driver for the family, a table of what differs (`MODELS`), and a dictionary of settings for each board:

    model      "ILI9342C", "ILI9341" or "ST7789"
    width      pixels as the board is mounted, before `rotation`
    height
    rotation   0, 90, 180 or 270 degrees clockwise, added by the owner
    mirror_x   True if the panel is mounted so that its columns run from right to left
    mirror_y   True if its rows run from bottom to top
    swap_xy    True if its columns are vertical as mounted (a portrait panel on a landscape board)
    offset     (x, y) of the first visible pixel in the controller's memory, after rotation; default (0, 0)
    bgr        True if the panel's subpixels are in the order blue, green, red
    invert     True for panels that need INVON (most IPS glasses with an ST7789)
    spi        number of the SPI unit; baudrate in Hz
    sck, mosi, dc            pins
    cs, reset, backlight     pins, or None (chip select tied low, no reset line, light always on)
    reset_high               True if a high level holds the panel in reset (an inverter in the line)
    backlight_hz             frequency of the dimming; backlight_low True if the light is on at low level

Pixels are RGB565, most significant byte first, rows from the top.
"""

import time

from micropython import const

# Commands, by the names of the data sheets (MIPI DCS where it has them).
_SWRESET = const(0x01)
_SLPOUT = const(0x11)
_NORON = const(0x13)
_INVOFF = const(0x20)
_INVON = const(0x21)
_DISPON = const(0x29)
_CASET = const(0x2A)
_RASET = const(0x2B)
_RAMWR = const(0x2C)
_MADCTL = const(0x36)
_COLMOD = const(0x3A)

# MADCTL's bits
_MY = const(0x80)
_MX = const(0x40)
_MV = const(0x20)
_BGR = const(0x08)

_COLMOD_16_BIT = const(0x55)  # 16 bits a pixel on both interfaces

# Milliseconds: a reset pulse of at least 10 us, 5 ms after a reset before any command and 120 ms before
# SLPOUT, 5 ms after SLPOUT before any other command (120 ms are asked for only before SLPIN).
_RESET_PULSE_MS = const(10)
_AFTER_RESET_MS = const(10)
_BEFORE_SLPOUT_MS = const(120)
_AFTER_SLPOUT_MS = const(10)

# model: (columns and rows of its memory, commands between reset and SLPOUT). A command is a bytes object: code, then
# parameters. What all of the family get (COLMOD, MADCTL, inversion, NORON) is not listed.
MODELS = {
    # Commands: ILI9342C data sheet V1.08, 8.2 (level 1) and 8.3 (level 2). Values for the glass of the
    # ESP32-S3-BOX-3: Espressif's board support package, bsp/esp-box-3/esp-box-3.c, `vendor_specific_init`. The level 2
    # commands are ignored before SETEXTC (C8h).
    "ILI9342C": (
        320,
        240,
        (
            b"\xc8\xff\x93\x42",  # SETEXTC
            b"\xc0\x0e\x0e",  # PWCTRL1
            b"\xc1\x02",  # PWCTRL2
            b"\xc5\xd0",  # VMCTRL1
            b"\xb4\x02",  # INVTR: 2-dot inversion
            b"\xe0\x00\x03\x08\x06\x13\x09\x39\x39\x48\x02\x0a\x08\x17\x17\x0f",  # PGAMCTRL
            b"\xe1\x00\x28\x29\x01\x0d\x03\x3f\x33\x52\x04\x0f\x0e\x37\x38\x0f",  # NGAMCTRL
            b"\xb1\x00\x1b",  # FRMCTR1: 70 Hz
            b"\xb7\x06",  # ETMOD
        ),
    ),
    # Commands: ILI9341 data sheet V1.11, 8.2 (level 1), 8.3 (level 2), 8.4 (extended registers). Values for the usual
    # bare modules, whose NV memory is empty: Espressif's component esp_lcd_ili9341, esp_lcd_ili9341_init_cmds_1.h.
    "ILI9341": (
        240,
        320,
        (
            b"\xcf\x00\xc1\x30",  # power control B
            b"\xed\x64\x03\x12\x81",  # power on sequence
            b"\xe8\x85\x00\x78",  # driver timing A
            b"\xcb\x39\x2c\x00\x34\x02",  # power control A
            b"\xf7\x20",  # pump ratio
            b"\xea\x00\x00",  # driver timing B
            b"\xc0\x10",  # PWCTRL1
            b"\xc1\x00",  # PWCTRL2
            b"\xc5\x30\x30",  # VMCTRL1
            b"\xc7\xb7",  # VMCTRL2
            b"\xb1\x00\x1a",  # FRMCTR1: 73 Hz
            b"\xf2\x00",  # 3 gamma control off
            b"\x26\x01",  # GAMSET
            b"\xe0\x0f\x31\x2b\x0c\x0e\x08\x4e\xf1\x37\x07\x10\x03\x0e\x09\x00",  # PGAMCTRL
            b"\xe1\x00\x0e\x14\x03\x11\x07\x31\xc1\x48\x08\x0f\x0c\x31\x36\x0f",  # NGAMCTRL
            b"\xb7\x07",  # ETMOD
            b"\xb6\x08\x82\x27",  # DISCTRL
        ),
    ),
    # Commands: ST7789V data sheet V1.4, 9.1 (command table 1) and 9.2 (command table 2). Values: those after a
    # hardware reset, written because a board without a reset line may find others; PWCTRL1 as 9.2.24 asks for it.
    # VCOM and gamma stay as the glass maker programmed them.
    "ST7789": (
        240,
        320,
        (
            b"\xb2\x0c\x0c\x00\x33\x33",  # PORCTRL
            b"\xb7\x35",  # GCTRL
            b"\xc0\x2c",  # LCMCTRL
            b"\xc2\x01",  # VDVVRHEN
            b"\xc3\x0b",  # VRHS
            b"\xc4\x20",  # VDVS
            b"\xc6\x0f",  # FRCTRL2: 60 Hz
            b"\xd0\xa4\xa1",  # PWCTRL1
        ),
    ),
}

_PINS = const(49)  # of the ESP32-S3
_SPI_HZ = const(80_000_000)
_PWM_HZ = const(312_500)  # at 8 bits of resolution

_REQUIRED = ("model", "width", "height", "spi", "baudrate", "sck", "mosi", "dc")
_OPTIONAL = {
    "rotation": 0,
    "mirror_x": False,
    "mirror_y": False,
    "swap_xy": False,
    "offset": (0, 0),
    "bgr": False,
    "invert": False,
    "cs": None,
    "reset": None,
    "reset_high": False,
    "backlight": None,
    "backlight_hz": 20_000,
    "backlight_low": False,
}


class PanelError(ValueError):
    """The panel's settings can't be right; the message names the key and what it may be."""

    kind = "board"  # it is the owner's to mend: the application shows the message as it is


def check_settings(settings):
    """Returns the settings completed by their defaults; raises PanelError for the first fault in them."""
    full = dict(_OPTIONAL)
    for key in _REQUIRED:
        if key not in settings:
            raise PanelError("board.PANEL has no '%s'" % key)
    for key in settings:
        if key not in _REQUIRED and key not in _OPTIONAL:
            raise PanelError("board.PANEL has an unknown setting '%s'" % key)
    full.update(settings)
    model = full["model"]
    if model not in MODELS:
        raise PanelError(
            "board.PANEL model '%s' is unknown; there are %s" % (model, ", ".join(sorted(MODELS)))
        )
    if full["rotation"] not in (0, 90, 180, 270):
        raise PanelError("board.PANEL rotation must be 0, 90, 180 or 270, not %s" % full["rotation"])
    for key, most in (
        ("width", columns_of(model)),
        ("height", columns_of(model)),
        ("spi", 2),
        ("baudrate", _SPI_HZ),
        ("backlight_hz", _PWM_HZ),
    ):
        if not _is_whole(full[key]) or not 0 < full[key] <= most:
            raise PanelError("board.PANEL %s must be from 1 to %d, not %r" % (key, most, full[key]))
    for key in ("mirror_x", "mirror_y", "swap_xy", "bgr", "invert", "reset_high", "backlight_low"):
        if full[key] not in (True, False):
            raise PanelError("board.PANEL %s must be True or False, not %r" % (key, full[key]))
    _check_pins(full)
    columns, rows, _ = MODELS[model]
    if full["swap_xy"]:
        columns, rows = rows, columns
    if not (full["width"] <= columns and full["height"] <= rows):
        raise PanelError(
            "board.PANEL %d x %d pixels don't fit a %s mounted like this, which has %d x %d"
            % (full["width"], full["height"], model, columns, rows)
        )
    _check_offset(full, columns, rows)
    return full


def columns_of(model):
    """The longer side of a model's memory, in pixels."""
    return max(MODELS[model][:2])


def _is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _check_pins(full):
    used = {}
    for key in ("sck", "mosi", "dc", "cs", "reset", "backlight"):
        pin = full[key]
        if pin is None and key in _OPTIONAL:
            continue
        if not _is_whole(pin) or not 0 <= pin < _PINS:
            none = " or None" if key in _OPTIONAL else ""
            raise PanelError(
                "board.PANEL %s must be a pin from 0 to %d%s, not %r" % (key, _PINS - 1, none, pin)
            )
        if pin in used:
            raise PanelError("board.PANEL %s and %s are both pin %d" % (used[pin], key, pin))
        used[pin] = key


def _check_offset(full, columns, rows):
    offset = full["offset"]
    if (
        not isinstance(offset, (tuple, list))
        or len(offset) != 2
        or not all(_is_whole(part) and part >= 0 for part in offset)
    ):
        raise PanelError("board.PANEL offset must be two numbers (x, y) from 0 on, not %r" % (offset,))
    free = columns - full["width"], rows - full["height"]
    if full["rotation"] in (90, 270):
        free = free[1], free[0]
    if offset[0] > free[0] or offset[1] > free[1]:
        raise PanelError(
            "board.PANEL offset (%d, %d) is too large: the memory has (%d, %d) pixels more than the glass"
            % (offset[0], offset[1], free[0], free[1])
        )


def madctl(settings):
    """Memory access control byte for checked settings: how the panel is mounted, then the owner's rotation.

    A logical pixel (x, y) goes to column x, row y; with MV to column y, row x; MX, MY mirror column, row.
    """
    mx, my, mv = settings["mirror_x"], settings["mirror_y"], settings["swap_xy"]
    rotation = settings["rotation"]
    if rotation >= 180:
        mx, my = not mx, not my
    if rotation in (90, 270):
        if mv:
            my = not my
        else:
            mx = not mx
        mv = not mv
    return (_MY if my else 0) | (_MX if mx else 0) | (_MV if mv else 0) | (_BGR if settings["bgr"] else 0)


class Panel:
    """One panel on its SPI bus.

    `width` and `height` are as seen after rotation; `bytes_sent` and `transfers` count the wire.

    Pins are objects with `value(level)`, the light one with `duty_u16(n)`; `from_settings` makes them of
    `machine`.
    """

    def __init__(self, settings, spi, dc, cs=None, reset=None, backlight=None):
        self._settings = settings = check_settings(settings)
        self._spi = spi
        self._dc = dc
        self._cs = cs
        self._reset = reset
        self._backlight = backlight
        self.width, self.height = settings["width"], settings["height"]
        if settings["rotation"] in (90, 270):
            self.width, self.height = self.height, self.width
        self._x0, self._y0 = settings["offset"]
        self._byte = bytearray(1)
        self._span = bytearray(4)
        self.bytes_sent = 0
        self.transfers = 0

    @classmethod
    def from_settings(cls, settings):
        """Makes the panel with `machine`'s SPI, Pin and PWM; the light stays off until `brightness`."""
        from machine import PWM, SPI, Pin

        s = check_settings(settings)
        light = None
        if s["backlight"] is not None:
            off = 65535 if s["backlight_low"] else 0
            light = PWM(Pin(s["backlight"]), freq=s["backlight_hz"], duty_u16=off)
        reset = None
        if s["reset"] is not None:
            reset = Pin(s["reset"], Pin.OUT, value=1 if not s["reset_high"] else 0)
        cs = None
        if s["cs"] is not None:
            cs = Pin(s["cs"], Pin.OUT, value=1)
        dc = Pin(s["dc"], Pin.OUT, value=1)
        spi = SPI(
            s["spi"],
            baudrate=s["baudrate"],
            polarity=0,
            phase=0,
            sck=Pin(s["sck"]),
            mosi=Pin(s["mosi"]),
            miso=None,
        )
        return cls(s, spi, dc, cs, reset, light)

    def start(self):
        """Resets the controller and brings it to where it shows its memory. Takes about 150 ms."""
        s = self._settings
        if self._reset is not None:
            self._reset.value(1 if s["reset_high"] else 0)
            time.sleep_ms(_RESET_PULSE_MS)
            self._reset.value(0 if s["reset_high"] else 1)
            time.sleep_ms(_AFTER_RESET_MS)
        self._command(_SWRESET)
        time.sleep_ms(_BEFORE_SLPOUT_MS)
        for command in MODELS[s["model"]][2]:
            self._command(command[0], command[1:])
        self._command(_MADCTL, bytes((madctl(s),)))
        self._command(_COLMOD, bytes((_COLMOD_16_BIT,)))
        self._command(_INVON if s["invert"] else _INVOFF)
        self._command(_NORON)
        self._command(_SLPOUT)
        time.sleep_ms(_AFTER_SLPOUT_MS)
        self._command(_DISPON)

    def brightness(self, level):
        """Sets the light, 0 (off) to 1000 (full), in steps as the eye sees them: half is a quarter of the power."""
        if self._backlight is None:
            return
        level = max(0, min(1000, level))
        duty = level * level * 65535 // 1_000_000
        self._backlight.duty_u16(65535 - duty if self._settings["backlight_low"] else duty)

    def begin(self, x, y, w, h):
        """Opens the window (x, y, w, h) for `pixels` to fill row by row; `end` lets the bus go, at last."""
        self._range(_CASET, x + self._x0, w)
        self._range(_RASET, y + self._y0, h)
        self._select(0)
        self._send_command(_RAMWR)

    def pixels(self, data):
        """Sends wire-order pixels (any buffer) into the open window, as one transfer."""
        self._spi.write(data)
        self.bytes_sent += len(data)
        self.transfers += 1

    def end(self):
        """Ends the transfer, whole or broken: the panel is deselected."""
        self._select(1)

    def _range(self, code, first, count):
        last = first + count - 1
        span = self._span
        span[0] = first >> 8
        span[1] = first & 0xFF
        span[2] = last >> 8
        span[3] = last & 0xFF
        self._command(code, span)

    def _command(self, code, parameters=None):
        self._select(0)
        self._send_command(code)
        if parameters:
            self.pixels(parameters)
        self._select(1)

    def _send_command(self, code):
        self._byte[0] = code
        self._dc.value(0)
        self._spi.write(self._byte)
        self._dc.value(1)
        self.bytes_sent += 1
        self.transfers += 1

    def _select(self, level):
        if self._cs is not None:
            self._cs.value(level)
