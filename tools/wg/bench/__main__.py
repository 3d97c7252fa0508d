"""`python -m wg.bench [SECTION...]`: measures, prints tables, writes build/bench.json and pictures."""

import argparse
import importlib
import json
import platform
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as Printed

from wg import ROOT
from wg.bench import FOLDER, Cell, Table
from wg.bench.chart import draw
from wg.process import ToolError, progress

#: In this order. Each is a module of this package.
SECTIONS = ("xtensa", "kernels", "widgets", "memory", "flash", "display")

RESULTS = ROOT / "build" / "bench.json"


def shown(cell: Cell) -> str:
    """A cell as people read it: thousands apart, three digits of a fraction."""
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def show(table: Table, console: Console) -> None:
    """Prints a table."""
    printed = Printed(title=table.title, title_justify="left", caption="\n".join(table.notes) or None,
                      caption_justify="left")  # fmt: skip
    for number, column in enumerate(table.columns):
        printed.add_column(column, justify="left" if number == 0 else "right")
    for row in table.rows:
        printed.add_row(*(shown(cell) for cell in row))
    console.print(printed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the sections that are named, or all. What the others found before stays in the JSON."""
    parser = argparse.ArgumentParser(prog="python -m wg.bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    chosen = parser.parse_args(arguments).sections or SECTIONS
    unknown = [name for name in chosen if name not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    console = Console(width=None if sys.stdout.isatty() else 132)
    results: dict[str, object] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    try:
        for section in chosen:
            progress(f"measuring: {section}")
            begin = time.monotonic()
            for table in importlib.import_module(f"wg.bench.{section}").measure():
                show(table, console)
                results[table.name] = table.as_json()
                if table.chart:
                    draw(table, FOLDER / f"{table.name}.png")
            progress(f"{section}: {time.monotonic() - begin:.0f} s")
    except ToolError as error:
        print(f"wg: {error}", file=sys.stderr)
        return 1
    results["machine"] = {"system": platform.platform(), "processor": processor()}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    progress(f"{RESULTS.relative_to(ROOT)}, pictures in {FOLDER.relative_to(ROOT)}")
    return 0


def processor() -> str:
    """The PC's processor, as Linux calls it."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
