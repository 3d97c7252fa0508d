"""Runs the scripts of tests/display/board on the simulated board's MicroPython, without its application."""

import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).resolve().parent / "board"
SOURCES = (SCRIPTS, ROOT / "firmware", ROOT / "boards" / "esp32s3", ROOT / "build" / "fonts")


def environment() -> dict[str, str]:
    """The sources of this checkout before what is frozen, so that a test needs no rebuild."""
    return {**os.environ, "MICROPYPATH": ":".join(map(str, SOURCES))}


def run_on(
    binary: Path, name: str, *arguments: str, panel: Path | None = None, input: str | None = None
) -> str:
    """What the board-side script `name` printed; fails with its traceback if it raised."""
    options = ["--panel", str(panel)] if panel else []
    result = subprocess.run(
        [str(binary), *options, "--script", str(SCRIPTS / name), *arguments],
        env=environment(),
        input=input,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture
def run_script(wgdisplay: Path) -> Callable[..., str]:
    """`run_on` for the 64-bit board."""
    return partial(run_on, wgdisplay)
