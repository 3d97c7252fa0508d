"""A board over its serial port: its `wg` commands called from the PC, through mpremote's transport."""

import ast
import base64
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import serial
import serial.tools.list_ports
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from wg import ROOT

#: Seconds without a byte from the board after which a command is given up; runs and downloads take up to 30.
ANSWER_TIMEOUT = 90.0

#: Bytes of a file that are sent in one step.
_CHUNK = 1024

#: Stands before a result, so that what a command prints is not taken for it.
_MARK = "\x1e"

#: What is run on the board for a call. Results are subclasses of dict and list that print themselves well:
#: their data and their text are sent. Names are local, so that nothing is left at the prompt.
_CALL = """\
def _call():
    import json, wg

    def plain(v):
        if isinstance(v, dict):
            return {{k: plain(v[k]) for k in v}}
        if isinstance(v, (list, tuple)):
            return [plain(x) for x in v]
        return v if v is None or isinstance(v, (str, int, float, bool)) else repr(v)

    v = {call}
    print({mark!r} + json.dumps([plain(v), None if type(v) in (dict, list, tuple, str) else str(v)]))

try:
    _call()
finally:
    del _call
"""

#: Sends the screen in pieces of Base64, one a line, so that the board never holds the whole picture.
_SCREENSHOT = f"""\
def _screenshot():
    import wg, binascii

    def send(piece):
        piece = memoryview(piece)
        for i in range(0, len(piece), 384):
            print(binascii.b2a_base64(piece[i : i + 384]).decode(), end="")

    print({_MARK!r})
    wg.screen(send)

try:
    _screenshot()
finally:
    del _screenshot
"""

#: USB vendors of boards and of the serial chips that are on them.
_BOARD_VENDORS = {
    0x303A: "Espressif",
    0x10C4: "CP210x",
    0x1A86: "CH34x",
    0x0403: "FTDI",
    0xF055: "MicroPython",
}


#: Where `make run` has its board's port while it runs.
_SIMULATED = ROOT / "build" / "sim" / "port"


class DeviceError(Exception):
    """One sentence that says what happened and what to do. `code` is the exit code of the command."""

    code = 1


class PortError(DeviceError):
    """There is no board at the port, or it does not answer."""

    code = 3


@dataclass(frozen=True)
class Port:
    """A serial port that may be a board."""

    name: str
    what: str


def find_ports() -> list[Port]:
    """The serial ports of USB devices that can be a board."""
    found = []
    for info in serial.tools.list_ports.comports():
        if info.vid in _BOARD_VENDORS:
            found.append(Port(info.device, info.product or _BOARD_VENDORS[info.vid]))
    if _SIMULATED.exists():
        found.append(Port(str(_SIMULATED), "the simulated board of `make run`"))
    return found


def open_port(port: str) -> Any:
    """The serial line of a port for a terminal. Raises PortError if it is not there or in use."""
    _must_exist(port)
    try:
        if "://" in port:
            return serial.serial_for_url(port, baudrate=115200, timeout=1)
        return serial.Serial(port, 115200, timeout=1, exclusive=True)
    except (serial.SerialException, OSError, ValueError) as error:
        raise _not_opened(port, error) from error


def _must_exist(port: str) -> None:
    if "://" not in port and not os.path.exists(port):
        raise PortError(f"There is no port {port}. `wg devices` lists the boards that are connected.")


def _not_opened(port: str, error: Exception) -> PortError:
    if "://" in port:
        return PortError(f"{port} can't be reached: is the address right, and does its server run? ({error})")
    return PortError(
        f"{port} can't be opened: it is in use by another program, or you may not use it "
        "(on Linux, join the group dialout)."
    )


def choose_port(named: str | None) -> str:
    """The port to use: the one named, else `WG_PORT`, else the only board there is. Raises PortError."""
    named = named or os.environ.get("WG_PORT")
    if named:
        return named
    ports = find_ports()
    if len(ports) == 1:
        return ports[0].name
    if not ports:
        raise PortError("No board was found. Connect one by USB, or name its port with --port or WG_PORT.")
    names = ", ".join(port.name for port in ports)
    raise PortError(f"There are several boards: {names}. Name one with --port or WG_PORT.")


