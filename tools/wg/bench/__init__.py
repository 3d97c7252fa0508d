"""`make bench`: what the engine costs, measured. One module for each section.

A section is a module of this package with `measure() -> list[Table]`; its name stands in `__main__.SECTIONS`. It may
need whatever `make bench` builds before (tests/bench/bench.mk). Everything ends in build/bench.json, in a table on the
terminal, and in a picture for each table that has a `chart`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from wg import ROOT

#: Where the sections' programs and modules are built, and where the pictures go.
FOLDER = ROOT / "build" / "bench"

#: What a cell may be. A number is kept as it is in the JSON; `None` is "not measured".
Cell = str | int | float | None


@dataclass
class Chart:
    """Bars: one group for each row, one bar for each of `columns`, which are those of the table.

    scale: "linear", or "log" where the numbers are of several magnitudes.
    """

    columns: Sequence[str]
    unit: str
    scale: str = "linear"


@dataclass
class Table:
    """One table of results. The first column says what was measured; `notes` say how, and what is not known.

    `name` is its key in the JSON and the name of its picture; lower case, with hyphens.
    """

    name: str
    title: str
    columns: Sequence[str]
    rows: list[list[Cell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    chart: Chart | None = None

    def as_json(self) -> dict[str, object]:
        """The table as plain data: each row an object with the columns' names."""
        return {
            "title": self.title,
            "rows": [dict(zip(self.columns, row, strict=True)) for row in self.rows],
            "notes": self.notes,
        }
