"""Runs MicroPython scripts of this folder in one process of the simulated board, on its flash model."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wg import ROOT

SCRIPTS = Path(__file__).parent / "scripts"

Script = Callable[..., Any]


@pytest.fixture(scope="session", params=[64, 32], ids=["64", "32"])
def script(request: pytest.FixtureRequest) -> Script:
    """`script(name, argument, *options, timeout=120)` runs scripts/NAME.py; argument and answer in JSON.

    Every test that uses it runs with 64-bit words and with the ESP32's 32-bit words.
    """
    program: Path = request.getfixturevalue("wgdisplay" if request.param == 64 else "wgdisplay32")

    def run(name: str, argument: Any = None, *options: str, timeout: float = 120) -> Any:
        done = subprocess.run(
            [program, *options, "--script", SCRIPTS / f"{name}.py"],
            input=json.dumps(argument) + "\n",
            env={**os.environ, "MICROPYPATH": str(ROOT / "firmware")},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run
