"""Instructions and native stack on Xtensa under QEMU, against wasm3 as released; counted exactly, so bounds hold."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from wg.bench.programs import XTENSA, Program, kernels, on_xtensa
from wg.bench.xtensa import ARGUMENTS
from wg.process import exclusive

pytestmark = pytest.mark.skipif(
    not (XTENSA / "dynconfig.so").exists(), reason="there is no Xtensa compiler: make xtensa-tools"
)

#: The most that ours may take of wasm3's instructions, with all quotas on.
RATIOS = {"fib": 0.45, "crc32": 0.34, "mix": 0.33, "f32": 0.30, "sieve": 0.34, "f64": 0.85, "i64": 0.6}

#: The most native stack, in bytes: however deep the calls are.
STACK = 2200

#: The most that all quotas may cost on calls that do nothing else.
QUOTAS = 0.08


@pytest.fixture(scope="module")
def programs() -> Iterator[tuple[Program, Program]]:
    with exclusive(XTENSA.parent / "bench" / ".lock"):
        stock, ours = on_xtensa(stock=True), on_xtensa()
    yield stock, ours
    for program in (stock, ours):
        program.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", list(RATIOS))
def test_instructions(programs: tuple[Program, Program], name: str) -> None:
    stock, ours = (program.count(kernels()[name], "run", ARGUMENTS[name]) for program in programs)
    assert ours.result == stock.result
    assert 0 < ours.warm <= RATIOS[name] * stock.warm
    assert 0 < ours.stack <= STACK


@pytest.mark.timeout(300)
def test_depth_takes_no_native_stack(programs: tuple[Program, Program]) -> None:
    _, ours = programs
    shallow, deep = (ours.count(kernels()["fib"], "run", n).stack for n in (16, 22))
    assert shallow == deep


@pytest.mark.timeout(300)
@pytest.mark.slow
def test_quotas_cost_little(programs: tuple[Program, Program]) -> None:
    with exclusive(XTENSA.parent / "bench" / ".lock"):
        without = on_xtensa(flags=("-DWG_NO_QUOTAS=1", "-Dd_m3Interruptible=0"), name="no-quotas")
    fib = kernels()["fib"]
    free = without.count(fib, "run", ARGUMENTS["fib"]).warm
    without.close()
    assert free < programs[1].count(fib, "run", ARGUMENTS["fib"]).warm <= (1 + QUOTAS) * free
