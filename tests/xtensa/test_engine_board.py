"""The engine's tests on the Xtensa board, inline and in threads: the same scripts as on the simulated board."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from wg import ROOT

SCRIPTS = ROOT / "tests" / "engine" / "board"
OWN = Path(__file__).parent / "board"
MODULES = ROOT / "build" / "engine" / "modules"
LIMIT = 240

#: Measures the process that the board is on a PC.
SKIPPED = ("test_no_growth_over_1000_instances",)

#: In place of check.main: the engine's memory is malloc's, which Python's collector does not feel.
MAIN = """
import sys
import gc
import check
def main(names):
    failed = 0
    for name in sorted(names):
        if name.startswith("test_"):
            gc.collect()
            if name in {skipped!r}:
                print("skip", name)
                continue
            try:
                names[name]()
                print("ok", name)
            except Exception as e:
                failed += 1
                print("FAIL", name)
                sys.print_exception(e)
    sys.exit(1 if failed else 0)
check.main = main
"""


def _environment() -> dict[str, str]:
    return {**os.environ, "MICROPYPATH": str(SCRIPTS)}


def _names(script: str) -> list[str]:
    tree = ast.parse((SCRIPTS / script).read_text())
    return [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]


#: Microseconds of a thread's turn: the board's own; and so few that one thread's handlers, windows and floating-point
#: registers are left in any state for another's.
SLICES = (None, 7)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("script", "slice_us"),
    [
        pytest.param(script, us, marks=pytest.mark.slow if us else ())
        for script in ("values.py", "runs.py", "buffers.py")
        for us in SLICES
    ],
)
def test_the_engine(
    script: str, slice_us: int | None, xtensa: Path, tmp_path: Path, count: Callable[..., None]
) -> None:
    code = MAIN.format(skipped=SKIPPED) + (SCRIPTS / script).read_text()
    (tmp_path / script).write_text(code)
    options = [] if slice_us is None else ["--slice", str(slice_us)]
    done = subprocess.run(
        [xtensa, *options, "--script", tmp_path / script, MODULES],
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    said = dict(line.split()[::-1] for line in done.stdout.splitlines() if len(line.split()) == 2)
    verdicts = {name: said.get(name) for name in _names(script)}
    values = list(verdicts.values())
    count(values.count("ok"), len(values) - values.count("ok") - values.count("skip"), values.count("skip"))
    assert set(values) <= {"ok", "skip"}, f"{verdicts}\n{done.stdout}{done.stderr}"
    assert done.returncode == 0, done.stdout + done.stderr
    assert values.count("skip") <= len(SKIPPED)


@pytest.mark.parametrize("slice_us", [1, 3, 50, 1000])
def test_threads_keep_their_registers(slice_us: int, xtensa: Path) -> None:
    """Widgets compute with floats and integers in threads while Python does, and nobody's numbers change."""
    command = [xtensa, "--slice", str(slice_us), "--script", OWN / "switches.py", MODULES]
    done = subprocess.run(
        command, env=_environment(), capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL
    )
    assert (done.returncode, done.stdout) == (0, "equal\n"), done.stdout + done.stderr


@pytest.mark.parametrize("loop", ["empty", "calls", "fills", "host"])
def test_ctrl_c_ends_an_inline_loop(loop: str, xtensa: Path) -> None:
    """The key comes in by the timer's interrupt, in the middle of the opcodes' handlers."""
    command = [xtensa, "--script", SCRIPTS / "interrupted.py", MODULES, loop]
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, text=True) as board:
        try:
            assert board.stdout is not None
            assert board.stdout.readline() == "running\n"
            time.sleep(0.1)
            board.send_signal(signal.SIGINT)
            assert board.stdout.readline() == "interrupted\n"
            assert board.stdout.readline() == "goes on\n"
            assert board.wait(LIMIT) == 0
        finally:
            board.kill()
