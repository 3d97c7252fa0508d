"""The specification's own tests of validity: assert_malformed, assert_invalid, and all modules that are valid."""

import tomllib
from collections import Counter
from pathlib import Path
from typing import TypeAlias

import pytest
import validator
import wast

DEVIATIONS = tomllib.loads(Path(__file__).with_name("validation.toml").read_text())
REFUSED = ("invalid", "malformed")
Item: TypeAlias = tuple[str, wast.Command]


@pytest.fixture(scope="module")
def items() -> list[Item]:
    validator.build()
    return [
        (script.name, command) for script in wast.scripts() for command in script.commands if command.form
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("word_size", [64, 32])
def test_verdicts_are_the_specifications(items: list[Item], word_size: int) -> None:
    readable = [item for item in items if item[1].module is not None and item[1].form != "quote"]
    verdicts = validator.validate([item[1].module for item in readable], "--wide", word_size=word_size)
    counts: Counter[str] = Counter()
    accepted, wrong = set(), []
    for (name, command), verdict in zip(readable, verdicts, strict=True):
        counts[f"{command.kind}: {verdict.status}"] += 1
        if command.kind in REFUSED:
            if verdict.status == "ok":
                accepted.add(f"{name}:{command.line}")
        elif verdict.status not in ("ok", "unsupported"):
            wrong.append(f"{name}:{command.line}: {verdict}")
    print(f"\nspecification, {word_size}-bit: {dict(sorted(counts.items()))}")
    assert not wrong
    assert accepted == set(DEVIATIONS["accepted"])
    # What there is to be wrong about; a smaller number means that the scripts were not all read.
    assert counts["malformed: malformed"] >= 650 and counts["invalid: invalid"] >= 1390
    assert counts["module: ok"] >= 1000


@pytest.mark.timeout(300)
@pytest.mark.parametrize("version", validator.ORACLES)
def test_verdicts_are_wasmtimes(items: list[Item], version: str) -> None:
    readable = [item for item in items if item[1].module is not None]
    modules = [item[1].module for item in readable]
    verdicts = validator.validate(modules, "--wide")
    wrong = []
    for (name, command), verdict, answers in zip(
        readable, verdicts, validator.oracle(version, modules), strict=True
    ):
        said = validator.disagreement(verdict, *answers)
        if said:
            wrong.append(f"{name}:{command.line}: {said}")
    assert not wrong


def test_texts_that_wabt_cannot_read_are_known(items: list[Item]) -> None:
    unreadable = Counter(name for name, command in items if command.module is None and command.form == "text")
    malformed = Counter(
        name for name, command in items if command.module is None and command.kind == "malformed"
    )
    assert dict(unreadable - malformed) == DEVIATIONS["unreadable"]
