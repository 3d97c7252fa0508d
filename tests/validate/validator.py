"""The validator's test program (batch.c) and the oracles, asked about many modules at once."""

import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
ORACLES = ("wasmtime-42", "wasmtime-50")


@dataclass(frozen=True)
class Verdict:
    """What validate.h's result says. `status` is "ok", "malformed", "invalid", "unsupported", "limit"..."""

    status: str
    offset: int
    section: int
    function: int
    reason: str


def build() -> None:
    """Builds the test programs if they are not up to date."""
    command = ["make", "-s", "-f", "tests/validate/validate.mk", f"BUILD={BUILD}", "validate-tools"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=300)


def validate(modules: Sequence[bytes], *options: str, word_size: int = 64) -> list[Verdict]:
    """The validator's verdicts; options are batch.c's. Raises if a sanitizer or a promise speaks up."""
    program = BUILD / "validate" / ("batch" if word_size == 64 else "batch32")
    done = subprocess.run([program, *options], input=_framed(modules), capture_output=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{program.name} ended with {done.returncode}:\n{done.stderr.decode()}")
    lines = done.stdout.decode().splitlines()
    assert len(lines) == len(modules)
    return [_verdict(line) for line in lines]


def oracle(version: str, modules: Sequence[bytes]) -> list[tuple[bool, bool | None]]:
    """For each module whether wasmtime takes it: with our features and reference types, and without these.

    The second is None for a version that can't be without them.
    """
    environment = {**os.environ, "PYTHONPATH": str(BUILD / "oracle" / version)}
    command = [sys.executable, str(Path(__file__).with_name("validate_oracle.py"))]
    done = subprocess.run(
        command, input=_framed(modules), capture_output=True, timeout=300, env=environment, check=True
    )
    lines = done.stdout.decode().splitlines()
    assert len(lines) == len(modules)
    return [(line[0] == "1", None if line[1] == "-" else line[1] == "1") for line in lines]


#: Valid for wasmtime with any setting that it has, and refused by name here.
BEYOND_SETTINGS = ("extended const", "bulk table operations", "element segment with a table index")


def disagreement(verdict: Verdict, wider: bool, strict: bool | None) -> str | None:
    """What is wrong with a verdict, given the oracle's two; None if nothing is."""
    if verdict.status == "ok" and not wider:
        return "accepted, and wasmtime refuses it"
    if verdict.status in ("malformed", "invalid") and wider and not _long_page_count(verdict):
        return f"{verdict.status} ({verdict.reason}), and wasmtime accepts it"
    if verdict.status == "unsupported" and not any(name in verdict.reason for name in BEYOND_SETTINGS):
        accepted = strict if strict is not None else wider and "reference types" not in verdict.reason
        if accepted:
            return f"unsupported ({verdict.reason}), and wasmtime accepts it without that feature"
    return None


def _long_page_count(verdict: Verdict) -> bool:
    """wasmtime reads the numbers of limits as 64-bit ones, the specification's tests say that they are not."""
    return verdict.section in (2, 4, 5) and verdict.reason.startswith("integer ")


def _framed(modules: Sequence[bytes]) -> bytes:
    return b"".join(struct.pack("<I", len(module)) + module for module in modules)


def _verdict(line: str) -> Verdict:
    status, offset, section, function, reason = line.replace("no memory", "no-memory", 1).split(" ", 4)
    return Verdict(status, int(offset), int(section), int(function), reason)
