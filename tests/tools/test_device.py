"""`wg <command> --port ...` against the simulated board's serial port."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wg import ROOT

if TYPE_CHECKING:
    from wg.sim.board import SimBoard

WG = ROOT / ".venv" / "bin" / "wg"
TIME = ROOT / "build" / "widgets" / "time.wasm"


class Tool:
    """The command on one board."""

    def __init__(self, link: str) -> None:
        self.link = link

    def __call__(self, *arguments: str | Path, code: int = 0) -> str:
        """What it prints; on standard error, one sentence, if another exit code is asked for."""
        env = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "WG_PORT": self.link}
        command = [str(word) for word in (WG, *arguments)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=100)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stderr


@pytest.fixture
def tool(sim_board: SimBoard) -> Tool:
    return Tool(sim_board.link)


def test_a_widget_from_file_to_text(tool: Tool) -> None:
    assert "Time" in tool("install", TIME)
    listed = json.loads(tool("list", "--json"))
    assert [widget["name"] for widget in listed] == ["Time"]
    assert listed[0]["size"] == TIME.stat().st_size
    assert "zone" in json.loads(tool("schema", "Time", "--json"))["properties"]
    tool("configure", "Time", '{"zone": "UTC", "format": "at %H"}')
    assert tool("run", "Time").startswith("at ")
    assert "Time" in tool("list")
    tool("remove", "Time")
    assert json.loads(tool("list", "--json")) == []


def test_the_sent_file_does_not_stay(tool: Tool, sim_board: SimBoard) -> None:
    tool("install", TIME)
    sim_board.exec("import os")
    assert "time.wasm" not in sim_board.eval("os.listdir('/')")


def test_a_refusal_is_one_sentence(tool: Tool) -> None:
    said = tool("run", "Nothing", code=1)
    assert said.startswith("wg: ") and said.count("\n") == 1
    assert "Nothing" in said


def test_status_and_logs(tool: Tool) -> None:
    assert "WG Display" in tool("status")
    assert json.loads(tool("status", "--json"))["widgets"] == 0
    assert tool("logs").strip()


def test_the_display_goes_on(tool: Tool, sim_board: SimBoard) -> None:
    """A command from the PC neither resets the board nor leaves anything at its prompt."""
    sim_board.exec("marker = 1")
    names = sim_board.eval("sorted(globals())")
    tool("status")
    tool("run", "Nothing", code=1)
    assert sim_board.eval("sorted(globals())") == names


def test_a_board_without_our_firmware(tool: Tool, sim_board: SimBoard) -> None:
    sim_board.exec("import sys\nsys.modules.pop('wg', None)\nsys.path[:] = ['/nowhere']")
    said = tool("status", code=1)
    assert "does not run the firmware of WG Display" in said
