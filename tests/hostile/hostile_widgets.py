"""Widgets that mean harm, each with what it must end in. Made of tests/runtime's probe.

`MANY` end by themselves at once and are installed together; `LONG` go on as long as they are let and are watched one by
one; `REFUSED` can't be installed. The expected text is a part of what the widget shows; a text without `error` is the
text of a run that is legal, however odd. `%URL` in a widget's text is the test's server, filled up by an `x` path.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import probes
from probes import EXPORTS, Probe

CYCLE = {EXPORTS[3]: "i32.const 1"}
URL_BYTES = 40  # of the address in a widget, whatever the server's port is

_END = 0x20000  # of the probe's memory: two pages


@dataclass(frozen=True)
class Hostile:
    """One widget. shows: part of its text on the display; error: whether that is an error.

    ends: part of the error that one that goes on may come to on a fast machine, before it is looked at.
    """

    name: str
    shows: str
    error: bool = True
    body: str | None = None  # of `run`
    url: bytes = b""  # where its requests go
    extra: str = ""
    pages: int = 2
    realloc: tuple[str, int] = ("bump", 0)
    post: str = "nothing"
    describe: tuple[tuple[str, str], ...] = ()  # bodies of other exports
    start: str | None = None
    ends: str | None = None

    def wat(self) -> str:
        name = self.name.encode()
        assert len(name) < 100 and len(self.url) <= URL_BYTES
        address = "".join(f"\\{byte:02x}" for byte in self.url.ljust(URL_BYTES, b"x"))
        bodies = {"get-name": "i32.const 0x130", "run": "i32.const 0x100", **CYCLE, **dict(self.describe)}
        if self.body is not None:
            bodies["run"] = self.body
        return Probe(
            self.name,
            bodies=bodies,
            realloc=self.realloc,
            post=self.post,
            posts=("run",),
            start=self.start,
            pages=self.pages,
            extra=rf'(data (i32.const 0x130) "\00\40\00\00\{len(name):02x}\00\00\00")'
            rf'(data (i32.const 0x4000) "{self.name}")'
            rf'(data (i32.const 0x4100) "{address}")' + self.extra,
        ).wat()


def result(pointer: int, size: int, fill: str = "") -> str:
    """A `run` that returns the string at a pointer."""
    return (
        f"{fill} i32.const 0x100 i32.const {pointer} i32.store "
        f"i32.const 0x104 i32.const {size} i32.store i32.const 0x100"
    )


def filled(pattern: int, count: int = 65536) -> str:
    """A `run` whose text is the 4 bytes of `pattern` over and over, `count` bytes from 0x8000 on."""
    return result(
        0x8000,
        count,
        f"(loop $m (i32.store (i32.add (i32.const 0x8000) (global.get $value)) (i32.const {pattern}))"
        f" (global.set $value (i32.add (global.get $value) (i32.const 4)))"
        f" (br_if $m (i32.lt_u (global.get $value) (i32.const {count}))))",
    )


def text(data: bytes) -> str:
    """A `run` whose text is `data`, at most 4 bytes."""
    return result(0x600, len(data), f"i32.const 0x600 i32.const {int.from_bytes(data, 'little')} i32.store")


def log(level: int, pointer: int, size: int) -> str:
    return (
        f"i32.const {level} i32.const 0x2000 i32.const 1 i32.const {pointer} i32.const {size} call $logging"
    )


def ask(
    method: int = 0,
    url: int = 0x4100,
    size: int = URL_BYTES,
    body: tuple[int, int, int] = (0, 0, 0),
    at: int = 0x608,
) -> str:
    has, data, count = body
    return (
        f"i32.const {method} i32.const {url} i32.const {size} i32.const {has} i32.const {data} i32.const {count} "
        f"i32.const {at} call $http"
    )


def loop(body: str) -> str:
    return f"(loop $l {body} br $l) unreachable"


NOW = "i32.const 0x600 call $clocks"
GIVE = "i32.const 0x100"
MEMORY = "memory"
BOUNDS = "outside"

MANY = (
    Hostile("traps", "unreachable", body="unreachable"),
    Hostile("divides", "divide", body="i32.const 1 i32.const 0 i32.div_s"),
    Hostile(
        "recurses",
        "call stack exhausted",
        body="i32.const 1 call $deeper",
        extra="(func $deeper (param i32) (result i32)"
        " local.get 0 i32.const 1 i32.add call $deeper i32.const 1 i32.add)",
    ),
    Hostile(
        "recurses indirectly",
        "call stack exhausted",
        body="i32.const 0 call_indirect (result i32)",
        extra="(table 1 funcref) (elem (i32.const 0) $again)"
        " (func $again (result i32) i32.const 0 call_indirect (result i32) i32.const 1 i32.add)",
    ),
    Hostile("stores outside", MEMORY, body="i32.const -1 i32.const 1 i32.store i32.const 0x100"),
    Hostile("post traps", "unreachable", post="trap"),
    Hostile("post asks", "cleaning up", post="now"),
    Hostile("post logs", "cleaning up", post="log"),
    Hostile("realloc traps", "unreachable", realloc=("trap", 0)),
    Hostile("realloc recurses", "call stack exhausted", realloc=("recurse", 0)),
    Hostile("realloc asks", "allocating", realloc=("now", 0x600)),
    Hostile("realloc logs", "allocating", realloc=("log", 0)),
    Hostile("realloc requests", "allocating", realloc=("request", 0x608)),
    Hostile("realloc takes random", "allocating", realloc=("random", 0)),
    Hostile("realloc gives the end", "", realloc=("value", _END)),
    Hostile("realloc gives -1", "", realloc=("value", -1)),
    Hostile("result at -1", "", body="i32.const -1"),
    Hostile("result at -8", "", body="i32.const -8"),
    Hostile("result over the end", "", body=f"i32.const {_END - 4}"),
    Hostile("result unaligned", "", body="i32.const 0x102"),
    Hostile("text at the end", "", False, body=result(_END, 0)),
    Hostile("text past the end", "", body=result(_END - 1, 2)),
    Hostile("text at -1", "", body=result(-1, 1)),
    Hostile("text of -1 bytes", "", body=result(0, -1)),
    Hostile("text of 2 GB", "", body=result(0x8000, 0x80000000)),
    Hostile("text at 0 of -1", "", body=result(0xFFFFFFFF, 0xFFFFFFFF)),
    Hostile("a lone byte", "UTF-8", body=text(b"\x80")),
    Hostile("cut UTF-8", "UTF-8", body=text(b"a\xe2\x82")),
    Hostile("a surrogate", "UTF-8", body=text(b"\xed\xa0\x80")),
    Hostile("overlong UTF-8", "UTF-8", body=text(b"\xc0\xaf")),
    Hostile("past U+10FFFF", "UTF-8", body=text(b"\xf4\x90\x80\x80")),
    Hostile("controls", "", False, body=text(b"\x00\x1b\x7f\r")),
    Hostile("64 KB of a", "aaaa", False, body=filled(0x61616161)),
    Hostile("64 KB of lines", "\n", False, body=filled(0x0A0A0A0A)),
    Hostile("64 KB of spaces", "", False, body=filled(0x20202020)),
    Hostile("64 KB of faces", "\U0001f600", False, body=filled(0x80989FF0)),
    Hostile("64 KB and one", "", body=result(0x8000, 65537)),
    Hostile("time at the end", "", body=f"i32.const {_END - 8} call $clocks {GIVE}"),
    Hostile("time at -1", "", body=f"i32.const -1 call $clocks {GIVE}"),
    Hostile("time unaligned", "", body=f"i32.const 0x601 call $clocks {GIVE}"),
    Hostile("logs from -1", "", body=f"{log(1, -1, -1)} {GIVE}"),
    Hostile("logs at level 9", "", body=f"{log(9, 0x2000, 1)} {GIVE}"),
    Hostile("asks by method 9", "", body=f"{ask(method=9)} {GIVE}"),
    Hostile("asks from -1", "", body=f"{ask(url=-1)} {GIVE}"),
    Hostile("asks with a body of 4 GB", "", body=f"{ask(body=(1, 1, -1))} {GIVE}"),
    Hostile("asks for nothing", "probe", False, body=f"{ask(size=0)} {GIVE}"),
    Hostile(
        "has large data", "probe", False, pages=60, extra=f'(data (i32.const 0x30000) "{"data" * 230_000}")'
    ),
    Hostile(
        "takes 1 MB",
        "probe",
        False,
        pages=24,
        url=b"%URL/1MB",
        body=f"{ask()} (if (i32.load8_u (i32.const 0x608)) (then unreachable)) {GIVE}",
    ),
    Hostile(
        "has many segments",
        "probe",
        False,
        pages=60,
        extra=" ".join(f'(data (i32.const {0x30000 + 1000 * i}) "abc")' for i in range(2000)),
    ),
    Hostile(
        "has a large function",
        "probe",
        False,
        extra="(func $large " + "i32.const 1 drop " * 20_000 + ")",
        body=f"call $large {GIVE}",
    ),
)

LONG = (
    Hostile("loops", "-", False, body=loop("")),
    Hostile("loops and calls", "-", False, body=loop("call $nothing"), extra="(func $nothing)"),
    Hostile(
        "calls a large function",
        "-",
        False,
        body=loop("call $large"),
        extra="(func $large f64.const 2 " + "f64.sqrt " * 30_000 + "drop)",
    ),
    Hostile("loops in realloc", "-", False, realloc=("slow", 0)),  # 2**32 rounds
    Hostile(
        "grows without end",
        "-",
        False,
        body=loop("i32.const 1 memory.grow drop"),
    ),
    Hostile(
        "grows and fills",
        "-",
        False,
        body="(block $full (loop $g i32.const 1 memory.grow i32.const -1 i32.eq br_if $full br $g)) "
        + loop(
            "i32.const 0x8000 i32.const 1 memory.size i32.const 16 i32.shl i32.const 0x8000 i32.sub call $fill_all"
        ),
        extra="(func $fill_all (param i32 i32 i32) local.get 0 local.get 1 local.get 2 memory.fill)",
    ),
    Hostile("asks the time endlessly", "-", False, body=loop(NOW), ends="host calls"),
    Hostile(
        "works much and asks the time",
        "-",
        False,
        body=loop(f"call $work {NOW}"),
        ends="host calls",
        extra="(func $heavy (local" + " i64" * 900 + "))"
        "(func $work (local i32) (local.set 0 (i32.const 800)) (loop $w call $heavy"
        " (br_if $w (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))",
    ),
    Hostile("takes random endlessly", "-", False, body=loop("call $random drop"), ends="host calls"),
    Hostile("logs endlessly", "log lines", body=loop(log(3, 0x8000, 0x10000))),
    Hostile("requests endlessly", "HTTP requests", body=loop(ask()), url=b"%URL/small"),
    Hostile("asks a slow server", "-", False, body=f"{ask()} {GIVE}", url=b"%URL/slow"),
    Hostile("asks a silent server", "-", False, body=f"{ask()} {GIVE}", url=b"%URL/silent"),
    Hostile("asks for 10 MB", "The ", body=loop(ask()), url=b"%URL/10MB"),
    Hostile("asks for 1 MB and more", "The ", body=loop(ask()), url=b"%URL/1MB"),
)

REFUSED = (
    Hostile("endless name", "took too long", describe=(("get-name", loop("")),)),
    Hostile("endless start", "took too long", start=loop("")),
    Hostile("asks in its name", "The widget ", describe=(("get-name", loop(NOW)),)),
    Hostile("name traps", "crashed", describe=(("get-name", "unreachable"),)),
    Hostile("version traps", "crashed", describe=(("get-version", "unreachable"),)),
    Hostile("schema traps", "crashed", describe=(("get-config-schema", "unreachable"),)),
    Hostile("cycle traps", "crashed", describe=(("get-run-update-cycle-seconds", "unreachable"),)),
    Hostile("start traps", "crashed", start="unreachable"),
)


def build(widgets: tuple[Hostile, ...], folder: Path, url: bytes = b"http://h") -> dict[str, Path]:
    """Builds them as core modules; name -> file."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    jobs = []
    for i, widget in enumerate(widgets):
        wat = Hostile(**{**widget.__dict__, "url": widget.url.replace(b"%URL", url)}).wat()
        jobs.append((f"{i:02d}", wat, "core"))
        found[widget.name] = f"{i:02d}.core"
    paths = probes.build(jobs, folder=folder)
    return {name: paths[file] for name, file in found.items()}
