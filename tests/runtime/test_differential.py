"""The canonical ABI against Wasmtime 42 and 50: results, and the order and arguments of all host calls, are equal.

Each case runs on both of the reference host's versions and on the board with 64- and 32-bit words, there with the guest
in its own thread and inline.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import probes
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from probes import HEAP, POST, REALLOC, RESULT, TEXT, TRACE, program
from workers import Worker

CALLS = ("name", "version", "schema", "cycle", "run")
END = 0x20000  # of the probe's memory: two pages
_counted = {"generated": 0, "traps": 0, "host calls": 0}


class Peers:
    """All hosts that must agree."""

    def __init__(self, oracles: list[Worker], boards: list[Worker], files: dict[str, Path]) -> None:
        self.oracles = oracles
        self.boards = boards
        self.files = files

    def agree(self, probe: str, layout: str, call: str, **case: Any) -> dict[str, Any]:
        case = {"call": call, "last": [1, 2], "config": "", **case}
        component = self.files[f"{probe}.{'259' if layout == 'core' else layout}"]
        expected = [oracle.ask({**case, "oracle": str(component)}) for oracle in self.oracles]
        first = expected[0]
        assert [_essence(answer) for answer in expected] == [_essence(first)] * len(expected)
        for board in self.boards:
            for threads in board.modes:
                asked = {**case, "board": str(self.files[f"{probe}.{layout}"]), "threads": threads}
                found = board.ask(asked)
                assert _essence(found) == _essence(first), (
                    f"{board.name}, threads {threads}, {probe}.{layout}: {str(asked)[:3000]}\n"
                    f"found    {found}\nexpected {first}"
                )
        _counted["traps"] += "error" in first
        _counted["host calls"] += len(first["calls"])
        return first


def _essence(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key not in ("message", "kind")}


@pytest.fixture(scope="session")
def peers(oracles: list[Worker], boards: list[Worker], files: dict[str, Path]) -> Peers:
    return Peers(oracles, boards, files)


# Widgets that end by a quota of the board's are no matter for the reference host.
_UNBOUNDED = (
    "endless",
    "endless-name",
    "asks-endlessly",
    "logs-endlessly",
    "requests-endlessly",
    "grows",
    "huge",
    "slow-parts",
)


@pytest.mark.parametrize("variant", [v.name for v in probes.VARIANTS if v.name not in _UNBOUNDED])
def test_variants(peers: Peers, variant: str) -> None:
    """Each variant's five exports, in each layout and as a core module."""
    config = (
        program(("L", 1, TEXT, 5, TEXT, 10))
        if variant in ("plain", "standard", "big", "post-calls-now")
        else ""
    )
    for call in CALLS:
        for layout in ("239", "259", "core"):
            peers.agree(variant, layout, call, config=config)


# Programs

_ALIGNED = st.sampled_from([0x600, 0x608, 0x610, 0x6F0, 0x700, HEAP + 0x1000, 0])
_EDGES = st.sampled_from(
    [
        END - 40,
        END - 32,
        END - 16,
        END - 8,
        END - 39,
        END - 4,
        END,
        END + 8,
        0xFFFFFFF8,
        0x80000000,
        0x604,
        0x601,
        0x60C,
    ]
)
_POINTER = st.one_of(_ALIGNED, _ALIGNED, _ALIGNED, _EDGES)
_GOOD_TEXT = st.sampled_from(
    [(TEXT, 5), (TEXT, 0), (TEXT + 0x17, 9), (TEXT + 0x17, 18), (TEXT + 10, 12), (END, 0), (0, 3)]
)
_BAD_TEXT = st.sampled_from(
    [
        (TEXT + 0x17, 10),
        (TEXT + 0x21, 2),
        (END + 1, 0),
        (END - 1, 2),
        (0xFFFFFFFF, 0),
        (0xFFFFFFFF, 1),
        (0, 0x00800001),
        (0, 0xFFFFFFFF),
    ]
)
# At 0x700 a program may store bytes of its own, see _BYTES.
_TEXT = st.one_of(_GOOD_TEXT, _GOOD_TEXT, _GOOD_TEXT, _BAD_TEXT, st.tuples(st.just(0x700), st.integers(0, 8)))
# Good UTF-8 at the edges of its ranges, then overlong forms, surrogates, numbers past U+10FFFF and cut-off sequences.
_GOOD = "616263 00 7f c280 dfbf e0a080 ed9fbf ee8080 efbfbf f0908080 f48fbfbf f3b08080"
_BAD = "80 c080 c1bf e09fbf eda080 edbfbf f08fbfbf f4908080 f5808080 f8888080 ff fe e282 f09f98 c3"
_SEQUENCES = st.sampled_from([bytes.fromhex(text) for text in f"{_GOOD} {_BAD}".split()])
_BYTES = st.lists(_SEQUENCES, min_size=1, max_size=3).map(b"".join)
_WORD = st.one_of(st.integers(0, 8), st.integers(0, 0xFFFFFFFF))


