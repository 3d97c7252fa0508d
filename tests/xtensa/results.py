"""What the Xtensa board's tests count and measure: a file of lines, written by several processes, told at the end.

A whole run that passed is kept with the fingerprint of all that it depends on. As long as that is the same, `make
test-xtensa` tells it again, and `make test` leaves its part of the Xtensa board's tests out.

    python results.py    exit code 0: it passed before, and told so
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wg import ROOT

BUILD = ROOT / "build" / "xtensa-qemu"

#: One line a finding: {"suite", "passed", "failed", "skipped"} or {"suite", "stack"}.
RESULTS = BUILD / "results.jsonl"


#: The last whole run that passed: its fingerprint, then what it told.
PASSED = BUILD / "passed"

#: What a run depends on: all sources and tests, rather more than less, and what is built of them for the board.
INPUTS = (
    "boards/esp32s3", "boards/xtensa_qemu", "cmodules", "firmware", "tests", "tools", "widgets", "Makefile",
    "pyproject.toml", "build/xtensa-qemu/wgdisplay.elf", "build/widgets", "build/engine/modules",
)  # fmt: skip


def fingerprint() -> str:
    """The hash of the names and contents of INPUTS."""
    whole = hashlib.sha256()
    for name in INPUTS:
        place = ROOT / name
        files = [place] if place.is_file() else sorted(place.rglob("*"))
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts and "node_modules" not in file.parts:
                whole.update(f"{file.relative_to(ROOT)}\0".encode())
                whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def passed_before(path: Path = PASSED) -> list[str]:
    """What the last whole run that passed told; empty if there was none, or if anything has changed since."""
    if not path.exists():
        return []
    first, *lines = path.read_text().splitlines()
    return lines if first == fingerprint() else []


def keep_passed(lines: list[str], path: Path = PASSED) -> None:
    """Keeps what a whole run that passed told."""
    path.write_text("\n".join([fingerprint(), *lines]) + "\n")


@contextmanager
def measured(suite: str) -> Iterator[None]:
    """The boards that are started within write down, at their end, how deep their stacks went."""
    os.environ["WG_XTENSA_RESULTS"] = str(RESULTS)
    os.environ["WG_XTENSA_SUITE"] = suite
    try:
        yield
    finally:
        os.environ.pop("WG_XTENSA_RESULTS", None)
        os.environ.pop("WG_XTENSA_SUITE", None)


def write(line: dict[str, Any]) -> None:
    """Adds a finding."""
    with RESULTS.open("a") as file:
        file.write(json.dumps(line) + "\n")


def table() -> tuple[list[str], int, int]:
    """Lines to be shown, and how many assertions passed and failed in suites that are one test for pytest."""
    counts: dict[str, list[int]] = {}
    stacks: dict[str, list[int]] = {}
    for line in RESULTS.read_text().splitlines() if RESULTS.exists() else []:
        found = json.loads(line)
        if "stack" in found:
            known = stacks.get(found["suite"], [0, 0, 0])
            stacks[found["suite"]] = [max(pair) for pair in zip(known, found["stack"], strict=True)]
        else:
            known = counts.setdefault(found["suite"], [0, 0, 0])
            for i, name in enumerate(("passed", "failed", "skipped")):
                known[i] += found[name]
    lines = [f"  {name}: {c[0]} passed, {c[1]} failed, {c[2]} skipped" for name, c in sorted(counts.items())]
    if stacks:
        lines.append(f"  {'deepest native stack, bytes':34}{'Python thread':>14}{'loading':>10}{'a run':>10}")
        lines += [f"  {name:34}{s[0]:14}{s[1]:10}{s[2]:10}" for name, s in sorted(stacks.items())]
    return lines, sum(c[0] for c in counts.values()), sum(c[1] for c in counts.values())


if __name__ == "__main__":
    told = passed_before()
    if told:
        print(f"wg: the Xtensa board passed with the same sources, tests and firmware; {PASSED} has it:")
        print("\n".join(told))
    sys.exit(0 if told else 1)
