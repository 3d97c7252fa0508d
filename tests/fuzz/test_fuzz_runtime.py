"""The fuzz targets over the seeds, over damaged ones, over what fuzzing kept, and in a short search of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import corpora
import probes
import pytest
import targets

SECONDS = os.environ.get("WG_FUZZ_SECONDS") or "20"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """The probes are seeds, in whatever order the tests run."""
    probes.variants()


@pytest.fixture(scope="module")
def runtime() -> targets.Targets:
    return targets.load()


@pytest.mark.parametrize("target", targets.Targets.NAMES)
def test_seeds_and_what_was_kept(runtime: targets.Targets, target: str) -> None:
    seeds = corpora.seeds(target)
    assert len(seeds) > 10
    kept = sorted((corpora.FOLDER / target).glob("*"))[:3000] + sorted(
        corpora.FOLDER.glob(f"{target}-crash-*")
    )
    for data in [*seeds, *(path.read_bytes() for path in kept)]:
        runtime.run(target, data)


@pytest.mark.parametrize(("target", "count"), [("component", 4000), ("link", 2000), ("abi", 12000)])
def test_damaged_seeds(runtime: targets.Targets, target: str, count: int) -> None:
    for data in corpora.mutations(target, count):
        runtime.run(target, data)


def test_a_lost_check_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the bounds check the same inputs fail."""
    broken = targets.load()
    monkeypatch.setattr(broken.runtime.abi.Memory, "check", lambda *_: None)
    with pytest.raises((AssertionError, IndexError, ValueError)):
        for data in corpora.mutations("abi", 12000):
            broken.run("abi", data)


def test_another_exception_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = targets.load()
    monkeypatch.setattr(broken.runtime.component, "_at", lambda space, index, what: space[index])
    with pytest.raises(IndexError):
        for data in corpora.mutations("component", 4000):
            broken.run("component", data)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("target", targets.Targets.NAMES)
def test_short_search(target: str) -> None:
    command = [sys.executable, str(Path(__file__).with_name("fuzz.py")), target, SECONDS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=float(SECONDS) + 120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    runs = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
    assert runs and int(runs[0].split()[-1]) > 500, done.stderr[-2000:]
