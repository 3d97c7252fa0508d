"""The log: what is kept and what is forgotten."""

from __future__ import annotations

from typing import Any


def test_a_flood_pushes_out_nobody_elses_lines(script: Any) -> None:
    found = script("lines")
    assert found["app"] == [f"line {i}" for i in range(4)] + ["x" * 197 + "...", "strange level"]
    flood = [text for source, text in found["all"] if source == "flood"]
    assert flood == [f"noise {i}" for i in range(990, 1000)]
    assert [source for source, _ in found["all"]] == ["app"] * 4 + ["flood"] * 10 + ["app"] * 2
    assert found["last"] == ["x" * 197 + "...", "strange level"]
    assert found["warnings"] == 2 and found["info"] == 6
    assert found["count"] == 1006
