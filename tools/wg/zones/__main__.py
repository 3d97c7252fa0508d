"""`python -m wg.zones OUT_FOLDER`: makes the package `wgzones`, one line `name=rule` a zone, from tzdata's files."""

from __future__ import annotations

import argparse
import io
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from wg.widget.zones import names, rule, rule_only, tzif

#: Fewer would mean that the database was not understood.
_LEAST = 300
#: Where a rule must be right: so many days from now on, looked at in steps of five. A zone whose clocks follow the
#: moon differs for weeks each year.
_DAYS = 6 * 365


def _is_ruled(name: str, now: datetime) -> bool:
    full = ZoneInfo.from_file(io.BytesIO(tzif(name)), key=name)
    short = ZoneInfo.from_file(io.BytesIO(rule_only(rule(name))), key=name)
    days = (now + timedelta(days=d) for d in range(0, _DAYS, 5))
    return all(day.astimezone(full).utcoffset() == day.astimezone(short).utcoffset() for day in days)


def source(now: datetime) -> str:
    """A MicroPython module: the zones as one constant, so that it stays in flash when frozen."""
    lines = [f"{name}={rule(name)}" for name in names() if _is_ruled(name, now)]
    if len(lines) < _LEAST:
        raise ValueError(f"{len(lines)} time zones were found: this is not the database of IANA")
    text = "".join(line + "\n" for line in lines).encode("ascii")
    return (
        f'"""{len(lines)} time zones, name=rule: made by wg.zones, not to be edited."""\n\nZONES = {text!r}\n'
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="wg.zones", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to put the package wgzones into")
    package: Path = parser.parse_args().out / "wgzones"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(source(datetime.now(UTC)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
