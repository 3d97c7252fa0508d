"""Fixtures of whoever runs the probes (tests/runtime, tests/xtensa): the widgets, and the reference hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import probes
import pytest
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
