"""The command `wg` as a person meets it: help that fits, one sentence for each thing that is wrong."""

import os
import pty
import subprocess
import threading
from pathlib import Path

import pytest

from wg import ROOT

WG = ROOT / ".venv" / "bin" / "wg"
BOARD_COMMANDS = (
    "devices setup shell flash status list install configure schema run remove limits store wifi set background logs "
    "crashes screenshot backup restore reboot"
).split()


def wg(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1", **environment}
    return subprocess.run([WG, *arguments], env=env, capture_output=True, text=True, timeout=60)


def test_help_names_every_command() -> None:
    done = wg("--help")
    assert done.returncode == 0
    for command in [*BOARD_COMMANDS, "thirdparty", "system"]:
        assert f" {command} " in done.stdout


@pytest.mark.parametrize("command", [*BOARD_COMMANDS, "thirdparty", "system"])
def test_each_help_fits_a_screen(command: str) -> None:
    done = wg(command, "--help")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert 3 < len(lines) <= 24
    assert max(map(len, lines)) <= 80


def sentence(done: "subprocess.CompletedProcess[str]") -> str:
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


def test_a_port_that_is_not_there() -> None:
    done = wg("status", "--port", "/dev/ttyNothing9")
    assert done.returncode == 3
    assert (
        sentence(done)
        == "wg: There is no port /dev/ttyNothing9. `wg devices` lists the boards that are connected."
    )


def test_the_port_may_come_from_the_environment() -> None:
    assert "/dev/ttyNothing8" in sentence(wg("status", WG_PORT="/dev/ttyNothing8"))


def test_a_device_that_is_no_board() -> None:
    master, slave = pty.openpty()
    try:
        done = wg("status", "--port", os.ttyname(slave))
    finally:
        os.close(master)
        os.close(slave)
    assert done.returncode == 3
    assert "does not answer as a MicroPython board does" in sentence(done)


def test_a_busy_port() -> None:
    import serial

    master, slave = pty.openpty()
    try:
        with serial.Serial(os.ttyname(slave), exclusive=True):
            done = wg("status", "--port", os.ttyname(slave))
    finally:
        os.close(master)
        os.close(slave)
    assert done.returncode == 3
    assert "in use by another program" in sentence(done)


class RawRepl(threading.Thread):
    """Answers every command on a pty as MicroPython's raw REPL does, with one output and one error text."""

    def __init__(self, out: bytes, err: bytes) -> None:
        super().__init__(daemon=True)
        self.out, self.err = out, err
        self.master, self.slave = pty.openpty()
        self.port = os.ttyname(self.slave)
        self.code = b""

    def run(self) -> None:
        try:
            self._serve()
        except OSError:
            pass  # The test has closed the pty.

    def _serve(self) -> None:
        raw = False
        while byte := os.read(self.master, 1):
            if byte == b"\x01":
                raw = True
                os.write(self.master, b"raw REPL; CTRL-B to exit\r\n>")
            elif byte == b"\x02":
                raw = False
            elif byte == b"\x05" and raw:
                os.read(self.master, 2)
                os.write(self.master, b"R\x00")
            elif byte == b"\x04" and raw:
                os.write(self.master, b"OK" + self.out + b"\x04" + self.err + b"\x04>")
            elif raw:
                self.code += byte

    def __enter__(self) -> "RawRepl":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.master)
        os.close(self.slave)


def test_a_result_is_shown_and_given_as_json() -> None:
    with RawRepl(b'said while it ran\r\n\x1e[{"name": "Time", "runs": 3}, "Time runs"]\r\n', b"") as board:
        assert wg("status", "--port", board.port).stdout == "Time runs\n"
        assert wg("status", "--port", board.port, "--json").stdout == '{"name": "Time", "runs": 3}\n'
        assert b"wg.status()" in board.code


def test_settings_arrive_as_values() -> None:
    with RawRepl(b'\x1e[null, "None"]\r\n', b"") as board:
        done = wg("configure", "Time", '{"zone": "Europe/Zurich", "on": true}', "--port", board.port)
        assert done.returncode == 0, done.stderr
        assert b"wg.configure('Time', {'zone': 'Europe/Zurich', 'on': True})" in board.code


def test_settings_that_are_not_json() -> None:
    done = wg("configure", "Time", "{zone}")
    assert done.returncode == 2
    assert "not JSON" in done.stderr


TRACEBACK = b'Traceback (most recent call last):\r\n  File "<stdin>", line 2, in <module>\r\n'


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (b"Error: There is no widget Tim.", "wg: There is no widget Tim."),
        (
            b"ImportError: no module named 'wg'",
            "wg: The board does not run the firmware of WG Display. Write it first: `wg flash --port PORT`.",
        ),
        (
            b"AttributeError: 'module' object has no attribute 'status'",
            "wg: The board's firmware has no command status: update it (`wg ota`, or `wg flash` over USB).",
        ),
        (b"ValueError: what", "wg: ValueError: what"),
    ],
)
def test_the_boards_errors_are_one_sentence(error: bytes, said: str) -> None:
    with RawRepl(b"", TRACEBACK + error + b"\r\n") as board:
        done = wg("status", "--port", board.port)
        assert done.returncode == 1
        assert sentence(done) == said


def test_a_file_is_sent_and_installed() -> None:
    data = bytes(range(256)) * 5
    with RawRepl(b'\x1e["Time", null]\r\n', b"") as board:
        folder = Path(os.environ.get("PYTEST_CURRENT_TEST", "x").split(":")[0]).stem
        file = ROOT / "build" / f"{folder}-{os.getpid()}.wasm"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
        try:
            done = wg("install", str(file), "--port", board.port)
        finally:
            file.unlink()
        assert done.returncode == 0, done.stderr
        assert done.stdout == "Time\n"
        assert repr(data[:1024]).encode() in board.code
        assert f"wg.install('/{file.name}')".encode() in board.code
        assert f"os.remove('/{file.name}')".encode() in board.code


def test_a_file_that_is_not_there() -> None:
    done = wg("install", "nowhere/x.wasm", "--port", "/dev/null")
    assert done.returncode == 1
    assert sentence(done) == "wg: nowhere/x.wasm can't be read: No such file or directory."


def test_thirdparty_goes_through() -> None:
    done = wg("thirdparty", "fetch", "unknown-source")
    assert done.returncode == 1
    assert "the lock file has no unknown-source" in sentence(done)


def test_make_help_names_the_two_commands() -> None:
    done = subprocess.run(["make", "-s", "-C", ROOT], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "make run " in done.stdout and "make test " in done.stdout
