"""What all tests share: hypothesis' profile, boards to drive, and scripts that run on one.

The boards are built by `make sim sim32`; a test that needs one fails if it is not there.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


@pytest.fixture(scope="session", params=[64, 32], ids=["64", "32"])
def word_size(request: pytest.FixtureRequest) -> int:
    """64-bit words, and the ESP32's 32-bit words: whoever asks runs with both."""
    return int(request.param)


@pytest.fixture(scope="session")
def ask_script() -> Callable[..., Any]:
    """`ask_script(board, path, argument, timeout)`: a line of JSON in; out, the last line is the answer."""

    def ask(board: list[str | Path], path: Path, argument: Any, timeout: float) -> Any:
        done = subprocess.run(
            [*board, "--script", path],
            input=json.dumps(argument) + "\n",
            env={**os.environ, "MICROPYPATH": str(ROOT / "firmware")},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return json.loads(done.stdout.splitlines()[-1])

    return ask


@pytest.fixture(scope="module")
def script(request: pytest.FixtureRequest, ask_script: Any, word_size: int) -> Callable[..., Any]:
    """`script(name, argument, *options, timeout=120)` runs scripts/NAME.py, which is beside the test.

    It has the firmware's sources. Argument and answer are JSON; `options` are the board's.
    """
    program: Path = request.getfixturevalue("wgdisplay" if word_size == 64 else "wgdisplay32")
    folder = request.path.parent / "scripts"

    def run(name: str, argument: Any = None, *options: str, timeout: float = 120) -> Any:
        return ask_script([program, *options], folder / f"{name}.py", argument, timeout)

    return run


@pytest.fixture
def sim_board(wgdisplay: Path, tmp_path: Path) -> Iterator[SimBoard]:
    """A running board with a fresh flash."""
    from wg.sim.board import SimBoard

    with SimBoard(flash=tmp_path / "flash.bin", word_size=64, panel=True) as board:
        yield board
