"""Starts a simulated board and drives it as mpremote drives a board.

    with SimBoard(flash="flash.bin") as board:
        print(board.eval("1 + 1"))
        board.reset()

The serial port is opened for each call only, so that other programs (mpremote, a terminal) can use `board.link` between
the calls.
"""

from __future__ import annotations

import ast
import contextlib
import os
import select
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport
from serial import SerialException

from wg import ROOT
from wg.sim.panel import Frame, Panel

#: Seconds from the start of the process, or a reset, to the prompt.
BOOT_TIMEOUT = 20.0
#: Seconds that a program on the board may be silent.
EXEC_TIMEOUT = 60.0

_PROMPT = b">>> "


class BoardError(Exception):
    """The board raised an exception (its traceback is the message), did not answer, or is dead."""


def program(word_size: int = 64) -> Path:
    """The board's executable; raises BoardError if it is not built."""
    path = ROOT / "build" / ("sim" if word_size == 64 else "sim32") / "wgdisplay"
    if not path.exists():
        raise BoardError(f"{path} is not there: run `make {path.parent.name}`")
    return path


class SimBoard:
    """One simulated board. A context manager: it starts on entry and is gone, as if unplugged, on exit.

    `flash`: the image file, made if it is missing; None: a temporary one. `panel`: True, or a path for its file.
    `heap`: bytes of Python heap, None for the board's own. `link`: where the serial port's symbolic link goes.
    `wait`: return from start() only when the prompt is there. `bare`: the application is not started.
    `faults`: assignments to what boards/sim/modules/_faults.py explains, such as "wifi = 'no_ap'".
    """

    def __init__(
        self,
        flash: Path | str | None = None,
        word_size: int = 64,
        panel: bool | Path | str = True,
        heap: int | None = None,
        link: Path | str | None = None,
        wait: bool = True,
        bare: bool = False,
        faults: str = "",
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="wg-sim-")
        folder = Path(self._folder.name)
        self.program = program(word_size)
        self.flash = Path(flash) if flash is not None else folder / "flash.bin"
        self.link = str(link if link is not None else folder / "port")
        self.panel_path = (
            Path(panel) if isinstance(panel, (str, Path)) else folder / "panel" if panel else None
        )
        self.heap = heap
        self.process: subprocess.Popen[bytes] | None = None
        self._wait = wait
        self._bare = bare
        self._faults = faults
        self._errors = folder / "stderr"
        self._lock = threading.RLock()

    # ---- Power ----

    def start(self) -> None:
        """Powers the board on. Raises BoardError if it does not come up."""
        command = [str(self.program), "--flash", str(self.flash), "--pty", self.link, "--tether"]
        if self.panel_path is not None:
            command += ["--panel", str(self.panel_path)]
        if self.heap is not None:
            command += ["--heap", str(self.heap)]
        if self._bare:
            command.append("--bare")
        if self._faults:
            command += ["--faults", self._faults]
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.link)
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # never written to: the board ends when it is closed
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        end = time.monotonic() + BOOT_TIMEOUT
        while not os.path.islink(self.link):
            self._check_alive()
            if time.monotonic() > end:
                self.kill()
                raise BoardError("the board did not open its serial port")
            time.sleep(0.002)
        if self._wait:
            self.wait_for_prompt(end - time.monotonic())

    def kill(self) -> None:
        """Takes the power away (SIGKILL)."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self.process.stdin is not None:
                self.process.stdin.close()
            self.process = None

    def close(self) -> None:
        """Takes the power away and removes what was temporary."""
        self.kill()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.link)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def errors(self) -> str:
        """What the process wrote to its standard error."""
        return self._errors.read_text(errors="replace") if self._errors.exists() else ""

    def _check_alive(self) -> None:
        if self.process is None:
            raise BoardError("the board is off")
        code = self.process.poll()
        if code is not None:
            reason = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            raise BoardError(f"the board's process {reason}. {self.errors()}".strip())

    # ---- Serial port ----

    def read_until(self, ending: bytes, timeout: float) -> bytes:
        """What arrives on the serial port up to `ending`. Raises BoardError after `timeout` seconds."""
        data = b""
        end = time.monotonic() + timeout
        port = os.open(self.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            while not data.endswith(ending):
                self._check_alive()
                if time.monotonic() > end:
                    raise BoardError(
                        f"the board did not answer within {timeout:.0f} s; it said {data[-500:]!r}"
                    )
                if select.select([port], [], [], 0.1)[0]:
                    with contextlib.suppress(BlockingIOError):
                        data += os.read(port, 1)
        finally:
            os.close(port)
        return data

    def wait_for_prompt(self, timeout: float = BOOT_TIMEOUT) -> str:
        """Waits until the REPL is ready, so that nothing that boots is interrupted; returns what was printed."""
        with self._lock:
            return self.read_until(_PROMPT, timeout).decode(errors="replace")

    @contextlib.contextmanager
    def transport(self) -> Iterator[SerialTransport]:
        """mpremote's transport, in the raw REPL, for the time of the block."""
        with self._lock:
            self._check_alive()
            try:
                transport = SerialTransport(self.link)
                try:
                    transport.enter_raw_repl(soft_reset=False)
                    yield transport
                    if transport.in_raw_repl:
                        transport.exit_raw_repl()
                finally:
                    transport.close()
            except TransportExecError as error:
                with contextlib.suppress(BoardError, SerialException, OSError):
                    self._leave_raw_repl()
                raise BoardError(error.error_output.strip()) from None
            except (TransportError, SerialException, OSError) as error:
                self._check_alive()
                raise BoardError(f"the board does not answer: {error}") from None

    def _leave_raw_repl(self) -> None:
        port = os.open(self.link, os.O_RDWR | os.O_NOCTTY)
        os.write(port, b"\r\x02")
        os.close(port)

    def exec(self, code: str, timeout: float = EXEC_TIMEOUT) -> str:
        """Runs statements; returns what they print. `timeout`: seconds of silence until BoardError."""
        with self.transport() as transport:
            out, error = transport.exec_raw(code, timeout=timeout)
            if error:
                raise TransportExecError(out, error.decode(errors="replace"))
        return bytes(out).decode(errors="replace").replace("\r\n", "\n")

    def eval(self, expression: str, timeout: float = EXEC_TIMEOUT) -> Any:
        """The value of an expression; it must be a Python literal."""
        text = self.exec(f"print(repr({expression}))", timeout)
        return ast.literal_eval(text.strip())

    def reset(self) -> None:
        """machine.reset(): everything but flash starts anew. Returns when the prompt is there."""
        with self._lock:
            with self.transport() as transport:
                transport.exec_raw_no_follow("import machine; machine.reset()")
                transport.in_raw_repl = False
            self.wait_for_prompt()

    def soft_reset(self) -> None:
        """Ctrl-D at the prompt: Python starts anew. Returns when the prompt is there."""
        with self._lock:
            with self.transport() as transport:
                transport.exit_raw_repl()
                transport.read_until(1, _PROMPT)
                transport.serial.write(b"\x04")
                transport.read_until(1, b"soft reboot\r\n")
            self.wait_for_prompt()

    # ---- Display ----

    def frame(self) -> Frame:
        """What the panel shows now."""
        if self.panel_path is None:
            raise BoardError("the board was started without a panel file")
        with Panel(self.panel_path) as panel:
            return panel.read()

    def screenshot(self, path: Path | str) -> Path:
        """Writes what the panel shows as a PNG of 320 x 240 pixels."""
        self.frame().image().save(path, "PNG")
        return Path(path)
