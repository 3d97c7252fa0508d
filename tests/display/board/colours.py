"""Checks the contrast of every colour on many backgrounds, in both themes, as the panel rounds them. Prints OK."""

import random

from wgdisplay.display.theme import Theme, contrast, ground

ROUNDING = 0.94  # what five and six bits may take off a ratio


def seen(value):
    r, g, b = value >> 11, value >> 5 & 63, value & 31
    return (r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2)


def check(background, mode):
    theme = Theme(background, mode)
    base, header = seen(theme.background), seen(theme.header)
    for name, on, ratio in (
        ("text", base, 7.0),
        ("accent", base, 4.5),
        ("error", base, 4.5),
        ("dim", base, 4.5),
        ("divider", base, 3.0),
        ("header_text", header, 4.5),
        ("header_alert", header, 4.5),
    ):
        got = contrast(seen(getattr(theme, name)), on)
        best = max(contrast((0, 0, 0), on), contrast((255, 255, 255), on))
        assert got >= min(ratio, best) * ROUNDING, (background, mode, name, got)
    light = contrast((0, 0, 0), ground(background, mode)) > contrast(
        (255, 255, 255), ground(background, mode)
    )
    assert mode == "auto" or light == (mode == "light"), (background, mode)


def main():
    random.seed(8)
    for _ in range(1500):
        background = "#%06x" % random.getrandbits(24)
        for mode in ("auto", "dark", "light"):
            check(background, mode)
    for background in ("#000000", "#ffffff", "#808080", "#757575", "", "#12", "#-12345", "red"):
        for mode in ("auto", "dark", "light"):
            check(background, mode)
    print("OK")


main()
