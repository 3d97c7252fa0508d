"""`wg sim run`: boots the board, installs the bundled widgets, shows the panel on a local page."""

from __future__ import annotations

import json
import runpy
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wg import ROOT
from wg.sim.board import BoardError, SimBoard
from wg.sim.page import Page
from wg.sim.terminal import bridge

#: The bundled widgets in the order in which they are shown: file, name, a first configuration.
BUNDLED: list[tuple[str, str, dict[str, Any]]] = [
    ("time.wasm", "Time", {"zone": "Europe/Zurich"}),
    (
        "public_transport.wasm",
        "Public Transport",
        {"connections": [{"from_station": "Bern", "to_station": "Thun", "num_connections": 2}]},
    ),
    ("aareguru.wasm", "Aareguru", {"city": "bern"}),
]

#: The settings of the board that is simulated (boards/sim/manifest.py freezes them).
BOARD = ROOT / "boards" / "esp32s3" / "board.py"

#: The simulated access point takes any name and password.
_SSID, _PASSWORD = "sim", "simulated"
_INSTALL_TIMEOUT = 60.0
#: How long the end of a run waits for somebody else who is using the serial port.
_BUSY_SECONDS = 15.0


class RunError(Exception):
    """The display could not be set up; one sentence."""


class Session:
    """One run of the simulated display."""

    def __init__(self, board: SimBoard, widgets: Path, out: Path) -> None:
        self.board = board
        self.widgets = widgets
        self.out = out
        self.state: dict[str, Any] = {}
        self.message = "Starting"
        self._lock = threading.Lock()

    def status(self) -> dict[str, Any]:
        """For the page."""
        with self._lock:
            return {
                **self.state,
                "message": self.message,
                "link": self.board.link,
                "flash": str(self.board.flash),
            }

    def refresh(self) -> dict[str, Any]:
        """Asks the board for wg.state()."""
        said = self.board.exec("import wg, json; print(json.dumps(wg.state()))")
        state = json.loads(said.strip().splitlines()[-1])
        with self._lock:
            self.state = state
        return dict(state)

    def set_up(self, address: str) -> None:
        """Connects the board and installs the widgets that it does not have. Raises RunError, BoardError."""
        self.message = "Connecting to WiFi"
        self.board.exec(
            f"import wg\nif wg.status().get('wifi') != 'connected':\n wg.wifi({_SSID!r}, {_PASSWORD!r})"
        )
        present = {w["name"] for w in self.refresh()["widgets"]}
        for file, name, configuration in BUNDLED:
            if name in present:
                continue
            if not (self.widgets / file).is_file():
                raise RunError(f"{self.widgets / file} is not there: run `make widgets`, or see --widgets")
            self.message = f"Installing {name}"
            url = f"{address}widgets/{file}"
            code = f"import wg; wg.configure(wg.install({url!r})['name'], {configuration!r})"
            self.board.exec(code, _INSTALL_TIMEOUT)
            self.refresh()
        self.message = "Running"

    def while_free(self, work: Callable[[], Any], seconds: float) -> None:
        """Does something over the serial line, which others may be using; BoardError if they still are at the end."""
        end = time.monotonic() + seconds
        while True:
            try:
                work()
                return
            except BoardError:
                if not self.board.alive or time.monotonic() > end:
                    raise
            time.sleep(0.5)

    def finish(self) -> None:
        """Leaves screen.png and state.json in the output folder."""
        state = self.refresh()
        self.board.screenshot(self.out / "screen.png")
        (self.out / "state.json").write_text(json.dumps(state, indent=2, ensure_ascii=False) + "\n")


def board_keys() -> dict[str, int]:
    """The keys of the board that is simulated, and their pins: those that are low while pressed."""
    buttons = runpy.run_path(str(BOARD))["BUTTONS"]
    return {name: pin for name, (pin, pressed) in buttons.items() if not pressed and pin < 32}


def run(
    widgets: Path, seconds: float | None, out: Path, page_port: int, flash: Path | None, word_size: int
) -> int:
    """Runs the display; returns the exit code of the command."""
    out.mkdir(parents=True, exist_ok=True)
    board = SimBoard(
        flash=flash or out / "flash.bin", word_size=word_size, panel=out / "panel", link=out / "port"
    )
    session = Session(board, widgets, out)
    try:
        with board, Page(out / "panel", session.status, widgets, page_port, board_keys()) as page:
            print(f"The display: {page.address}", flush=True)
            print(f"Its serial port: {board.link}", flush=True)
            session.set_up(page.address)
            if seconds is not None:
                end = time.monotonic() + seconds
                while time.monotonic() < end:
                    time.sleep(max(0.0, min(1.0, end - time.monotonic())))
                    _quietly(session)
                session.while_free(session.finish, _BUSY_SECONDS)
                print(f"{out / 'screen.png'} and {out / 'state.json'} are written.")
                return 0
            print(
                "The board's prompt follows. Ctrl-] or Ctrl-X leaves and switches the board off.", flush=True
            )
            bridge(board, lambda: _quietly(session))
            return 0
    except (BoardError, RunError, OSError) as error:
        print(f"wg: {_sentence(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _quietly(session: Session) -> None:
    try:
        session.refresh()
    except (BoardError, ValueError, IndexError):
        if not session.board.alive:
            raise


def _sentence(error: BaseException) -> str:
    # Of a traceback from the board, its last line says what happened.
    lines = str(error).strip().splitlines()
    if lines and lines[0].startswith("Traceback"):
        return f"the board said: {lines[-1]}"
    return " ".join(lines)
