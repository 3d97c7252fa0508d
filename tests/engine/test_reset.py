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
        assert _threads(pid) >= before + 4  # what waits for its host has none
        sim_board.soft_reset()
        assert _threads(pid) <= before + 1
    assert sim_board.eval("6 * 7") == 42


def test_the_console_answers_while_wasm_loops(sim_board: SimBoard) -> None:
    sim_board.exec(START.format(data=LOOPS.read_bytes()))
    assert sim_board.eval("6 * 7", timeout=3) == 42
    assert sim_board.exec("for i in runs: i.close()\nprint('closed')") == "closed\n"


INLINE = """
import _thread, time, wasm3
m = wasm3.Module({data!r})
i = m.instantiate((("host", "wait", ":"),), stack=1 << 20, host=lambda *a: None)
_thread.start_new_thread(i.call, ("empty",))
time.sleep_ms(20)
"""


def _writable(pid: int) -> int:
    """Bytes of memory that the process may write: without the 64 MB that each of malloc's arenas reserves."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[5]) * 4096


def test_soft_reset_frees_an_instance_in_call(sim_board: SimBoard) -> None:
    """A thread that is in call() is ended in the midst of it; its instance, a megabyte of stack, is not lost."""
    assert sim_board.process is not None
    pid = sim_board.process.pid
    sizes = []
    for _ in range(10):
        sim_board.exec(INLINE.format(data=LOOPS.read_bytes()))
        sim_board.soft_reset()
        sizes.append(_writable(pid))
    assert sizes[-1] - sizes[1] < 4 << 20, sizes
    assert sim_board.eval("6 * 7") == 42
