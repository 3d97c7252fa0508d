"""The serial console: mpremote, unmodified, drives the simulated board as it drives a board; resets; Ctrl-C."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wg.sim.board import BoardError, SimBoard

MPREMOTE = [sys.executable, "-m", "mpremote"]


def mpremote(board: SimBoard, *arguments: str, code: int = 0, cwd: Path | None = None) -> str:
    result = subprocess.run(
        [*MPREMOTE, "connect", board.link, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        cwd=cwd,
        check=False,
    )
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout


class Line:
    """The serial line as a person's terminal program has it."""

    def __init__(self, board: SimBoard) -> None:
        self._port = os.open(board.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def send(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._port, data) :]
            except BlockingIOError:
                select.select([], [self._port], [], 1)

    def until(self, ending: bytes, timeout: float = 10) -> bytes:
        data = b""
        end = time.monotonic() + timeout
        while not data.endswith(ending):
            rest = end - time.monotonic()
            assert rest > 0, f"{ending!r} did not come; {data[-300:]!r} did"
            if select.select([self._port], [], [], rest)[0]:
                data += os.read(self._port, 1)
        return data

    def close(self) -> None:
        os.close(self._port)


@pytest.fixture
def line(board: SimBoard) -> Iterator[Line]:
    line = Line(board)
    line.send(b"\r\x03\x02")
    line.until(b"for more information.\r\n>>> ")
    yield line
    line.send(b"\x03")
    line.until(b">>> ")
    line.close()


# ---- mpremote ----


def test_exec(board: SimBoard) -> None:
    assert mpremote(board, "exec", "print(6 * 7)") == "42\n"
    assert mpremote(board, "resume", "exec", "kept = 5") == ""
    assert mpremote(board, "resume", "exec", "print(kept)") == "5\n"


def test_exec_soft_resets_first_unless_told_to_resume(board: SimBoard) -> None:
    mpremote(board, "resume", "exec", "kept = 5")
    assert mpremote(board, "exec", "print('kept' in globals())") == "False\n"


