"""Bit rot anywhere in the file system, in its own structures, too."""

from __future__ import annotations

from typing import Any

import pytest


def test_one_bit_anywhere(script: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = script("rot", [1, 600])
    with capsys.disabled():
        print(f"\n600 rotten bits, what the next boot found: {found}")
    assert sum(found.values()) == 600 and found["told"] > 20
    assert found["one change behind"] < 30
