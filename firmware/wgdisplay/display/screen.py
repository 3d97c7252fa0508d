"""The screen: draws pages into a framebuffer and sends the panel what changed, and nothing else.

Two framebuffers: `canvas` is drawn, `_shown` is what the panel has. A drawing that equals the last one is not
even drawn; otherwise the two are compared and the rectangles that differ are sent. So no state of the drawing
code can leave a stale pixel behind, and a changed minute costs a few hundred bytes.
"""

import binascii
import struct
from array import array

import pixels
from micropython import const

from . import layout
from .panel import Panel, PanelError
from .text import Canvas
from .theme import Theme

FULL_BRIGHTNESS = const(1000)
_BLACK = "#000000"
_RECTS = const(24)
_PNG_CHUNK = const(8192)
_BAND = const(8192)  # bytes of a partial region that go in one transfer


def _shown(item):
    # An item as far as it can be seen: an age of a text grows every second, what is shown of it doesn't.
    return (item[0], item[1], bool(item[2]), layout.note_of(item))


def _chunk(write, kind, data):
    write(struct.pack(">I", len(data)))
    write(kind)
    write(data)
    write(struct.pack(">I", binascii.crc32(data, binascii.crc32(kind))))


class Screen:
    """Draws on a started panel. `frames` counts the drawings that sent pixels. To be set before a drawing: `size`, the
    text size ("auto" or one of layout.SIZES), `theme` ("auto", "dark" or "light"). `pages` says on how many pages the
    last drawing's items are."""

    def __init__(self, panel, size="auto"):
        self.panel = panel
        self.size = size
        self.theme = "auto"
        self.frames = 0
        self.pages = 1
        self.brightness = FULL_BRIGHTNESS
        self.canvas = Canvas(panel.width, panel.height)
        self._shown = bytearray(len(self.canvas.buffer))
        self._valid = False  # whether the panel shows `_shown`
        self._lit = False
        self._drawn = None  # what the canvas was drawn from
        self._colours = None  # the Theme, and what it was made of
        self._ground = None
        self._background = _BLACK
        self._arranged = None  # (items, size, face, pages) of the last drawing
        self._rects = array("H", bytes(8 * _RECTS))
        self._band = bytearray(max(_BAND, panel.width * 2))

    @classmethod
    def from_board(cls, size="auto"):
        """This board's screen, its panel started; raises PanelError if `board.PANEL` can't be right."""
        import board

        settings = getattr(board, "PANEL", None)
        if not isinstance(settings, dict):
            raise PanelError("board.py has no PANEL, a dictionary of the panel's settings")
        panel = Panel.from_settings(settings)
        panel.start()
        return cls(panel, size)

    @property
    def bytes_sent(self):
        """Bytes on the wire since the start, commands included."""
        return self.panel.bytes_sent

    def draw(self, header, items, background=_BLACK, page=0):
        """Shows a page of the widgets; True if pixels were sent.

        header      text at the left, or (left, right), or (left, right, alert): an alert shows as a sign
        items       list of (name, text, error) or (name, text, error, age_s, note): error texts have their
                    own colour; the age of a stale text in seconds (None: it is fresh) and a few words why it
                    is old stand at the right of the name
        background  "#rrggbb"
        page        which, if there are several: any number, the remainder counts
        """
        header = (header,) if isinstance(header, str) else tuple(header)
        shown = [_shown(item) for item in items]
        arranged = self._arranged
        if arranged is None or arranged[0] != shown or arranged[1] != self.size:
            face, pages = layout.arrange(shown, self.size, self.panel.width, self.panel.height)
            arranged = self._arranged = (shown, self.size, face, pages)
        _, _, face, pages = arranged
        self.pages = len(pages)
        page %= len(pages)
        state = (header, shown, background, self.theme, page, self.size)
        if self._valid and state == self._drawn:
            return False
        self._drawn = None
        layout.draw_page(self.canvas, self._theme(background), header, face, pages, page)
        self._drawn = state
        return self._send()

    def message(self, title, lines, background=None, progress=None, qr=None):
        """Shows a title and lines (boot, set-up, update) in place of the widgets; True if pixels were sent.

        background  "#rrggbb"; None: the last one
        progress    0 to 100: a bar at the bottom; None: no bar
        qr          a text to show as QR code; None: no code
        """
        if background is None:
            background = self._background
        state = (title, tuple(lines), background, self.theme, progress, qr)
        if self._valid and state == self._drawn:
            return False
        self._drawn = None
        layout.draw_message(self.canvas, self._theme(background), title, lines, progress, qr)
        self._drawn = state
        return self._send()

    def dim(self, level):
        """Sets the light, 0 to 1000; before the first picture it is only noted."""
        self.brightness = level
        if self._lit:
            self.panel.brightness(level)

    def write_png(self, write):
        """Hands the picture that the panel has to `write(buffer)` as PNG, piece by piece: 12 KB of memory at most.

        The buffers are used again after each call.
        """
        width, height = self.panel.width, self.panel.height
        write(b"\x89PNG\r\n\x1a\n")
        _chunk(write, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        row = (width * 3 + 1) * 9 // 8 + 16
        data = memoryview(bytearray(4 + max(row, _PNG_CHUNK)))
        data[:4] = b"IDAT"
        state = bytearray(16)
        used = 4
        for y in range(-1, height + 1):
            if used + row > len(data):
                _chunk(write, data[:4], data[4:used])
                used = 4
            used += pixels.png(self._shown, width, y, state, data[used:])
        _chunk(write, data[:4], data[4:used])
        _chunk(write, b"IEND", b"")

    def refresh(self):
        """Sends the whole frame at the next drawing, whatever the panel is thought to show."""
        self._valid = False

    def _theme(self, background):
        self._background = background
        ground = (background, self.theme)
        if ground != self._ground:
            self._colours = Theme(background, self.theme)
            self._ground = ground
        return self._colours

    def _send(self):
        canvas = self.canvas
        rects = self._rects
        if self._valid:
            count = pixels.diff(canvas.buffer, self._shown, canvas.width, rects)
            if not count:
                return False
        else:
            count = 1
            rects[0] = rects[1] = 0
            rects[2] = canvas.width
            rects[3] = canvas.height
        self._valid = False  # until all of it is sent: an error in between costs a full frame later
        try:
            for i in range(0, 4 * count, 4):
                self._send_rect(rects[i], rects[i + 1], rects[i + 2], rects[i + 3])
        except BaseException:
            self.panel.end()
            raise
        self._valid = True
        self.frames += 1
        if not self._lit:
            # The light comes on with the first picture, not with what was left in the panel's memory.
            self.panel.brightness(self.brightness)
            self._lit = True
        return True

    def _send_rect(self, x, y, w, h):
        canvas = self.canvas
        panel = self.panel
        panel.begin(x, y, w, h)
        if w == canvas.width:
            # Whole rows lie in one piece: no copy, one transfer.
            first, last = y * w * 2, (y + h) * w * 2
            rows = memoryview(canvas.buffer)[first:last]
            memoryview(self._shown)[first:last] = rows
            panel.pixels(rows)
        else:
            band = self._band
            step = len(band) // (w * 2)
            while h > 0:
                n = min(step, h)
                pixels.take(canvas.buffer, self._shown, canvas.width, x, y, w, n, band)
                panel.pixels(memoryview(band)[: n * w * 2])
                y += n
                h -= n
        panel.end()
