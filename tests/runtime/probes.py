"""Probe widgets, as WebAssembly text with holes: one module that does what its configuration says, in many variants.

The configuration of a probe is a program: one letter an instruction, each argument 8 hexadecimal digits. Everything
that a rule of the canonical ABI is about can be said in it: which pointers, lengths and discriminants go to an import,
what the allocator and the post-return function do, where the result lies. `D` logs bytes of memory, so that what the
host stored, and what it left alone, shows in the host calls.

| instruction | arguments |
|---|---|
| `S` store i32, `B` store i8 | address, value |
| `F` fill | address, length, byte |
| `H` request | method, url, length, has body, body, length, retptr |
| `N` now | retptr |
| `L` log | level, context, length, message, length |
| `R` get-random, stored | address |
| `A` what cabi_realloc does from now on (REALLOC) | mode, value |
| `C` what post-return does (POST) | mode |
| `P` the result's address | address |
| `D` log memory in hexadecimal | address, length |
| `G` grow memory | pages |
| `T` trap | |
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
WIT = ROOT / "widgets" / "wit"
NODE_MODULES = ROOT / "build" / "node" / "node_modules"
OUT = ROOT / "build" / "tests" / "probes"

# What cabi_realloc does: the number is the mode, `value` its argument.
REALLOC = {
    "bump": 0,
    "value": 1,
    "trap": 2,
    "now": 3,
    "grow": 4,
    "log": 5,
    "random": 6,
    "request": 7,
    "recurse": 8,
    "slow": 9,
}
POST = {"nothing": 0, "trap": 1, "now": 2, "log": 3, "random": 4, "realloc": 5, "store": 6, "slow": 7}

EXPORTS = ("get-name", "get-version", "get-config-schema", "get-run-update-cycle-seconds", "run")

# Memory: results at 0x100, run's arguments at 0x200, hexadecimal text at 0x400, texts at 0x2000, the trace of
# cabi_realloc's arguments at 0x3000 (its end at 0x2ffc), the heap from 0x8000.
RESULT, ARGUMENTS, TEXT, TRACE, HEAP = 0x100, 0x200, 0x2000, 0x3000, 0x8000


@dataclass
class Probe:
    """One variant. Texts of wat for function bodies; None leaves an export out."""

    name: str
    standard: bool = False  # cm32p2 names
    imports: tuple[str, ...] = ("http", "clocks", "random", "logging")
    posts: tuple[str, ...] = EXPORTS
    realloc: tuple[str, int] = ("bump", 0)
    post: str = "nothing"
    bodies: dict[str, str] = field(default_factory=dict)  # export -> body
    initialize: str | None = "i32.const 0x2ff0 i32.const 77 i32.store"
    start: str | None = None
    pages: int = 2
    extra: str = ""  # more fields of the module
    left_out: tuple[str, ...] = ()

    def wat(self) -> str:
        prefix = "cm32p2|" if self.standard else ""
        signatures = {
            "http": ("request", "(param i32 i32 i32 i32 i32 i32 i32)"),
            "clocks": ("now", "(param i32)"),
            "random": ("get-random", "(result i64)"),
            "logging": ("log", "(param i32 i32 i32 i32 i32)"),
        }
        imports, stubs = [], []
        for interface, (function, signature) in signatures.items():
            if interface in self.imports:
                imports.append(
                    f'(import "{prefix}widget:widget/{interface}" "{function}" (func ${interface} {signature}))'
                )
            else:
                stubs.append(f"(func ${interface} {signature} unreachable)")
        exports = []
        bodies = {
            "get-name": "i32.const 0x110",
            "get-version": "i32.const 0x118",
            "get-config-schema": "i32.const 0x120",
            "get-run-update-cycle-seconds": "i32.const 4000000000",
            "run": "local.get 0 local.get 1 local.get 2 local.get 3 call $interpret",
            **self.bodies,
        }
        for name in EXPORTS:
            if name in self.left_out:
                continue
            core = f"cm32p2||{name}" if self.standard else name
            post = f"{core}_post" if self.standard else f"cabi_post_{name}"
            parameters = "(param i64 i32 i32 i32)" if name == "run" else ""
            exports.append(f'(func (export "{core}") {parameters} (result i32) {bodies[name]})')
            if name in self.posts:
                exports.append(f'(export "{post}" (func $post))')
        names = {"memory": "memory", "realloc": "cabi_realloc", "initialize": "_initialize"}
        if self.standard:
            names = {key: f"cm32p2_{key}" for key in names}
        if "memory" not in self.left_out:
            exports.append(f'(export "{names["memory"]}" (memory 0))')
        if "realloc" not in self.left_out:
            exports.append(f'(export "{names["realloc"]}" (func $realloc))')
        if self.initialize is not None:
            exports.append(f'(func (export "{names["initialize"]}") {self.initialize})')
        if self.start is not None:
            exports.append(f"(func $start {self.start}) (start $start)")
        mode, value = self.realloc
        return _WAT.format(
            imports="\n ".join(imports),
            stubs="\n ".join(stubs),
            exports="\n ".join(exports),
            extra=self.extra,
            pages=self.pages,
            mode=REALLOC[mode],
            value=value,
            post=POST[self.post],
        )


_WAT = r"""(module
 {imports}
 (memory {pages})
 (global $pc (mut i32) (i32.const 0))
 (global $heap (mut i32) (i32.const 0x8000))
 (global $mode (mut i32) (i32.const {mode}))
 (global $value (mut i32) (i32.const {value}))
 (global $post (mut i32) (i32.const {post}))
 (global $result (mut i32) (i32.const 0x100))
 (data (i32.const 0x100) "\00\20\00\00\05\00\00\00")
 (data (i32.const 0x110) "\00\20\00\00\05\00\00\00\05\20\00\00\05\00\00\00\0a\20\00\00\0c\00\00\00")
 (data (i32.const 0x2000) "probe1.2.3{{\22type\22:\22x\22}} http://h/\c3\a4\e2\82\ac\f0\9f\98\80")
 (data (i32.const 0x2ffc) "\00\30\00\00")
 {stubs}
 (func $trace (param i32)
  (i32.store (i32.load (i32.const 0x2ffc)) (local.get 0))
  (i32.store (i32.const 0x2ffc) (i32.add (i32.load (i32.const 0x2ffc)) (i32.const 4))))
 (func $realloc (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
  (local $at i32)
  (if (i32.lt_u (i32.load (i32.const 0x2ffc)) (i32.const 0x3100)) (then
   (call $trace (local.get $old)) (call $trace (local.get $size))
   (call $trace (local.get $align)) (call $trace (local.get $new))))
  (if (i32.eq (global.get $mode) (i32.const 1)) (then (return (global.get $value))))
  (if (i32.eq (global.get $mode) (i32.const 2)) (then unreachable))
  (if (i32.eq (global.get $mode) (i32.const 3)) (then (call $clocks (global.get $value))))
  (if (i32.eq (global.get $mode) (i32.const 4)) (then
   (local.set $at (i32.shl (memory.size) (i32.const 16)))
   (drop (memory.grow (global.get $value)))
   (return (local.get $at))))
  (if (i32.eq (global.get $mode) (i32.const 5)) (then
   (call $logging (i32.const 1) (i32.const 0x2000) (i32.const 1) (i32.const 0x2000) (i32.const 2))))
  (if (i32.eq (global.get $mode) (i32.const 6)) (then (drop (call $random))))
  (if (i32.eq (global.get $mode) (i32.const 7)) (then
   (call $http (i32.const 0) (i32.const 0x2000) (i32.const 1)
    (i32.const 0) (i32.const 0) (i32.const 0) (global.get $value))))
  (if (i32.eq (global.get $mode) (i32.const 8)) (then
   (drop (call $realloc (local.get $old) (local.get $size) (local.get $align) (local.get $new)))))
  (if (i32.eq (global.get $mode) (i32.const 9)) (then (call $burn (global.get $value))))
  (local.set $at (global.get $heap))
  (global.set $heap (i32.and (i32.add (i32.add (local.get $at) (local.get $new)) (i32.const 15)) (i32.const -16)))
  (local.get $at))
 (func $burn (param i32)
  (loop $more (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
 (func $post (param i32)
  (if (i32.eq (global.get $post) (i32.const 7)) (then (call $burn (i32.const 15000000))))
  (if (i32.eq (global.get $post) (i32.const 1)) (then unreachable))
  (if (i32.eq (global.get $post) (i32.const 2)) (then (call $clocks (i32.const 0x400))))
  (if (i32.eq (global.get $post) (i32.const 3)) (then
   (call $logging (i32.const 2) (i32.const 0x2000) (i32.const 1) (i32.const 0x2000) (i32.const 2))))
  (if (i32.eq (global.get $post) (i32.const 4)) (then (drop (call $random))))
  (if (i32.eq (global.get $post) (i32.const 5)) (then
   (drop (call $realloc (local.get 0) (i32.const 8) (i32.const 4) (i32.const 16)))))
  (if (i32.eq (global.get $post) (i32.const 6)) (then (i32.store (local.get 0) (i32.const -1)))))
 (func $digit (result i32)
  (local $c i32)
  (local.set $c (i32.load8_u (global.get $pc)))
  (global.set $pc (i32.add (global.get $pc) (i32.const 1)))
  (if (result i32) (i32.ge_u (local.get $c) (i32.const 97))
   (then (i32.sub (local.get $c) (i32.const 87))) (else (i32.sub (local.get $c) (i32.const 48)))))
 (func $arg (result i32)
  (local $n i32) (local $v i32)
  (loop $more
   (local.set $v (i32.or (i32.shl (local.get $v) (i32.const 4)) (call $digit)))
   (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 8))))
  (local.get $v))
 (func $nibble (param $at i32) (param $v i32)
  (i32.store8 (local.get $at)
   (i32.add (local.get $v) (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $v) (i32.const 10))))))
 (func $dump (param $from i32) (param $size i32)
  (local $i i32) (local $b i32)
  (block $done (loop $more
   (br_if $done (i32.ge_u (local.get $i) (local.get $size)))
   (local.set $b (i32.load8_u (i32.add (local.get $from) (local.get $i))))
   (call $nibble (i32.add (i32.const 0x400) (i32.shl (local.get $i) (i32.const 1)))
    (i32.shr_u (local.get $b) (i32.const 4)))
   (call $nibble (i32.add (i32.const 0x401) (i32.shl (local.get $i) (i32.const 1)))
    (i32.and (local.get $b) (i32.const 15)))
   (local.set $i (i32.add (local.get $i) (i32.const 1)))
   (br $more)))
  (call $logging (i32.const 0) (i32.const 0x2000) (i32.const 4)
   (i32.const 0x400) (i32.shl (local.get $size) (i32.const 1))))
 (func $fill (param $at i32) (param $size i32) (param $byte i32)
  (block $done (loop $more
   (br_if $done (i32.eqz (local.get $size)))
   (local.set $size (i32.sub (local.get $size) (i32.const 1)))
   (i32.store8 (i32.add (local.get $at) (local.get $size)) (local.get $byte))
   (br $more))))
 (func $interpret (param $s i64) (param $ns i32) (param $p i32) (param $l i32) (result i32)
  (local $op i32) (local $end i32)
  (i64.store (i32.const 0x200) (local.get $s))
  (i32.store (i32.const 0x208) (local.get $ns))
  (i32.store (i32.const 0x20c) (local.get $p))
  (i32.store (i32.const 0x210) (local.get $l))
  (global.set $pc (local.get $p))
  (local.set $end (i32.add (local.get $p) (local.get $l)))
  (block $done (loop $next
   (br_if $done (i32.ge_u (global.get $pc) (local.get $end)))
   (local.set $op (i32.load8_u (global.get $pc)))
   (global.set $pc (i32.add (global.get $pc) (i32.const 1)))
   (if (i32.eq (local.get $op) (i32.const 83)) (then (i32.store (call $arg) (call $arg)) (br $next)))
   (if (i32.eq (local.get $op) (i32.const 66)) (then (i32.store8 (call $arg) (call $arg)) (br $next)))
   (if (i32.eq (local.get $op) (i32.const 70)) (then (call $fill (call $arg) (call $arg) (call $arg)) (br $next)))
   (if (i32.eq (local.get $op) (i32.const 72)) (then
    (call $http (call $arg) (call $arg) (call $arg) (call $arg) (call $arg) (call $arg) (call $arg)) (br $next)))
   (if (i32.eq (local.get $op) (i32.const 78)) (then (call $clocks (call $arg)) (br $next)))
   (if (i32.eq (local.get $op) (i32.const 76)) (then
    (call $logging (call $arg) (call $arg) (call $arg) (call $arg) (call $arg)) (br $next)))
   (if (i32.eq (local.get $op) (i32.const 82)) (then (i64.store (call $arg) (call $random)) (br $next)))
   (if (i32.eq (local.get $op) (i32.const 65)) (then
    (global.set $mode (call $arg)) (global.set $value (call $arg)) (br $next)))
   (if (i32.eq (local.get $op) (i32.const 67)) (then (global.set $post (call $arg)) (br $next)))
   (if (i32.eq (local.get $op) (i32.const 80)) (then (global.set $result (call $arg)) (br $next)))
   (if (i32.eq (local.get $op) (i32.const 68)) (then (call $dump (call $arg) (call $arg)) (br $next)))
   (if (i32.eq (local.get $op) (i32.const 71)) (then (drop (memory.grow (call $arg))) (br $next)))
   unreachable))
  (global.get $result))
 {extra}
 {exports}
)
"""


def program(*instructions: tuple) -> str:
    """The text of a program: program(("N", 0x500), ("D", 0x500, 16))."""
    return "".join(
        op + "".join(f"{value & 0xFFFFFFFF:08x}" for value in values) for op, *values in instructions
    )


def build(jobs: list[tuple[str, str, str]], wit: Path = WIT, folder: Path = OUT) -> dict[str, Path]:
    """Builds (name, wat, layout) jobs in one go: "core", "embedded", "239", "259", "component". name -> file."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {f"{name}.{layout}": folder / f"{name}.{layout}.wasm" for name, _, layout in jobs}
    listed = [
        {
            "wat": wat,
            "wit": str(wit),
            "world": "widget:widget/widget",
            "layout": layout,
            "out": str(paths[f"{name}.{layout}"]),
        }
        for name, wat, layout in jobs
    ]
    (folder / "jobs.json").write_text(json.dumps(listed))
    done = subprocess.run(
        ["node", str(HERE / "build_probes.mjs"), str(NODE_MODULES), str(folder / "jobs.json")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    for (name, _, layout), answer in zip(jobs, json.loads(done.stdout), strict=True):
        if "error" in answer:
            raise RuntimeError(f"probe {name}.{layout}: {answer['error']}")
    return paths


_NOW = "i32.const 0x600 call $clocks"
_RANDOM = "i32.const 0x600 call $random i64.store"
_LOG = "i32.const 3 i32.const 0x2000 i32.const 5 i32.const 0x2005 i32.const 5 call $logging"
_REQUEST = "i32.const 1 i32.const 0x2017 i32.const 18 i32.const 0 i32.const -1 i32.const -1 i32.const 0x608 call $http"
_REQUEST_TEXT = _REQUEST.replace("i32.const 18", "i32.const 9")


def _many_functions(count: int) -> str:
    """Functions $f1 to $f<count>, each of about 60 bytes and each calling the one before: as large as a Rust widget."""
    fields = ["(func $f0 (param i32) (result i32) local.get 0)"]
    for i in range(1, count + 1):
        fields.append(
            f"(func $f{i} (param i32) (result i32) (local $a i32) (local $b i64)"
            f" (local.set $a (i32.add (i32.mul (local.get 0) (i32.const {i * 2654435761 % 2**31})) (i32.const {i})))"
            f" (local.set $b (i64.extend_i32_u (i32.rotl (local.get $a) (i32.const {i % 31}))))"
            f" (if (i32.and (local.get $a) (i32.const 64))"
            f" (then (local.set $b (i64.mul (local.get $b) (i64.const {i})))))"
            f" (i32.xor (i32.wrap_i64 (i64.shr_u (local.get $b) (i64.const 7)))"
            f" (if (result i32) (i32.eqz (i32.const {i % 50}))"
            f" (then (local.get $a)) (else (call $f{i - 1} (local.get $a))))))"
        )
    return "\n ".join(fields)


VARIANTS = [
    Probe("plain"),
    Probe("standard", standard=True),
    Probe("bare", posts=(), initialize=None),
    Probe("clock-only", imports=("clocks",), posts=("run",)),
    Probe("random-only", imports=("random",), initialize=None),
    Probe("quiet", imports=(), initialize=None),
    Probe("log-http", imports=("http", "logging")),
    Probe("realloc-traps", realloc=("trap", 0)),
    Probe("realloc-outside", realloc=("value", 0x20000)),
    Probe("realloc-far", realloc=("value", -1)),
    Probe("realloc-zero", realloc=("value", 0)),
    Probe("realloc-end", realloc=("value", 0x1FFFF)),
    Probe("realloc-grows", realloc=("grow", 1)),
    Probe("realloc-grows-nothing", realloc=("grow", 0)),
    Probe("realloc-calls-now", realloc=("now", 0x600)),
    Probe("realloc-calls-log", realloc=("log", 0)),
    Probe("realloc-calls-random", realloc=("random", 0)),
    Probe("realloc-calls-request", realloc=("request", 0x600)),
    Probe("realloc-recurses", realloc=("recurse", 0)),
    Probe("post-traps", post="trap"),
    Probe("post-calls-now", post="now"),
    Probe("post-calls-log", post="log"),
    Probe("post-calls-random", post="random"),
    Probe("post-allocates", post="realloc"),
    Probe("post-stores", post="store"),
    Probe("names-unaligned", bodies=dict.fromkeys(EXPORTS[:3], "i32.const 0x112")),
    Probe("names-outside", bodies=dict.fromkeys(EXPORTS[:3], "i32.const 0x20000")),
    Probe("names-at-end", bodies=dict.fromkeys(EXPORTS[:3], "i32.const 0x1fff8")),
    Probe(
        "names-not-utf8",
        bodies=dict.fromkeys(EXPORTS[:3], "i32.const 0x2023 i32.const 0xff i32.store8 i32.const 0x130"),
        extra=r'(data (i32.const 0x130) "\20\20\00\00\08\00\00\00")',
    ),
    Probe(
        "names-long",
        bodies=dict.fromkeys(EXPORTS[:3], "i32.const 0x130"),
        extra=r'(data (i32.const 0x130) "\00\20\00\00\00\00\00\80")',
    ),
    Probe(
        "names-ask",
        bodies=dict.fromkeys(EXPORTS[:4], f"{_NOW} {_LOG} {_REQUEST} i32.const 0x110"),
    ),
    Probe("cycle-max", bodies={EXPORTS[3]: "i32.const -1"}),
    Probe("cycle-traps", bodies={EXPORTS[3]: "unreachable"}),
    Probe("initialize-traps", initialize="unreachable"),
    Probe("initialize-asks", initialize=_NOW + " " + _LOG + " " + _RANDOM + " " + _REQUEST),
    Probe("initialize-starts", start=_RANDOM, initialize=_NOW),
    Probe("start-random", start=_RANDOM),
    Probe("start-now", start=_NOW),
    Probe("start-log", start=_LOG),
    Probe("start-traps", start="unreachable"),
    Probe("big", pages=17),
    Probe(
        "recurses",
        bodies={EXPORTS[3]: "i32.const 600 call $deep"},
        extra="(func $deep (param i32) (result i32) (local i64 i64 i64 i64)"
        " (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1))"
        " (else (i32.add (i32.mul (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 33)) (local.get 0)))))",
    ),
    Probe(
        "large",
        pages=17,
        bodies={
            EXPORTS[3]: "i32.const 0 "
            + " ".join(f"i32.const {i} call $f{i} i32.xor" for i in range(39, 2000, 40))
        },
        extra=_many_functions(2000) + r' (data (i32.const 0x100000) "' + "static text " * 2000 + '")',
    ),
    Probe(
        "echo",
        bodies={
            "run": "i32.const 0x100 local.get 2 i32.store i32.const 0x104 local.get 3 i32.store i32.const 0x100"
        },
    ),
    Probe("endless", bodies={"run": "loop $l br $l end unreachable"}),
    Probe("endless-name", bodies={"get-name": "loop $l br $l end unreachable"}),
    Probe("asks-endlessly", bodies={"run": "loop $l i32.const 0x600 call $clocks br $l end unreachable"}),
    Probe("logs-endlessly", bodies={"run": f"loop $l {_LOG} br $l end unreachable"}),
    Probe("requests-endlessly", bodies={"run": f"loop $l {_REQUEST_TEXT} br $l end unreachable"}),
    # Text of one character: how many pages it got.
    Probe(
        "grows",
        bodies={
            "run": "loop $l i32.const 1 memory.grow i32.const -1 i32.ne br_if $l end "
            "i32.const 0x2000 memory.size i32.store8 i32.const 0x104 i32.const 1 i32.store i32.const 0x100"
        },
    ),
    Probe("huge", pages=100),
    Probe("wide", pages=60),
    Probe(
        "slow-parts",
        realloc=("slow", 15_000_000),
        post="slow",
        initialize="i32.const 15000000 call $burn",
        bodies={"run": "i32.const 15000000 call $burn i32.const 0x100"},
    ),
    # Text of five characters, each a state: a global, memory, memory's size, a dropped segment, what `start` did.
    Probe(
        "stateful",
        start="global.get $starts i32.const 1 i32.add global.set $starts",
        bodies={
            "run": "global.get $runs i32.const 1 i32.add global.set $runs "
            "i32.const 0x600 i32.const 48 global.get $runs i32.add i32.store8 "
            "i32.const 0x700 i32.const 0x700 i32.load i32.const 1 i32.add i32.store "
            "i32.const 0x601 i32.const 48 i32.const 0x700 i32.load i32.add i32.store8 "
            "i32.const 0x602 i32.const 48 memory.size i32.add i32.store8 i32.const 1 memory.grow drop "
            "i32.const 0x603 i32.const 0 i32.const 1 memory.init $once data.drop $once "
            "i32.const 0x604 i32.const 48 global.get $starts i32.add i32.store8 "
            "i32.const 0x100 i32.const 0x600 i32.store i32.const 0x104 i32.const 5 i32.store i32.const 0x100"
        },
        extra='(global $runs (mut i32) (i32.const 0)) (global $starts (mut i32) (i32.const 0)) (data $once "x")',
    ),
    Probe("traps", bodies={"run": "unreachable"}),
    Probe("divides", bodies={"run": "i32.const 1 i32.const 0 i32.div_s"}),
]


def variants() -> dict[str, Path]:
    """Builds every variant in every layout where they are not up to date: "plain.239" -> file."""
    jobs = [(v.name, v.wat(), layout) for v in VARIANTS for layout in ("239", "259", "core")]
    stamp = OUT / "stamp"
    sources = [HERE / "probes.py", HERE / "build_probes.mjs", *sorted(WIT.glob("*.wit"))]
    state = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    if stamp.exists() and stamp.read_text() == state:
        return {f"{name}.{layout}": OUT / f"{name}.{layout}.wasm" for name, _, layout in jobs}
    built = build(jobs)
    stamp.write_text(state)
    return built
