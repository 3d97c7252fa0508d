"""What the screen looks like: header bar, a block for each widget, pages where they don't fit; messages.

A block is an accent bar, the widget's name, its lines; a thin line parts it from the next. Everything is
measured in pixels and follows from the canvas size and the fonts, so that other panel sizes work without a
change.
"""

import pixels

from . import text as _text

_BAR = 4  # width of the accent bar
_LEFT = 12  # of names and lines
_RIGHT = 8
_SPREAD = 5  # pixels that a margin may grow by if there is room
_HEADER_PADDING = 5
_MESSAGE_LINES = 12
_PROGRESS = 10  # height of the bar
_QUIET = 4  # light modules around a QR code
SIZES = ("huge", "large", "normal", "small")
_SHORT = 80  # characters of a text that may be worth trying in the largest size
_EMPTY = ("No widgets yet", "Connect over USB and type wg.help()")


class Block:
    """One widget, broken into lines for a width and a face."""

    def __init__(self, item, face, width, max_lines):
        self.name = item[0]
        self.error = bool(item[2]) if len(item) > 2 else False
        self.note = note_of(item)
        self.lines, self.cut, self.broken = _text.wrap(
            face.text, item[1] or "-", width - _LEFT - _RIGHT, max_lines
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
    room = height - header_height(face)
    max_lines = max(1, (room - 2 * face.margin - face.label_height) // face.text_height)
    pages = [[]]
    y = 0
    for item in items:
        block = Block(item, face, width, max_lines)
        needed = block.height + 2 * face.margin + (1 if pages[-1] else 0)
        if pages[-1] and y + needed > room:
            pages.append([])
            y = 0
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
            if size == "huge" and not _is_short(items, face):
                continue
            pages = paginate(items, face, width, height)
            if len(pages) == 1 and not _is_spoilt(pages[0], size):
                return face, pages
        size = "normal"
    face = _text.face(size)
    return face, paginate(items, face, width, height)


def _is_short(items, face):
    # The largest font has fewer characters than the others, so look before trying.
    for item in items:
        if len(item[1]) > _SHORT or not _text.shows(face.text, item[1]):
            return False
    return len(items) < 4


def _is_spoilt(blocks, size):
    for block in blocks:
        if block.cut or (block.broken and size != SIZES[-1]):
            return True
    return False


def draw_page(canvas, theme, header, items, size, page):
    """Draws one page; `page` counts on without end, the remainder is shown. Returns the number of pages."""
    # The header keeps one face, so that it stays where it is when the text size changes.
    bar = _text.face("normal")
    top = header_height(bar)
    face, pages = arrange(items, size, canvas.width, canvas.height)
    page %= len(pages)
    canvas.fill(0, top, canvas.width, canvas.height - top, theme.background)
    left, right = header if isinstance(header, (tuple, list)) else (header, "")
    if len(pages) > 1:
        right = "%d/%d   %s" % (page + 1, len(pages), right)
    draw_header(canvas, theme, bar, left, right)
    blocks = pages[page]
    margin = face.margin
    if blocks:
        used = sum(block.height + 2 * margin + 1 for block in blocks)
        margin += max(0, min(_SPREAD, (canvas.height - top - used) // (2 * len(blocks))))
    y = top
    for index, block in enumerate(blocks):
        if index:
            canvas.fill(_LEFT, y, canvas.width - _LEFT - _RIGHT, 1, theme.line)
            y += 1
        draw_block(canvas, theme, face, block, y + margin)
        y += block.height + 2 * margin
    if not items:
        large, normal = _text.face("large"), _text.face("normal")
        y = top + (canvas.height - top) // 3
        x = (canvas.width - pixels.measure(large.text, _EMPTY[0])) // 2
        canvas.text(large.text, _EMPTY[0], x, y, theme.text)
        y += large.text_height + 4
        for line in _text.wrap(normal.text, _EMPTY[1], canvas.width - 4 * _LEFT, 3)[0]:
            x = (canvas.width - pixels.measure(normal.text, line)) // 2
            canvas.text(normal.text, line, x, y, theme.dim)
            y += normal.text_height
    return len(pages)


def draw_header(canvas, theme, face, left, right):
    """The bar at the top: `left` gives way to `right`."""
    height = header_height(face)
    canvas.fill(0, 0, canvas.width, height - 1, theme.header)
    canvas.fill(0, height - 1, canvas.width, 1, theme.divider)
    end = canvas.width - _RIGHT
    if right:
        right = _text.shorten(face.label, right, end - _LEFT)
        end -= pixels.measure(face.label, right)
        canvas.text(face.label, right, end, _HEADER_PADDING, theme.header_text)
        end -= 2 * _RIGHT
    if end > _LEFT:
        canvas.text(
            face.label,
            _text.shorten(face.label, left, end - _LEFT),
            _LEFT,
            _HEADER_PADDING,
            theme.header_text,
        )


def draw_block(canvas, theme, face, block, y):
    """One widget from `y` down."""
    accent = theme.error if block.error else theme.accent
    canvas.fill(0, y + 1, _BAR, block.height - 2, accent)
    end = canvas.width - _RIGHT
    if block.note:
        note = _text.shorten(face.label, block.note, (end - _LEFT) // 2)
        end -= pixels.measure(face.label, note)
        canvas.text(face.label, note, end, y, theme.dim)
        end -= _RIGHT
    if end > _LEFT:
        canvas.text(face.label, _text.shorten(face.label, block.name, end - _LEFT), _LEFT, y, accent)
    y += face.label_height
    for line in block.lines:
        canvas.text(face.text, line, _LEFT, y, theme.error if block.error else theme.text)
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
        bottom = draw_progress(canvas, theme, face, progress)
    if qr:
        end -= draw_code(canvas, qr, end, top + _LEFT, canvas.width // 2, bottom - top - 2 * _LEFT)
        face = _text.face("small")
    y = top + face.margin + 4
    for line in lines:
        limit = (bottom - y) // face.text_height
        if limit < 1 or end <= _LEFT:
            break
        for part in _text.wrap(face.text, line, end - _LEFT, min(limit, _MESSAGE_LINES))[0]:
            canvas.text(face.text, part, _LEFT, y, theme.text)
            y += face.text_height
        y += 2


def draw_progress(canvas, theme, face, progress):
    """A bar of 0 to 100 at the bottom and its number; returns the y above it."""
    progress = max(0, min(100, progress))
    width = canvas.width - 2 * _LEFT
    y = canvas.height - _PROGRESS - _LEFT
    canvas.fill(_LEFT, y, width, _PROGRESS, theme.line)
    canvas.fill(_LEFT, y, width * progress // 100, _PROGRESS, theme.accent)
    number = "%d %%" % progress
    y -= face.text_height + 4
    canvas.text(face.text, number, canvas.width - _LEFT - pixels.measure(face.text, number), y, theme.text)
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
