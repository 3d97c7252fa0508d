"""The screen's colours: all of them follow from the background, so that every text stays readable on it.

Colours are (red, green, blue), 0 to 255; `rgb565` makes a framebuffer's number of one. Contrast is that of
WCAG 2.1 ("contrast ratio", 1 to 21); readable text has at least 4.5.
"""

TEXT_CONTRAST = 7.0
LABEL_CONTRAST = 4.5
LINE_CONTRAST = 1.25

_WHITE = (255, 255, 255)
_BLACK = (0, 0, 0)
_HEADER = (14, 54, 110)
_PAPER = (244, 240, 230)
_NIGHT = (14, 16, 20)
# On dark and on light backgrounds; `readable` moves them further where that is not enough.
_TEXT = ((255, 246, 214), (36, 32, 26))  # warm white, warm black
_ACCENT = ((64, 208, 235), (0, 104, 136))
_ERROR = ((255, 120, 96), (190, 36, 20))
_ALERT = ((255, 196, 64), (168, 72, 0))


def parse(text):
    """A colour of the form "#rrggbb" (or without "#") as numbers; black for anything else."""
    digits = text[1:] if text.startswith("#") else text
    if len(digits) != 6:
        return _BLACK
    try:
        value = int(digits, 16)
    except ValueError:
        return _BLACK
    if value < 0:
        return _BLACK
    return (value >> 16, value >> 8 & 0xFF, value & 0xFF)


def rgb565(colour):
    """The colour as an RGB565 number, rounded to the nearest that the panel has."""
    r, g, b = colour
    return (r * 31 + 127) // 255 << 11 | (g * 63 + 127) // 255 << 5 | (b * 31 + 127) // 255


def luminance(colour):
    """Relative luminance, 0 (black) to 1 (white)."""
    total = 0.0
    for value, weight in zip(colour, (0.2126, 0.7152, 0.0722)):
        c = value / 255
        total += weight * (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4)
    return total


def contrast(one, other):
    """Contrast ratio of two colours, 1 to 21."""
    a, b = luminance(one) + 0.05, luminance(other) + 0.05
    return a / b if a > b else b / a


def mix(one, other, share):
    """`share` of 16 parts of `other`, the rest of `one`."""
    return tuple((a * (16 - share) + b * share) // 16 for a, b in zip(one, other))


def readable(colour, background, ratio):
    """The colour, moved towards white or black as little as the contrast ratio asks for."""
    end = _WHITE if contrast(_WHITE, background) >= contrast(_BLACK, background) else _BLACK
    for share in range(17):
        candidate = mix(colour, end, share)
        if contrast(candidate, background) >= ratio:
            return candidate
    return end


def ground(background, mode):
    """The background as a mode wants it: "auto" as it is; "dark" or "light": a tone of it, if it isn't one."""
    base = parse(background)
    light = contrast(_BLACK, base) > contrast(_WHITE, base)
    if mode == "light" and not light:
        return mix(_PAPER, _bright(base), 4)
    if mode == "dark" and light:
        return mix(_NIGHT, base, 1)
    return base


def _bright(colour):
    # The same hue, as bright as it goes; white for black.
    top = max(colour)
    return tuple(value * 255 // top for value in colour) if top else _WHITE


class Theme:
    """RGB565 numbers of everything that is drawn, for one background and mode ("auto", "dark" or "light")."""

    def __init__(self, background, mode="auto"):
        base = ground(background, mode)
        light = contrast(_BLACK, base) > contrast(_WHITE, base)
        far = _BLACK if light else _WHITE
        if light:
            header = mix(base, _BLACK, 2)
        elif luminance(base) > 0.03:
            header = mix(base, _BLACK, 7)
        else:
            header = mix(_HEADER, base, 2)
        if contrast(header, base) < LINE_CONTRAST:
            header = mix(base, far, 3)
        text, accent, error = _TEXT[light], _ACCENT[light], _ERROR[light]
        self.background = rgb565(base)
        self.header = rgb565(header)
        self.header_text = rgb565(readable(_BLACK if light else _WHITE, header, LABEL_CONTRAST))
        self.header_dim = rgb565(readable(mix(header, _BLACK if light else _WHITE, 6), header, LINE_CONTRAST))
        self.header_alert = rgb565(readable(_ALERT[light], header, LABEL_CONTRAST))
        self.text = rgb565(readable(text, base, TEXT_CONTRAST))
        self.accent = rgb565(readable(accent, base, LABEL_CONTRAST))
        self.divider = rgb565(readable(accent, base, 3.0))
        self.error = rgb565(readable(error, base, LABEL_CONTRAST))
        self.line = rgb565(readable(mix(base, far, 2), base, LINE_CONTRAST))
        self.dim = rgb565(readable(mix(base, far, 6), base, LABEL_CONTRAST))