def _store(data: bytes, address: int = 0x700) -> list[tuple[Any, ...]]:
    return [("B", address + i, byte) for i, byte in enumerate(data)]


@st.composite
def _say(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Bytes, good UTF-8 or bad, to one of the places where a string leaves the guest."""
    data = draw(_BYTES)
    steps = _store(data)
    where = draw(st.sampled_from(["context", "message", "url", "result"]))
    if where == "context":
        steps.append(("L", 0, 0x700, len(data), TEXT, 1))
    elif where == "message":
        steps.append(("L", 3, TEXT, 1, 0x700, len(data)))
    elif where == "url":
        steps.append(("H", 0, 0x700, len(data), 0, 0, 0, 0x608))
    else:
        steps += [("S", RESULT, 0x700), ("S", RESULT + 4, len(data))]
    return steps


@st.composite
def _request(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    method = draw(
        st.one_of(
            st.integers(0, 4), st.integers(0, 4), st.sampled_from([5, 255, 256, 0x80000000, 0xFFFFFFFF])
        )
    )
    url = draw(_TEXT)
    has_body = draw(st.one_of(st.integers(0, 1), st.integers(0, 1), st.sampled_from([2, 256, 0xFFFFFFFF])))
    body = draw(st.one_of(st.sampled_from([(TEXT, 5), (TEXT, 0), (END, 0), (0x101, 255)]), _BAD_TEXT))
    retptr = draw(_POINTER)
    steps: list[tuple[Any, ...]] = [("H", method, *url, has_body, *body, retptr)]
    if retptr in (0x608, 0x6F0, HEAP + 0x1000):
        steps = [("F", retptr, 48, draw(st.integers(0, 255))), *steps, ("D", retptr, 48), ("D", HEAP, 300)]
    return steps


_INSTRUCTION: st.SearchStrategy[list[tuple[Any, ...]]] = st.one_of(
    _request(),
    _request(),
    _say(),
    st.builds(lambda p: [("F", 0x600, 32, 0xA5), ("N", p), ("D", 0x600, 32)], _POINTER),
    st.builds(
        lambda level, a, b: [("L", level, *a, *b)],
        st.one_of(st.integers(0, 3), st.integers(0, 3), st.sampled_from([4, 256, 0xFFFFFFFF])),
        _TEXT,
        _TEXT,
    ),
    st.just([("R", 0x500), ("D", 0x500, 8)]),
    st.builds(
        lambda mode, value: [("A", mode, value)],
        st.sampled_from([mode for name, mode in REALLOC.items() if name not in ("recurse", "slow")]),
        st.sampled_from([0, 1, 2, 0x600, END - 4, END, END + 1, 0xFFFFFFFF]),
    ),
    st.builds(
        lambda mode: [("C", mode)], st.sampled_from([mode for name, mode in POST.items() if name != "slow"])
    ),
    st.builds(
        lambda p, a: [("S", p & ~3, a[0]), ("S", (p & ~3) + 4, a[1]), ("P", p)],
        st.sampled_from([0x700, 0x704, END - 8, 0x702]),
        _TEXT,
    ),
    st.builds(lambda p: [("P", p)], _POINTER),
    st.builds(lambda n: [("G", n)], st.sampled_from([0, 1, 3, 0x10000])),
    st.just([("D", 0x200, 20)]),
    st.just([("D", TRACE, 64)]),
)
_PROGRAM = st.lists(_INSTRUCTION, max_size=6).map(
    lambda blocks: program(*[step for block in blocks for step in block])
)
_U64 = st.one_of(
    st.integers(0, 3),
    st.integers(0, 2**64 - 1),
    st.sampled_from([2**63 - 1, 2**63, 2**64 - 1, 2**32, 2**53 + 1]),
)
_U32 = st.one_of(st.integers(0, 999_999_999), st.sampled_from([2**31, 2**32 - 1]))
_ANSWERS = st.fixed_dictionaries(
    {
        "http": st.lists(
            st.one_of(
                st.none(),
                st.tuples(
                    st.sampled_from([0, 200, 404, 256, 65535]),
                    st.one_of(st.none(), _U64),
                    st.one_of(
                        st.binary(max_size=80), st.sampled_from([300, 4096, 5000]).map(lambda n: b"\xa7" * n)
                    ).map(bytes.hex),
                ),
            ),
            max_size=4,
        ),
        "now": st.lists(st.tuples(_U64, _U32), max_size=3),
        "random": st.lists(_U64, max_size=3),
    }
)


@settings(max_examples=320, suppress_health_check=list(HealthCheck))
@given(
    config=_PROGRAM,
    answers=_ANSWERS,
    last=st.tuples(_U64, _U32),
    layout=st.sampled_from(["239", "259", "core"]),
    probe=st.sampled_from(["plain", "standard", "bare", "initialize-asks", "big"]),
)
def test_programs(
    peers: Peers, config: str, answers: dict[str, Any], last: tuple[int, int], layout: str, probe: str
) -> None:
    """Programs of host calls with good and bad arguments, allocators and results of every kind."""
    peers.agree(probe, layout, "run", config=config, answers=answers, last=last)
    _counted["generated"] += 1


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    config=st.one_of(st.text(max_size=60), st.integers(0, 30000).map(lambda n: "ä" * n)),
    layout=st.sampled_from(["239", "core"]),
)
def test_configuration(peers: Peers, config: str, layout: str) -> None:
    """What goes in as the configuration comes out as it was."""
    assert peers.agree("echo", layout, "run", config=config)["ok"] == config
    _counted["generated"] += 1


def _services() -> Any:
    """The module that answers as the widgets' services do."""
    path = probes.ROOT / "tests" / "servers" / "services.py"
    spec = importlib.util.spec_from_file_location("services_for_widgets", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


_CONFIGURATIONS = [
    "",
    "{}",
    "[1",
    '{"zone": "America/New_York", "format": "%A %H:%M%n%Z"}',
    '{"zone": "Nowhere"}',
    '{"city": "thun", "base_url": "http://127.0.0.1:1"}',
    '{"connections": [{"from_station": "Bern", "to_station": "Z\u00fcrich HB", "num_connections": 2},'
    ' {"from_station": "Thun", "to_station": "Spiez"}]}',
    '{"connections": [{"from_station": 7}]}',
]


def test_bundled_widgets(peers: Peers) -> None:
    """The bundled widgets: the same texts, the same requests, for answers of every kind."""
    widgets = sorted((probes.ROOT / "build" / "widgets").glob("*.wasm"))
    assert widgets, "no bundled widgets: run `make widgets`"
    services = _services()
    now = 1_790_000_000
    bodies = [
        b"",
        b"{}",
        b"[",
        b"\xff\xfe{",
        json.dumps(services.connections("Bern", "Thun", 3, now)).encode(),
        json.dumps(services.connections("Spiez", "Thun", 1, now), ensure_ascii=False).encode(),
        json.dumps(services.current("bern", now)).encode(),
    ]
    answers: list[dict[str, Any]] = [{"http": [None] * 8}, {"http": [[503, 2, "7b7d"]] * 8}]
    answers += [{"http": [[200, len(body), body.hex()]] * 8} for body in bodies]
    asked = 0
    for path in widgets:
        peers.files[f"{path.stem}.259"] = path
        for call in CALLS[:4]:
            assert "ok" in peers.agree(path.stem, "259", call)
        for config in _CONFIGURATIONS:
            for answer in answers:
                answer["now"] = [[now + i, 0] for i in range(8)]
                result = peers.agree(
                    path.stem, "259", "run", config=config, answers=answer, last=[now - 60, 5]
                )
                asked += sum(call[0] == "http" for call in result["calls"])
    assert asked > 50


def test_enough_cases() -> None:
    """At least 300 generated cases ran, among them ones that trap and ones that call the host."""
    if not _counted["generated"]:
        pytest.skip("counts what the tests above ran")
    print(_counted)
    assert _counted["generated"] >= 300
    assert _counted["traps"] >= 50
    assert _counted["host calls"] >= 200
