"""The validator (validate.h): reasons and offsets, limits, memory, and its agreement with wasmtime."""

import os
import random
from collections import Counter

import generated
import pytest
import validator
import wast
from wasm_bytes import (
    HEADER,
    I32,
    MEMORY,
    TABLE,
    body,
    func_type,
    function,
    leb,
    module,
    mutate,
    name,
    section,
    vector,
)

END = b"\x0b"
ONE = b"\x41\1"  # i32.const 1


@pytest.fixture(scope="session", autouse=True)
def _programs() -> None:
    validator.build()


def export(text: bytes, kind: int = 0, index: int = 0) -> bytes:
    return name(text) + bytes([kind]) + leb(index)


GOOD = {
    "nothing in it": HEADER,
    "custom sections anywhere": HEADER
    + section(0, name(b"a"))
    + section(1, b"\0")
    + section(0, name(b"b") + b"\xff"),
    "an empty function": function(b""),
    "multi-value": function(ONE + ONE, results=I32 + I32),
    "a block that takes parameters": module(
        types=[func_type(), func_type(I32 + I32, I32)],
        functions=[(0, body(ONE + ONE + b"\x02\1\x6a\x0b\x1a"))],
    ),
    "a loop to which values are brought back": module(
        types=[func_type(), func_type(I32, I32)],
        functions=[(0, body(ONE + b"\x03\1" + ONE + b"\x0d\0" + b"\x0b\x1a"))],
    ),
    "sign extension": function(ONE + b"\xc0\xc1\x1a"),
    "saturating conversion": function(b"\x43\0\0\0\0\xfc\0\x1a"),
    "memory.copy and memory.fill": function(
        ONE * 3 + b"\xfc\x0a\0\0" + ONE * 3 + b"\xfc\x0b\0", b"", b"", MEMORY
    ),
    "memory.init and data.drop": module(
        MEMORY,
        section(12, b"\1"),
        types=[func_type()],
        functions=[(0, body(ONE * 3 + b"\xfc\x08\0\0\xfc\x09\0"))],
        code_after=section(11, b"\1\1\1x"),
    ),
    "an active segment with a memory index": module(MEMORY, section(11, b"\1\2\0\x41\0\x0b\1x")),
    "table index of five bytes": function(ONE + b"\x11\0\x80\x80\x80\x80\0", b"", b"", TABLE),
    "an imported mutable global": HEADER + section(2, b"\1\1a\1b\3\x7f\1"),
    "unreachable code of any type": function(b"\0\x6a\x1a\x7c\x1a\x1b\x1a"),
    "a body's bytes after a branch": function(b"\x0c\0\x6a\x1a"),
}

