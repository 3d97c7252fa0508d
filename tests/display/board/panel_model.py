"""A MIPI-DCS panel for tests, in MicroPython: pins and an SPI bus that decode what the driver sends into
pixels.

It knows what the data sheets say of the commands that the driver may use and refuses everything else, so that
a driver error shows as a failed test and not as a wrong colour. `picture()` is what a person would see: the
memory through the panel's mounting, which the test states in its own words and not by the driver's MADCTL.
"""

from controllers import UNLOCK, commands_of


class WireError(Exception):
    """The driver did what no panel would take."""


class Line:
    """A pin, or the light's PWM."""

    def __init__(self, level, changed=None):
        self.level = level
        self.duty = 0
        self._changed = changed

    def value(self, level):
        before, self.level = self.level, level
        if self._changed and before != level:
            self._changed(level)

    def duty_u16(self, duty):
        self.duty = duty


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self):
        self.now = 0

    def sleep_ms(self, ms):
        self.now += ms


class PanelModel:
    """`columns` x `rows` of memory; `width` x `height` visible."""

    def __init__(self, model, columns, rows, clock, reset_level=0):
        self.clock = clock
        self.parameters = commands_of(model)
        self.unlock = UNLOCK.get(model)
        self._ready = self._awake = 0  # when commands and SLPOUT are allowed again, by the clock
        self.columns = columns
        self.rows = rows
        self.memory = bytearray(columns * rows * 2)
        self.cs = Line(1, self._selected)
        self.dc = Line(1)
        self.reset_level = reset_level
        self.reset = Line(1 - reset_level, self._reset_changed)
        self.light = Line(0)
        self.data_bytes = 0
        self._power_on()

    def _power_on(self):
        self.locked = self.unlock is not None
        self.registers = {}  # code: parameters, of level 2
        self.madctl = 0
        self.colmod = 0x66
        self.inverted = False
        self.asleep = True
        self.on = False
        self.window = [0, self.columns - 1, 0, self.rows - 1]
        self._code = None
        self._got = b""
        self._at = 0

    def _reset_changed(self, level):
        if level == self.reset_level:
            self._power_on()
            self._since = self.clock.now
        else:
            if self.clock.now <= self._since:
                raise WireError("no reset pulse")
            self._ready, self._awake = self.clock.now + 5, self.clock.now + 120

    def _selected(self, level):
        if level:
            self._finish()

    def _finish(self):
        if self._code is None:
            return
        wanted = self.parameters[self._code]
        if wanted is not None and len(self._got) != wanted:
            raise WireError("command %02x got %d parameters" % (self._code, len(self._got)))
        if self.unlock == (self._code, self._got):
            self.locked = False
        elif self._code == 0x26 or self._code >= 0xB0:
            if self.locked:
                raise WireError("command %02x is ignored before it is unlocked" % self._code)
            self.registers[self._code] = self._got
        if self._code == 0x2C:
            x0, x1, y0, y1 = self.window
            if self._at != (x1 - x0 + 1) * (y1 - y0 + 1) * 2:
                raise WireError("window of %s got %d bytes" % (self.window, self._at))
        self._code = None

    def write(self, data):
        """The SPI bus."""
        if self.cs.level:
            raise WireError("bytes without chip select")
        if self.reset.level == self.reset_level:
            raise WireError("bytes while in reset")
        if self.dc.level == 0:
            if len(data) != 1:
                raise WireError("a command is one byte")
            self._finish()
            self._command(data[0])
        elif self._code == 0x2C:
            self._pixels(data)
        else:
            self._got += bytes(data)
            self._parameters()

    def _command(self, code):
        if code not in self.parameters:
            raise WireError("unknown command %02x" % code)
        now = self.clock.now
        if now < self._ready or (code == 0x11 and now < self._awake):
            raise WireError("command %02x comes too early" % code)
        if self.asleep and code in (0x29, 0x2C):
            raise WireError("command %02x while the panel sleeps" % code)
        self._code = code
        self._got = b""
        self._at = 0
        if code == 0x01:
            self._power_on()
            self._code = code
            self._ready, self._awake = now + 5, now + 120
        elif code == 0x11:
            self.asleep = False
            self._ready = now + 5
        elif code == 0x20:
            self.inverted = False
        elif code == 0x21:
            self.inverted = True
        elif code == 0x29:
            self.on = True

    def _parameters(self):
        code, got = self._code, self._got
        if code == 0x36:
            self.madctl = got[0]
        elif code == 0x3A:
            self.colmod = got[0]
        elif code in (0x2A, 0x2B) and len(got) == 4:
            first, last = got[0] << 8 | got[1], got[2] << 8 | got[3]
            across = (code == 0x2A) != bool(self.madctl & 0x20)
            if not first <= last < (self.columns if across else self.rows):
                raise WireError("range %d..%d of command %02x" % (first, last, code))
            at = 0 if code == 0x2A else 2
            self.window[at] = first
            self.window[at + 1] = last

    def _pixels(self, data):
        if self.colmod != 0x55:
            raise WireError("pixels in format %02x" % self.colmod)
        x0, x1, y0, y1 = self.window
        row = (x1 - x0 + 1) * 2
        if self._at + len(data) > row * (y1 - y0 + 1):
            raise WireError("more pixels than the window has")
        self.data_bytes += len(data)
        mirrored = self.madctl & 0xE0
        used = 0
        while used < len(data):
            y = y0 + self._at // row
            x = x0 + self._at % row // 2
            n = min(len(data) - used, row - self._at % row)
            if not mirrored:
                to = (y * self.columns + x) * 2
                self.memory[to : to + n] = data[used : used + n]
            else:
                for i in range(0, n, 2):
                    to = self._place(x + i // 2, y)
                    self.memory[to] = data[used + i]
                    self.memory[to + 1] = data[used + i + 1]
            used += n
            self._at += n

    def _place(self, x, y):
        if self.madctl & 0x20:
            x, y = y, x
        if self.madctl & 0x40:
            x = self.columns - 1 - x
        if self.madctl & 0x80:
            y = self.rows - 1 - y
        return (y * self.columns + x) * 2
