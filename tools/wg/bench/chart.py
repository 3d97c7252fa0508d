"""Pictures of tables: groups of bars with their numbers, drawn with Pillow."""

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from wg.bench import Cell, Table

#: In pixels.
WIDTH = 1100
LABEL = 190
NUMBERS = 110
BAR = 18
GAP = 16
MARGIN = 24

#: What is ours has a colour of its own in all pictures; the others' are told apart in grey, too.
OURS = "#1f6feb"
COLOURS = ("#9aa5b1", "#7cb342", "#f4a300", "#b0413e", "#6f42c1")
TEXT = "#1c1e21"
FAINT = "#6b7280"


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _number(cell: Cell) -> str:
    if isinstance(cell, float) and cell < 1000:
        return f"{cell:.3g}"
    return f"{cell:,.0f}" if isinstance(cell, int | float) else "-"


def _colours(columns: Sequence[str]) -> list[str]:
    others = iter(COLOURS)
    return [OURS if column.startswith(("ours", "here")) else next(others) for column in columns]


def draw(table: Table, to: Path) -> None:
    """Draws the table's chart."""
    chart = table.chart
    assert chart
    places = [list(table.columns).index(column) for column in chart.columns]
    group = len(places) * BAR + GAP
    top = MARGIN + 34 + 28
    image = Image.new("RGB", (WIDTH, top + len(table.rows) * group + MARGIN), "white")
    pen = ImageDraw.Draw(image)
    pen.text((MARGIN, MARGIN), table.title, fill=TEXT, font=_font(20))
    x = MARGIN + LABEL
    colours = _colours(chart.columns)
    for number, column in enumerate(chart.columns):
        pen.rectangle((x, MARGIN + 38, x + 12, MARGIN + 50), fill=colours[number])
        pen.text((x + 18, MARGIN + 36), column, fill=TEXT, font=_font(14))
        x += 36 + int(pen.textlength(column, font=_font(14)))
    scale = "" if chart.scale == "linear" else ", logarithmic"
    unit = f"{chart.unit}{scale}; shorter is better"
    pen.text((WIDTH - MARGIN, MARGIN + 4), unit, fill=FAINT, font=_font(13), anchor="ra")
    values = [row[place] for row in table.rows for place in places]
    numbers = [float(value) for value in values if isinstance(value, int | float) and value > 0]
    most, least = max(numbers, default=1.0), min(numbers, default=1.0)
    room = WIDTH - 2 * MARGIN - LABEL - NUMBERS

    def length(value: float) -> int:
        if chart.scale == "linear":
            return int(room * value / most)
        low = math.log10(least) - 0.3
        return int(room * (math.log10(value) - low) / (math.log10(most) - low))

    y = top
    for row in table.rows:
        pen.text(
            (MARGIN + LABEL - 12, y + len(places) * BAR / 2),
            str(row[0]),
            fill=TEXT,
            font=_font(15),
            anchor="rm",
        )
        for number, place in enumerate(places):
            value = row[place]
            end = MARGIN + LABEL
            if isinstance(value, int | float) and value > 0:
                end += max(1, length(float(value)))
                pen.rectangle((MARGIN + LABEL, y + 2, end, y + BAR - 2), fill=colours[number])
            pen.text((end + 6, y + BAR / 2), _number(value), fill=TEXT, font=_font(13), anchor="lm")
            y += BAR
        y += GAP
    image.save(to)
