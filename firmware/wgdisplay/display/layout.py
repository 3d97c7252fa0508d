"""What the screen looks like: header bar, a block for each widget, pages where they don't fit; messages.

A block is an accent bar, the widget's name, its lines; a thin line parts it from the next. Everything is
measured in pixels and follows from the canvas size and the fonts, so that other panel sizes work without a
change.
"""

import pixels

from . import text as _text

_BAR = 4  # width of the accent bar
_LEFT = 12  # of names and lines
_RIGHT = 10
_SPREAD = 9  # pixels that a margin may grow by if there is room
_HEADER_PADDING = 6
_GAP = 12  # between the parts of the header
_DOT = 5  # side of a page's mark
_DOT_WIDE = 13  # of the present page's
_DOTS = 8  # pages; with more, it is "3/12"
_MESSAGE_LINES = 12
_PROGRESS = 10  # height of the bar
_QUIET = 4  # light modules around a QR code
SIZES = ("giant", "huge", "large", "normal", "small")
_BRIEF = {"giant": (1, 24), "huge": (3, 80)}  # widgets, and characters of each, that may be worth trying
_EMPTY = ("No widgets yet", "Connect over USB and type wg.help()")
_ALERT = "\u26a0"


class Block:
    """One widget, broken into lines for a width and a face. `item` is (name, text, error, note)."""

    def __init__(self, item, face, width, max_lines):
        self.name, text, self.error, self.note = item
        self.lines, self.cut, self.broken = _text.wrap(
            face.text, text or "-", width - _LEFT - _RIGHT, max_lines
        )
        self.height = face.label_height + face.text_height * len(self.lines)


def note_of(item):
    """What stands beside an item's name: why its text is old, and how old it is."""
    note = item[4] if len(item) > 4 else ""
    old = age(item[3]) if len(item) > 3 else ""
    return note + " \u00b7 " + old if note and old else note or old