BAD = [
    ("malformed", "empty", b"", 0),
    ("malformed", "magic", b"\x7fELF\2\1\1\0", 0),
    ("malformed", "version", b"\0asm\2\0\0\0", 4),
    ("malformed", "unexpected end", b"\0asm\1\0", 4),
    ("unsupported", "component model", b"\0asm\x0d\0\1\0", 4),
    ("malformed", "out of order", HEADER + section(3, b"\0") + section(1, b"\0"), 11),
    ("malformed", "twice", HEADER + section(1, b"\0") * 2, 11),
    ("malformed", "section too long", HEADER + b"\1\5\0", 9),
    ("malformed", "section size mismatch", HEADER + section(1, b"\0\0"), 11),
    ("malformed", "section id", HEADER + section(14, b""), 8),
    ("unsupported", "exception handling", HEADER + section(13, b"\0"), None),
    ("malformed", "representation too long", HEADER + b"\1\x80\x80\x80\x80\x80\0", 9),
    ("malformed", "integer too large", HEADER + b"\1\x80\x80\x80\x80\x10", 9),
    ("malformed", "length out of bounds", HEADER + section(1, b"\xff\xff\xff\xff\x0f"), 10),
    ("malformed", "type form", HEADER + section(1, b"\1\x40\0\0"), 11),
    ("unsupported", "garbage collection", HEADER + section(1, b"\1\x5f\0\0"), 11),
    ("unsupported", "SIMD", HEADER + section(1, vector([func_type(b"\x7b")])), 13),
    ("unsupported", "reference types", HEADER + section(1, vector([func_type(b"\x6f")])), 13),
    ("malformed", "UTF-8", HEADER + section(0, name(b"\xed\xa0\x80")), None),
    ("malformed", "UTF-8", HEADER + section(0, name(b"\xc1\x81")), None),
    ("malformed", "UTF-8", HEADER + section(0, name(b"\xf4\x90\x80\x80")), None),
    ("malformed", "UTF-8", HEADER + section(0, name(b"a\xe2\x82")), None),
    ("malformed", "import kind", HEADER + section(2, b"\1\1a\1b\5\0"), None),
    ("invalid", "unknown type", HEADER + section(2, b"\1\1a\1b\0\0"), None),
    ("unsupported", "threads", HEADER + section(5, b"\1\3\1\1"), None),
    ("unsupported", "memory64", HEADER + section(5, b"\1\4\1"), None),
    ("unsupported", "multi-memory", HEADER + section(5, b"\2\0\1\0\1"), None),
    ("invalid", "65536", HEADER + section(5, b"\1\0\x81\x80\4"), None),
    ("invalid", "minimum", HEADER + section(5, b"\1\1\2\1"), None),
    ("malformed", "mutability", HEADER + section(6, b"\1\x7f\2\x41\0\x0b"), None),
    ("invalid", "constant expression", HEADER + section(6, b"\1\x7f\0\x41\0\x41\0\x0b"), None),
    ("invalid", "constant expression required", HEADER + section(6, b"\1\x7f\0\x01\x0b\0\0"), None),
    ("unsupported", "extended const", HEADER + section(6, b"\1\x7f\0\x41\0\x41\0\x6a\x0b"), None),
    ("invalid", "unknown global", HEADER + section(6, b"\1\x7f\0\x23\0\x0b"), None),
    (
        "invalid",
        "duplicate export",
        module(
            section(7, vector([export(b"a"), export(b"b"), export(b"a")])),
            types=[func_type()],
            functions=[(0, body(b""))],
        ),
        None,
    ),
    ("invalid", "start function", function(b"", I32, b"", section(8, b"\0")), None),
    ("unsupported", "passive element", HEADER + section(4, b"\1\x70\0\1") + section(9, b"\1\1\0\0"), None),
    ("malformed", "inconsistent lengths", HEADER + section(1, b"\1\x60\0\0") + section(3, b"\1\0"), None),
    ("malformed", "inconsistent lengths", HEADER + section(12, b"\1"), None),
    (
        "malformed",
        "data count section required",
        module(MEMORY, types=[func_type()], functions=[(0, body(b"\xfc\x09\0"))]),
        None,
    ),
    (
        "malformed",
        "must end with END",
        HEADER + section(1, b"\1\x60\0\0") + section(3, b"\1\0") + section(10, b"\1\2\0\1"),
        None,
    ),
    (
        "malformed",
        "after its END",
        HEADER + section(1, b"\1\x60\0\0") + section(3, b"\1\0") + section(10, b"\1\4\0\x0b\1\x0b"),
        None,
    ),
    (
        "malformed",
        "too many locals",
        module(types=[func_type()], functions=[(0, body(b"", [leb(0xFFFFFFFF) + I32] * 2))]),
        None,
    ),
    ("malformed", "illegal opcode", function(b"\x27"), None),
    ("malformed", "illegal opcode", function(b"\xfc\x7f"), None),
    ("malformed", "zero byte", function(b"\x3f\1\x1a", b"", b"", MEMORY), None),
    ("malformed", "else without if", function(b"\2\x40\5\x0b"), None),
    ("unsupported", "tail call", function(b"\x12\0"), None),
    ("unsupported", "threads", function(b"\xfe\0"), None),
    ("unsupported", "SIMD", function(b"\xfd\0"), None),
    ("unsupported", "table.init", function(b"\xfc\x0c\0\0"), None),
    ("unsupported", "select with a type", function(b"\x1c\1\x7f"), None),
    ("invalid", "operand is missing", function(b"\x1a"), 23),
    ("invalid", "type mismatch", function(ONE + b"\x42\1\x6a\x1a"), None),
    ("invalid", "remain", function(ONE), None),
    ("invalid", "without else", function(ONE + b"\4\x7f" + ONE + b"\x0b\x1a"), None),
    ("invalid", "unknown label", function(b"\x0c\1"), None),
    ("invalid", "unknown local", function(b"\x20\0\x1a"), None),
    ("invalid", "unknown memory", function(ONE + b"\x28\2\0\x1a"), None),
    ("invalid", "natural", function(ONE + b"\x28\3\0\x1a", b"", b"", MEMORY), None),
    ("unsupported", "multi-memory", function(ONE + b"\x28\x42\0\0\x1a", b"", b"", MEMORY), None),
    ("invalid", "unknown table", function(ONE + b"\x11\0\0"), None),
    ("invalid", "unknown table", function(ONE + b"\x11\0\1", b"", b"", TABLE), None),
    ("invalid", "immutable", function(ONE + b"\x24\0", b"", b"", section(6, b"\1\x7f\0\x41\0\x0b")), None),
    (
        "invalid",
        "constant expression required",
        HEADER + section(2, b"\1\1a\1b\3\x7f\1") + section(6, b"\1\x7f\0\x23\0\x0b"),
        None,
    ),
    ("invalid", "type mismatch", function(b"\2\x7d\2\x7f" + ONE + ONE + b"\x0e\1\1\0\x0b\x1a\0\x0b\x1a"), 31),
    ("invalid", "different numbers", function(b"\2\x7f" + ONE + ONE + b"\x0e\1\0\1\x0b\x1a"), 29),
    ("unsupported", "element expressions", HEADER + TABLE + section(9, b"\1\4\x41\0\x0b\0"), None),
    ("unsupported", "table index", HEADER + TABLE + section(9, b"\1\2\0\x41\0\x0b\0\0"), None),
    ("unsupported", "function references", HEADER + section(4, b"\1\x40\0\x70\0\1\xd0\x70\x0b"), None),
    (
        "invalid",
        "unknown data segment",
        module(MEMORY, section(12, b"\1"), types=[func_type()], functions=[(0, body(b"\xfc\x09\1"))]),
        None,
    ),
    (
        "malformed",
        "data count and data section",
        HEADER + MEMORY + section(12, b"\2") + section(11, b"\1\1\1x"),
        None,
    ),
]

