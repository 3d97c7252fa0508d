"""Long-lived processes that run cases: a board, or the reference host. JSON lines in both directions."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

from probes import ROOT

HERE = Path(__file__).parent
ORACLES = {version: ROOT / "build" / "oracle" / f"wasmtime-{version}" for version in (42, 50)}


class Worker:
    """One process. `ask` sends a case and returns its answer; a process that dies or stalls fails the test.

    `modes`: with threads and without, as far as the board can.
    """

    modes: tuple[bool, ...] = (True, False)

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **environment},
        )
        self._pending = b""

    def ask(self, case: dict[str, Any], timeout: float = 60) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        # MicroPython's json doesn't join surrogate pairs, so no \u escapes.
        self._process.stdin.write(json.dumps(case, ensure_ascii=False).encode() + b"\n")
        self._process.stdin.flush()
        while b"\n" not in self._pending:
            ready, _, _ = select.select([self._process.stdout], [], [], timeout)
            if not ready:
                raise AssertionError(f"{self.name} didn't answer within {timeout} s: {case}")
            more = os.read(self._process.stdout.fileno(), 65536)
            if not more:
                code = self._process.wait(10)
                raise AssertionError(f"{self.name} ended with {code}: {case}")
            self._pending += more
        line, self._pending = self._pending.split(b"\n", 1)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(b"\n")
            self._process.stdin.close()
            self._process.wait(10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()


def oracle(version: int) -> Worker:
    return Worker(
        f"wasmtime {version}",
        [sys.executable, str(HERE / "oracle_worker.py")],
        {"PYTHONPATH": str(ORACLES[version])},
    )


def board(binary: Path, script: str = "board_worker.py", options: tuple[str, ...] = ()) -> Worker:
    return Worker(
        str(binary.relative_to(ROOT)),
        [str(binary), *options, "--script", str(HERE / script)],
        {"MICROPYPATH": str(ROOT / "firmware")},
    )
