"""200 interruptions at random moments of every command: the display goes on within 2 s, the configuration is whole.

WG_INTERRUPTIONS=2000 for more, WG_SEED=5 for others.
"""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from local_store import local_store

from wg.sim.board import SimBoard

INTERRUPTIONS = int(os.environ.get("WG_INTERRUPTIONS", "200"))
SEED = int(os.environ.get("WG_SEED", "1"))
BOARDS = 5

COMMANDS = [
    "wg.status()",
    "wg.list()",
    "wg.store(True)",
    'wg.install("Aareguru")',
    'wg.remove("Aareguru")',
    'wg.configure("Time", zone="Europe/London")',
    'wg.configure("Time", {"zone": "UTC", "format": "%S"})',
    'wg.configure("Time")',
    'wg.schema("Time")',
    'wg.limits("Time", deadline_ms=5000)',
    'wg.limits("Time")',
    'wg.run("Time")',
    "wg.logs(50)",
    "wg.logs(follow=True)",
    "wg.crashes()",
    'wg.background("#102030")',
    'wg.background("#302010")',
    'wg.set("zone", "Europe/Zurich")',
    'wg.set("hostname", "kitchen")',
    'wg.set("hostname")',
    'wg.wifi("sim", "password1")',
    'wg.forget("other")',
    'wg.screen("/shot.png")',
    "wg.screen()",
    "wg.state()",
    'wg.export("/export.json", secrets=True)',
    'wg.restore("/export.json")',
    "wg.help()",
    "wg.setup()\r1\rpassword1\rzurich\r1\r\r\r",
    "wg.setup()\r\r\r1\ry\rthun\rback\rquit\r",
    'wg.setup("Time")\rUTC\r',
    "wg.reload()",
    "wg.reboot()",
    "for i in range(100000): pass",
    "x = [0] * 100000",
]

CTRL_C, CTRL_D, RAW, CABLE, CLOSED, GARBAGE = (
    "Ctrl-C",
    "Ctrl-D",
    "raw REPL",
    "cable out",
    "terminal closed",
    "garbage",
)


