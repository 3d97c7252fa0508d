"""widgets/sdk/wg_time.c and the table of zones against Python's datetime and zoneinfo."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sdk import Harness

from wg import ROOT
from wg.widget import zones

FIRST_DAY = datetime(2026, 12, 1, tzinfo=UTC)


def table() -> dict[str, str]:
    """Zone name to rule, as widgets/sdk/wg_zones.h has them."""
    source = (ROOT / "widgets" / "sdk" / "wg_zones.h").read_text()
    joined = "".join(re.findall(r'^\s+"(.*)"', source, re.MULTILINE))
    found = {}
    rule = area = ""
    for head, text in re.findall(r"\\([0-7]{3})([^\\]*)", joined):
        kind, length = int(head, 8) & 0o300, int(head, 8) & 0o77
        assert length == len(text)
        if kind == zones.RULE:
            rule = text
        elif kind == zones.AREA:
            area = text
        else:
            assert kind == zones.PLACE and area and f"{area}{text}" not in found
            found[f"{area}{text}"] = rule
    return found


def expected(instant: datetime, offset: timedelta, name: str = "") -> str:
    local = instant.astimezone(timezone(offset))
    return f"{local:%Y-%m-%d %H:%M:%S %u %j} {int(offset.total_seconds())} {name}"


def test_the_table_is_the_one_of_its_database() -> None:
    names = table()
    assert len(names) > 390
    assert {"Europe/Zurich", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Etc/UTC"} <= set(
        names
    )
    for name, rule in names.items():
        assert "/" in name and re.fullmatch(r"[A-Za-z0-9<>+,./:-]+", rule)


def test_the_table_is_made_from_the_pinned_database() -> None:
    assert zones.header(FIRST_DAY.date())[0] == (ROOT / "widgets" / "sdk" / "wg_zones.h").read_text()


def changes(zone: ZoneInfo, start: datetime, stop: datetime) -> list[datetime]:
    """Instants around every change of the offset: one second before, at, and one after."""
    found = []
    instant = start
    while instant < stop:
        following = instant + timedelta(days=5)
        if instant.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            low, high = int(instant.timestamp()), int(following.timestamp())
            before = instant.astimezone(zone).utcoffset()
            while high - low > 1:
                middle = (low + high) // 2
                same = datetime.fromtimestamp(middle, UTC).astimezone(zone).utcoffset() == before
                low, high = (middle, high) if same else (low, middle)
            found += [datetime.fromtimestamp(high + step, UTC) for step in (-1, 0, 1)]
        instant = following
    return found


@pytest.mark.parametrize("area", sorted({name.split("/")[0] for name in table()}))
def test_every_zone_from_now_to_2037(harness: Harness, area: str) -> None:
    compared = 0
    for name, rule in table().items():
        if not name.startswith(area + "/"):
            continue
        if zones.rule(name) != rule:  # this machine's database is of another day than the table
            print(f"{name}: {rule} in the table, {zones.rule(name)} here")
            continue
        zone = ZoneInfo.from_file(io.BytesIO(zones.tzif(name)), key=name)
        instants = [FIRST_DAY + timedelta(days=29 * n, hours=7 * n % 24) for n in range(139)]
        instants += changes(zone, FIRST_DAY, datetime(2037, 12, 31, tzinfo=UTC))
        answer = harness.ask("z", name, *(int(i.timestamp()) for i in instants)).decode().splitlines()
        wanted = [
            expected(i, i.astimezone(zone).utcoffset() or timedelta(), i.astimezone(zone).tzname() or "")
            for i in instants
        ]
        assert answer == wanted, name
        compared += len(instants)
    print(f"{area}: {compared:,} instants")
    assert compared > 100


def test_every_rule_from_2000_to_2037(harness: Harness) -> None:
    """The rules themselves, in years that have other rules in truth: evaluated by zoneinfo alike."""
    compared = 0
    for rule in sorted(set(table().values())):
        zone = ZoneInfo.from_file(io.BytesIO(zones.rule_only(rule)), key=rule)
        start = datetime(2000, 1, 1, tzinfo=UTC)
        instants = [start + timedelta(days=17 * n, hours=5 * n % 24) for n in range(816)]
        instants += changes(zone, start, datetime(2037, 12, 31, tzinfo=UTC))
        answer = harness.ask("z", rule, *(int(i.timestamp()) for i in instants)).decode().splitlines()
        wanted = [
            expected(i, i.astimezone(zone).utcoffset() or timedelta(), i.astimezone(zone).tzname() or "")
            for i in instants
        ]
        assert answer == wanted, rule
        compared += len(instants)
    print(f"{compared:,} instants")


def test_switzerland_since_1996(harness: Harness) -> None:
    zone = ZoneInfo.from_file(io.BytesIO(zones.tzif("Europe/Zurich")), key="Europe/Zurich")
    instants = changes(zone, datetime(1996, 1, 1, tzinfo=UTC), datetime(2037, 12, 31, tzinfo=UTC))
    assert len(instants) == 3 * 84
    answer = harness.ask("z", "Europe/Zurich", *(int(i.timestamp()) for i in instants)).decode().splitlines()
    assert answer == [
        expected(i, i.astimezone(zone).utcoffset() or timedelta(), i.astimezone(zone).tzname() or "")
        for i in instants
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "EST5EDT,M3.2.0,M11.1.0",
        "XXX3YYY,J60/2,J300/2",
        "XXX3YYY,M2.5.6/-26:30:15,M10.1.3/167",
        "<+0330>-3:30<+0430>,J79/24,J263/24",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
    ],
)
def test_rules_of_every_kind(harness: Harness, rule: str) -> None:
    try:
        zone = ZoneInfo.from_file(io.BytesIO(zones.rule_only(rule)), key=rule)
    except ValueError as error:
        pytest.skip(f"this Python's zoneinfo can't read the rule: {error}")
    instants = changes(zone, datetime(2000, 1, 3, tzinfo=UTC), datetime(2037, 12, 20, tzinfo=UTC))
    assert len(instants) > 200
    answer = harness.ask("z", rule, *(int(i.timestamp()) for i in instants)).decode().splitlines()
    assert answer == [
        expected(i, i.astimezone(zone).utcoffset() or timedelta(), i.astimezone(zone).tzname() or "")
        for i in instants
    ]


@pytest.mark.parametrize(
    "name", ["europe/ZURICH", "Zurich", "zurich", "America/New York", "new_york", "UTC", "Etc/UTC"]
)
def test_names_are_forgiving(harness: Harness, name: str) -> None:
    assert harness.ask("z", name, 0) != b""


@pytest.mark.parametrize(
    "name",
    ["", "/", "Europe/", "Europe/Bern", "Mars/Base", "CET", "C1", "CET-1CEST", "CET-1CEST,M3.5.0",
     "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-25",
     "CET-1CEST,M3.5.0,M10.5.0/168", "CET-1CEST,M3.5.0,M10.5.0x", "<CET-1", "CET-1CEST,J0,J5",
     "CET-1CEST,366,5", "GMT0 Africa/Abidjan", "\n", "Europe/Zurich ", "America/Argentina", "Zurich\0"],
)  # fmt: skip
def test_what_is_no_zone(harness: Harness, name: str) -> None:
    assert harness.ask("z", name, 0) == b""


@settings(max_examples=1000)
@given(st.text("CETSabc<>+-/:.,MJ0123456789 \n", max_size=30) | st.binary(max_size=20))
def test_any_text_as_a_zone(harness: Harness, name: str | bytes) -> None:
    harness.ask("z", name, 0, -(2**63), 2**63 - 1)


@settings(max_examples=1500)
@given(st.integers(-62135596800 + 86400, 253402300799 - 86400), st.integers(-86340, 86340))
def test_dates(harness: Harness, seconds: int, offset: int) -> None:
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    local = instant.astimezone(timezone(timedelta(seconds=offset)))
    answer = harness.ask("d", seconds, offset).decode()
    assert answer == f"{local.year:04d}-{local:%m-%d %H:%M:%S} {local.isoweekday()} {local:%j} {offset} "


@pytest.mark.parametrize("seconds", [2**63 - 1, -(2**63), 2**64 - 1, 253402300800])
def test_dates_out_of_range_are_the_nearest(harness: Harness, seconds: int) -> None:
    answer = harness.ask("d", seconds, 3600).decode()
    assert answer.startswith(("9999-12-31 ", "0000-01-01 ", "1970-01-01 "))


iso = st.builds(
    lambda d, sep, sec, frac, zone: (
        f"{d:%m-%dT%H:%M}".join([f"{d.year:04d}-", ""]).replace("T", sep)
        + (f":{d.second:02d}" + frac if sec else "")
        + zone
    ),
    st.datetimes(),
    st.sampled_from("T t".split(" ") + [" "]),
    st.booleans(),
    st.sampled_from(["", ".5", ".123456", ",25"]),
    st.sampled_from(["", "Z", "+01", "+0100", "+01:00", "-0930", "+23:59", "-00:00"]),
)


@settings(max_examples=800)
@given(iso)
def test_iso_dates(harness: Harness, text: str) -> None:
    parsed = datetime.fromisoformat(text.upper())
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    answer = harness.ask("o", text).decode()
    seconds = (parsed - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert int(answer.split(" ")[0]) == seconds
    if 2 <= parsed.year <= 9998:
        offset = int((parsed.utcoffset() or timedelta()).total_seconds())
        assert (
            answer.split(" ", 1)[1]
            == f"{parsed.year:04d}-{parsed:%m-%d %H:%M:%S} {parsed.isoweekday()} {parsed:%j} {offset} "
        )


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-11", "2026-13-01", "2026-02-29", "2026-11-23T", "2026-11-23T24:00",
     "2026-11-23T08", "2026-11-23T08:60", "2026-11-23T08:02:61", "2026-11-23T08:02:00+24:00",
     "2026-11-23T08:02:00+01:60", "2026-11-23T08:02:00+1", "2026-11-23T08:02:00Zx",
     "2026-11-23T08:02:00 Z", "x026-11-23", "2026-00-10", "2026-11-00", "2026-11-23T08:02:00.",
     "26-11-23"],
)  # fmt: skip
def test_what_is_no_date(harness: Harness, text: str) -> None:
    assert harness.ask("o", text) == b""


@settings(max_examples=500)
@given(st.text("0123456789-:TZ+. ", max_size=30) | st.binary(max_size=25))
def test_any_text_as_a_date(harness: Harness, text: str | bytes) -> None:
    harness.ask("o", text)


@settings(max_examples=400)
@given(
    st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30)),
    st.integers(-1439, 1439),
    st.text("YmdHMSyejIpaAbBuFTRznxqQ%% :.é", max_size=20),
)
def test_strftime(harness: Harness, moment: datetime, minutes: int, items: str) -> None:
    known = "YmdHMSyejIpaAbBuFTRzn%"
    pattern = "".join(f"%{c}" if c in known else c for c in items)
    local = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    seconds = int((local - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    assert harness.ask("s", pattern, seconds, minutes * 60).decode() == local.strftime(pattern)


def test_strftime_keeps_what_it_does_not_know(harness: Harness) -> None:
    assert harness.ask("s", "100% %Q %", 0, 0).decode() == "100% %Q %"
