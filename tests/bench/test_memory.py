"""The engine's memory beside linear memory, with words of 32 bits as on the chip, after a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wg.bench.memory import WIDGETS, large
from wg.bench.programs import Program, core_module, on_pc
from wg.process import exclusive

#: What a component as large as a Rust widget may take at most, in bytes: of the 200 KB that are the goal, a third is
#: left for one that calls more of its functions.
LARGE = 136 * 1024

#: A bundled widget.
SMALL = 48 * 1024


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    with exclusive(WIDGETS.parent / "bench" / ".lock"):
        program = on_pc(word=32)
    yield program
    program.close()


@pytest.mark.timeout(300)
def test_a_large_module(program: Program) -> None:
    with exclusive(WIDGETS.parent / "bench" / ".lock"):
        module = large()
    counted = program.count(module, "run", 0)
    assert module.stat().st_size > 110_000
    assert 0 < counted.heap <= counted.peak <= LARGE


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["aareguru", "public_transport", "time"])
def test_a_widget(program: Program, name: str) -> None:
    counted = program.count(core_module(WIDGETS / f"{name}.wasm"), "run", 0)
    assert 0 < counted.heap <= counted.peak <= SMALL
