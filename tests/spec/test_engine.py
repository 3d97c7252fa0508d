"""The specification's own tests run through the engine on the simulated board, in both word sizes.

engine.toml lists what is otherwise than the specification says; it must be exactly that.
"""

import tomllib
from pathlib import Path

import engine_runner
import pytest
import wast

KNOWN = tomllib.loads(Path(__file__).with_name("engine.toml").read_text())


def _deviations(word_size: int) -> dict[str, str]:
    return {
        assertion: deviation["reason"]
        for deviation in KNOWN["deviation"]
        if word_size in deviation.get("word_sizes", (64, 32))
        for assertion in deviation["assertions"]
    }


@pytest.mark.timeout(300)
@pytest.mark.parametrize("word_size", [64, 32])
def test_assertions_hold_on_the_board(word_size: int, request: pytest.FixtureRequest) -> None:
    program = request.getfixturevalue("wgdisplay" if word_size == 64 else "wgdisplay32")
    outcome = engine_runner.run_all(program, wast.scripts())
    known = _deviations(word_size)
    print(f"\nspecification on the {word_size}-bit board: {sum(outcome.passed.values())} passed", end=", ")
    print(
        f"{len(outcome.failed)} deviate, {sum(outcome.skipped.values())} of unsupported features are skipped"
    )
    print("  passed:", ", ".join(f"{kind} {count}" for kind, count in sorted(outcome.passed.items())))
    new = {what: why for what, why in outcome.failed.items() if what not in known}
    assert new == {}, "assertions fail that did not before"
    assert sorted(known.keys() - outcome.failed.keys()) == [], "these hold now: take them out of engine.toml"
    assert dict(outcome.skipped) == KNOWN["skipped"], "other assertions are skipped than before"
    assert dict(outcome.passed) == KNOWN["passed"]
