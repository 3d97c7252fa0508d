"""The component's wrapper: both layouts are understood, everything else is refused in one sentence, whatever the bytes.

Runs on CPython: component.py needs nothing of the board. test_refusals.py has the same on a board.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import mutated
from parser_alone import component, errors

_ALL_IMPORTS = {
    ("http", "request", "cabi_realloc", False),
    ("clocks", "now", None, False),
    ("logging", "log", None, False),
    ("random", "get-random", None, True),
}


def _imports(layout: Any) -> set[tuple[Any, ...]]:
    return {(i.interface, i.function, i.realloc, i.early) for i in layout.imports.values()}


@pytest.mark.parametrize("wrapper", ["239", "259"])
def test_layouts(files: dict[str, Path], wrapper: str) -> None:
    layout = component.load(files[f"plain.{wrapper}"].read_bytes())
    assert layout.kind == "component"
    assert bytes(layout.main[:8]) == b"\0asm\1\0\0\0"
    assert layout.initialize == "_initialize"
    assert _imports(layout) == _ALL_IMPORTS
    assert {n: (e.core, e.post_return, e.realloc) for n, e in layout.exports.items()} == {
        name: (name, f"cabi_post_{name}", "cabi_realloc" if name == "run" else None)
        for name in component.EXPORTS
    }


@pytest.mark.parametrize("wrapper", ["239", "259"])
def test_standard_names(files: dict[str, Path], wrapper: str) -> None:
    layout = component.load(files[f"standard.{wrapper}"].read_bytes())
    assert layout.initialize == "cm32p2_initialize"
    assert ("cm32p2|widget:widget/http", "request") in layout.imports
    run = layout.exports["run"]
    assert (run.core, run.post_return, run.realloc) == ("cm32p2||run", "cm32p2||run_post", "cm32p2_realloc")


@pytest.mark.parametrize("wrapper", ["239", "259"])
@pytest.mark.parametrize(
    ("probe", "imports", "initialize"),
    [("quiet", 0, None), ("random-only", 1, None), ("clock-only", 1, "_initialize"), ("bare", 4, None)],
)
def test_parts_left_out(
    files: dict[str, Path], wrapper: str, probe: str, imports: int, initialize: str
) -> None:
    layout = component.load(files[f"{probe}.{wrapper}"].read_bytes())
    assert len(layout.imports) == imports
    assert layout.initialize == initialize
    if probe == "bare":
        assert [e.post_return for e in layout.exports.values()] == [None] * 5


def test_nothing_is_copied(files: dict[str, Path]) -> None:
    data = bytearray(files["plain.259"].read_bytes())
    layout = component.load(data)
    place = data.find(bytes(layout.main))
    data[place + 4] = 9
    assert layout.main[4] == 9


# Mutations


def _one_error(load: Callable[[bytes], Any], data: bytes) -> None:
    before = time.monotonic()
    try:
        load(data)
    except errors.WidgetError as error:
        message = str(error)
        assert message.endswith(".") and 20 <= len(message) <= 200 and "\n" not in message
    assert time.monotonic() - before < 2


@pytest.mark.parametrize("probe", ["plain.239", "plain.259", "standard.259", "quiet.239"])
def test_mutations(files: dict[str, Path], probe: str) -> None:
    original = files[probe].read_bytes()

    @settings(max_examples=600, suppress_health_check=list(HealthCheck))
    @given(mutated(original))
    def mutate(data: bytes) -> None:
        _one_error(component.load, data)

    mutate()


@settings(max_examples=500)
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda b: b"\0asm\x0d\0\1\0" + b)))
def test_any_bytes(data: bytes) -> None:
    _one_error(component.load, data)


@pytest.mark.parametrize("probe", ["plain.239", "plain.259"])
def test_every_truncation(files: dict[str, Path], probe: str) -> None:
    """Cut anywhere: refused, but where only a custom section is lost."""
    data = files[probe].read_bytes()
    whole = {len(data)}
    # Only custom sections lie behind the last export.
    for size in range(len(data)):
        try:
            component.load(data[:size])
            whole.add(size)
        except errors.WidgetError as error:
            assert str(error)
    assert len(whole) <= 3


@pytest.mark.parametrize("probe", ["plain.239", "plain.259"])
def test_every_byte(files: dict[str, Path], probe: str) -> None:
    """Each byte of the wrapper set to each of a few values."""
    data = bytearray(files[probe].read_bytes())
    start = bytes(data).find(b"\0asm\1\0\0\0")
    for at in [*range(8, start), *range(max(start, len(data) - 1400), len(data))]:
        keep = data[at]
        for value in (0, 1, 0x7F, 0x80, 0xFF, keep ^ 1):
            data[at] = value
            _one_error(component.load, bytes(data))
        data[at] = keep


def _section(number: int, body: bytes) -> bytes:
    assert len(body) < 1 << 21
    size = len(body)
    return bytes([number, size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]) + body


def _leb(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


@pytest.mark.parametrize("count", [4000, 5000, 200_000])
def test_bombs(count: int) -> None:
    """Many items, many references between them: refused, or done, in a moment."""
    header = b"\0asm\x0d\0\1\0"
    module = _section(1, b"\0asm\1\0\0\0")
    many = _section(2, _leb(count) + b"\0\0\0" * count)
    inline = _section(2, _leb(1) + b"\1" + _leb(count) + b"\1a\0\0" * count)
    aliases = _section(6, _leb(count) + b"\0\0\1\0\1x" * count)
    for body in (module + many, module + many[:0] + inline, module + _section(2, b"\1\0\0\0") + aliases):
        _one_error(component.load, header + body)
    deep = b""
    for _ in range(min(count, 5000)):
        deep = _section(4, header + deep)
        if len(deep) > 1 << 20:
            break
    _one_error(component.load, header + deep)
