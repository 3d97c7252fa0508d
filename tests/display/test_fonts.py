"""The font builder: format, coverage, composition, limits. The outline fonts come by `make fonts`."""

import struct
import unicodedata
from pathlib import Path

import pytest

from wg.fonts import __main__ as command
from wg.fonts import coverage
from wg.fonts.build import Font, FontError, Glyph, compositions, rasterise, rasterise_icons, to_module
from wg.fonts.icons import ICONS

from .conftest import ROOT

PACKAGES = ROOT / "build" / "fonts" / "npm" / "node_modules"
TTF = PACKAGES / "dejavu-fonts-ttf" / "ttf"
ICON_FONT = PACKAGES / "@mdi" / "font" / "fonts" / "materialdesignicons-webfont.ttf"


class Reader:
    """Reads the format as pixels.h describes it."""

    def __init__(self, data: bytes) -> None:
        magic, self.line_height, self.ascent, ranges, glyphs, pairs, bitmaps = struct.unpack_from(
            "<4sBBHHHI", data
        )
        assert magic == b"WGF2"
        self.data = data
        self.index: dict[int, int] = {}
        last = -1
        for i in range(ranges):
            first, count, glyph = struct.unpack_from("<IHH", data, 16 + 8 * i)
            assert first > last and count > 0
            last = first + count - 1
            self.index.update({first + k: glyph + k for k in range(count)})
        self.glyphs_at = 16 + 8 * ranges
        pairs_at = self.glyphs_at + 8 * glyphs
        self.pairs = [struct.unpack_from("<HHH", data, pairs_at + 6 * i) for i in range(pairs)]
        assert bitmaps == pairs_at + 6 * pairs
        self.bitmaps = data[bitmaps:]
        assert sorted(self.index.values()) == list(range(1, glyphs))

    def glyph(self, index: int) -> Glyph:
        at = self.glyphs_at + 8 * index
        offset = int.from_bytes(self.data[at : at + 3], "little")
        advance, width, height, left, top = struct.unpack_from("<BBBbb", self.data, at + 3)
        nibbles = (nibble for byte in self.bitmaps[offset:] for nibble in (byte >> 4, byte & 15))
        flat = b""
        while len(flat) < width * height:
            value = next(nibbles)
            flat += bytes([value]) * (next(nibbles) + 1 if value in (0, 15) else 1)
        assert len(flat) == width * height
        rows = tuple(flat[y * width : (y + 1) * width] for y in range(height))
        return Glyph(advance, left, top, rows)


@pytest.fixture(scope="module")
def font() -> Font:
    return rasterise(TTF / command.REGULAR, 16, 19, coverage.code_points(coverage.TEXT, coverage.GRAPHICS))


def test_what_was_rasterised_can_be_read_again(font: Font) -> None:
    reader = Reader(font.to_bytes())
    assert (reader.line_height, reader.ascent) == (19, font.ascent)
    assert reader.index.keys() == font.glyphs.keys()
    assert reader.glyph(0) == font.replacement
    for code, index in reader.index.items():
        assert reader.glyph(index) == font.glyphs[code], hex(code)


def test_coverage(font: Font) -> None:
    texts = (
        "".join(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x100)))),
        "".join(map(chr, range(0x100, 0x180))),
        "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρςστυφχψωάέήίόύώΐΰ",
        "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюяёЁіїєґЂЋљњ",
        "€£¥₽₺₴₹¢←↑→↓↔↗↘⇒─│┌┐└┘├┤┼═║█▁▃▅▇■●☀☁☂☃❄⚡⚠✈✓✗♥♪★…–—„“”‚‘’«»•°‰",
    )
    missing = sorted({char for text in texts for char in text if ord(char) not in font.glyphs})
    assert not missing, missing


def test_visible_characters_have_ink_and_spaces_have_width(font: Font) -> None:
    for code, glyph in font.glyphs.items():
        category = unicodedata.category(chr(code))
        if category == "Zs":
            assert not any(map(any, glyph.rows)) and glyph.advance > 0, hex(code)
        elif category not in ("Cf", "Zl", "Zp"):
            assert any(map(any, glyph.rows)), hex(code)
    assert any(map(any, font.replacement.rows))


def test_lines_have_room_for_accents_and_descenders(font: Font) -> None:
    for char in "gjpqyÇÄÅÉŐŰЙЁΪþß(){}[]|":
        glyph = font.glyphs[ord(char)]
        assert glyph.top >= -2 and glyph.top + len(glyph.rows) <= font.line_height + 1, char


def test_compositions_are_those_of_unicode(font: Font) -> None:
    reader = Reader(font.to_bytes())
    assert reader.pairs == sorted(reader.pairs) == compositions(font.glyphs)
    assert (ord("e"), 0x301, ord("é")) in reader.pairs
    assert (ord("и"), 0x306, ord("й")) in reader.pairs
    for base, mark, composed in reader.pairs:
        assert unicodedata.normalize("NFC", chr(base) + chr(mark)) == chr(composed)


def test_icons_fill_the_line_and_stay_in_it() -> None:
    for size, line_height in ((13, 16), (16, 19), (21, 25)):
        glyphs = rasterise_icons(ICON_FONT, size, line_height, ICONS)
        assert glyphs.keys() == ICONS.keys()
        for code, glyph in glyphs.items():
            assert glyph.top >= 0 and glyph.top + len(glyph.rows) <= line_height, hex(code)
            assert glyph.left >= 0 and glyph.left + glyph.width <= glyph.advance, hex(code)
            assert max(len(glyph.rows), glyph.width) >= size * 0.5, hex(code)
    with pytest.raises(FontError, match="no icon 'no-such-icon'"):
        rasterise_icons(ICON_FONT, 16, 19, {65: "no-such-icon"})


def test_a_glyph_too_large_is_refused() -> None:
    box = Glyph(300, 0, 0, (b"\x0f",))
    with pytest.raises(FontError, match="too large"):
        Font(10, 8, {65: box}, box).to_bytes()


def test_the_command_writes_the_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([str(TTF), str(ICON_FONT), str(tmp_path)]) == 0
    total = 0
    for face in command.FACES:
        scope: dict[str, bytes] = {}
        exec((tmp_path / "wgfonts" / f"{face.name}.py").read_text("ascii"), scope)
        assert Reader(scope["DATA"]).line_height == face.line_height
        total += len(scope["DATA"])
    assert total < 600_000, "the fonts' share of the flash"
    assert command.main([str(tmp_path), str(ICON_FONT), str(tmp_path)]) == 1
    assert "wg.fonts:" in capsys.readouterr().err


def test_the_module_is_the_same_bytes() -> None:
    scope: dict[str, bytes] = {}
    data = bytes(range(256)) * 2 + b"'\"\\"
    exec(to_module(data, "x"), scope)
    assert scope["DATA"] == data
