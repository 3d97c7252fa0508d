"""Drives harness.c: the SDK and a widget on the PC, compiled with ASan and UBSan."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

from wg import ROOT
from wg.widget.build import SDK, c_literal, compact_schema

FLAGS = (
    "-std=c11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -Wall -Wextra"
).split()


class Crash(AssertionError):
    """The harness ended: a sanitizer found something."""


class Harness:
    """One process. `ask` may be called any number of times."""

    def __init__(self, program: Path) -> None:
        self.program = program
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1"},
        )

    def ask(self, operation: str, *arguments: bytes | str | int) -> bytes:
        parts = [a if isinstance(a, bytes) else str(a).encode() for a in arguments]
        request = operation.encode() + struct.pack("<I", len(parts))
        request += b"".join(struct.pack("<I", len(part)) + part for part in parts)
        assert self.process.stdin and self.process.stdout and self.process.stderr
        try:
            self.process.stdin.write(request)
            self.process.stdin.flush()
            head = self.process.stdout.read(4)
        except BrokenPipeError:
            head = b""
        if len(head) < 4:
            report = self.process.stderr.read().decode(errors="replace")
            self.process.wait(10)
            self.process = self._start()
            raise Crash(f"{operation} {arguments!r}\n{report}")
        return self.process.stdout.read(struct.unpack("<I", head)[0])

    def close(self) -> None:
        assert self.process.stdin and self.process.stderr
        self.process.stdin.close()
        report = self.process.stderr.read().decode(errors="replace")
        code = self.process.wait(20)
        if code != 0:
            raise Crash(f"the harness ended with {code}\n{report}")


def compile_harness(widget: str, folder: Path, *, arena: bool = False) -> Path:
    """Compiles the harness with the widget in widgets/<widget>; `arena`: with the SDK's own memory."""
    source = ROOT / "widgets" / widget
    schema = folder / f"{widget}_schema.h"
    schema.write_text(f"#define WG_SCHEMA {c_literal(compact_schema(source))}\n", "utf-8")
    program = folder / (f"{widget}_arena" if arena else widget)
    left_out = {"wg_abi.c"} if arena else {"wg_abi.c", "wg_memory.c"}
    files = [path for path in sorted(SDK.glob("*.c")) if path.name not in left_out]
    files += [source / "widget.c", Path(__file__).with_name("harness.c")]
    flags = [*FLAGS, "-DHARNESS_ARENA"] if arena else FLAGS
    done = subprocess.run(
        ["gcc", *flags, "-I", SDK, "-include", schema, *files, "-o", program],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return program
