"""Each class of error, from a file that nobody can read to a trap in a named function, as the owner sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import hostile_widgets
import pytest
from hostile import HostileServer
from hostile_widgets import GIVE, Hostile, log, loop

from wg.sim.board import SimBoard

#: What is installed and runs, and all of what it shows.
RUNS = (
    (
        Hostile(
            "traps deep",
            "",
            body="call $parse_stop i32.const 0",
            extra='(func $parse_stop (export "parse_stop") (drop (i32.div_u (i32.const 1) (i32.const 0))))',
        ),
        "The widget crashed: integer divide by zero (in parse_stop).",
    ),
    (
        Hostile("bad pointer", "", body="i32.const -1"),
        "The widget's pointer to the result of run is not aligned.",
    ),
    (
        Hostile("logs much", "", body=loop(log(1, 0x2000, 1))),
        "The widget used up its log lines (1000 in one run).",
    ),
    (
        Hostile("grows at once", "", body=f"(drop (memory.grow (i32.const 9))) {GIVE}"),
        "probe",
    ),
)


class Stage:
    """A board, and a server with files to install."""

    def __init__(self, board: SimBoard, server: HostileServer) -> None:
        self.board = board
        self.server = server
        self.count = 0

    def install(self, data: bytes) -> str:
        """What the prompt says."""
        self.count += 1
        url = self.server.add(f"/{self.count}.wasm", b"HTTP/1.1 200 OK\r\n\r\n", data)
        return self.board.exec(
            f"try:\n print(wg.install({url!r}))\nexcept wg.Error as e:\n print('refused:', e)"
        ).strip()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with (
        HostileServer() as server,
        SimBoard(flash=tmp_path_factory.mktemp("errors") / "flash.bin") as board,
    ):
        board.exec("import json, wg, wgdisplay.console as console; s = console._app.scheduler")
        yield Stage(board, server)


CORE = b"\0asm\1\0\0\0"
#: What can't be installed, and the beginning of the sentence that says why.
REFUSALS = {
    "malformed": (CORE + b"\1\xff", "The widget's code is damaged: "),
    # a function that promises an i32 and gives nothing
    "invalid": (
        CORE + bytes.fromhex("010501600001 7f 03020100 0a040102000b"),
        "The widget's code is not valid: ",
    ),
    # a function type with a v128
    "unsupported": (
        CORE + bytes.fromhex("01050160017b00"),
        "The widget's code needs what the display doesn't have: ",
    ),
    "link": (CORE, "This WebAssembly module is no widget: it exports none of the functions of"),
    "precompiled": (b"\x7fELF" + bytes(100), "This is a precompiled artefact"),
}


@pytest.mark.parametrize("which", REFUSALS)
def test_refused_in_a_sentence(stage: Stage, which: str) -> None:
    data, sentence = REFUSALS[which]
    said = stage.install(data)
    assert said.startswith("refused: ") and sentence in said, said


def test_shown_and_logged(stage: Stage, tmp_path: Path) -> None:
    """On the screen as the widget's text, and in the log under its name."""
    board = stage.board
    files = hostile_widgets.build(tuple(widget for widget, _ in RUNS), tmp_path)
    for path in files.values():
        said = stage.install(path.read_bytes())
        assert said.startswith("Installed"), said
    for widget, text in RUNS:
        board.exec(f"try:\n wg.run({widget.name!r})\nexcept wg.Error:\n pass")
        shown, error = json.loads(
            board.exec(f"e = s.entry({widget.name!r}); print(json.dumps([e.text, e.error]))")
        )
        assert (shown, error) == (text, text != "probe")
        lines = json.loads(board.exec("print(json.dumps(console._app.log.lines()))"))
        named = [line[3] for line in lines if line[2] == widget.name]
        assert (text in named) == error, lines