LIMITS = [
    ("module too large", HEADER + section(0, name(b"a") + bytes(1024 * 1024))),
    ("too many types", HEADER + section(1, vector([func_type()] * 1001))),
    ("too many parameters", HEADER + section(1, vector([func_type(I32 * 257)]))),
    ("too many parameters and results", HEADER + section(1, vector([func_type(I32 * 200, I32 * 200)]))),
    ("too many functions", HEADER + section(1, vector([func_type()])) + section(3, vector([b"\0"] * 10001))),
    ("too many imports", HEADER + section(2, vector([b"\0\0\3\x7f\0"] * 1001))),
    (
        "too many exports",
        function(b"", b"", b"", section(7, vector([export(b"%d" % i) for i in range(1001)]))),
    ),
    ("too many globals", HEADER + section(6, vector([b"\x7f\0\x41\0\x0b"] * 1001))),
    ("name too long", HEADER + section(0, name(b"a" * 1025))),
    ("table too large", HEADER + section(4, b"\1\x70\0" + leb(16385))),
    ("memory too large", HEADER + section(5, b"\1\0" + leb(257))),
    ("too many element segments", HEADER + TABLE + section(9, vector([b"\0\x41\0\x0b\0"] * 1001))),
    ("too many data segments", HEADER + MEMORY + section(11, vector([b"\0\x41\0\x0b\0"] * 4097))),
    ("function body too large", function(b"\1" * 256 * 1024)),
    ("too many locals", module(types=[func_type()], functions=[(0, body(b"", [leb(2001) + I32]))])),
    ("too many locals", module(types=[func_type()], functions=[(0, body(b"", [leb(0xFFFFFFFF) + I32]))])),
    ("too many values on the operand stack", function(ONE * 2001)),
    ("blocks nested too deep", function(b"\2\x40" * 512)),
    ("too many targets of br_table", function(ONE + b"\x0e" + leb(32769) + bytes(32770))),
]


def steps(times: int) -> bytes:
    """Many br_ifs that each carry 250 values."""
    many = I32 * 250
    code = ONE * 250 + (ONE + b"\x0d\0") * times + b"\x0c\0"
    each = body(code)
    return module(types=[func_type(b"", many)], functions=[(0, each)] * 3)


@pytest.mark.parametrize("word_size", [64, 32])
def test_valid_modules_are_accepted(word_size: int) -> None:
    verdicts = validator.validate(list(GOOD.values()), "--oom", word_size=word_size)
    assert {
        what: verdict for what, verdict in zip(GOOD, verdicts, strict=True) if verdict.status != "ok"
    } == {}
    for version in validator.ORACLES:
        answers = validator.oracle(version, list(GOOD.values()))
        assert [what for what, (wider, _) in zip(GOOD, answers, strict=True) if not wider] == []


@pytest.mark.parametrize("word_size", [64, 32])
def test_refusals_say_what_and_where(word_size: int) -> None:
    verdicts = validator.validate([data for _, _, data, _ in BAD], "--oom", word_size=word_size)
    for (status, words, data, offset), verdict in zip(BAD, verdicts, strict=True):
        assert verdict.status == status and words in verdict.reason, (words, data.hex(), verdict)
        assert offset is None or verdict.offset == offset, (words, verdict)


def test_section_and_function_are_named() -> None:
    data = module(types=[func_type()], functions=[(0, body(b"")), (0, body(b"\x1a"))])
    (verdict,) = validator.validate([data])
    assert (verdict.section, verdict.function) == (10, 1)
    assert data[verdict.offset] == 0x1A


