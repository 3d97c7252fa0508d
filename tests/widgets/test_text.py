"""widgets/sdk/wg_text.c and wg_memory.c: numbers, UTF-8, URL encoding, the arena."""

from __future__ import annotations

import json
import struct
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from urllib.parse import quote

import sdk
from hypothesis import given, settings
from hypothesis import strategies as st
from sdk import Harness

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def decoded(data: bytes) -> str:
    """UTF-8 with U+FFFD for each byte that can't be read, one at a time."""
    result = ""
    while data:
        for length in (1, 2, 3, 4):
            try:
                result += data[:length].decode()
                data = data[length:]
                break
            except UnicodeDecodeError:
                continue
        else:
            result += "\N{REPLACEMENT CHARACTER}"
            data = data[1:]
    return result


@settings(max_examples=500)
@given(st.integers(-(2**63), 2**64 - 1), st.integers(0, 30))
def test_integers(harness: Harness, value: int, digits: int) -> None:
    unsigned = value % 2**64
    signed = unsigned - 2**64 if unsigned >= 2**63 else unsigned
    assert harness.ask("i", value, digits).decode() == f"{signed} {unsigned} {unsigned:0{digits}d}"


@settings(max_examples=1000)
@given(st.floats() | st.floats(-1e6, 1e6), st.integers(0, 12))
def test_fixed(harness: Harness, value: float, decimals: int) -> None:
    (bits,) = struct.unpack("<Q", struct.pack("<d", value))
    answer = harness.ask("f", bits, decimals).decode()
    decimals = min(decimals, 9)
    if not abs(value) * 10.0**decimals < 1e15:
        assert answer == "--"
        return
    unit = Decimal(1).scaleb(-decimals)
    exact = Decimal(value).quantize(unit, ROUND_HALF_UP)
    # The product is rounded before the half is added: the last digit may be the neighbour's on a tie.
    assert abs(Decimal(answer) - exact) <= (unit if abs(value) * 10.0**decimals > 1e6 else Decimal(0)) or (
        abs(abs(Decimal(value) / unit) % 1 - Decimal("0.5")) < Decimal("1e-6")
    )
    assert not answer.startswith("-") or Decimal(answer) != 0
    assert len(answer.partition(".")[2]) == decimals


def test_fixed_by_hand(harness: Harness) -> None:
    for value, decimals, expected in [
        (17.5, 1, "17.5"),
        (-0.04, 1, "0.0"),
        (0.5, 0, "1"),
        (-2.25, 1, "-2.3"),
        (1e14, 0, "1" + "0" * 14),
    ]:
        (bits,) = struct.unpack("<Q", struct.pack("<d", value))
        assert harness.ask("f", bits, decimals).decode() == expected


@settings(max_examples=300)
@given(any_text)
def test_url_encoding(harness: Harness, text: str) -> None:
    assert harness.ask("u", text).decode() == quote(text, safe="-._~")


@settings(max_examples=500)
@given(st.binary(max_size=40) | any_text.map(str.encode))
def test_json_strings(harness: Harness, data: bytes) -> None:
    assert json.loads(harness.ask("q", data)) == decoded(data)


@settings(max_examples=1000)
@given(st.binary(max_size=40) | any_text.map(str.encode))
def test_valid_utf8(harness: Harness, data: bytes) -> None:
    assert harness.ask("v", data).decode() == decoded(data)


@settings(max_examples=500)
@given(st.binary(max_size=40) | any_text.map(str.encode), st.integers(0, 45))
def test_clean(harness: Harness, data: bytes, columns: int) -> None:
    answer = harness.ask("c", data, columns).decode()
    whole = decoded(data)
    assert len(answer) == min(len(whole), columns)
    assert len(whole) <= columns or columns < 3 or answer.endswith("...")
    assert not any(c < " " or "\x7f" <= c < "\xa0" for c in answer)


def test_the_arena(tmp_path: Path) -> None:
    harness = sdk.Harness(sdk.compile_harness("hello", tmp_path, arena=True))
    for _ in range(3):  # the arena is empty again after each request
        *places, text, kept, step, rest = harness.ask("a", 3, 1, 40, 7, 0, 5000, 16).decode().split()
        offsets = [int(place) for place in places]
        assert text == "kept!" and kept == "moved"
        assert offsets == [5, 8, 12, 56, 63, 64, 5064]
        assert 5 <= int(step) < 13 and rest == "0"
    harness.close()
