"""The firmware's own packages on the Xtensa board, frozen: storage, schema, log, scheduler, time zones, drawing.

The tests of tests/app and tests/display that need a script on a board, and no network, with this board.
"""

from __future__ import annotations

import inspect
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import test_log
import test_scheduler
import test_schema
import test_storage
import test_zone

from wg import ROOT

pytestmark = pytest.mark.timeout(300)

APP = ROOT / "tests" / "app" / "scripts"
DRAWING = ROOT / "tests" / "display" / "board"


@pytest.fixture(scope="session")
def script(xtensa: Path) -> Callable[..., Any]:
    """As in tests/app/conftest.py: runs scripts/NAME.py, its argument and its answer in JSON."""

    def run(name: str, argument: Any = None, timeout: float = 60) -> Any:
        done = subprocess.run(
            [xtensa, "--heap", str(4 << 20), "--script", APP / f"{name}.py"],
            input=json.dumps(argument) + "\n",
            capture_output=True,
            text=True,
            timeout=max(timeout, 240),
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


def _with_scripts(module: ModuleType, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """A module's tests that run a script on the board, but those named."""
    return {
        name: value
        for name, value in vars(module).items()
        if name.startswith("test_")
        and "script" in inspect.signature(value).parameters
        and name not in without
    }


for _module, _without in (
    (test_log, ()),
    (test_schema, ()),
    (
        test_storage,
        ("test_power_cuts",),
    ),  # minutes: the file system's C is tested by one test as well as by all
    (test_scheduler, ("test_slow_name_servers_do_not_hold_up_the_loop",)),  # needs threads and sockets
    (test_zone, ()),
):
    globals().update(_with_scripts(_module, _without))


@pytest.mark.parametrize(("name", "says"), [("drawing.py", "OK"), ("mounting.py", "OK 64")])
def test_drawing(name: str, says: str, xtensa: Path) -> None:
    """Pixels, text and the panel's driver, on a model of the panel."""
    done = subprocess.run(
        [xtensa, "--heap", str(4 << 20), "--script", DRAWING / name],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert (done.returncode, done.stdout.strip()) == (0, says), done.stderr
