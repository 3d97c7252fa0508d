"""Fixtures of the runtime's tests: the probe widgets, and what runs them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import workers
from reference import files, oracles  # noqa: F401


@pytest.fixture(scope="session")
def boards(wgdisplay: Path, wgdisplay32: Path) -> Iterator[list[workers.Worker]]:
    """The simulated board with 64- and with 32-bit words."""
    running = [workers.board(binary) for binary in (wgdisplay, wgdisplay32)]
    yield running
    for worker in running:
        worker.close()
