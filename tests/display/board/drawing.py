"""Checks the C module `pixels` against slow references of its own words. Prints OK."""

import random
from array import array

import pixels

from wgdisplay.display import text

W, H = 37, 23


def put(frame, x, y, colour):
    if 0 <= x < W and 0 <= y < H:
        frame[(y * W + x) * 2] = colour >> 8
        frame[(y * W + x) * 2 + 1] = colour & 255


def check_fill():
    for _ in range(500):
        x, y, w, h = [random.randrange(-50, 60) for _ in range(4)]
        colour = random.getrandbits(16)
        got, wanted = bytearray(W * H * 2), bytearray(W * H * 2)
        pixels.fill(got, W, x, y, w, h, colour)
        for row in range(y, y + h):
            for column in range(x, x + w):
                put(wanted, column, row, colour)
        assert got == wanted, (x, y, w, h)
    pixels.fill(got, W, -(1 << 29), -5, 1 << 29, 1 << 29, 0)


def check_diff():
    rects = array("H", bytes(8 * 24))
    few = array("H", bytes(8))
    then = b""
    for round in range(1500):
        if round % 50 == 0:
            then = bytearray(random.getrandbits(8) for _ in range(W * H * 2))
        now = bytearray(then)
        for _ in range(random.choice((0, 1, 2, 9, 60))):
            now[random.randrange(W * H * 2)] ^= 1 << random.randrange(8)
        out = few if round % 3 == 0 else rects
        shown = bytearray(then)
        band = bytearray(W * H * 2)
        for i in range(0, 4 * pixels.diff(now, then, W, out), 4):
            pixels.take(now, shown, W, out[i], out[i + 1], out[i + 2], out[i + 3], band)
        assert shown == now
        assert now != then or pixels.diff(now, then, W, out) == 0


def mean(frame):
    return sum(frame) / len(frame)


def check_text():
    for size in ("small", "normal", "large"):
        face = text.face(size)
        for font in (face.label, face.text):
            # The same text, drawn and measured, and clipped at every edge without touching anything else.
            whole = bytearray(W * H * 2)
            end = pixels.text(whole, W, font, "Äg", 2, 1, 0xFFFF)
            assert end == 2 + pixels.measure(font, "Äg")
            for dx, dy in ((-9, 0), (30, 0), (0, -9), (0, 15), (-200, -200), (10**6, 10**6)):
                big = bytearray(3 * W * 3 * H * 2)
                pixels.text(big, 3 * W, font, "Äg", W + dx, H + dy, 0xFFFF)
                small = bytearray(W * H * 2)
                pixels.text(small, W, font, "Äg", dx, dy, 0xFFFF)
                for y in range(H):
                    at = ((H + y) * 3 * W + W) * 2
                    assert big[at : at + W * 2] == small[y * W * 2 : (y + 1) * W * 2], (dx, dy, y)
            # A base and its mark are one glyph, the same as the precomposed one; invisible characters are.
            for one, two in (
                ("e\u0301", "é"),
                ("A\u030a", "Å"),
                ("u\u0308\u0304", "ǖ"),
                ("a\u200bb\ufeff", "ab"),
            ):
                a, b = bytearray(W * H * 2), bytearray(W * H * 2)
                pixels.text(a, W, font, one, 2, 1, 0xFFFF)
                pixels.text(b, W, font, two, 2, 1, 0xFFFF)
                assert a == b, (one, two)
            # A mark without a glyph of its own goes over its base and takes no width; a tower stays in the line.
            for marked in ("x\u0304", "\u0304x", "x" + "\u0301" * 200):
                assert pixels.measure(font, marked) == pixels.measure(font, "x")
            plain, marked, tower = (bytearray(W * 60 * 2) for _ in range(3))
            pixels.text(plain, W, font, "x", 10, 30, 0xFFFF)
            pixels.text(marked, W, font, "x\u0304", 10, 30, 0xFFFF)
            pixels.text(tower, W, font, "x" + "\u0301" * 200, 10, 30, 0xFFFF)
            assert plain != marked and sum(marked) > sum(plain)
            assert not any(tower[: W * 2 * 26])
            assert pixels.fit(font, "e\u0301x", pixels.measure(font, "e")) == 2
            # What the font lacks is a visible box of its own width, never nothing.
            assert not pixels.has(font, 0x6F22)
            box = bytearray(W * H * 2)
            pixels.text(box, W, font, "漢", 2, 1, 0xFFFF)
            assert mean(box) > 0 and pixels.measure(font, "漢") > 3
            for code in (0x41, 0xE9, 0x17E, 0x3B1, 0x416, 0x20AC, 0x2192, 0x2026):
                assert pixels.has(font, code), hex(code)
        for code in (0x2500, 0x2588, 0x2600, 0x26A1, 0x2708, 0x2713):
            assert pixels.has(face.text, code), hex(code)
    # Blending reaches both ends exactly and never leaves them.
    font = text.face("large").text
    for ground, ink in ((0x0000, 0xFFFF), (0xFFFF, 0x0000), (0x1234, 0xFEDC), (0xF800, 0x07FF)):
        frame = bytearray(W * H * 2)
        pixels.fill(frame, W, 0, 0, W, H, ground)
        pixels.text(frame, W, font, "W8", 0, 0, ink)
        values = set()
        for i in range(0, len(frame), 2):
            values.add(frame[i] << 8 | frame[i + 1])
        assert ground in values and ink in values and len(values) > 4
        for value in values:
            for shift, mask in ((11, 31), (5, 63), (0, 31)):
                a, b, v = ground >> shift & mask, ink >> shift & mask, value >> shift & mask
                assert min(a, b) <= v <= max(a, b), (hex(ground), hex(ink), hex(value))


