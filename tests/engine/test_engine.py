"""The engine on the simulated board, with 64- and 32-bit words: each function test_* of board/*.py is one test."""

from __future__ import annotations

import ast
import functools
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from wg import ROOT

HERE = Path(__file__).parent
MODULES = ROOT / "build" / "engine" / "modules"
#: Seconds that one script may take; a board that hangs fails, it does not block.
LIMIT = 120


def _names(script: str) -> list[str]:
    tree = ast.parse((HERE / "board" / script).read_text())
    return [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")]


def _board(word_size: int) -> Path:
    named = os.environ.get(f"WGDISPLAY{word_size}")
    path = Path(named) if named else ROOT / "build" / ("sim" if word_size == 64 else "sim32") / "wgdisplay"
    if not path.exists():
        pytest.fail(f"{path} is not built: run `make sim sim32`", pytrace=False)
    if not (MODULES / ".stamp").exists():
        pytest.fail("the test modules are not assembled: run `make engine-modules`", pytrace=False)
    return path


def _command(word_size: int, script: str, *args: str) -> list[str]:
    return [str(_board(word_size)), "--script", str(HERE / "board" / script), str(MODULES), *args]


def _environment() -> dict[str, str]:
    return {**os.environ, "MICROPYPATH": str(HERE / "board")}


@functools.cache
def _results(word_size: int, script: str) -> tuple[dict[str, str], str, int]:
    """What each test of a script said, the whole output, and the exit code."""
    done = subprocess.run(
        _command(word_size, script),
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    output = done.stdout + done.stderr
    verdicts = [line.split(maxsplit=1) for line in output.splitlines()]
    return {v[1]: v[0] for v in verdicts if len(v) == 2 and v[0] in ("ok", "FAIL")}, output, done.returncode


@pytest.mark.parametrize("word_size", [64, 32])
@pytest.mark.parametrize(
    ("script", "name"),
    [(script, name) for script in ("values.py", "runs.py", "buffers.py") for name in _names(script)],
)
def test_on_the_board(word_size: int, script: str, name: str) -> None:
    verdicts, output, code = _results(word_size, script)
    assert verdicts.get(name) == "ok", f"exit code {code}\n{output[-6000:]}"


@pytest.mark.parametrize("word_size", [64, 32])
@pytest.mark.parametrize("script", ["values.py", "runs.py", "buffers.py"])
def test_the_script_ends_well(word_size: int, script: str) -> None:
    _, output, code = _results(word_size, script)
    assert code == 0, output[-2000:]


@pytest.mark.parametrize("word_size", [64, 32])
@pytest.mark.parametrize("loop", ["empty", "calls", "fills", "host"])
def test_ctrl_c_ends_an_inline_loop(word_size: int, loop: str) -> None:
    with subprocess.Popen(
        _command(word_size, "interrupted.py", loop), env=_environment(), stdout=subprocess.PIPE, text=True
    ) as board:
        try:
            assert board.stdout is not None
            assert board.stdout.readline() == "running\n"
            time.sleep(0.1)
            begin = time.monotonic()
            board.send_signal(signal.SIGINT)
            assert board.stdout.readline() == "interrupted\n"
            assert time.monotonic() - begin < 1
            assert board.stdout.readline() == "goes on\n"
            assert board.wait(LIMIT) == 0
        finally:
            board.kill()
