"""Builds tests/xtensa/large: Mbed TLS as a widget, with Zig's C compiler, as large as one in Rust."""

from __future__ import annotations

import fcntl
import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from wg import ROOT
from wg.widget import build

FOLDER = Path(__file__).parent / "large"
MBEDTLS = ROOT / "build" / "third_party" / "mbedtls"
OUT = ROOT / "build" / "tests" / "large"

SELF_TESTS = re.findall(r'^    \{"(\w+)", mbedtls_', (FOLDER / "widget.c").read_text(), re.M)
#: A second for the board; the others compute for up to minutes: a million bytes hashed, keys made.
SHORT_SELF_TESTS = ("base64", "chacha20", "gcm", "nist_kw")

#: As rustc does by default: bulk memory, sign extension, saturating conversions; a megabyte of shadow stack.
FLAGS = (
    "-target wasm32-freestanding -std=gnu11 -O2 -ffreestanding -fno-builtin -nostdlib -fvisibility=hidden -w "
    "-Wl,--no-entry -Wl,--gc-sections -Wl,-z,stack-size=1048576 -s"
).split()
DEFINES = ['-DMBEDTLS_CONFIG_FILE="large_config.h"', "-DMBEDTLS_ALLOW_PRIVATE_ACCESS"]


def component() -> Path:
    """The component, built unless it is there and current."""
    sources = sorted(
        [*FOLDER.rglob("*.[ch]"), *FOLDER.glob("*.json"), *build.SDK.glob("*.[ch]"), Path(__file__)]
    )
    recipe = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    path = OUT / f"large-{recipe}.wasm"
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _build(path)
    return path


def _build(path: Path) -> None:
    includes = [
        f"-I{folder}"
        for folder in (FOLDER, FOLDER / "include", MBEDTLS / "include", MBEDTLS / "library", build.SDK)
    ]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        schema = scratch / "schema.h"
        schema.write_text(f"#define WG_SCHEMA {build.c_literal(build.compact_schema(FOLDER))}\n")
        files = [
            FOLDER / "widget.c",
            *sorted(build.SDK.glob("*.c")),
            *sorted((MBEDTLS / "library").glob("*.c")),
        ]
        core = scratch / "core.wasm"
        command = [
            sys.executable,
            "-m",
            "ziglang",
            "cc",
            *FLAGS,
            *DEFINES,
            *includes,
            "-include",
            schema,
            *files,
        ]
        done = subprocess.run([*command, "-o", core], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        build.wrap(core, path.with_suffix(".new"), scratch)
        path.with_suffix(".new").rename(path)


def pages(path: Path) -> int:
    """The pages of linear memory that the core module begins with."""
    data = path.read_bytes()
    at = data.index(b"\0asm\1\0\0\0") + 8

    def number(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            value |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if not data[at - 1] & 0x80:
                return value, at

    while data[at] != 5:  # the memory section
        size, at = number(at + 1)
        at += size
    _, at = number(at + 1)
    assert data[at] == 1
    return number(at + 2)[0]