def check_wrap():
    font = text.face("normal").text
    assert text.wrap(font, "a word", 200, 5) == (["a word"], False, False)
    assert text.wrap(font, "one two three", 70, 5) == (["one two", "three"], False, False)
    assert text.wrap(font, "one two three", 70, 1) == (["one tw\u2026"], True, False)
    assert text.wrap(font, "Donaudampf", 50, 5) == (["Donau", "dampf"], False, True)
    words = (
        "a",
        "Wörter",
        "-",
        "x" * 40,
        "\t",
        "e\u0301",
        "\u200b",
        "漢字",
        " ",
        "\n",
        "1/2",
        "und",
        "\r\n",
        "\u0301",
    )
    for _ in range(3000):
        string = " ".join(random.choice(words) for _ in range(random.randrange(12)))
        width, limit = random.choice((4, 30, 120, 300)), random.choice((1, 2, 5, 40))
        lines, cut, broken = text.wrap(font, string, width, limit)
        assert 1 <= len(lines) <= limit
        assert cut == (lines[-1].endswith("\u2026"))
        if width >= 30:
            for line in lines:
                assert text._tabbed_width(font, line) <= width, (string, width, line)
        if not cut:
            if not broken:
                assert all(
                    max(pixels.measure(font, word) for word in line.split() or [""]) <= width
                    for line in lines
                )
            kept = "".join(lines).replace(" ", "").replace("\t", "")
            assert kept == "".join(string.split()), (string, lines)


def check_refusals():
    frame = bytearray(W * H * 2)
    font = text.face("small").text
    for call in (
        lambda: pixels.fill(frame, 0, 0, 0, 1, 1, 0),
        lambda: pixels.fill(frame, W + 1, 0, 0, 1, 1, 0),
        lambda: pixels.fill(bytearray(0), W, 0, 0, 1, 1, 0),
        lambda: pixels.measure(b"", "a"),
        lambda: pixels.measure(b"WGF2" + bytes(12), "a"),
        lambda: pixels.measure(font[:2000], "a"),
        lambda: pixels.measure(b"XXXX" + font[4:], "a"),
        lambda: pixels.take(frame, frame, W, 0, 0, W, H + 1, frame),
        lambda: pixels.take(frame, frame, W, -1, 0, 2, 2, frame),
        lambda: pixels.take(frame, frame, W, 0, 0, 2, 2, bytearray(7)),
        lambda: pixels.diff(frame, bytearray(W * 2), W, array("H", bytes(8))),
        lambda: pixels.diff(frame, frame, W, bytearray(0)),
    ):
        try:
            call()
        except ValueError:
            continue
        raise AssertionError("accepted")
    # A font with its bitmaps cut off shows gaps and reads nothing behind its end.
    for length in range(len(font) - 40, len(font), 7):
        pixels.text(frame, W, font[:length], "\ufffd\u27a1", 0, 0, 0xFFFF)
    for code in range(0, 0x110000, 251):
        pixels.measure(font, chr(code))


random.seed(8)
check_fill()
check_diff()
check_text()
check_wrap()
check_refusals()
print("OK")
