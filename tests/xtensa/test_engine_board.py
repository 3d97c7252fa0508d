"""The engine's tests on the Xtensa board, without threads: the same scripts as on the simulated board."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from wg import ROOT

SCRIPTS = ROOT / "tests" / "engine" / "board"
MODULES = ROOT / "build" / "engine" / "modules"
LIMIT = 120

#: They say that the board has threads, use one in their second half without asking, or measure the process that the
#: board is on a PC.
SKIPPED = ("test_version", "test_start_function", "test_no_growth_over_1000_instances")

#: In place of check.main. A test that needs the instance's own thread is told by what is not there without threads.
MAIN = """
import sys
import gc
import check
def main(names):
    failed = 0
    for name in sorted(names):
        if name.startswith("test_"):
            gc.collect()
            try:
                if name in {skipped!r}:
                    print("skip", name)
                    continue
                names[name]()
                print("ok", name)
            except AttributeError as e:
                if str(e) not in {threads!r}:
                    raise
                print("skip", name)
            except Exception as e:
                failed += 1
                print("FAIL", name)
                sys.print_exception(e)
    sys.exit(1 if failed else 0)
check.main = main
"""

THREADS = tuple(
    f"'Instance' object has no attribute '{name}'" for name in ("start", "poll", "reply", "fail", "run_start")
)


@pytest.fixture(scope="module", params=["values.py", "runs.py"])
def script(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _environment() -> dict[str, str]:
    return {**os.environ, "MICROPYPATH": str(SCRIPTS)}


def _names(script: str) -> list[str]:
    tree = ast.parse((SCRIPTS / script).read_text())
    return [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]


def test_the_engine(script: str, xtensa: Path, tmp_path: Path, count) -> None:
    code = MAIN.format(skipped=SKIPPED, threads=THREADS) + (SCRIPTS / script).read_text()
    (tmp_path / script).write_text(code)
    done = subprocess.run(
        [xtensa, "--script", tmp_path / script, MODULES],
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
    assert values.count("ok") > len(values) / 4


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
