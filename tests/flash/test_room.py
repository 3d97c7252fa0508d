"""How much goes in: 40 widgets of 120 KB, and what is said when the flash is full."""

from __future__ import annotations

from typing import Any

from wg.flash import layout

#: Bytes of Python heap: less than half of the largest widget.
HEAP = "400000"


def test_40_widgets_of_120_kb_in_constant_memory(script: Any) -> None:
    found = script("room", None, "--heap", HEAP)
    assert found["heap"] < 512 * 1024
    assert found["installed"] == 40 and "limit" in found["refused"]
    assert found["replaced"] == 1024 * 1024
    assert found["problems"] == [] and found["again"] == 39
    assert found["kept"] == '{"still": "possible"}'


def test_a_full_chip_of_8_mb_stays_usable(script: Any) -> None:
    found = script("room", None, "--heap", HEAP, "--chip", "8")
    assert layout.load()["8MB"].widgets <= found["installed"] < 40
    assert "not enough space on flash" in found["refused"]
    assert "not enough space" in found["replaced"]
    assert found["problems"] == [] and found["again"] == found["installed"] - 1
    assert found["kept"] == '{"still": "possible"}'
