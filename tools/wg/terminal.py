"""The board's prompt in this terminal, over any port that pyserial opens."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import serial

from wg.device import DeviceError, PortError, open_port

_LEAVE = (0x1D, 0x18)  # Ctrl-], Ctrl-X
_PROMPT = b">>> "
#: Seconds for the prompt to come.
_PROMPT_TIMEOUT = 5.0
#: Seconds of silence after which a prompt that was seen is taken for the end of a command.
_QUIET = 0.15


@contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    if not os.isatty(descriptor):
        yield
        return
    import termios
    import tty

    saved = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, saved)


def _read(line: Any) -> bytes:
    return bytes(line.read(max(1, min(4096, line.in_waiting))))


def _to_prompt(line: Any, port: str) -> None:
    """Ends whatever runs and waits for the prompt; the application is not touched."""
    line.write(b"\r\x03\x02")
    said = b""
    end = time.monotonic() + _PROMPT_TIMEOUT
    while not said.endswith(_PROMPT):
        if time.monotonic() > end:
            raise PortError(f"The device at {port} does not answer as a MicroPython board does.")
        said += _read(line)


def run(port: str, command: str | None = None) -> int:
    """Connects this terminal to the board's prompt until Ctrl-] or Ctrl-X; with `command` until that has ended.

    Raises PortError if the board can't be reached or goes away.
    """
    line = open_port(port)
    line.timeout = 0.05
    keys = sys.stdin.fileno()
    done = threading.Event()
    try:
        _to_prompt(line, port)
        if command is None:
            print(
                f"{port}: the board's prompt. Ctrl-] or Ctrl-X leaves; wg.help() lists the commands.",
                flush=True,
            )
            line.write(b"\r")
        else:
            line.write(command.encode() + b"\r")
        with _raw(keys):
            return _bridge(line, keys, command, done)
    except (serial.SerialException, OSError) as error:
        raise PortError(f"The board at {port} went away ({error}).") from error
    finally:
        done.set()
        line.close()
        if os.isatty(keys):
            print()


def _bridge(line: Any, keys: int, command: str | None, done: threading.Event) -> int:
    failed: list[BaseException] = []

    def listen() -> None:
        # The echo of the command is not shown; its end is the prompt followed by silence.
        left_out = len(command) + 2 if command is not None else 0
        tail, since = b"", time.monotonic()
        try:
            while not done.is_set():
                data = _read(line)
                if data:
                    shown = data[left_out:] if left_out else data
                    left_out = max(0, left_out - len(data))
                    tail = (tail + data)[-len(_PROMPT) :]
                    since = time.monotonic()
                    if command is not None and tail == _PROMPT:
                        shown = shown.removesuffix(_PROMPT)
                    os.write(sys.stdout.fileno(), shown)
                elif command is not None and tail == _PROMPT and time.monotonic() - since > _QUIET:
                    done.set()
        except (serial.SerialException, OSError) as error:
            failed.append(error)
            done.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    inputs = [keys]
    while not done.is_set():
        if not select.select(inputs, [], [], 0.05)[0]:
            continue
        typed = os.read(keys, 1024)
        if not typed and not os.isatty(keys):
            inputs = []
            if command is None:
                break
            continue
        if not typed or any(key in _LEAVE for key in typed):
            line.write(b"\x03")  # a command that waits is left, too
            break
        line.write(typed.replace(b"\r\n", b"\r").replace(b"\n", b"\r"))
    if not done.is_set():
        time.sleep(0.2)  # what is on its way is shown
    done.set()
    listener.join(1)
    if failed:
        raise DeviceError(f"The board went away ({failed[0]}).")
    return 0