def age(seconds):
    """How long ago, in the largest unit that it fills; "" for None and for less than a minute."""
    if seconds is None or seconds < 60:
        return ""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return "%d %s ago" % (seconds // length, unit)


def header_height(face):
    """Height of the header bar with its divider."""
    return face.label_height + 2 * _HEADER_PADDING + 1


def paginate(items, face, width, height):
    """Distributes the items over pages; a list of lists of Blocks, at least one page. No block is split."""
    room = height - header_height(_text.face("normal"))
    max_lines = max(1, (room - 2 * face.margin - face.label_height) // face.text_height)
    pages = [[]]
    y = 0
    for item in items:
        block = Block(item, face, width, max_lines)
        needed = block.height + 2 * face.margin + (1 if pages[-1] else 0)
        if pages[-1] and y + needed > room:
            pages.append([])
            y = 0
            needed -= 1
        pages[-1].append(block)
        y += needed
    return pages


def arrange(items, size, width, height):
    """(face, pages) for a text size, one of SIZES, or "auto": the largest at which all is on one page.

    Nothing may be cut then, no word broken and no character be missing; otherwise it is pages of normal size.
    """
    if size == "auto":
        for size in SIZES:
            face = _text.face(size)
            if size in _BRIEF and not _is_brief(items, face, size):
                continue
            pages = paginate(items, face, width, height)
            if len(pages) == 1 and not _is_spoilt(pages[0], size):
                return face, pages
        size = "normal"
    face = _text.face(size)
    return face, paginate(items, face, width, height)


def _is_brief(items, face, size):
    # The largest fonts have fewer characters than the others, so look before trying.
    most, length = _BRIEF[size]
    if len(items) > most:
        return False
    for item in items:
        if len(item[1]) > length or not _text.shows(face.text, item[1]):
            return False
    return True


def _is_spoilt(blocks, size):
    for block in blocks:
        if block.cut or (block.broken and size != SIZES[-1]):
            return True
    return False


def draw_page(canvas, theme, header, face, pages, page):
    """Draws one of the pages that `arrange` made. `header` is (left, right, alert), the last two may be missing."""
    # The header keeps one face, so that it stays where it is when the text size changes.
    bar = _text.face("normal")
    top = header_height(bar)
    canvas.fill(0, top, canvas.width, canvas.height - top, theme.background)
    left = header[0]
    right = header[1] if len(header) > 1 else ""
    draw_header(canvas, theme, bar, left, right, len(header) > 2 and header[2], page, len(pages))
    blocks = pages[page]
    if not blocks:
        draw_empty(canvas, theme, top)
        return
    margin = face.margin
    free = canvas.height - top - sum(block.height + 2 * margin + 1 for block in blocks) + 1
    grow = max(0, min(_SPREAD, free // (2 * len(blocks))))
    margin += grow
    free -= 2 * grow * len(blocks)
    # One widget alone is in the middle; of more, the first stays below the header.
    y = top + (max(0, free // 2) if len(blocks) == 1 and len(pages) == 1 else 0)
    for index, block in enumerate(blocks):
        if index:
            canvas.fill(_LEFT, y, canvas.width - _LEFT - _RIGHT, 1, theme.line)
            y += 1
        draw_block(canvas, theme, face, block, y + margin)
        y += block.height + 2 * margin


def draw_empty(canvas, theme, top):
    """What to do about a screen without widgets."""
    large, normal = _text.face("large"), _text.face("normal")
    y = top + (canvas.height - top) // 3
    _centred(canvas, large.text, _EMPTY[0], y, theme.text)
    y += large.text_height + 4
    for line in _text.wrap(normal.text, _EMPTY[1], canvas.width - 4 * _LEFT, 3)[0]:
        _centred(canvas, normal.text, line, y, theme.dim)
        y += normal.text_height


def _centred(canvas, font, line, y, colour):
    canvas.text(font, line, (canvas.width - pixels.measure(font, line)) // 2, y, colour)


def draw_header(canvas, theme, face, left, right, alert=False, page=0, pages=1):
    """The bar at the top: `left` gives way to the sign of an alert, the pages' marks and `right`."""
    height = header_height(face)
    canvas.fill(0, 0, canvas.width, height - 1, theme.header)
    canvas.fill(0, height - 1, canvas.width, 1, theme.divider)
    end = canvas.width - _RIGHT
    if right:
        right = _text.line(face.label, right, end - _LEFT)
        end -= pixels.measure(face.label, right)
        canvas.text(face.label, right, end, _HEADER_PADDING, theme.header_text)
        end -= _GAP
    if 1 < pages <= _DOTS:
        end = _draw_dots(canvas, theme, end, (height - 1 - _DOT) // 2, page, pages)
    elif pages > _DOTS:
        number = "%d/%d" % (page + 1, pages)
        end -= pixels.measure(face.note, number)
        canvas.text(face.note, number, end, _HEADER_PADDING + face.note_top, theme.header_text)
        end -= _GAP
    if alert:
        end -= pixels.measure(face.label, _ALERT)
        canvas.text(face.label, _ALERT, end, _HEADER_PADDING, theme.header_alert)
        end -= _GAP
    if left and end > _LEFT:
        left = _text.line(face.label, left, end - _LEFT)
        canvas.text(face.label, left, _LEFT, _HEADER_PADDING, theme.header_text)


def _draw_dots(canvas, theme, end, y, page, pages):
    x = end = end - (pages - 1) * 2 * _DOT - _DOT_WIDE
    for i in range(pages):
        width = _DOT_WIDE if i == page else _DOT
        canvas.fill(x, y, width, _DOT, theme.header_text if i == page else theme.header_dim)
        x += width + _DOT
    return end - _GAP


def draw_block(canvas, theme, face, block, y):
    """One widget from `y` down."""
    accent = theme.error if block.error else theme.accent
    ink = theme.error if block.error else theme.text
    canvas.fill(0, y + 1, _BAR, block.height - 2, accent)
    end = canvas.width - _RIGHT
    if block.note:
        note = _text.line(face.note, block.note, (end - _LEFT) * 2 // 3)
        end -= pixels.measure(face.note, note)
        canvas.text(face.note, note, end, y + face.note_top, theme.dim)
        end -= _RIGHT
    if end > _LEFT:
        canvas.text(face.label, _text.line(face.label, block.name, end - _LEFT), _LEFT, y, accent)
    y += face.label_height
    for line in block.lines:
        x = _LEFT
        if line.startswith(_text.RIGHT):
            x = canvas.width - _RIGHT - pixels.measure(face.text, line)
        canvas.text(face.text, line, x, y, ink)
        y += face.text_height


def draw_message(canvas, theme, title, lines, progress=None, qr=None):
    """A screen of its own for boot, set-up and updates: the title as header, the lines below it, wrapped.

    progress    0 to 100 draws a bar at the bottom and the number above it; None: no bar
    qr          a text to show as QR code at the right of the lines; None, or one that is too long: no code
    """
    face = _text.face("normal")
    canvas.fill(0, 0, canvas.width, canvas.height, theme.background)
    draw_header(canvas, theme, face, title, "")
    top = header_height(face)
    bottom = canvas.height
    end = canvas.width - _RIGHT
    if progress is not None:
        bottom = draw_progress(canvas, theme, progress)
    if qr:
        end -= draw_code(canvas, qr, end, top + _LEFT, canvas.width // 2, bottom - top - 2 * _LEFT)
        face = _text.face("small")
    y = top + face.margin + 4
    for line in lines:
        limit = (bottom - y) // face.text_height
        if limit < 1 or end <= _LEFT:
            break
        for part in _text.wrap(face.text, line, end - _LEFT, min(limit, _MESSAGE_LINES))[0]:
            x = end - pixels.measure(face.text, part) if part.startswith(_text.RIGHT) else _LEFT
            canvas.text(face.text, part, x, y, theme.text)
            y += face.text_height
        y += 2


def draw_progress(canvas, theme, progress):
    """A bar of 0 to 100 at the bottom and its number; returns the y above it."""
    progress = max(0, min(100, progress))
    width = canvas.width - 2 * _LEFT
    y = canvas.height - _PROGRESS - _LEFT
    canvas.fill(_LEFT, y, width, _PROGRESS, theme.line)
    canvas.fill(_LEFT, y, width * progress // 100, _PROGRESS, theme.accent)
    number = "%d %%" % progress
    font = _text.face("huge").text
    y -= pixels.line_height(font) + 4
    canvas.text(font, number, _LEFT, y, theme.text)
    return y


def draw_code(canvas, text, right, top, width, height):
    """A QR code, dark on white whatever the theme, with its quiet zone, at most `width` x `height` pixels.

    `right` is where it ends; returns how much of the width it takes, 0 if it has no room.
    """
    modules = bytearray(pixels.QR_MODULES)
    side = pixels.qr(text, modules)
    scale = min(width, height) // (side + 2 * _QUIET) if side else 0
    if not scale:
        return 0
    size = scale * (side + 2 * _QUIET)
    left = right - size
    canvas.fill(left, top, size, size, 0xFFFF)
    for y in range(side):
        start = None
        for x in range(side + 1):
            dark = x < side and modules[y * side + x]
            if dark and start is None:
                start = x
            elif not dark and start is not None:
                canvas.fill(
                    left + scale * (_QUIET + start),
                    top + scale * (_QUIET + y),
                    scale * (x - start),
                    scale,
                    0,
                )
                start = None
    return size + _LEFT
