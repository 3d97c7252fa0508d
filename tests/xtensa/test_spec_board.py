"""The WebAssembly specification's scripts through the engine on the Xtensa board.

What holds with 32-bit words holds here, but for what spec.toml lists with its reason.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import engine_runner
import pytest
import wast

KNOWN = tomllib.loads((Path(engine_runner.__file__).parent / "engine.toml").read_text())
HERE = tomllib.loads(Path(__file__).with_name("spec.toml").read_text())
DEVIATIONS = {
    assertion
    for deviation in [*KNOWN["deviation"], *HERE["deviation"]]
    if 32 in deviation.get("word_sizes", (64, 32))
    for assertion in deviation["assertions"]
}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_assertions_hold(xtensa: Path, count: Callable[..., None]) -> None:
    outcome = engine_runner.run_all(xtensa, wast.scripts())
    new = {what: why for what, why in outcome.failed.items() if what not in DEVIATIONS}
    count(outcome.passed.total(), len(new), outcome.skipped.total() + len(outcome.failed) - len(new))
    assert new == {}
    assert sorted(DEVIATIONS - outcome.failed.keys()) == [], "these hold here, and on no other board"
    assert outcome.passed.total() >= sum(KNOWN["passed"].values()) - sum(
        len(deviation["assertions"]) for deviation in HERE["deviation"]
    )
    assert dict(outcome.skipped) == KNOWN["skipped"]
