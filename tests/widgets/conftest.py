"""Fixtures: the native harness for each widget, and runs under the reference hosts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wg import ROOT

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(ROOT))

import sdk

WIDGETS = ("time", "public_transport", "aareguru")


@pytest.fixture(scope="session")
def harnesses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, sdk.Harness]]:
    """The SDK with each widget as a native program under ASan and UBSan."""
    folder = tmp_path_factory.mktemp("harness")
    running = {name: sdk.Harness(sdk.compile_harness(name, folder)) for name in WIDGETS}
    yield running
    for harness in running.values():
        harness.close()


@pytest.fixture(scope="session")
def harness(harnesses: dict[str, sdk.Harness]) -> sdk.Harness:
    """Any one of them, where only the SDK matters; "time" has the table of zones."""
    return harnesses["time"]


class Host:
    """A reference host: wasmtime of one version in a process of its own."""

    def __init__(self, version: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("wasmtime_host.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "build" / "oracle" / f"wasmtime-{version}")},
        )

    def ask(self, file: Path, **case: Any) -> dict[str, Any]:
        """One call of a widget in a fresh instance: {"ok": value} or {"trap": message}, and "requests"."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"file": str(file), **case}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the reference host ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(20)


@pytest.fixture(scope="session", params=[42, 50], ids=["wasmtime-42", "wasmtime-50"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    running = Host(request.param)
    yield running
    running.close()


@pytest.fixture(scope="session")
def components() -> Callable[[str], Path]:
    """The path of a bundled widget that `make widgets` has built."""

    def path(name: str) -> Path:
        file = ROOT / "build" / "widgets" / f"{name}.wasm"
        if not file.exists():
            pytest.fail("the widgets are not built: run `make widgets`", pytrace=False)
        return file

    return path
