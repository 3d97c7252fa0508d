"""What all tests share: hypothesis' profile, and boards to drive.

The boards are built by `make sim sim32`; a test that needs one fails if it is not there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from wg import ROOT

if TYPE_CHECKING:
    from wg.sim.board import SimBoard

# The same examples in every run, so that a failure is a failure of the change; no limit for one example,
# since the machine may be busy. `pytest --hypothesis-profile=search` looks for new ones.
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", deadline=None, max_examples=2000)
hypothesis.settings.load_profile("fixed")


# node and the other tools are those of the virtual environment, however pytest was started.
os.environ["PATH"] = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ.get("PATH", "")])


def _built(path: Path) -> Path:
    if not path.exists():
        pytest.fail(f"{path.relative_to(ROOT)} is not built: run `make {path.parent.name}`", pytrace=False)
    return path


@pytest.fixture(scope="session")
def wgdisplay() -> Path:
    """The simulated board with 64-bit words."""
    return _built(ROOT / "build" / "sim" / "wgdisplay")


@pytest.fixture(scope="session")
def wgdisplay32() -> Path:
    """The simulated board with the ESP32's 32-bit words."""
    return _built(ROOT / "build" / "sim32" / "wgdisplay")


@pytest.fixture
def sim_board(wgdisplay: Path, tmp_path: Path) -> Iterator[SimBoard]:
    """A running board with a fresh flash."""
    from wg.sim.board import SimBoard

    with SimBoard(flash=tmp_path / "flash.bin", word_size=64, panel=True) as board:
        yield board
