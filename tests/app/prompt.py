"""What tests of the whole firmware say at a board's prompt."""

from __future__ import annotations

import json
import time
from typing import Any

from wg import ROOT
from wg.sim.board import SimBoard

WIDGETS = ROOT / "build" / "widgets"


def widget(name: str) -> bytes:
    path = WIDGETS / f"{name}.wasm"
    assert path.exists(), "run `make widgets`"
    return path.read_bytes()


def value(board: SimBoard, expression: str) -> Any:
    """An expression's value, by JSON."""
    return json.loads(board.exec(f"import wg, json\nprint(json.dumps({expression}))").splitlines()[-1])


def refusal(board: SimBoard, statement: str) -> str:
    """The sentence with which the board refuses."""
    return board.exec(f"import wg\ntry:\n {statement}\nexcept wg.Error as e:\n print(e)").strip()


def files(board: SimBoard) -> Any:
    """What is in the data folders, but for the own network's password, which may be there or not."""
    folders = ("/data/0", "/data/1", "/data/widgets")
    found = value(board, f"[__import__('os').listdir(p) for p in {folders}]")
    return [[name for name in names if name != "access"] for names in found]


def wait_for(board: SimBoard, condition: str, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not value(board, f"bool({condition})"):
        assert time.monotonic() < end, f"{condition}\n{board.exec('print(wg.state(), wg.logs())')}"
        time.sleep(0.1)
