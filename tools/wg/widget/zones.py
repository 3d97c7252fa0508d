"""The table of time zones in widgets/sdk/wg_zones.h: IANA names and their POSIX TZ rules.

Source: the compiled zone files and zone.tab of the PyPI package ``tzdata``, which is the IANA time zone
database (public domain). A zone is left out if its rule does not tell its future: where the clocks follow the
moon, as in Palestine.
"""

from __future__ import annotations

import importlib.resources
import io
import struct
import textwrap
import zoneinfo
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from importlib.resources.abc import Traversable
from pathlib import Path
from zoneinfo import ZoneInfo

from wg.process import ToolError

LAST_YEAR = 2037
EXTRA_NAMES = ("Etc/UTC",)


def _files() -> Traversable:
    try:
        return importlib.resources.files("tzdata") / "zoneinfo"
    except ModuleNotFoundError:
        for folder in map(Path, zoneinfo.TZPATH):
            if (folder / "zone.tab").exists():
                return folder
    raise ToolError("There is no time zone database here: install the package tzdata.")


def tzif(name: str) -> bytes:
    """The compiled zone file (RFC 9636) of an IANA name."""
    path = _files()
    for part in name.split("/"):
        path = path / part
    return path.read_bytes()


def rule(name: str) -> str:
    """The POSIX TZ rule in a zone file's footer: what holds after its last transition."""
    return tzif(name).rsplit(b"\n", 2)[1].decode("ascii")


def rule_only(posix: str) -> bytes:
    """A zone file without transitions, so that ``ZoneInfo.from_file`` follows the rule at all times."""
    block = struct.pack(">4s1s15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4) + struct.pack(
        ">lbb4s", 0, 0, 0, b"UTC\0"
    )
    return block + block + b"\n" + posix.encode() + b"\n"


def names() -> list[str]:
    """One name a place: those of zone.tab, and UTC. Not the stations in Antarctica, to save room."""
    lines = (_files() / "zone.tab").read_text("utf-8").splitlines()
    places = {line.split("\t")[2] for line in lines if not line.startswith("#")}
    return sorted({place for place in places if not place.startswith("Antarctica/")} | set(EXTRA_NAMES))


def foretold(name: str, since: date) -> bool:
    """Whether the rule alone gives every offset from the day ``since`` to the end of 2037."""
    full = ZoneInfo.from_file(io.BytesIO(tzif(name)), key=name)
    short = ZoneInfo.from_file(io.BytesIO(rule_only(rule(name))), key=name)
    start = int(datetime(since.year, since.month, since.day, tzinfo=UTC).timestamp())
    stop = int(datetime(LAST_YEAR, 12, 31, tzinfo=UTC).timestamp())
    for seconds in range(start, stop, 6 * 3600):
        instant = datetime.fromtimestamp(seconds, UTC)
        if instant.astimezone(full).utcoffset() != instant.astimezone(short).utcoffset():
            return False
    return True


#: What an entry of the table is, in the upper bits of the byte before it; the lower ones are its length.
PLACE, RULE, AREA = 0x00, 0x80, 0xC0
LONGEST = 0x3F


def _entry(kind: int, text: str) -> str:
    """An entry as C has it in a string."""
    if len(text) > LONGEST:
        raise ToolError(f"{text!r} is too long for the table of time zones: {LONGEST} characters at most.")
    return f"\\{kind | len(text):03o}{text}"


def _entries(rules: Iterable[tuple[str, list[str]]]) -> Iterator[list[str]]:
    """For each rule, its own entry and those of its zones. An area holds until the next one."""
    area = None
    for posix, zones in rules:
        entries = [_entry(RULE, posix)]
        for zone in zones:
            head, slash, place = zone.rpartition("/")
            if head + slash != area:
                area = head + slash
                entries.append(_entry(AREA, area))
            entries.append(_entry(PLACE, place))
        yield entries


def header(since: date) -> tuple[str, list[str]]:
    """The text of wg_zones.h, and the names that were left out."""
    kept: dict[str, list[str]] = {}
    left_out = []
    for name in names():
        if foretold(name, since):
            kept.setdefault(rule(name), []).append(name)
        else:
            left_out.append(name)
    version = (_files() / "tzdata.zi").read_text("utf-8").split("\n", 1)[0].removeprefix("# version ")
    notes = (
        f"A POSIX TZ rule, and the zones that follow it from {since} on: areas, and the places in each. An area holds "
        "until the next one. The byte before each entry has its length in the lower six bits, and 0200 for a rule or "
        "0300 for an area in the others.",
        f"Left out, since no rule tells their future: {', '.join(left_out)}.",
    )
    lines = [
        "/*",
        " * wg_zones.h - made by `wg widget zones`, do not edit.",
        " *",
        f" * Source: IANA time zone database {version} (public domain), by way of the PyPI package tzdata.",
        *(
            line
            for note in notes
            for line in textwrap.wrap(note, 98, initial_indent=" * ", subsequent_indent=" * ")
        ),
        " */",
        "static const char wg_zones[] =",
    ]
    for entries in _entries(sorted(kept.items(), key=lambda item: (item[1][0], item[0]))):
        line = ""
        for entry in entries:
            if len(line) + len(entry) > 92:
                lines.append(f'    "{line}"')
                line = ""
            line += entry
        lines.append(f'    "{line}"')
    lines[-1] += ";"
    return "\n".join(lines) + "\n", left_out
