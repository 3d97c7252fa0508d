"""`python -m wg.fonts TTF_FOLDER ICON_FONT OUT_FOLDER`: builds the package `wgfonts` that the firmware freezes."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from wg.fonts import coverage
from wg.fonts.build import FontError, rasterise, rasterise_icons, to_module
from wg.fonts.icons import ICONS, LARGE_ICONS

REGULAR = "DejaVuSansCondensed.ttf"
BOLD = "DejaVuSansCondensed-Bold.ttf"


@dataclass(frozen=True)
class Face:
    """One font of the display: module name, outline file, pixels an em, line height, coverage, icons."""

    name: str
    file: str
    size: int
    line_height: int
    tables: tuple[tuple[tuple[int, int, str], ...], ...]
    icons: dict[int, str]


FACES = (
    Face("label_small", BOLD, 12, 15, (coverage.TEXT,), ICONS),
    Face("text_small", REGULAR, 13, 16, (coverage.TEXT, coverage.GRAPHICS), ICONS),
    Face("label", BOLD, 13, 16, (coverage.TEXT,), ICONS),
    Face("text", REGULAR, 16, 19, (coverage.TEXT, coverage.GRAPHICS), ICONS),
    Face("label_large", BOLD, 16, 20, (coverage.TEXT,), ICONS),
    Face("text_huge", REGULAR, 36, 42, (coverage.SHORT,), LARGE_ICONS),
    Face("text_giant", REGULAR, 64, 72, (coverage.GIANT,), {}),
    Face("text_large", REGULAR, 21, 25, (coverage.TEXT, coverage.GRAPHICS), ICONS),
)


def main(arguments: list[str] | None = None) -> int:
    """Builds all faces; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m wg.fonts", description="Build the display's fonts.")
    parser.add_argument("ttf", type=Path, help="folder of the outline fonts")
    parser.add_argument("icons", type=Path, help="the icon font")
    parser.add_argument("out", type=Path, help="folder to put the package wgfonts into")
    options = parser.parse_args(arguments)
    package = options.out / "wgfonts"
    package.mkdir(parents=True, exist_ok=True)
    try:
        for face in FACES:
            font = rasterise(
                options.ttf / face.file, face.size, face.line_height, coverage.code_points(*face.tables)
            )
            font.glyphs.update(rasterise_icons(options.icons, face.size, face.line_height, face.icons))
            data = font.to_bytes()
            comment = f"{face.file}, {face.size} px; made by python -m wg.fonts, do not edit"
            (package / f"{face.name}.py").write_text(to_module(data, comment), encoding="ascii")
            print(f"{face.name}: {len(font.glyphs)} glyphs, {len(data)} bytes")
    except (FontError, OSError) as error:
        print(f"wg.fonts: {error}", file=sys.stderr)
        return 1
    (package / "__init__.py").write_text('"""Fonts of the display, one module each."""\n', encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
