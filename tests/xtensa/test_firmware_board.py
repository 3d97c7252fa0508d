"""The firmware's own packages on the Xtensa board, frozen: schema, log, scheduler, time zones, drawing.

The tests of tests/app and tests/display that need a script on a board, and no network, with this board.
"""

from __future__ import annotations

import inspect
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import test_log
import test_scheduler
import test_schema
import test_zone

from wg import ROOT

pytestmark = pytest.mark.timeout(300)

DRAWING = ROOT / "tests" / "display" / "board"


@pytest.fixture(scope="session")
def script(xtensa: Path, ask_script: Callable[..., Any]) -> Callable[..., Any]:
    """As in tests/conftest.py, for the scripts of tests/app."""

    def run(name: str, argument: Any = None, timeout: float = 120) -> Any:
        path = ROOT / "tests" / "app" / "scripts" / f"{name}.py"
        return ask_script([xtensa, "--heap", str(4 << 20)], path, argument, max(timeout, 240))

    return run


#: Long on this board, or a start of it for each of many cases: `make test-xtensa` runs them.
LONG = (
    "test_hostile_schemas_end",
    "test_malformed_keywords_are_passed_over",
    "test_offsets_are_those_of_the_zone_database",
    "test_patterns_are_those_of_python",
    "test_verdicts_are_those_of_jsonschema",
    "test_what_is_no_rule",
)


def _with_scripts(module: ModuleType, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """A module's tests that run a script on the board, but those named."""
    return {
        name: pytest.mark.slow(value) if name in LONG else value
        for name, value in vars(module).items()
        if name.startswith("test_")
        and "script" in inspect.signature(value).parameters
        and name not in without
    }


for _module, _without in (
    (test_log, ()),
    (test_schema, ()),
    (test_scheduler, ("test_slow_name_servers_do_not_hold_up_the_loop",)),  # needs threads and sockets
    (test_zone, ()),
):
    globals().update(_with_scripts(_module, _without))


@pytest.mark.slow
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
