"""Power cuts at every flash operation of an update, in every way that an operation can be torn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from firmwares import small_image

SCENARIOS = [
    "first start",
    "download and switch",
    "start of new firmware",
    "proof",
    "rollback",
    "second update",
    "update of a broken slot",
    "start after the second update",
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_old_or_new_firmware(
    script: Callable[..., Any],
    word_size: int,
    tmp_path: Path,
    scenario: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths = []
    for version in ("2.0.0", "3.0.0"):
        paths.append(tmp_path / version)
        paths[-1].write_bytes(small_image(word_size, 40_000, version))
    count = script("cuts", [scenario, *map(str, paths)])
    with capsys.disabled():
        print(f"\n{scenario}, {word_size} bit: {count} cuts, each ended in the old or the new firmware")
    assert count >= 10