class Line:
    """The port, as whoever has the cable: it can be let go of at any moment."""

    def __init__(self, board: SimBoard) -> None:
        self.port = os.open(board.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def send(self, data: bytes) -> None:
        end = time.monotonic() + 5
        while data and time.monotonic() < end:
            try:
                data = data[os.write(self.port, data) :]
            except BlockingIOError:
                self.drain(0.05)

    def drain(self, seconds: float) -> bytes:
        said = b""
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            if select.select([self.port], [], [], rest)[0]:
                said += os.read(self.port, 4096)
        return said

    def close(self) -> None:
        os.close(self.port)


def interrupt(board: SimBoard, chance: random.Random, kind: str, command: str) -> None:
    line = Line(board)
    text = command.encode() + b"\r"
    line.send(text)
    line.drain(chance.random() ** 2 * 0.6)
    if kind == CTRL_C:
        line.send(b"\x03" * chance.choice([1, 1, 2, 5]))
    elif kind == CTRL_D:
        line.send(chance.choice([b"\x04", b"\x03\x04", b"\x04\x04"]))
    elif kind == RAW:
        line.send(
            b"\r\x03\x01"
            + chance.choice([b"", b"import wg\x04", b"import wg; wg.list()\x04", b"1/0\x04", b"while "])
        )
        line.drain(0.05)
    elif kind == CLOSED:
        half = text[: chance.randrange(1, len(text))]
        line.send(b"\x03" + half)
    elif kind == GARBAGE:
        line.send(bytes(chance.randrange(256) for _ in range(chance.randrange(1, 300))))
    line.close()  # CABLE: in the midst of whatever the board says


def goes_on(board: SimBoard, what: str) -> float:
    """Seconds until the picture changes; the widget Time shows seconds."""
    before = board.frame().pixels
    began = time.monotonic()
    while board.frame().pixels == before:
        took = time.monotonic() - began
        assert took < 30, f"the display stands still after {what}: {board.errors()}"
        time.sleep(0.02)
    return time.monotonic() - began


CHECK = """
import wg, json
s = wg._console._app.storage
print(json.dumps([wg.status()["problems"], [[w["name"], w["json_config"], w["limits"]] for w in s.config["widgets"]],
 s.networks(), s.config["background_color"], s.config["settings"], wg.status()["safe_mode"]]))
"""


def whole(board: SimBoard, what: str) -> None:
    problems, widgets, networks, background, settings, safe = json.loads(board.exec(CHECK).splitlines()[-1])
    assert problems == [] and safe is None, (what, problems, safe)
    names = [name for name, _, _ in widgets]
    assert names[:1] == ["Time"] and set(names) <= {"Time", "Aareguru", "Public Transport"}, (what, names)
    for name, config, limits in widgets:
        assert isinstance(json.loads(config), dict), (what, name, config)
        assert limits in ({}, {"deadline_ms": 5000}), (what, name, limits)
    assert [ssid for ssid, _ in networks] in (["sim"], []) or {ssid for ssid, _ in networks} <= {
        "sim",
        "1",
    }, networks
    assert background in ("#000000", "#102030", "#302010"), (what, background)
    assert set(settings) <= {"store", "zone", "hostname"}, (what, settings)


def session(flash: Path, seed: int, count: int) -> list[tuple[float, str]]:
    chance = random.Random(seed)
    kinds = [CTRL_C, CTRL_D, RAW, CABLE, CLOSED, GARBAGE]
    order = [(COMMANDS[(seed * count + i) % len(COMMANDS)], kinds[i % len(kinds)]) for i in range(count)]
    chance.shuffle(order)
    took = []
    with SimBoard(flash=flash) as board:
        goes_on(board, "the start")
        for i, (command, kind) in enumerate(order):
            what = f"{kind} at {command!r} (seed {seed}, {i})"
            interrupt(board, chance, kind, command)
            took.append((goes_on(board, what), what))
            if i % 8 == 7 or i == count - 1:
                whole(board, what)
        board.reset()
        whole(board, f"the reset at the end (seed {seed})")
        goes_on(board, "the last reset")
    return took


@pytest.mark.timing
@pytest.mark.timeout(300)
def test_interruptions_at_random_moments(wgdisplay: Any, tmp_path: Path) -> None:
    with local_store(tmp_path / "store") as store:
        with SimBoard(flash=tmp_path / "flash.bin") as b:
            b.exec(f"import wg; wg.wifi('sim', 'password1'); wg.set('store', {store!r}); wg.install('Time')")
            b.exec("wg.export('/export.json', secrets=True)")
        flashes = [tmp_path / f"flash{i}.bin" for i in range(BOARDS)]
        for flash in flashes:
            shutil.copy(tmp_path / "flash.bin", flash)
        with ThreadPoolExecutor(BOARDS) as pool:
            each = INTERRUPTIONS // BOARDS
            sessions = [pool.submit(session, flash, SEED * 100 + i, each) for i, flash in enumerate(flashes)]
            took = sorted((one for s in sessions for one in s.result()), reverse=True)
    print(
        f"{len(took)} interruptions; the longest stops: " + "; ".join(f"{t:.2f} s {w}" for t, w in took[:5])
    )
    slow = [one for one in took if one[0] > 2.0]
    assert not slow, slow


@pytest.mark.parametrize("command", ["wg.reboot()", "wg.reload()"])
def test_ctrl_c_does_not_leave_it_stopped(command: str, wgdisplay: Any, tmp_path: Path) -> None:
    """Both stop the application first; from then on they go through with it."""
    with local_store(tmp_path / "store") as store, SimBoard(flash=tmp_path / "flash.bin") as board:
        board.exec(f"import wg; wg.wifi('sim', 'password1'); wg.set('store', {store!r}); wg.install('Time')")
        for delay in (0, 0.003, 0.006, 0.01, 0.015, 0.02, 0.03, 0.05):
            line = Line(board)
            line.send(command.encode() + b"\r")
            line.drain(delay)
            line.send(b"\x03\x03")
            line.close()
            goes_on(board, f"Ctrl-C {delay} s after {command}")
        assert board.eval("__import__('wg').state()['widgets'][0]['name']") == "Time"
        # The prompt can be interrupted as before.
        line = Line(board)
        line.send(b"while True: pass\r\r")
        line.drain(0.3)
        line.send(b"\x03")
        assert b"KeyboardInterrupt" in line.drain(2)
        line.close()
