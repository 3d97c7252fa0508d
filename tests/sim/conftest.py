"""Boards for the tests of the simulated board itself."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wg.sim.board import SimBoard


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimBoard]:
    """One running board for a whole module of tests, without the application."""
    folder = tmp_path_factory.mktemp("board")
    with SimBoard(flash=folder / "flash.bin", panel=folder / "panel", bare=True) as board:
        yield board


@pytest.fixture
def script(wgdisplay: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs MicroPython code with --script; returns the ended process."""

    def run(code: str, *arguments: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "script.py"
        file.write_text(code)
        command = [str(wgdisplay), *options, "--script", str(file), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    return run
