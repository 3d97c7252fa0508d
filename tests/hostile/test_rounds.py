"""All hostile widgets over and over: the memory is what it was; and what a flood of host calls costs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import hostile_widgets
import pytest
from hostile_widgets import LONG, MANY, REFUSED

from wg import ROOT

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("WG_ROUNDS", "250"))  # WG_ROUNDS=1000: a minute more
# The garbage collector looks at the stack, so that a few blocks more or less are found in use each time.
HEAP_SLACK = 16 * 1024
# What the C library keeps of freed memory depends on the order in which threads ended. The rounds of the long test
# would make this a leak of 4 KB in each.
RESIDENT_SLACK = 4 << 20


def run(program: Path, script: str, *arguments: object, timeout: float) -> Any:
    done = subprocess.run(
        [program, "--heap", "4000000", "--script", HERE / "board" / script, *map(str, arguments)],
        env={**os.environ, "MICROPYPATH": str(ROOT / "firmware")},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("hostile")
    hostile_widgets.build((*MANY, *LONG, *REFUSED), found)
    return found


@pytest.mark.timeout(600)
def test_memory(wgdisplay: Path, folder: Path) -> None:
    seen = run(wgdisplay, "rounds.py", folder, ROUNDS, len(MANY), timeout=580)
    for i, widget in enumerate((*MANY, *LONG, *REFUSED)):
        ends = seen["ends"][f"{i:02d}.core.wasm"]
        assert ends, f"{widget.name} never ran"
        good = {end.startswith("ok ") for end in ends}
        assert good == {widget in MANY and not widget.error}, (widget.name, ends)
        # A busy machine adds "deadline" to what those end in that have little time.
        assert len(ends) == 1 or widget not in MANY, (widget.name, ends)
    heaps = [heap for heap, _ in seen["memories"]]
    resident = [size for _, size in seen["memories"]]
    assert heaps[-1] - heaps[0] < HEAP_SLACK, heaps
    assert min(resident[-3:]) - max(resident[:2]) < RESIDENT_SLACK, resident


@pytest.mark.parametrize("name", ["asks the time endlessly", "works much and asks the time"])
def test_a_flood_of_host_calls_gets_its_share(wgdisplay: Path, folder: Path, name: str) -> None:
    """Of the loop's thread's computing time. Without pauses one flood takes 40 percent on a PC and four take 75, and
    with pauses that do not know of each other nearly as much. What it works meanwhile begins on that thread, too."""
    index = len(MANY) + [widget.name for widget in LONG].index(name)
    seen = run(wgdisplay, "floods.py", folder / f"{index:02d}.core.wasm", timeout=30)
    assert 1 <= seen["one"]["percent"] <= 30
    assert seen["four"]["percent"] <= 45
    assert set(seen["one"]["ends"] + seen["four"]["ends"]) == {"deadline"}
