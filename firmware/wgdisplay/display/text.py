"""Fonts, line breaking and the canvas: text on a framebuffer, through the C module `pixels`.

Fonts are modules of the package `wgfonts`, made at build time; `Face` names the pair that a text size uses.
"""

import pixels

from . import bidi

ELLIPSIS = "\u2026"
_TAB = 40  # pixels from one tab stop to the next
_LONGEST = 3000  # characters of a text that are looked at: more than any screen has room for
_BREAK_AFTER = "-/,;\u2013\u2014\u200b"


# What ends a line beside "\n"; other control characters show nothing.
_LINE_ENDS = ("\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029")
# In front of a line of `wrap`: it starts at the right. It shows nothing.
RIGHT = "\u200f"


class Face:
    """The fonts of one text size: `label` for names, `text` for what widgets say, `note` for what is beside names."""

    def __init__(self, label, text, note, margin):
        self.label = label
        self.text = text
        self.note = note
        self.margin = margin  # above and below a widget, at least
        self.label_height = pixels.line_height(label)
        self.text_height = pixels.line_height(text)
        self.note_top = ascent(label) - ascent(note)  # so that both stand on one line


def ascent(font):
    """Pixels from a line's top to the line that its letters stand on."""
    return font[5]  # see cmodules/wg_display/pixels.h


_faces = {}


def face(size):
    """The Face of "small", "normal", "large", "huge" or "giant"; loaded once."""
    if size not in _faces:
        from wgfonts import text_small

        note = text_small
        if size == "giant":
            from wgfonts import label_large as label
            from wgfonts import text_giant as text

            margin = 6
        elif size == "huge":
            from wgfonts import label_large as label
            from wgfonts import text_huge as text

            margin = 6
        elif size == "large":
            from wgfonts import label_large as label
            from wgfonts import text_large as text

            margin = 5
        elif size == "small":
            from wgfonts import label_small as label

            text = text_small
            margin = 4
        else:
            from wgfonts import label, text

            margin = 4
        _faces[size] = Face(label.DATA, text.DATA, note.DATA, margin)
    return _faces[size]


def line(font, text, width):
    """One line of `width` pixels, in the order on the screen; an ellipsis stands for what has no room."""
    lines = wrap(font, text, width, 1)[0]
    return lines[0][1:] if lines[0].startswith(RIGHT) else lines[0]


def shorten(font, text, width):
    """The text if it fits into `width` pixels, otherwise as much of it as does with an ellipsis behind."""
    if pixels.measure(font, text) <= width:
        return text
    count = pixels.fit(font, text, width - pixels.measure(font, ELLIPSIS))
    return text[:count].rstrip() + ELLIPSIS


def _break_at(text, count):
    # Where to break a text of which `count` characters fit: behind the last space or hyphen; 0 if there is none.
    if text[count] == " ":
        return count
    for i in range(count - 1, 0, -1):
        if text[i] == " " or text[i] in _BREAK_AFTER:
            return i + 1
    return 0


def wrap(font, text, width, limit):
    """Breaks a text into at most `limit` lines of `width` pixels: at its newlines, at words, or hard.

    Returns (lines, cut, broken): if cut, there was more and the last line ends in an ellipsis; broken says that
    a word was. Spaces at a break and empty lines at the end are dropped. Lines are in the order on the screen; those
    of a paragraph that is written from right to left have RIGHT in front.
    """
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + ELLIPSIS
    for end in _LINE_ENDS:
        if end in text:
            text = text.replace(end, "\n")
    text = text.rstrip()
    if not pixels.is_rtl(text):
        return _wrap(font, text, width, limit)
    lines = []
    broken = False
    for paragraph in text.replace("\t", " ").split("\n"):
        if len(lines) == limit:
            break
        more, cut, broke = _wrap(font, paragraph.rstrip(), width, limit - len(lines))
        base = bidi.base_level(paragraph)
        lines += [(RIGHT if base else "") + bidi.visual(line, base) for line in more]
        broken = broken or broke
        if cut:
            return lines, True, broken
    else:
        return lines, False, broken
    last = lines[-1]
    if last.startswith(RIGHT):
        # What is read last is at the left.
        last = last[1:]
        while last and pixels.measure(font, ELLIPSIS + last) > width:
            last = last[1:]
        lines[-1] = RIGHT + ELLIPSIS + last
    else:
        lines[-1] = shorten(font, last + ELLIPSIS, width)
    return lines, True, broken


def _wrap(font, text, width, limit):
    lines = []
    broken = False
    for paragraph in text.split("\n"):
        rest = paragraph.rstrip()
        if "\t" in rest and _tabbed_width(font, rest) > width:
            rest = rest.replace("\t", " ")
        while True:
            if len(lines) == limit:
                # An ellipsis more than fits makes `shorten` take back what it needs.
                last = lines[-1].replace("\t", " ") + ELLIPSIS
                lines[-1] = last if pixels.measure(font, last) <= width else shorten(font, last, width)
                return lines, True, broken
            count = len(rest) if "\t" in rest else pixels.fit(font, rest, width)
            if count >= len(rest):
                lines.append(rest)
                break
            at = _break_at(rest, count)
            if not at:
                at = max(count, 1)
                broken = True
            lines.append(rest[:at].rstrip())
            rest = rest[at:].lstrip()
            if not rest:
                break
    return lines, False, broken


def _tabbed_width(font, text):
    x = 0
    for i, part in enumerate(text.split("\t")):
        if i:
            x = (x // _TAB + 1) * _TAB
        x += pixels.measure(font, part)
    return x


def shows(font, text):
    """Whether the font has every character of the text."""
    for char in text:
        if char not in "\n\r\t" and not pixels.has(font, ord(char)):
            return False
    return True


class Canvas:
    """A framebuffer of `width` x `height` wire-order RGB565 pixels and what can be drawn on it."""

    def __init__(self, width, height):
        self.width = width
        self.height = height
        self.buffer = bytearray(width * height * 2)

    def fill(self, x, y, w, h, colour):
        """Fills a rectangle, clipped to the canvas."""
        pixels.fill(self.buffer, self.width, x, y, w, h, colour)

    def text(self, font, text, x, y, colour):
        """Draws one line with its top left corner at (x, y), tabs included; returns x behind it."""
        if "\t" not in text:
            return pixels.text(self.buffer, self.width, font, text, x, y, colour)
        left = x
        for i, part in enumerate(text.split("\t")):
            if i:
                x = left + ((x - left) // _TAB + 1) * _TAB
            x = pixels.text(self.buffer, self.width, font, part, x, y, colour)
        return x