@pytest.mark.parametrize(("reason", "data"), LIMITS)
def test_each_limit_is_named(reason: str, data: bytes) -> None:
    for word_size in (64, 32):
        (verdict,) = validator.validate([data], word_size=word_size)
        assert (verdict.status, verdict.reason) == ("limit", reason)
    if reason not in (
        "function body too large",
        "blocks nested too deep",
    ):  # those are not valid otherwise either
        (verdict,) = validator.validate([data], "--wide")
        assert verdict.reason != reason or "locals" in reason


def test_the_time_of_hostile_types_is_limited() -> None:
    few, many = validator.validate([steps(100), steps(60000)])
    assert few.status == "ok"
    assert (many.status, many.reason) == ("limit", "validation takes too many steps")


def test_limits_may_be_set() -> None:
    """batch.c's --narrow: two functions, two globals, no passive data."""
    cases = [
        ("ok", "", HEADER + section(2, vector([b"\0\0\3\x7f\0"] * 2))),
        ("limit", "too many globals", HEADER + section(2, vector([b"\0\0\3\x7f\0"] * 3))),
        ("limit", "too many globals", HEADER + section(6, vector([b"\x7f\0\x41\0\x0b"] * 3))),
        ("limit", "too many functions", module(types=[func_type()], functions=[(0, body(b""))] * 3)),
        ("limit", "too many functions", module(section(2, vector([b"\0\0\0\0"] * 3)), types=[func_type()])),
        ("unsupported", "passive data segment", HEADER + section(11, b"\1\1\1x")),
        ("unsupported", "memory.init or data.drop", GOOD["memory.init and data.drop"]),
    ]
    verdicts = validator.validate([data for _, _, data in cases], "--narrow", "--oom")
    assert [(verdict.status, verdict.reason) for verdict in verdicts] == [case[:2] for case in cases]


def test_many_exports_are_told_apart() -> None:
    names = [b"n%d" % (i * 7919 % 1000) for i in range(1000)]
    unique = function(b"", b"", b"", section(7, vector([export(text) for text in names])))
    twice = function(b"", b"", b"", section(7, vector([export(text) for text in names[:-1] + names[3:4]])))
    verdicts = validator.validate([unique, twice])
    assert [verdict.status for verdict in verdicts] == ["ok", "invalid"]
    assert verdicts[1].reason == "duplicate export name"


def test_every_opcode_is_judged_as_wasmtime_does() -> None:
    """Each opcode and each one behind a prefix, with operands that fit many, below an unreachable point."""
    modules = []
    for opcode in range(256):
        for rest in (b"", b"\0", b"\0\0", b"\0\0\0", b"\0\0\0\0", bytes(8), b"\x40\x0b", b"\1\x7f"):
            modules.append(function(b"\0" + bytes([opcode]) + rest, b"\x7f", b"", TABLE, MEMORY))
    for prefix in (0xFB, 0xFC, 0xFD, 0xFE):
        for opcode in range(300):
            for rest in (b"", b"\0", b"\0\0"):
                modules.append(
                    function(b"\0" + bytes([prefix]) + leb(opcode) + rest, b"", b"", TABLE, MEMORY)
                )
    agree(modules)


def agree(modules: list[bytes]) -> Counter[str]:
    """Fails on the first module that one of the oracles sees otherwise; counts the verdicts."""
    verdicts = validator.validate(modules)
    assert verdicts == validator.validate(modules, word_size=32)
    for version in validator.ORACLES:
        for data, verdict, answers in zip(modules, verdicts, validator.oracle(version, modules), strict=True):
            said = validator.disagreement(verdict, *answers)
            assert said is None, f"{version}: {said}\n{verdict}\n{data.hex()}"
    return Counter(verdict.status for verdict in verdicts)


@pytest.mark.timeout(300)
def test_mutated_modules_are_judged_as_wasmtime_does() -> None:
    source = random.Random(int(os.environ.get("WG_SEED", "2026")))
    from_spec = [data for data in _spec_modules() if len(data) < 4000]
    pool = [*GOOD.values(), *from_spec, *(path.read_bytes() for path in generated.modules(20))]
    modules = [
        mutate(source.choice(pool), source) for _ in range(int(os.environ.get("WG_MUTATIONS", "6000")))
    ]
    counts = agree(modules)
    print(f"\nmutated: {dict(counts)}")
    assert counts["ok"] > 300 and counts["invalid"] > 300 and counts["malformed"] > 300


def _spec_modules() -> list[bytes]:
    return [
        command.module
        for script in wast.scripts()
        for command in script.commands
        if command.kind == "module" and command.module is not None
    ]
