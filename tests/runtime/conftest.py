"""Fixtures of the runtime's tests: the probe widgets, and the workers that run them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import probes
import workers


@pytest.fixture(scope="session")
def files() -> dict[str, Path]:
    """Every variant of the probe in every layout: "plain.239" -> file."""
    jobs = [(v.name, v.wat(), layout) for v in probes.VARIANTS for layout in ("239", "259", "core")]
    stamp = probes.OUT / "stamp"
    sources = [probes.HERE / "probes.py", probes.HERE / "build_probes.mjs", *sorted(probes.WIT.glob("*.wit"))]
    state = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    if stamp.exists() and stamp.read_text() == state:
        return {f"{name}.{layout}": probes.OUT / f"{name}.{layout}.wasm" for name, _, layout in jobs}
    built = probes.build(jobs)
    stamp.write_text(state)
    return built


@pytest.fixture(scope="session")
def oracles() -> Iterator[list[workers.Worker]]:
    """Wasmtime 42 and 50."""
    running = [workers.oracle(version) for version in workers.ORACLES]
    yield running
    for worker in running:
        worker.close()


@pytest.fixture(scope="session")
def boards(wgdisplay: Path, wgdisplay32: Path) -> Iterator[list[workers.Worker]]:
    """The simulated board with 64- and with 32-bit words."""
    running = [workers.board(binary) for binary in (wgdisplay, wgdisplay32)]
    yield running
    for worker in running:
        worker.close()
