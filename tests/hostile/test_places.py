"""The scheduler's places and times: what hangs, fails or is late costs the others nothing."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from wg import ROOT

pytestmark = pytest.mark.timing

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def seen(wgdisplay32: Path) -> Any:
    done = subprocess.run(
        [wgdisplay32, "--script", HERE / "board" / "places.py"],
        env={**os.environ, "MICROPYPATH": str(ROOT / "firmware")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_late_tick_costs_no_run(seen: Any) -> None:
    assert (
        seen["jitter"]["clock"] >= 19
    )  # of 20 or 21; half of them if a run counted from its own, late start


def test_hung_widgets_leave_a_place(seen: Any) -> None:
    """Six widgets that never end, before a clock in the list."""
    counts = seen["behind hung ones"]
    assert counts["clock"] >= 3
    assert all(counts[f"hung{i}"] == 1 for i in range(6))  # three run, three had a try


def test_more_widgets_than_places_keep_their_cycles(seen: Any) -> None:
    assert seen["many"] == {f"w{i}": 3 for i in range(30)}


def test_slow_failures_rest(seen: Any) -> None:
    assert 3 <= seen["rest"]["hung"] <= 5  # 12 without rest


def test_who_is_put_off_has_not_failed(seen: Any) -> None:
    assert seen["errors"] == [None] * 5
    assert seen["texts"] == ["text"] * 5
    assert seen["run now, put off"] == "text"


def test_long_texts_are_cut(seen: Any) -> None:
    assert seen["kept"] == seen["run now"] == 4096 + len("...")
