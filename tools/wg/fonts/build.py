"""Rasterises an outline font into the compact anti-aliased form that the board's `pixels` module draws.

Everything is decided here, on the PC: which glyphs, their coverage bitmaps, and which base-and-mark pairs a
single glyph shows. `cmodules/wg_display/pixels.h` has the byte layout.
"""

import itertools
import struct
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import freetype

MAGIC = b"WGF2"
ICON_SCALE = 1.2  # an icon's side over the text's size, so that it looks as large as the text


class FontError(Exception):
    """The outline font can't be read or a glyph doesn't fit the format."""


@dataclass(frozen=True)
class Glyph:
    """One glyph: `rows` of coverage values 0 to 15; `left` from the pen, `top` from the line's top, in
    pixels.
    """

    advance: int
    left: int
    top: int
    rows: tuple[bytes, ...]

    @property
    def width(self) -> int:
        return len(self.rows[0]) if self.rows else 0

    def packed(self) -> bytes:
        """The bitmap in nibbles, high one first: a coverage of 1 to 14, or 0 or 15 and how many more of it follow."""
        flat = b"".join(self.rows)
        nibbles = bytearray()
        for value, group in itertools.groupby(flat):
            length = len(list(group))
            if value not in (0, 15):
                nibbles += bytes([value]) * length
                continue
            while length:
                run = min(length, 16)
                nibbles += bytes([value, run - 1])
                length -= run
        if len(nibbles) % 2:
            nibbles.append(0)
        return bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))


@dataclass(frozen=True)
class Font:
    """What goes into one font file. `glyphs` is by code point; `replacement` shows what they lack."""

    line_height: int
    ascent: int
    glyphs: dict[int, Glyph]
    replacement: Glyph

    def to_bytes(self) -> bytes:
        """The font in the board's format."""
        codes = sorted(self.glyphs)
        ranges: list[list[int]] = []
        for index, code in enumerate(codes, start=1):
            if ranges and code == ranges[-1][0] + ranges[-1][1]:
                ranges[-1][1] += 1
            else:
                ranges.append([code, 1, index])
        bitmaps = bytearray()
        seen: dict[bytes, int] = {}
        entries = bytearray()
        for glyph in (self.replacement, *(self.glyphs[code] for code in codes)):
            bitmap = glyph.packed()
            at = seen.setdefault(bitmap, len(bitmaps))
            if at == len(bitmaps):
                bitmaps += bitmap
            try:
                entries += struct.pack("<I", at)[:3]
                entries += struct.pack(
                    "<BBBbb", glyph.advance, glyph.width, len(glyph.rows), glyph.left, glyph.top
                )
            except struct.error as error:
                raise FontError(f"a glyph is too large for the format: {error}") from error
        pairs = list(compositions(codes))
        head_size = 16 + 8 * len(ranges) + len(entries) + 6 * len(pairs)
        data = bytearray(MAGIC)
        counts = (len(ranges), len(codes) + 1, len(pairs))
        data += struct.pack("<BBHHHI", self.line_height, self.ascent, *counts, head_size)
        for first, count, index in ranges:
            data += struct.pack("<IHH", first, count, index)
        data += entries
        for base, mark, composed in pairs:
            data += struct.pack("<HHH", base, mark, composed)
        return bytes(data + bitmaps)


def compositions(codes: Iterable[int]) -> list[tuple[int, int, int]]:
    """(base, mark, composed) for each of the code points that is canonically a base and a mark."""
    pairs = []
    for code in codes:
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) != 2 or parts[0].startswith("<"):
            continue
        base, mark = (int(part, 16) for part in parts)
        if 0x300 <= mark <= 0x36F and unicodedata.normalize("NFC", chr(base) + chr(mark)) == chr(code):
            pairs.append((base, mark, code))
    return sorted(pairs)


