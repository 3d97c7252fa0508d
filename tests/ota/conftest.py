"""Images and boards for the tests of updates."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wg import ROOT
from wg.release import keys

HERE = Path(__file__).parent


@pytest.fixture(scope="session", params=[64, 32], ids=["64", "32"])
def word_size(request: pytest.FixtureRequest) -> int:
    """64-bit words, and the ESP32's 32-bit words."""
    return int(request.param)


@pytest.fixture(scope="session")
def script(request: pytest.FixtureRequest, word_size: int) -> Callable[..., Any]:
    """`script(name, argument)` runs scripts/NAME.py with the firmware's sources; argument and answer in JSON.

    `options` are the program's.
    """
    program: Path = request.getfixturevalue("wgdisplay" if word_size == 64 else "wgdisplay32")

    def run(name: str, argument: Any = None, timeout: float = 110, options: tuple[str, ...] = ()) -> Any:
        done = subprocess.run(
            [program, *options, "--script", HERE / "scripts" / f"{name}.py"],
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


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> keys.SigningKey:
    """A key that the tests' firmware trusts."""
    return keys.new("owner", tmp_path_factory.mktemp("keys"))
