"""Flash that reports failures, and flash that is worn out."""

from __future__ import annotations

from typing import Any


def test_failures_and_worn_sectors(script: Any) -> None:
    found = script("failures")
    assert found["failed"] > 50 and found["worn"] > 100