def _rows(bitmap: Any) -> tuple[bytes, ...]:
    # FreeType's 256 levels of coverage as 16.
    data, width, pitch = bytes(bitmap.buffer), bitmap.width, bitmap.pitch
    return tuple(
        bytes((value * 15 + 127) // 255 for value in data[y * pitch : y * pitch + width])
        for y in range(bitmap.rows)
    )


class Rasteriser:
    """Draws glyphs of one outline font at one size (pixels an em)."""

    def __init__(self, path: Path, size: int, line_height: int) -> None:
        try:
            self._face = freetype.Face(str(path))
        except freetype.FT_Exception as error:
            raise FontError(f"{path}: {error}") from error
        self._face.set_pixel_sizes(0, size)
        self.line_height = line_height
        # Capitals and digits are centred in the line; accents and descenders share what is left.
        cap = round(self._cap_height())
        self.ascent = min(line_height, (line_height + cap + 1) // 2)

    def _cap_height(self) -> float:
        self._face.load_char("H", freetype.FT_LOAD_TARGET_LIGHT)
        return float(self._face.glyph.metrics.horiBearingY) / 64

    def glyph(self, code: int) -> Glyph | None:
        """The glyph of a code point, None if the font has none."""
        if not self._face.get_char_index(code):
            return None
        self._face.load_char(chr(code), freetype.FT_LOAD_RENDER | freetype.FT_LOAD_TARGET_LIGHT)
        slot = self._face.glyph
        advance = max(0, (slot.advance.x + 32) >> 6)
        return Glyph(advance, slot.bitmap_left, self.ascent - slot.bitmap_top, _rows(slot.bitmap))

    def replacement(self) -> Glyph:
        """An empty box of a digit's height: clearly 'something that can't be shown'."""
        digit = self.glyph(ord("0"))
        if digit is None:
            raise FontError("the font has no digits")
        width, height = max(digit.width, 5), len(digit.rows)
        edge, inner = bytes([15] * width), bytes([15] + [0] * (width - 2) + [15])
        return Glyph(width + 2, 1, digit.top, (edge, *[inner] * (height - 2), edge))


def rasterise_icons(path: Path, size: int, line_height: int, names: dict[int, str]) -> dict[int, Glyph]:
    """The named icons of an icon font by code point, square and centred in the line of a text of `size`."""
    try:
        face = freetype.Face(str(path))
    except freetype.FT_Exception as error:
        raise FontError(f"{path}: {error}") from error
    side = min(line_height - 1, round(size * ICON_SCALE))
    face.set_pixel_sizes(0, side)
    ascent = round(side * face.ascender / face.units_per_EM)
    glyphs = {}
    for code, name in names.items():
        index = face.get_name_index(name.encode())
        if not index:
            raise FontError(f"{path} has no icon '{name}'")
        face.load_glyph(index, freetype.FT_LOAD_RENDER | freetype.FT_LOAD_NO_HINTING)
        rows = _rows(face.glyph.bitmap)
        top = (line_height - side) // 2 + ascent - face.glyph.bitmap_top
        glyphs[code] = Glyph(
            side + 1, face.glyph.bitmap_left, max(0, min(top, line_height - len(rows))), rows
        )
    return glyphs


def rasterise(path: Path, size: int, line_height: int, codes: Iterable[int]) -> Font:
    """Makes a font of those of the code points that the outline font has."""
    raster = Rasteriser(path, size, line_height)
    glyphs = {}
    for code in codes:
        glyph = raster.glyph(code)
        if glyph is not None:
            glyphs[code] = glyph
    return Font(line_height, raster.ascent, glyphs, raster.replacement())


def to_module(data: bytes, comment: str) -> str:
    """A MicroPython module whose `DATA` is the font; frozen, it stays in flash."""
    lines = [
        f"# {comment}",
        "",
        "DATA = (",
        *(f"    {data[i : i + 64]!r}" for i in range(0, len(data), 64)),
        ")",
        "",
    ]
    return "\n".join(lines)
