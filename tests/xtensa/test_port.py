"""The Xtensa board on a serial port, as a board is: unmodified mpremote, raw REPL, Ctrl-C, several at once."""

from __future__ import annotations

import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from mpremote.transport_serial import SerialTransport

from wg import ROOT
from wg.device import Device, DeviceError

MPREMOTE = ROOT / ".venv" / "bin" / "mpremote"
LIMIT = 60


@contextmanager
def plugged_in(xtensa: Path, link: Path) -> Iterator[str]:
    """A running board; its port."""
    with subprocess.Popen([xtensa, "--pty", link]) as process:
        try:
            until = time.monotonic() + LIMIT
            while not link.exists():
                assert process.poll() is None and time.monotonic() < until
                time.sleep(0.02)
            yield str(link)
        finally:
            process.terminate()
            assert process.wait(LIMIT) == 0
    assert not link.is_symlink()


@pytest.fixture
def port(xtensa: Path, tmp_path: Path) -> Iterator[str]:
    with plugged_in(xtensa, tmp_path / "port") as port:
        yield port


def mpremote(port: str, *words: str | Path) -> str:
    done = subprocess.run(
        [MPREMOTE, "connect", port, *words], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_mpremote_drives_it(port: str, tmp_path: Path) -> None:
    assert "xtensa_qemu" in mpremote(port, "exec", "import sys; print(sys.platform)")
    here, back = tmp_path / "here.bin", tmp_path / "back.bin"
    here.write_bytes(bytes(range(256)) * 40)
    # copied to LittleFS, still there after a soft reset
    mpremote(port, "fs", "cp", here, ":there.bin")
    mpremote(port, "soft-reset", "fs", "cp", ":there.bin", back)
    assert back.read_bytes() == here.read_bytes()
    assert "10240 there.bin" in mpremote(port, "fs", "ls")


def test_scripts_are_run_and_errors_come_back(port: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import wgdisplay\nprint(wgdisplay.VERSION, 6 * 7)\n")
    assert mpremote(port, "run", script).split()[1] == "42"
    with Device(port) as device, pytest.raises(DeviceError, match="ZeroDivisionError"):
        device.execute("1 / 0")


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time; time.sleep(1000000)",
        "import asyncio\nasync def wait(): await asyncio.sleep(100000)\nasyncio.run(wait())",
    ],
)
def test_ctrl_c_ends_what_runs(port: str, code: str) -> None:
    transport = SerialTransport(port)
    try:
        transport.enter_raw_repl(soft_reset=False)
        transport.exec_raw_no_follow("print('begun')\n" + code)
        transport.read_until(1, b"begun\r\n")
        transport.serial.write(b"\x03")
        _, error = transport.follow(LIMIT)
        assert error.rstrip().endswith(b"KeyboardInterrupt:")
        assert transport.exec("print('goes on')") == b"goes on\r\n"
    finally:
        transport.close()


def test_several_run_at_once(xtensa: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        ports = [stack.enter_context(plugged_in(xtensa, tmp_path / f"port{i}")) for i in range(3)]
        devices = [stack.enter_context(Device(port)) for port in ports]
        for i, device in enumerate(devices):
            device.execute(f"mine = {i}")
        assert [device.execute("print(mine)").strip() for device in devices] == ["0", "1", "2"]


ECHO = """
import sys
while line := sys.stdin.readline().strip():
    print(len(line))
"""


def test_input_of_any_size_arrives_at_once(xtensa: Path, tmp_path: Path) -> None:
    """However the board's buffer lies: QEMU reads page by page, and would wait for what is not there yet."""
    script = tmp_path / "echo.py"
    script.write_text(ECHO)
    with subprocess.Popen(
        [xtensa, "--script", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as board:
        assert board.stdin and board.stdout
        try:
            for size in range(1, 1100):
                board.stdin.write("x" * size + "\n")
                assert select.select([board.stdout], [], [], LIMIT)[0], f"no answer to {size} bytes"
                assert board.stdout.readline() == f"{size}\n"
            board.stdin.write("\n")
            assert board.wait(LIMIT) == 0
        finally:
            board.kill()


def test_time_passes_without_work(port: str) -> None:
    """Two minutes of sleep are two minutes on the board's clock, and none for the tests."""
    code = "import time\nbegin = time.ticks_ms()\ntime.sleep(120)\nprint(time.ticks_ms() - begin)"
    began = time.monotonic()
    with Device(port) as device:
        assert 120_000 <= int(device.execute(code)) < 120_100
    assert time.monotonic() - began < 100


def test_what_is_not_built_is_said(xtensa: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """QEMU itself would run on without a program."""
    command = [xtensa, "--firmware", tmp_path / "none.elf", "--pty", tmp_path / "port"]
    assert subprocess.run(command, timeout=LIMIT, check=False).returncode == 1
    assert "run `make xtensa`" in capfd.readouterr().err
