"""Processes that are asked for one measurement at a time, in JSON lines: wasmtime, and the simulated board."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from wg import ROOT
from wg.process import ToolError

BENCH = ROOT / "tests" / "bench"
WASMTIME = {version: ROOT / "build" / "oracle" / f"wasmtime-{version}" for version in (42, 50)}
SIM = ROOT / "build" / "sim" / "wgdisplay"


class Worker:
    """One process."""

    def __init__(self, name: str, command: list[str | Path], environment: dict[str, str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def ask(self, **case: Any) -> dict[str, Any]:
        """Sends a case, returns its answer. Raises ToolError if the process ends instead."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(case, ensure_ascii=False) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise ToolError(f"{self.name} ended with {self._process.wait(10)}: {case}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin
        # An empty line is the end: a board's stdin has none, it gives Ctrl-D for ever.
        self._process.stdin.write("\n")
        self._process.stdin.close()
        self._process.wait(60)


def wasmtime(version: int) -> Worker:
    """wasmtime with the Pulley interpreter: 42 is the original firmware's, 50 a newer one."""
    command: list[str | Path] = [sys.executable, BENCH / "oracle" / "run_modules.py"]
    return Worker(f"wasmtime {version}", command, {"PYTHONPATH": str(WASMTIME[version])})


def board() -> Worker:
    """The simulated board with the firmware's runtime."""
    if not SIM.exists():
        raise ToolError("there is no simulated board: run `make sim` first")
    return Worker("the simulated board", [SIM, "--script", BENCH / "board" / "run_widgets.py"], {})


def median(values: list[float]) -> float:
    """The median; what disturbs single runs does not matter to it."""
    return statistics.median(values)
