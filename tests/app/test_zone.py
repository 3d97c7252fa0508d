"""Time zone rules against the PC's zone database, 2026 to 2037."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH, ZoneInfo

import pytest

BEGIN = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
END = int(datetime(2038, 1, 1, tzinfo=UTC).timestamp())

# North and south, halves and quarters of hours, names in brackets, daylight saving of half an hour, transitions at
# midnight, before the day (-1) and after it (24).
ZONES = [
    "Europe/Zurich",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/Santiago",
    "America/Nuuk",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Africa/Cairo",
]


def rule_of(name: str) -> str:
    """The rule at the end of a zone's file (RFC 8536, 3.3), which holds for all later times."""
    for folder in TZPATH:
        path = Path(folder) / name
        if path.exists():
            return path.read_bytes().rstrip(b"\n").rpartition(b"\n")[2].decode()
    pytest.fail(f"this PC has no time zone {name}: install tzdata")


def offset(zone: ZoneInfo, seconds: int) -> int:
    delta = datetime.fromtimestamp(seconds, zone).utcoffset()
    assert delta is not None
    return int(delta.total_seconds())


def changes(zone: ZoneInfo) -> list[int]:
    """The second at which each change of the offset comes."""
    found = []
    for day in range(BEGIN, END, 86400):
        low, high = day, day + 86400
        if offset(zone, low) == offset(zone, high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            if offset(zone, middle) == offset(zone, day):
                low = middle
            else:
                high = middle
        found.append(high)
    return found


def test_offsets_are_those_of_the_zone_database(script: Any) -> None:
    chance = random.Random(7)
    asked, expected = [], []
    moments = 0
    for name in ZONES:
        zone = ZoneInfo(name)
        times = [chance.randrange(BEGIN, END) for _ in range(40)]
        times += [BEGIN - 1, BEGIN, END - 1]
        for change in changes(zone):
            times += [change - 1, change]
            moments += 1
        asked.append([rule_of(name), times])
        expected.append([offset(zone, t) for t in times])
    assert moments > 200
    for (rule, times), mine, theirs in zip(asked, script("zones", asked), expected, strict=True):
        assert mine == theirs, (rule, [t for t, a, b in zip(times, mine, theirs, strict=False) if a != b])


def test_zones_by_name(script: Any) -> None:
    names = [*ZONES, "Africa/Abidjan", "UTC", "Etc/UTC"]  # the first in the table, too
    times = list(range(BEGIN, END, 50 * 86400))
    for name, mine in zip(names, script("zones", [[name, times] for name in names]), strict=True):
        assert mine == [offset(ZoneInfo(name), t) for t in times], name


def test_days_counted_through_the_year(script: Any) -> None:
    leap, plain = (int(datetime(y, 3, 1, tzinfo=UTC).timestamp()) for y in (2028, 2027))
    times = [plain - 1, plain, leap - 1, leap]
    # J60 is always the first of March; 60 is so only in leap years.
    assert script("zones", [["AAA0BBB,J60/0,J300/0", times], ["AAA0BBB,59/0,J300/0", times]]) == [
        [0, 3600, 0, 3600],
        [0, 3600, 3600, 3600],
    ]
    assert script("zones", [["<+0330>-3:30", [0]], ["AAA5:30:15", [0]], ["AAA0BBB-2,0/0,J365/25", [0]]]) == [
        [12600],
        [-19815],
        [7200],
    ]


@pytest.mark.parametrize(
    "rule",
    ["", "Zurich", "CET", "CET-", "C-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
     "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J366", "CET-1CEST,M3.5.0,M10.5.0x",
     "CET-99", "<CET-1", "CET-1CEST,M3.5.0,M10.5.0/168", "Europe/Zurik", "Europe", "=", "\0", "é" * 300],
)  # fmt: skip
def test_what_is_no_rule(script: Any, rule: str) -> None:
    (said,) = script("zones", [[rule, [0]]])
    assert isinstance(said, str)
    assert said.endswith(
        "is no time zone: give a name like Europe/Zurich, or a rule like CET-1CEST,M3.5.0,M10.5.0/3"
    )
