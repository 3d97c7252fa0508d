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
    reset_open_drain         True: the line is only ever pulled low or let go
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

# model: (columns and rows of its memory, commands between reset and SLPOUT). A command is a bytes object:
# code, then parameters. Only what the controller's own power-on values leave wrong for these glasses is
# listed.
MODELS = {
    # ILI9342C data sheet, chapter "Command": the standard commands as in the ILI9341. Its power-on values of
    # power, VCOM and gamma are those that the glass maker programmed into its NV memory: nothing to add.
    "ILI9342C": (320, 240, ()),
    # ILI9341 data sheet V1.11: 8.2.2 SWRESET, 8.2.12 SLPOUT, 8.2.20 to 8.2.22 CASET, PASET, RAMWR, 8.2.29
    # MADCTL, 8.2.33 COLMOD, 8.2.17 GAMSET (26h); 8.3 (level 2 commands) for B1h to C7h. Bare modules come
    # with an empty NV memory, so power (C0h, C1h), VCOM (C5h, C7h), frame rate (B1h: 79 Hz), scan (B6h) and
    # gamma are set.
    "ILI9341": (
        240,
        320,
        (
            b"\xc0\x23",
            b"\xc1\x10",
            b"\xc5\x3e\x28",
            b"\xc7\x86",
            b"\xb1\x00\x18",
            b"\xb6\x08\x82\x27",
            b"\x26\x01",
        ),
    ),
    # ST7789V data sheet V1.4: 9.1 (system function command table 1) for the standard commands, 9.2 (table 2)
    # for porch (B2h) and gate control (B7h), both as after reset, written because a warm reset may find them
    # changed.
    "ST7789": (240, 320, (b"\xb2\x0c\x0c\x00\x33\x33", b"\xb7\x35")),
}

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
    "reset_open_drain": False,
    "backlight": None,
    "backlight_hz": 20_000,
    "backlight_low": False,
}


class PanelError(ValueError):
    """The panel's settings can't be right; the message names the key and what it may be."""


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
    for key in ("width", "height", "baudrate", "spi", "sck", "mosi", "dc", "backlight_hz"):
        if not isinstance(full[key], int) or full[key] < 0:
            raise PanelError("board.PANEL %s must be a whole number, not %r" % (key, full[key]))
    for key in ("cs", "reset", "backlight"):
        if full[key] is not None and (not isinstance(full[key], int) or full[key] < 0):
            raise PanelError("board.PANEL %s must be a pin's number or None, not %r" % (key, full[key]))
    columns, rows, _ = MODELS[model]
    if full["swap_xy"]:
        columns, rows = rows, columns
    if not (0 < full["width"] <= columns and 0 < full["height"] <= rows):
        raise PanelError(
            "board.PANEL %d x %d pixels don't fit a %s mounted like this, which has %d x %d"
            % (full["width"], full["height"], model, columns, rows)
        )
    return full


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
            reset = Pin(s["reset"], Pin.OPEN_DRAIN if s["reset_open_drain"] else Pin.OUT, value=1)
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
            self._reset.value(0)
            time.sleep_ms(_RESET_PULSE_MS)
            self._reset.value(1)
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
        """Sets the light, 0 (off) to 1000 (full)."""
        if self._backlight is None:
            return
        duty = max(0, min(65535, level * 65535 // 1000))
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
