"""What is no widget is refused with a sentence of its own, on the board, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import probes
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import mutated
from probes import Probe
from workers import ORACLES, Worker

_EMPTY_CORE = r'"\00asm\01\00\00\00"'

# Components as text, each with one thing that a widget can't have. %s is the plain probe's kind of core module.
_COMPONENTS = {
    "wasi": (
        '(component (import "wasi:cli/environment@0.2.3" (instance)) (import "wasi:io/streams@0.2.3" (instance)) '
        '(import "wasi:io/error@0.2.3" (instance)) (import "wasi:clocks/wall-clock@0.2.3" (instance)) (component))',
        "UnsupportedError",
        "WASI (wasi:cli/environment@0.2.3, wasi:io/streams@0.2.3, wasi:io/error@0.2.3 and 1 more)",
    ),
    "foreign interface": (
        '(component (import "acme:lamp/switch" (instance (export "on" (func)))))',
        "UnsupportedError",
        "imports acme:lamp/switch",
    ),
    "foreign function": ('(component (import "beep" (func)))', "UnsupportedError", "imports beep"),
    "imported module": ('(component (import "code" (core module)))', "UnsupportedError", "imports code"),
    "nested": ("(component (component))", "UnsupportedError", "another component"),
    "exported interface": (
        '(component (type $t u32) (instance $i (export "t" (type $t))) (export "acme:lamp/types" (instance $i)))',
        "UnsupportedError",
        "exports the interface acme:lamp/types",
    ),
    "resource": (
        "(component (type $r (resource (rep i32))) (core func (canon resource.drop $r)))",
        "UnsupportedError",
        "resources",
    ),
    "asynchronous": (
        "(component (core func (canon task.cancel)))",
        "UnsupportedError",
        "asynchronous",
    ),
    "nothing": ("(component)", "LinkError", "lacks what a widget must export"),
    "utf-16": (
        '(component (core module $m (func (export "f")) (memory (export "m") 1)) (core instance $i (instantiate $m)) '
        '(func (export "f") (canon lift (core func $i "f") (memory $i "m") string-encoding=utf16)))',
        "UnsupportedError",
        "UTF-16",
    ),
}

_CORE_MODULES: dict[str, tuple[str, str, str]] = {
    "no widget": ('(module (func (export "add")))', "LinkError", "no widget"),
    "empty module": ("(module)", "LinkError", "no widget"),
    "core without run": (Probe("x", left_out=("run",)).wat(), "LinkError", "must export: run."),
    "core without two": (
        Probe("x", left_out=("get-name", "get-version")).wat(),
        "LinkError",
        "must export: get-name, get-version.",
    ),
    "core without memory": (Probe("x", left_out=("memory",)).wat(), "LinkError", "no memory"),
    "core without realloc": (Probe("x", left_out=("realloc",)).wat(), "LinkError", "cabi_realloc"),
    "standard without realloc": (
        Probe("x", standard=True, left_out=("realloc",)).wat(),
        "LinkError",
        "cm32p2_realloc",
    ),
    "wasi module": (
        '(module (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))'
        ' (memory (export "memory") 1)'
        ' (func (export "_start")))',
        "UnsupportedError",
        "WASI (wasi_snapshot_preview1)",
    ),
    "foreign import": (
        Probe("x").wat().replace("(memory 2)", '(import "env" "abort" (func (param i32))) (memory 2)', 1),
        "LinkError",
        "imports env abort",
    ),
    "unknown host function": (
        Probe("x").wat().replace("(memory 2)", '(import "widget:widget/http" "listen" (func)) (memory 2)', 1),
        "LinkError",
        "imports widget:widget/http listen",
    ),
    "import of another type": (
        '(module (import "widget:widget/clocks" "now" (func (result i64))) (memory (export "memory") 1)'
        ' (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)'
        ' (func $t (result i32) i32.const 0) (export "get-name" (func $t)) (export "get-version" (func $t))'
        ' (export "get-config-schema" (func $t)) (export "get-run-update-cycle-seconds" (func $t))'
        ' (func (export "run") (param i64 i32 i32 i32) (result i32) i32.const 0))',
        "LinkError",
        "now has type (:I), the world wants (i:)",
    ),
    "export of another type": (
        Probe(
            "x", left_out=("run",), extra='(func (export "run") (param i32) (result i32) i32.const 0)'
        ).wat(),
        "LinkError",
        "run has type (i:i), the world wants (Iiii:i)",
    ),
    "post-return of another type": (
        Probe("x", posts=(), extra='(func (export "cabi_post_run"))').wat(),
        "LinkError",
        "cabi_post_run has type (:), the world wants (i:)",
    ),
    "realloc of another type": (
        Probe(
            "x",
            left_out=("realloc",),
            extra='(func (export "cabi_realloc") (param i32) (result i32) i32.const 0)',
        ).wat(),
        "LinkError",
        "cabi_realloc has type (i:i)",
    ),
    "initialize of another type": (
        Probe("x", initialize=None, extra='(func (export "_initialize") (param i32))').wat(),
        "LinkError",
        "_initialize has type (i:)",
    ),
    "run is a global": (
        Probe("x", left_out=("run",), extra='(global (export "run") i32 (i32.const 0))').wat(),
        "LinkError",
        "must export: run.",
    ),
}

_PAGE = b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>"


def _texts(plain: bytes, artefact: bytes) -> dict[str, tuple[bytes, str, str]]:
    core = b"\0asm\1\0\0\0"
    return {
        "empty": (b"", "MalformedError", "empty"),
        "text": (b"Hello, I am a text file.\n", "MalformedError", "text file"),
        "page": (_PAGE, "MalformedError", "web page"),
        "wat": (b"(module)", "MalformedError", "text form"),
        "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "MalformedError", "isn't WebAssembly"),
        "artefact": (artefact, "UnsupportedError", "precompiled artefact"),
        "one byte": (b"\0", "MalformedError", "cut off after 1 bytes"),
        "seven bytes": (core[:7], "MalformedError", "cut off after 7 bytes"),
        "half": (plain[: len(plain) // 2], "MalformedError", "cut off or damaged"),
        "almost": (plain[:-3], "MalformedError", "cut off or damaged"),
        "future component": (b"\0asm\x0e\0\1\0", "UnsupportedError", "format version"),
        "future module": (b"\0asm\2\0\0\0", "UnsupportedError", "version"),
        "damaged core": (
            plain.replace(b"\0asm\1\0\0\0\1", b"\0asm\1\0\0\0\x3f", 1),
            "MalformedError",
            "damaged",
        ),
    }


@pytest.fixture(scope="module")
def refused(
    files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Path, str, str]]:
    """name -> (file, class of the error, part of its message)"""
    folder = tmp_path_factory.mktemp("refused")
    found: dict[str, tuple[Path, str, str]] = {}
    jobs = [
        ("refused-" + name.replace(" ", "-"), wat, "component") for name, (wat, _, _) in _COMPONENTS.items()
    ]
    jobs += [
        ("refused-" + name.replace(" ", "-"), wat, "core") for name, (wat, _, _) in _CORE_MODULES.items()
    ]
    built = probes.build(jobs)
    for (name, (_, kind, part)), path in zip(
        [*_COMPONENTS.items(), *_CORE_MODULES.items()], built.values(), strict=True
    ):
        found[name] = (path, kind, part)
    # A component that has everything but run.
    wit = folder / "wit"
    shutil.copytree(probes.WIT, wit)
    for path in wit.glob("*.wit"):
        path.write_text("\n".join(line for line in path.read_text().splitlines() if "export run" not in line))
    without = probes.build([("without-run", Probe("x", left_out=("run",), posts=()).wat(), "239")], wit)
    found["component without run"] = (without["without-run.239"], "LinkError", "must export: run.")
    plain = files["plain.239"].read_bytes()
    artefact = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, wasmtime, wasmtime.component as c; e = wasmtime.Engine();"
            "sys.stdout.buffer.write(bytes(c.Component(e, open(sys.argv[1], 'rb').read()).serialize()))",
            str(files["plain.239"]),
        ],
        env={**os.environ, "PYTHONPATH": str(ORACLES[42])},
        capture_output=True,
        timeout=60,
        check=True,
    ).stdout
    for name, (data, kind, part) in _texts(plain, artefact).items():
        path = folder / name.replace(" ", "-")
        path.write_bytes(data)
        found[name] = (path, kind, part)
    return found


def test_each_has_its_sentence(refused: dict[str, tuple[Path, str, str]], boards: list[Worker]) -> None:
    for board in boards:
        for name, (path, kind, part) in refused.items():
            answer = board.ask({"call": "load", "board": str(path), "fresh": True})
            assert answer.get("error") == kind, (name, answer)
            assert part in answer["message"], (name, answer)
            assert answer["message"].endswith(".") and len(answer["message"]) < 200


def test_board_goes_on(
    refused: dict[str, tuple[Path, str, str]], boards: list[Worker], files: dict[str, Path]
) -> None:
    """Refusing a thousand files takes no memory, and a widget runs afterwards."""
    for board in boards:
        measure: dict[str, Any] = {"call": "memory", "board": str(files["echo.239"])}
        for round_ in range(40):
            for path, _, _ in refused.values():
                assert "error" in board.ask({"call": "load", "board": str(path), "fresh": True})
            if round_ == 10:
                before = board.ask(measure)["ok"]
        after = board.ask(measure)["ok"]
        assert after["heap"] - before["heap"] < 4096
        assert after["resident"] - before["resident"] < 512 * 1024
        assert (
            board.ask({"call": "run", "board": str(files["echo.239"]), "last": [1, 2], "config": "on"})["ok"]
            == "on"
        )


@pytest.mark.parametrize("probe", ["plain.239", "standard.259", "plain.core"])
def test_damaged_files_on_a_board(files: dict[str, Path], boards: list[Worker], probe: str) -> None:
    """Loaded and run: it works, or there is one of the runtime's errors; nothing else, and the board goes on."""
    original = files[probe].read_bytes()

    @settings(max_examples=400, suppress_health_check=list(HealthCheck))
    @given(mutated(original), st.booleans())
    def damage(data: bytes, threads: bool) -> None:
        case = {
            "call": "run",
            "data": data.hex(),
            "config": _CALLS,
            "last": [1, 2],
            "deadline_ms": 100,
            "threads": threads,
        }
        for board in boards:
            answer = board.ask(case)
            assert answer.get("kind") != "escaped", (board.name, answer["message"])

    damage()


_CALLS = probes.program(
    ("R", 0x500), ("N", 0x600), ("H", 2, 0x2000, 5, 1, 0x2005, 5, 0x708), ("L", 2, 0x2000, 5, 0x2000, 3)
)
