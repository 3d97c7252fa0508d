"""What the Xtensa board's tests count and measure: a file of lines, written by several processes, told at the end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wg import ROOT

BUILD = ROOT / "build" / "xtensa-qemu"

#: One line a finding: {"suite", "passed", "failed", "skipped"} or {"suite", "stack"}.
RESULTS = BUILD / "results.jsonl"


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