@dataclass(frozen=True)
class Answer:
    """What a command of the board gave: its data, and the text that it prints at the prompt, if it has one."""

    value: Any
    text: str | None


class Device:
    """An open board. Use it in a `with` block; leaving it gives the board's prompt back.

    The board's application goes on while it is open: nothing is reset.
    """

    def __init__(self, port: str) -> None:
        self.port = port
        self._transport = self._open(port)

    @staticmethod
    def _open(port: str) -> SerialTransport:
        _must_exist(port)
        try:
            transport = SerialTransport(port, exclusive=True)
        except (TransportError, serial.SerialException, OSError, ValueError) as error:
            raise _not_opened(port, error) from error
        try:
            transport.enter_raw_repl(soft_reset=False, timeout_overall=5)
        except (TransportError, serial.SerialException, OSError) as error:
            transport.close()
            raise PortError(f"The device at {port} does not answer as a MicroPython board does.") from error
        return transport

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._transport.in_raw_repl:
                self._transport.exit_raw_repl()
        except (serial.SerialException, OSError):
            pass  # The cable was pulled; there is nothing left to give back.
        finally:
            self._transport.close()

    def execute(self, code: str, timeout: float = ANSWER_TIMEOUT) -> str:
        """Runs code on the board, returns what it printed. Raises DeviceError with the board's sentence."""
        try:
            out, err = self._transport.exec_raw(code, timeout=timeout)
        except (TransportError, serial.SerialException, OSError) as error:
            raise PortError(f"The board at {self.port} stopped answering ({error}).") from error
        if err:
            raise DeviceError(_sentence(err.decode(errors="replace")))
        return str(out.decode(errors="replace")).replace("\r\n", "\n")

    def call(self, function: str, *arguments: Any, timeout: float = ANSWER_TIMEOUT, **named: Any) -> Answer:
        """Calls `wg.<function>(*arguments, **named)` on the board; all are values as JSON has them."""
        words = ", ".join(
            [repr(argument) for argument in arguments] + [f"{key}={named[key]!r}" for key in named]
        )
        printed = self.execute(_CALL.format(call=f"wg.{function}({words})", mark=_MARK), timeout)
        _, mark, result = printed.rpartition(_MARK)
        if not mark:
            raise DeviceError(f"The board at {self.port} did not answer wg.{function}() with a value.")
        try:
            value, text = json.loads(result)
        except ValueError as error:
            raise DeviceError(
                f"The board's answer to wg.{function}() can't be read: {result[:80]!r}."
            ) from error
        return Answer(value, text)

    def reboot(self, safe: bool = False) -> None:
        """Restarts the board; with `safe` into the safe mode."""
        self.execute("import wg\nwg.reboot")  # is it ours?
        self._transport.exec_raw_no_follow(f"import wg\nwg.reboot({'safe=True' if safe else ''})")
        self._transport.in_raw_repl = False

    def follow_logs(
        self, show: Callable[[str], None], source: str | None = None, level: str = "debug"
    ) -> None:
        """Hands the log to `show` line by line, and what is added to it, until KeyboardInterrupt (passed on)."""

        line = bytearray()

        def consume(data: bytes) -> None:
            line.extend(data)
            if data.endswith(b"\n"):
                show(line.decode(errors="replace").rstrip("\r\n"))
                line.clear()

        try:
            self._transport.exec_raw_no_follow(
                f"import wg\nwg.logs(source={source!r}, follow=True, level={level!r})"
            )
            # Without a time limit: a quiet board is a good board.
            _, err = self._transport.follow(None, consume)
        except KeyboardInterrupt:
            self._interrupt()
            raise
        except (TransportError, serial.SerialException, OSError) as error:
            raise PortError(f"The board at {self.port} stopped answering ({error}).") from error
        if err:
            raise DeviceError(_sentence(err.decode(errors="replace")))

    def watch(self, code: str, show: Callable[[bytes], None], timeout: float = ANSWER_TIMEOUT) -> None:
        """Runs code on the board and hands on what it prints, byte by byte. Raises DeviceError with its sentence."""
        try:
            self._transport.exec_raw_no_follow(code)
            _, err = self._transport.follow(timeout, show)
        except KeyboardInterrupt:
            self._interrupt()
            raise
        except (TransportError, serial.SerialException, OSError) as error:
            raise PortError(f"The board at {self.port} stopped answering ({error}).") from error
        if err:
            raise DeviceError(_sentence(err.decode(errors="replace")))

    def stop_following(self) -> None:
        """Ends `follow_logs()` of another thread."""
        try:
            self._transport.serial.write(b"\x03")
        except (serial.SerialException, OSError):
            pass

    def _interrupt(self) -> None:
        """Ctrl-C on the board, which is then at the raw prompt again."""
        try:
            self._transport.serial.write(b"\x03")
            self._transport.read_until(1, b"\x04>", timeout=5)
        except (TransportError, serial.SerialException, OSError):
            pass  # leaving the raw prompt does the rest

    def upload(self, data: bytes, path: str, progress: Callable[[int], None]) -> None:
        """Writes a file on the board; `progress` is told the bytes sent so far."""
        try:
            self._transport.fs_writefile(path, data, _CHUNK, lambda written, size: progress(written))
        except TransportExecError as error:
            raise DeviceError(_sentence(error.error_output)) from error
        except (TransportError, serial.SerialException, OSError) as error:
            raise PortError(
                f"The board at {self.port} stopped answering while {path} was sent ({error})."
            ) from error

    def widget_file(self, name: str) -> bytes:
        """The file of an installed widget."""
        path = ast.literal_eval(
            self.execute(f"import wg\nprint(repr(wg._console.file_of({name!r})))").strip()
        )
        try:
            return bytes(self._transport.fs_readfile(path, _CHUNK))
        except TransportExecError as error:
            raise DeviceError(_sentence(error.error_output)) from error
        except (TransportError, serial.SerialException, OSError) as error:
            raise PortError(
                f"The board at {self.port} stopped answering while {path} was read ({error})."
            ) from error

    def delete(self, path: str) -> None:
        """Removes a file on the board."""
        self.execute(f"import os\nos.remove({path!r})")

    def screenshot(self) -> bytes:
        """The screen as the bytes of a PNG file."""
        try:
            _, _, encoded = self.execute(_SCREENSHOT).rpartition(_MARK)
            data = b"".join(base64.b64decode(line) for line in encoded.split())
        except ValueError as error:
            raise DeviceError("The picture of the screen came in damaged: try again.") from error
        if not data.startswith(b"\x89PNG"):
            raise DeviceError("The board did not send a picture: its firmware is too old for screenshots.")
        return data


def _sentence(traceback: str) -> str:
    """What a person needs of the board's traceback: the last line's message."""
    lines = traceback.strip().splitlines()
    last = lines[-1] if lines else "unknown error"
    if re.match(r"ImportError: no module named 'wg'", last):
        return "The board does not run the firmware of WG Display. Write it first: `wg flash --port PORT`."
    missing = re.match(r"AttributeError: .*attribute '(\w+)'", last)
    if missing:
        name = missing.group(1)
        return f"The board's firmware has no command {name}: update it (`wg ota`, or `wg flash` over USB)."
    kind, _, message = last.partition(": ")
    if not message:
        return f"The board ended the command with {kind}."
    try:
        value = ast.literal_eval(message)
        message = value if isinstance(value, str) else message
    except (ValueError, SyntaxError):
        pass
    # The console's own error is a whole sentence; others need their kind to be understood.
    return message if kind == "Error" else f"{kind}: {message}"


def read_file(path: Path) -> bytes:
    """A widget's file on the PC. Raises DeviceError if there is none."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DeviceError(f"{path} can't be read: {error.strerror}.") from error
