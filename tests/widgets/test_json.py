"""widgets/sdk/wg_json.c against Python's json on valid, malformed and hostile documents."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sdk import Harness

DEPTH = 64

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | text
values = st.recursive(
    scalars.filter(lambda v: not isinstance(v, float) or abs(v) != float("inf")),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(text, inner, max_size=5),
    max_leaves=25,
)


def _refuse(word: str) -> Any:
    raise ValueError(word)


def read(document: bytes | str) -> Any:
    """The document with its numbers as they are written and its objects as lists of pairs."""
    return json.loads(
        document,
        parse_int=lambda t: ("n", t),
        parse_float=lambda t: ("n", t),
        parse_constant=_refuse,
        object_pairs_hook=list,
    )


def surrogates_replaced(value: Any) -> Any:
    if isinstance(value, str):
        return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= c <= "\udfff" else c for c in value)
    if isinstance(value, list | tuple):
        return type(value)(surrogates_replaced(v) for v in value)
    return value


def depth(document: str) -> int:
    deepest = level = 0
    in_string = escaped = False
    for c in document:
        if in_string:
            in_string = escaped or c != '"'
            escaped = c == "\\" and not escaped
        elif c == '"':
            in_string = True
        elif c in "[{":
            level += 1
            deepest = max(deepest, level)
        elif c in "]}":
            level -= 1
    return deepest


def check(harness: Harness, document: str) -> None:
    """The same verdict and the same content as Python's."""
    answer = harness.ask("j", document.encode("utf-8", "replace"))
    document = document.encode("utf-8", "replace").decode()
    try:
        expected = read(document)
    except (ValueError, RecursionError):
        assert answer == b"", document
        return
    if depth(document) > DEPTH:
        assert answer == b""
    else:
        assert read(answer.decode()) == surrogates_replaced(expected)


@settings(max_examples=400)
@given(values, st.booleans(), st.sampled_from([None, 0, 1, "\t \r"]))
def test_valid_documents_keep_their_content(harness: Harness, value: Any, ascii: bool, indent: Any) -> None:
    check(harness, json.dumps(value, ensure_ascii=ascii, indent=indent))


@settings(max_examples=1500)
@given(
    values,
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from('{}[],:"\\u0dD89e+-. tnfx\x00\n')), max_size=4),
    st.data(),
)
def test_damaged_documents_get_pythons_verdict(
    harness: Harness, value: Any, edits: Any, data: st.DataObject
) -> None:
    characters = list(json.dumps(value))
    for place, new in edits:
        place %= len(characters) + 1
        characters[place : place + data.draw(st.integers(0, 2))] = new
    check(harness, "".join(characters))


@settings(max_examples=1000)
@given(st.text('{}[],:"\\u0dD89e+-. tnfrulsa1', max_size=40))
def test_soups_of_json_characters_get_pythons_verdict(harness: Harness, document: str) -> None:
    check(harness, document)


@settings(max_examples=500)
@given(st.binary(max_size=60) | st.builds(lambda b: b'["' + b + b'"]', st.binary(max_size=30)))
def test_any_bytes_at_all(harness: Harness, document: bytes) -> None:
    answer = harness.ask("j", document)
    if answer:
        json.loads(answer.decode("utf-8"))


@pytest.mark.parametrize("n", [63, 64, 65, 66, 5000, 200_000])
@pytest.mark.parametrize("ends", ["[]", "{}", '{"a":}'])
def test_depth_has_a_limit(harness: Harness, n: int, ends: str) -> None:
    opening, closing = ends[:-1], ends[-1]
    inside = "1" if ends == '{"a":}' else ""
    document = (
        opening * n + inside + closing * n
        if inside or ends == "[]"
        else '{"":' * (n - 1) + "{}" + "}" * (n - 1)
    )
    assert (harness.ask("j", document) != b"") == (n <= DEPTH)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.0.b", "1"),
        ("a.1.b", '"x"'),
        ("a.2", ""),
        ("a.0.b.c", ""),
        ("é", "null"),
        ("dup", "1"),
        ("a.x", ""),
        ("a.99999999999999999999", ""),
        ("", None),
        ("e.", '{"":7}'),
        ('q"\\', "true"),
    ],
)
def test_paths(harness: Harness, path: str, expected: str | None) -> None:
    document = '{"a":[{"b":1},{"b":"x"}],"\\u00e9":null,"dup":1,"dup":2,"e":{"":7},"q\\"\\\\":true}'
    assert harness.ask("m", document, path).decode() == (document if expected is None else expected)


def numbers(answer: bytes) -> tuple[int, float]:
    integer, bits = answer.split()
    (real,) = struct.unpack("<d", struct.pack("<Q", int(bits)))
    return int(integer), real


@settings(max_examples=800)
@given(
    st.integers(-(2**80), 2**80) | st.integers(-(2**63) - 3, -(2**63) + 3) | st.integers(2**63 - 3, 2**63 + 3)
)
def test_integers_saturate(harness: Harness, value: int) -> None:
    integer, real = numbers(harness.ask("n", str(value)))
    assert integer == min(max(value, -(2**63)), 2**63 - 1)
    assert real == pytest.approx(value, rel=1e-15)


@settings(max_examples=800)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles(harness: Harness, value: float) -> None:
    integer, real = numbers(harness.ask("n", repr(value)))
    assert real == pytest.approx(value, rel=1e-14, abs=1e-307)
    if abs(value) < 1e15:
        assert integer == int(value)


@settings(max_examples=400)
@given(st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,12})?", fullmatch=True))
def test_numbers_of_any_shape(harness: Harness, literal: str) -> None:
    _, real = numbers(harness.ask("n", literal))
    expected = float(literal)
    largest = 1.7976931348623157e308
    assert real == pytest.approx(max(-largest, min(largest, expected)), rel=1e-14, abs=1e-307)


def test_a_million_digits_take_no_time(harness: Harness) -> None:
    assert numbers(harness.ask("n", "0." + "0" * 1_000_000 + "1e1000001")) == (1, pytest.approx(1.0))
    assert numbers(harness.ask("n", "9" * 1_000_000))[0] == 2**63 - 1
