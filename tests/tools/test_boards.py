"""The command `wg` with simulated boards: one, several, over the network; backups; the terminal; completion."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest
import serial
import serial.rfc2217

from wg import ROOT
from wg.sim.board import SimBoard

sys.path.insert(0, str(ROOT / "tests" / "app"))
from local_store import WIDGETS, local_store

WG = ROOT / ".venv" / "bin" / "wg"


def wg(*words: object, code: int = 0, **environment: str) -> str:
    env = {**os.environ, "COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1", **environment}
    done = subprocess.run(
        [WG, *map(str, words)], env=env, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


@pytest.fixture
def pair(wgdisplay: Any, tmp_path: Path) -> Iterator[tuple[SimBoard, SimBoard]]:
    with SimBoard(flash=tmp_path / "a.bin") as a, SimBoard(flash=tmp_path / "b.bin") as b:
        yield a, b


def test_several_boards_at_once(pair: tuple[SimBoard, SimBoard], tmp_path: Path) -> None:
    a, b = (board.link for board in pair)
    both = ["--port", a, "--port", b]
    said = wg("install", WIDGETS / "time.wasm", "--config", '{"zone": "UTC"}', *both)
    assert said.count("Installed Time") == 2 and f"{a}:" in said and f"{b}:" in said
    wg("background", "#102030", *both)
    wg("set", "hostname", "kitchen", *both)
    found = json.loads(wg("configure", "Time", "--json", *both))
    assert found == {port: {"value": {"zone": "UTC"}} for port in (a, b)}
    assert json.loads(wg("background", "--json", *both))[a] == {"value": "#102030"}
    # One of them refuses, one is away: the others are done, the worst code counts.
    pair[0].exec("import wg; wg.remove('Time')")
    said = wg("run", "Time", *both, code=1)
    assert "no widget is called 'Time'" in said
    found = json.loads(wg("status", "--json", *both, "--port", "/dev/nothing", code=3).splitlines()[0])
    assert found[a]["value"]["widgets"] == 0 and found[b]["value"]["widgets"] == 1
    assert "There is no port /dev/nothing" in found["/dev/nothing"]["error"]
    # Over the environment, and the log of both.
    assert json.loads(wg("logs", "--json", "--level", "info", WG_PORT=b))
    with subprocess.Popen([WG, "logs", "-f", *both], stdout=subprocess.PIPE, text=True) as tool:
        assert tool.stdout is not None
        seen = set()
        while len(seen) < 2:
            seen.add(tool.stdout.readline().partition(": ")[0])
        tool.send_signal(2)
        assert tool.wait(20) == 0
    assert seen == {a, b}
    for board in pair:
        assert board.eval("__import__('wg').status()['problems']") == []


def test_backup_and_restore(pair: tuple[SimBoard, SimBoard], tmp_path: Path) -> None:
    a, b = pair
    a.exec("import wg; wg.wifi('sim', 'password1'); wg.background('#102030'); wg.set('hostname', 'hall')")
    wg("install", WIDGETS / "time.wasm", "--config", '{"zone": "Asia/Tokyo"}', "--port", a.link)
    wg("install", WIDGETS / "aareguru.wasm", "--config", '{"city": "thun"}', "--port", a.link)
    wg("limits", "Time", "deadline_ms=5000", "--port", a.link)
    file = tmp_path / "board.zip"
    said = wg("backup", file, "--port", a.link)
    assert "2 widgets" in said and "Passwords and tokens are not in it" in said
    assert b"password1" not in file.read_bytes()
    said = wg("restore", file, "--port", b.link)
    assert "widget Time" in said and "Not restored: network sim: its password is not in the export" in said
    listed = json.loads(wg("list", "--json", "--port", b.link))
    assert [w["name"] for w in listed] == ["Time", "Aareguru"] and listed[0]["limits"] == {
        "deadline_ms": 5000
    }
    assert json.loads(wg("configure", "Aareguru", "--json", "--port", b.link)) == {"city": "thun"}
    assert json.loads(wg("background", "--json", "--port", b.link)) == "#102030"
    wg("backup", file, "--secrets", "--port", a.link)
    said = wg("restore", file, "--port", b.link)
    assert "network sim" in said and "Not restored" not in said
    assert b.eval("__import__('wg')._console._app.storage.networks()") == [("sim", "password1")]
    (tmp_path / "no.zip").write_bytes(b"no zip")
    assert "is no backup of a board" in wg("restore", tmp_path / "no.zip", "--port", b.link, code=1)


class Pty(serial.Serial):
    """A pty has no control lines."""

    cts = dsr = ri = cd = property(lambda self: True)

    def _update_rts_state(self) -> None:
        pass

    def _update_dtr_state(self) -> None:
        pass


@contextmanager
def over_the_network(port: str) -> Iterator[str]:
    """A server that gives a serial port to the network (RFC 2217), as pyserial's example does."""
    line = Pty(port, timeout=0.05)
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            manager = serial.rfc2217.PortManager(line, Connection(peer))
            over = threading.Event()

            def read(
                peer: socket.socket = peer, manager: Any = manager, over: threading.Event = over
            ) -> None:
                while not over.is_set():
                    data = line.read(line.in_waiting or 1)
                    if data:
                        try:
                            peer.sendall(b"".join(manager.escape(data)))
                        except OSError:
                            return

            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            try:
                while data := peer.recv(1024):
                    line.write(b"".join(manager.filter(data)))
            except OSError:
                pass
            over.set()
            reader.join()
            peer.close()

    class Connection:
        def __init__(self, peer: socket.socket) -> None:
            self.peer = peer

        def write(self, data: bytes) -> None:
            self.peer.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"rfc2217://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        done.set()
        listener.close()
        line.close()