def test_exec_error(board: SimBoard) -> None:
    result = subprocess.run(
        [*MPREMOTE, "connect", board.link, "exec", "1/0"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 1
    assert "ZeroDivisionError" in result.stderr + result.stdout


def test_run(board: SimBoard, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    # Longer than every buffer on the way.
    script.write_text(
        "total = 0\n" + "total += 1  # and a comment that makes it longer\n" * 3000 + "print(total)\n"
    )
    assert mpremote(board, "run", str(script)) == "3000\n"


def test_cp_both_ways(board: SimBoard, tmp_path: Path) -> None:
    data = os.urandom(20_000)
    (tmp_path / "a.bin").write_bytes(data)
    mpremote(board, "cp", str(tmp_path / "a.bin"), ":a.bin")
    assert board.eval("__import__('os').stat('/a.bin')[6]") == len(data)
    mpremote(board, "cp", ":a.bin", str(tmp_path / "b.bin"))
    assert (tmp_path / "b.bin").read_bytes() == data


def test_fs(board: SimBoard) -> None:
    mpremote(board, "fs", "mkdir", ":folder")
    mpremote(board, "exec", "with open('/folder/f', 'w') as f: f.write('text')")
    assert "4 f" in mpremote(board, "fs", "ls", ":folder")
    assert mpremote(board, "fs", "cat", ":folder/f") == "text"
    mpremote(board, "fs", "rm", "-r", ":folder")
    assert not board.eval("'folder' in __import__('os').listdir('/')")


def test_mount(board: SimBoard, tmp_path: Path) -> None:
    (tmp_path / "from_pc.py").write_text("value = 'over the line'\n")
    (tmp_path / "data.bin").write_bytes(bytes(range(256)) * 20)
    code = """
import from_pc
print(from_pc.value)
with open("data.bin", "rb") as f: print(f.read() == bytes(range(256)) * 20)
with open("written.txt", "w") as f: f.write("by the board")
"""
    assert "over the line\nTrue\n" in mpremote(board, "mount", str(tmp_path), "exec", code)
    assert (tmp_path / "written.txt").read_text() == "by the board"


def test_reset_and_soft_reset(board: SimBoard) -> None:
    mpremote(board, "soft-reset")
    mpremote(board, "resume", "exec", "kept = 1")
    mpremote(board, "reset")
    board.wait_for_prompt()
    assert mpremote(board, "resume", "exec", "print('kept' in globals())") == "False\n"


def test_the_application_goes_on_meanwhile(board: SimBoard) -> None:
    board.exec(
        """
import _thread, asyncio
ticks = [0]
async def tick():
    while True:
        ticks[0] += 1
        await asyncio.sleep_ms(5)
_thread.start_new_thread(asyncio.run, (tick(),))
"""
    )
    before = board.eval("ticks[0]")
    for _ in range(5):
        mpremote(board, "resume", "exec", "x = 1")
    assert board.eval("ticks[0]") > before + 50


# ---- Resets ----


def test_files_survive_reset_soft_reset_and_kill(tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    with SimBoard(flash=flash) as board:
        board.exec("with open('/kept', 'w') as f: f.write('1')")
        for event in (board.reset, board.soft_reset):
            event()
            assert board.exec("print(open('/kept').read())") == "1\n"
        board.exec("with open('/kept', 'w') as f: f.write('2')")
        board.kill()
        board.start()
        assert board.exec("print(open('/kept').read())") == "2\n"


def test_fifty_soft_resets_leave_nothing_behind(board: SimBoard) -> None:
    def resources() -> tuple[int, int]:
        pid = board.process.pid if board.process else 0
        return len(os.listdir(f"/proc/{pid}/task")), len(os.listdir(f"/proc/{pid}/fd"))

    start = """
import _thread, time, asyncio, socket
def busy():
    while True: pass
def asleep(): time.sleep(1000)
def waiting():
    lock = _thread.allocate_lock(); lock.acquire(); lock.acquire()
async def long(): await asyncio.sleep(1000)
def polling(): asyncio.run(long())
def receiving():
    s = socket.socket(); s.bind(socket.getaddrinfo("127.0.0.1", 0)[0][-1]); s.listen(1); s.accept()
for f in (busy, asleep, waiting, polling, receiving): _thread.start_new_thread(f, ())
"""
    board.soft_reset()
    before = resources()
    free = board.eval("(__import__('gc').collect(), __import__('gc').mem_free())[1]")
    for _ in range(50):
        board.exec(start)
        board.soft_reset()
    assert board.errors() == ""
    assert resources() == before
    assert abs(board.eval("(__import__('gc').collect(), __import__('gc').mem_free())[1]") - free) < 20_000


def test_reset_gives_the_memory_of_a_new_board(board: SimBoard) -> None:
    pid = board.process.pid if board.process else 0
    board.reset()
    assert board.process is not None
    assert board.process.pid == pid
    assert board.alive
    assert len(os.listdir(f"/proc/{pid}/fd")) < 20


def test_reset_causes(tmp_path: Path) -> None:
    with SimBoard() as board:
        cause = "__import__('machine').reset_cause()"
        assert board.eval(cause) == 1  # PWRON_RESET
        board.reset()
        assert board.eval(cause) == 5  # SOFT_RESET, as the ESP32 says after machine.reset()
        board.exec("import machine; machine.WDT(timeout=300)")
        time.sleep(0.8)
        assert board.eval(cause) == 3  # WDT_RESET


def test_a_fed_watchdog_does_not_bite(board: SimBoard) -> None:
    board.exec(
        """
import machine, time
survived = True
w = machine.WDT(timeout=300)
for _ in range(8): time.sleep_ms(100); w.feed()
"""
    )
    board.soft_reset()  # switches it off
    time.sleep(0.5)
    assert board.alive


# ---- Ctrl-C ----


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time; time.sleep(100)",
        "import time; time.sleep_ms(100000)",
        "import asyncio; asyncio.run(asyncio.Event().wait())",
        "import sys; sys.stdin.read(1)",
        "import select, sys; p = select.poll(); p.register(sys.stdin, 1); p.poll(100000)",
        "input()",
        "import socket as o; s = o.socket(); s.bind(o.getaddrinfo('127.0.0.1', 0)[0][-1]); s.listen(1); s.accept()",
    ],
)
def test_ctrl_c(line: Line, code: str) -> None:
    line.send(code.encode() + (b"\r\r\r" if code.startswith("while") else b"\r"))
    line.until(b"\n")
    time.sleep(0.1)
    begin = time.monotonic()
    line.send(b"\x03")
    said = line.until(b">>> ", 5)
    if "input" not in code:  # at which Ctrl-C is a key
        assert b"KeyboardInterrupt" in said
    assert time.monotonic() - begin < 1.0


def test_ctrl_c_is_heard_in_the_main_thread_only(board: SimBoard, line: Line) -> None:
    line.send(b"import _thread, time\rheard = []\r")
    line.send(b"\x05")  # paste mode
    line.send(b"def work():\n    try:\n        while True: time.sleep_ms(1)\n")
    line.send(b"    except KeyboardInterrupt:\n        heard.append(1)\n\x04")
    line.send(b"_thread.start_new_thread(work, ())\rprint('be', 'gun')\r")
    line.until(b"be gun\r\n>>> ")
    for _ in range(20):
        line.send(b"time.sleep(10)\r")
        line.until(b"\n")
        time.sleep(0.01)
        line.send(b"\x03")
        line.until(b">>> ")
    line.send(b"print('heard', heard)\r")
    assert b"heard []" in line.until(b"]\r\n>>> ")


def test_random_keys_never_kill_the_board(board: SimBoard) -> None:
    import random

    keys = random.Random(7)
    typed = [
        b"\x03",
        b"\r\x03",
        b"\r\x01",
        b"\x02",
        b"1+1\r",
        b"x=1\x04",
        b"\x05A\x01",
        b"\x03\x03",
        b"\x00\xff",
    ]
    line = Line(board)
    for _ in range(500):
        line.send(keys.choice(typed))
        time.sleep(keys.random() * 0.002)
        while select.select([line._port], [], [], 0)[0]:
            os.read(line._port, 4096)
    # What was typed has been read before another comes: no tool can tell an old answer from its own.
    while select.select([line._port], [], [], 1)[0]:
        os.read(line._port, 4096)
    line.close()
    assert board.eval("1 + 1") == 2


# ---- Output ----


def test_output_is_whole_however_long(board: SimBoard) -> None:
    text = board.exec("for i in range(20000): print(i)")
    assert text == "".join(f"{i}\n" for i in range(20000))


def test_a_line_that_nobody_reads_does_not_stop_the_board(board: SimBoard) -> None:
    # It talks when the raw REPL is left, and to nobody.
    board.exec(
        """
import _thread, time
said = 0
def talk():
    global said
    time.sleep(0.3)
    for i in range(3000):
        print("x" * 100)
        said += 1
_thread.start_new_thread(talk, ())
"""
    )
    time.sleep(2.5)  # the first second of a full line is waited for, the rest is lost
    end = time.monotonic() + 20
    while True:
        try:
            if board.eval("said") == 3000:
                break
        except (BoardError, SyntaxError, ValueError):
            pass  # it still talks
        assert time.monotonic() < end
        time.sleep(0.5)


# ---- A board that dies ----


def test_a_dead_board_is_said(tmp_path: Path) -> None:
    with SimBoard() as board:
        board.exec("import _faults; _faults.cut_power_after(1)")
        with pytest.raises(BoardError, match="exit code 86"):
            board.exec("with open('/x', 'w') as f: f.write('x')", timeout=5)
        assert not board.alive


def test_the_board_ends_with_its_owner(wgdisplay: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [wgdisplay, "--flash", tmp_path / "f", "--pty", tmp_path / "p", "--tether"], stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    time.sleep(0.2)
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(5) == 0


def test_a_file_is_not_replaced_by_the_port(wgdisplay: Path, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    command = [wgdisplay, "--flash", tmp_path / "f", "--pty", tmp_path / "letter", "--tether"]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)
    assert result.returncode == 1
    assert b"File exists" in result.stderr
    assert (tmp_path / "letter").read_text() == "dear"


# ---- The ESP32's word size, WiFi ----


def test_a_32_bit_board(wgdisplay32: Path, tmp_path: Path) -> None:
    with SimBoard(flash=tmp_path / "flash.bin", word_size=32) as board:
        assert board.eval("__import__('sys').maxsize") == 2**31 - 1
        board.exec("with open('/kept', 'w') as f: f.write('1')")
        board.soft_reset()
        board.reset()
        assert board.exec("print(open('/kept').read())") == "1\n"
        assert mpremote(board, "exec", "print(6 * 7)") == "42\n"
    # The same flash in the other board.
    with SimBoard(flash=tmp_path / "flash.bin", bare=True) as board:
        assert board.exec("print(open('/kept').read())") == "1\n"


JOIN = """
import network, time
w = network.WLAN(network.STA_IF); w.active(True); w.connect("any", "password")
t = time.ticks_ms()
while w.status() == network.STAT_CONNECTING and time.ticks_diff(time.ticks_ms(), t) < 600: time.sleep_ms(5)
took = time.ticks_diff(time.ticks_ms(), t)
"""


def test_wifi_connects_after_a_while(board: SimBoard) -> None:
    board.exec(JOIN)
    assert board.eval("(w.isconnected(), 250 < took < 600)") == (True, True)
    address, netmask, gateway, _ = board.eval("w.ifconfig()")
    assert address.count(".") == 3 and address != "0.0.0.0"
    board.exec("w.disconnect()")
    assert board.eval("(w.isconnected(), w.ifconfig()[0])") == (False, "0.0.0.0")


@pytest.mark.parametrize(
    ("fault", "status"),
    [("no_ap", 201), ("wrong_password", 202), ("refuse", 203), ("no_address", 1001), ("drop", 200)],
)
def test_wifi_faults(board: SimBoard, fault: str, status: int) -> None:
    board.exec(f"import _faults; _faults.wifi = {fault!r}\n{JOIN}")
    assert board.eval("(w.status(), w.isconnected())") == (status, False)
    board.exec("_faults.wifi = None")


def test_faults_from_the_start(tmp_path: Path) -> None:
    with SimBoard(
        flash=tmp_path / "flash.bin", bare=True, faults="wifi = 'no_ap'; wifi_delay_ms = 0"
    ) as board:
        for restart in (board.soft_reset, board.reset):
            restart()
            board.exec(JOIN)
            assert board.eval("(w.status(), w.scan())") == (201, [])
