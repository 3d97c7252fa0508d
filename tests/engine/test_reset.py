"""Soft resets while wasm code runs: the finalisers end every thread, and the board comes back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wg import ROOT

if TYPE_CHECKING:
    from wg.sim.board import SimBoard

LOOPS = ROOT / "build" / "engine" / "modules" / "loops.wasm"

START = """
import wasm3
m = wasm3.Module({data!r})
imports = (("host", "wait", ":"),)
runs = [m.instantiate(imports) for _ in range(6)]
for n, i in enumerate(runs):
    i.start(("empty", "calls", "wait")[n % 3])
"""


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def test_soft_reset_ends_running_threads(sim_board: SimBoard) -> None:
    assert sim_board.process is not None
    pid = sim_board.process.pid
    sim_board.soft_reset()
    before = _threads(pid)
    for _ in range(5):
        sim_board.exec(START.format(data=LOOPS.read_bytes()))
        assert _threads(pid) >= before + 6
        sim_board.soft_reset()
        assert _threads(pid) <= before + 1
    assert sim_board.eval("6 * 7") == 42


def test_the_console_answers_while_wasm_loops(sim_board: SimBoard) -> None:
    sim_board.exec(START.format(data=LOOPS.read_bytes()))
    assert sim_board.eval("6 * 7", timeout=3) == 42
    assert sim_board.exec("for i in runs: i.close()\nprint('closed')") == "closed\n"
