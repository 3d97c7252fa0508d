"""MicroPython's own tests on the Xtensa board: the windowed ABI, the native emitter, exceptions, the collector."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wg import ROOT
from wg.xtensa import board

TESTS = Path(os.environ.get("MICROPYTHON_DIR", ROOT / "build" / "third_party" / "micropython")) / "tests"


@pytest.mark.timeout(600)
@pytest.mark.slow
@pytest.mark.parametrize("folder", ["basics", "float"])
def test_micropythons_own(folder: str, xtensa: Path, tmp_path: Path, count: Callable[..., None]) -> None:
    target = f"exec:{' '.join(board.command())}"
    command = [sys.executable, "run-tests.py", "-t", target, "--result-dir", tmp_path, "-d", folder]
    done = subprocess.run(
        command,
        cwd=TESTS,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # it ends QEMU by its process group
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    found = {what: int(n) for n, what in re.findall(r"^(\d+) tests (\w+)", done.stdout, re.M)}
    failed = [line for line in done.stdout.splitlines() if re.match(r"FAIL |\d+ tests failed", line)]
    assert found.get("passed"), done.stdout[-2000:] + done.stderr[-2000:]
    count(found["passed"], found["performed"] - found["passed"], found.get("skipped", 0))
    assert found["passed"] == found["performed"] and done.returncode == 0, "\n".join(failed)
