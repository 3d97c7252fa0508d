"""Reads `layout.toml` and makes from it the partition tables' CSV files, the simulated board's C header with the tables
as they lie in flash, and the tables of docs/flash.md.

Standard library only: it runs in the build.
"""

from __future__ import annotations

import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wg import ROOT
from wg.sim.partitions import (
    APP_ALIGNMENT,
    SECTOR,
    SUBTYPES,
    TABLE_OFFSET,
    TYPES,
    Partition,
    PartitionError,
    check,
    to_binary,
)

TABLE = Path(__file__).with_name("layout.toml")
DOCUMENT = ROOT / "docs" / "flash.md"

#: The widget that the room is counted in: bytes of its file.
WIDGET_BYTES = 120 * 1024
#: Blocks of the data partition that widgets can't have: LittleFS' own, two generations of a full configuration,
#: and what an install leaves free (RESERVE_BYTES in firmware/wgdisplay/storage).
OTHER_BLOCKS = 96

_BEGIN = "<!-- made by `wg layout write`: {} -->"
_END = "<!-- end -->"


@dataclass(frozen=True)
class Layout:
    """One chip's layout. `flash` in bytes, `holds` a few words for each partition, `csv` where its table goes."""

    name: str
    flash: int
    csv: Path
    partitions: list[Partition]
    holds: dict[str, str]

    def __getitem__(self, label: str) -> Partition:
        """The partition with a label; KeyError if there is none."""
        for partition in self.partitions:
            if partition.label == label:
                return partition
        raise KeyError(label)

    @property
    def widgets(self) -> int:
        """How many widgets of WIDGET_BYTES there is room for, one of them being replaced."""
        return (self["vfs"].size // SECTOR - OTHER_BLOCKS) // blocks(WIDGET_BYTES) - 1


def blocks(size: int) -> int:
    """Blocks that LittleFS needs for a file of `size` bytes: all but the first begin with pointers to earlier ones."""
    count = 0
    while size > 0:
        pointers = (count & -count).bit_length()  # trailing zeros + 1; none in block 0
        size -= SECTOR - 4 * pointers
        count += 1
    return count


def _bytes(text: str) -> int:
    scale = {"K": 1024, "M": 1024 * 1024}.get(text[-1:], 0)
    return int(text[:-1], 0) * scale if scale else int(text, 0)


def _layout(name: str, table: dict[str, Any]) -> Layout:
    flash = _bytes(table["flash"])
    partitions: list[Partition] = []
    end = TABLE_OFFSET + SECTOR
    for row in table["partitions"]:
        kind = TYPES[row["type"]]
        alignment = APP_ALIGNMENT if kind == 0 else SECTOR
        offset = _bytes(row["offset"]) if "offset" in row else -(-end // alignment) * alignment
        size = flash - offset if row["size"] == "rest" else _bytes(row["size"])
        partitions.append(Partition(row["name"], kind, SUBTYPES[kind][row["subtype"]], offset, size))
        end = offset + size
    check(partitions, flash)
    holds = {row["name"]: row["holds"] for row in table["partitions"]}
    return Layout(name, flash, ROOT / table["csv"], partitions, holds)


def load(text: str | None = None) -> dict[str, Layout]:
    """All layouts, by name. Raises PartitionError if one breaks a rule of ESP-IDF's or does not fit its chip."""
    tables = tomllib.loads(TABLE.read_text() if text is None else text)
    try:
        return {name: _layout(name, table) for name, table in tables.items()}
    except KeyError as error:
        raise PartitionError(f"{TABLE.name}: a partition has no or an unknown {error}") from None


def _kind(p: Partition) -> tuple[str, str]:
    kind = next(name for name, number in TYPES.items() if number == p.type)
    return kind, next(name for name, number in SUBTYPES[p.type].items() if number == p.subtype)


def csv(layout: Layout) -> str:
    """The partition table in ESP-IDF's CSV form."""
    lines = [
        f"# Flash layout for {layout.flash >> 20} MB. Made by `wg layout write` from "
        f"{TABLE.relative_to(ROOT)}: change it there.",
        "# Name, Type, SubType, Offset, Size",
    ]
    for p in layout.partitions:
        kind, subtype = _kind(p)
        lines.append(f"{p.label}, {kind}, {subtype}, {p.offset:#x}, {p.size:#x}")
    return "\n".join(lines) + "\n"


def _size(size: int) -> str:
    return f"{size / 1024:g} KB" if size < 1 << 20 else f"{size / (1 << 20):g} MB"


def markdown(layout: Layout) -> str:
    """The layout as a table for people."""
    lines = ["| | at | size | |", "|---|---|---|---|", "| bootloader | 0x0 | 32 KB | from `make flash` |"]
    lines.append(f"| partition table | {TABLE_OFFSET:#x} | 4 KB | this table |")
    end = TABLE_OFFSET + SECTOR
    for p in layout.partitions:
        if p.offset > end:
            lines.append(f"| | {end:#x} | {_size(p.offset - end)} | free: app slots begin at 64 KB |")
        lines.append(f"| {p.label} | {p.offset:#x} | {_size(p.size)} | {layout.holds[p.label]} |")
        end = p.end
    size = f"{WIDGET_BYTES >> 10} KB"
    lines += ["", f"Room for {layout.widgets} widgets of {size}, and for one more while it is replaced."]
    return "\n".join(lines) + "\n"


def document(text: str, layouts: dict[str, Layout]) -> str:
    """docs/flash.md with its tables replaced. Raises PartitionError if the place for one is missing."""
    for name, layout in layouts.items():
        begin = _BEGIN.format(name)
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(_END)
        if not found or not ended:
            raise PartitionError(f"{DOCUMENT.name} has no place for the layout: {begin} ... {_END}")
        text = f"{before}{begin}\n{markdown(layout)}{_END}{after}"
    return text


def made() -> dict[Path, str]:
    """Every file that is made from the table, with the text that it must have."""
    layouts = load()
    files = {layout.csv: csv(layout) for layout in layouts.values()}
    files[DOCUMENT] = document(DOCUMENT.read_text(), layouts)
    return files


def stale() -> list[Path]:
    """The files that are not what the table says."""
    return [path for path, text in made().items() if not path.exists() or path.read_text() != text]


def write() -> list[Path]:
    """Writes what is stale; -> those files."""
    files = made()
    changed = stale()
    for path in changed:
        path.write_text(files[path])
    return changed


def header(layouts: dict[str, Layout]) -> str:
    """C source with the partition table of each layout, as it lies in flash: `partition_table_<name>`."""
    text = "// Made from tools/wg/flash/layout.toml by wg.flash.layout.\n#include <stdint.h>\n"
    for name, layout in layouts.items():
        raw = to_binary(layout.partitions)
        lines = (raw[i : i + 16] for i in range(0, len(raw), 16))
        rows = "\n".join("    " + ", ".join(f"0x{b:02x}" for b in line) + "," for line in lines)
        text += f"\nstatic const uint8_t partition_table_{name.lower()}[{len(raw)}] = {{\n{rows}\n}};\n"
    return text


def main(path: Path) -> None:
    """Writes the C header, unless it is there already."""
    text = header(load())
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except (PartitionError, OSError) as error:
        sys.exit(f"wg.flash.layout: {error}")
