"""Fixtures of the runtime's tests: the probe widgets, and the workers that run them."""

from __future__ import annotations

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
    return probes.variants()


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
