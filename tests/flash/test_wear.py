"""The wear of the flash: 10,000 changes of a widget's configuration, counted in each block of the data partition."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(("widgets", "restarts"), [(1, 20), (40, 20)])
def test_10_000_changes_wear_evenly(
    script: Any, widgets: int, restarts: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = script("wear", [widgets, 10_000, 10_000 // restarts if restarts else 10_001])
    counts = found["changes"]
    # LittleFS moves what changes, not what lies still: the blocks of 40 widgets' files keep their one erase.
    still = 31 * widgets
    moving = sorted(counts)[still:]
    mean = sum(counts) / (len(counts) if widgets == 1 else len(moving))
    with capsys.disabled():
        print(
            f"\n{widgets} widgets, {restarts} restarts: 10,000 changes are {sum(counts)} erases, "
            f"{mean:.2f} a block, at most {max(counts)} (max/mean {max(counts) / mean:.2f}); "
            f"{len(counts)} blocks, {still} of them with widgets' files"
        )
    assert sum(counts) < 11_000
    assert max(counts) < 3 * mean
