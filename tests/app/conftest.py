"""Runs MicroPython scripts of this folder on the simulated board's binary, with the firmware's sources."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wg import ROOT

HERE = Path(__file__).parent

Script = Callable[..., Any]


@pytest.fixture(scope="session", params=[64, 32], ids=["64", "32"])
def script(request: pytest.FixtureRequest) -> Script:
    """`script(name, argument, timeout=60)` runs scripts/NAME.py, its argument and its answer in JSON.

    Every test that uses it runs with 64-bit words and with the ESP32's 32-bit words.
    """

    program: Path = request.getfixturevalue("wgdisplay" if request.param == 64 else "wgdisplay32")

    def run(name: str, argument: Any = None, timeout: float = 60) -> Any:
        done = subprocess.run(
            [program, "--script", HERE / "scripts" / f"{name}.py"],
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