def test_a_board_behind_the_network(sim_board: SimBoard) -> None:
    with over_the_network(sim_board.link) as port:
        assert json.loads(wg("status", "--json", "--port", port))["widgets"] == 0
        assert "Installed Time" in wg("install", WIDGETS / "time.wasm", "--port", port)
        assert json.loads(wg("run", "Time", "--json", "--port", port))
    assert "can't be reached" in wg("status", "--port", "rfc2217://127.0.0.1:9", code=3)
    assert "can't be reached" in wg("status", "--port", "nonsense://x", code=3)


def test_the_terminal(sim_board: SimBoard) -> None:
    tool = pexpect.spawn(str(WG), ["shell", "--port", sim_board.link], encoding="utf8", timeout=20)
    tool.expect("Ctrl-] or Ctrl-X leaves")
    tool.expect(">>> ")
    tool.send("6 * 7\r")
    tool.expect("42")
    tool.expect(">>> ")
    tool.send("\x1d")
    tool.expect(pexpect.EOF)
    tool.close()
    assert tool.exitstatus == 0


def test_the_wizard_from_the_pc(sim_board: SimBoard, tmp_path: Path) -> None:
    with local_store(tmp_path / "store") as store:
        wg("set", "store", store, "--port", sim_board.link)
        tool = pexpect.spawn(str(WG), ["setup", "--port", sim_board.link], encoding="utf8", timeout=20)
        for question, answer in (
            ("none for now\\): ", "1"),
            ("it has none\\): ", "password1"),
            ("no clock\\): ", ""),
            ("name \\(Enter: none\\): ", "time"),
            ("Install it", ""),
            ("zone \\[", "UTC"),
            ("format \\[", ""),
            ("Change those of", ""),
        ):
            tool.expect(question)
            tool.send(answer + "\r")
        tool.expect("Done. The display goes on by itself")
        tool.expect(pexpect.EOF)
        tool.close()
        assert tool.exitstatus == 0
    assert json.loads(wg("configure", "Time", "--json", "--port", sim_board.link)) == {"zone": "UTC"}
    # Left by Ctrl-C, nothing is changed.
    tool = pexpect.spawn(str(WG), ["setup", "Time", "--port", sim_board.link], encoding="utf8", timeout=20)
    tool.expect("zone \\[UTC\\]: ")
    tool.send("\x03")
    tool.expect("Nothing was changed")
    tool.expect(pexpect.EOF)
    tool.close()


def test_what_is_not_ours(tmp_path: Path, wgdisplay: Any) -> None:
    """A busy port, a board without our firmware, an old one: a sentence each that says what to do."""
    with SimBoard(flash=tmp_path / "flash.bin") as b:
        with serial.Serial(b.link, exclusive=True):
            assert "in use by another program" in wg("status", "--port", b.link, code=3)
        b.exec("import wg; del wg.crashes")
        assert wg("crashes", "--port", b.link, code=1) == (
            "wg: The board's firmware has no command crashes: update it (`wg ota`, or `wg flash` over USB).\n"
        )
    with SimBoard(flash=tmp_path / "flash2.bin", bare=True) as b:
        b.exec("import sys\nsys.path[:] = []\nsys.modules.pop('wg', None)")
        said = wg("status", "--port", b.link, code=1)
        assert "does not run the firmware of WG Display" in said and "wg flash" in said


def test_completion() -> None:
    said = subprocess.run(
        [WG],
        env={**os.environ, "_WG_COMPLETE": "complete_bash", "COMP_WORDS": "wg sta", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    ).stdout
    assert said.split() == ["status"]


def test_every_help_fits_a_screen() -> None:
    pages = [[]]
    first = wg("--help")
    names = [
        word
        for line in first.splitlines()[2:-3]
        for word in (line[10:21].strip(), line[45:56].strip())
        if word
    ]
    assert len(names) > 20 and {"devices", "setup", "backup", "widget", "sim"} <= set(names)
    pages += [[name] for name in names]
    pages += [["widget", name] for name in ("new", "build", "run", "preview", "check")] + [["sim", "run"]]
    for page in pages:
        lines = wg(*page, "--help").rstrip("\n").splitlines()
        assert 3 < len(lines) <= 24, (page, len(lines))
        assert max(map(len, lines)) <= 80, page
