"""The board's REPL in this terminal: a bridge between the terminal and the board's serial port.

While nobody types and the prompt waits, the bridge can lend the port out for a moment (see `idle`), so that the state
of the widgets can be asked for without the person noticing.
"""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable

from wg.sim.board import BoardError, SimBoard

_PROMPT = b">>> "
_LEAVE = (0x1D, 0x18)  # Ctrl-], Ctrl-X
#: Seconds without a key after which the prompt counts as idle, and between two calls of `idle`.
_IDLE_S = 2.0


def bridge(board: SimBoard, idle: Callable[[], None]) -> None:
    """Connects this terminal to the board until Ctrl-] or Ctrl-X. Without a terminal it goes on after the input's end.

    `idle` is called every few seconds while the prompt is empty; it may use `board.exec`. Raises BoardError if the
    board dies.
    """
    terminal = sys.stdin.fileno()
    is_tty = os.isatty(terminal)
    saved = termios.tcgetattr(terminal) if is_tty else None
    port = os.open(board.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        if is_tty:
            tty.setraw(terminal)
        os.write(port, b"\r")
        _run(board, port, terminal, idle)
    finally:
        os.close(port)
        if saved is not None:
            termios.tcsetattr(terminal, termios.TCSADRAIN, saved)
            print()


def _run(board: SimBoard, port: int, terminal: int, idle: Callable[[], None]) -> None:
    tail = b""  # the last of what the board said
    at_prompt = False  # it waits, and nothing has been typed
    quiet_since = time.monotonic()
    inputs = [port, terminal]
    while True:
        if not board.alive:
            board.exec("")  # raises with the reason
        ready, _, _ = select.select(inputs, [], [], 0.2)
        if port in ready:
            data = os.read(port, 4096)
            os.write(sys.stdout.fileno(), data)
            tail = (tail + data)[-len(_PROMPT) :]
            at_prompt = tail == _PROMPT
        if terminal in ready:
            keys = os.read(terminal, 1024)
            if not keys and not os.isatty(terminal):
                inputs.remove(terminal)
                continue
            if not keys or any(k in _LEAVE for k in keys):
                return
            # a line's end from a pipe or a paste is Enter to the board, as the key is
            _send(port, keys.replace(b"\r\n", b"\r").replace(b"\n", b"\r"))
            at_prompt = False
            tail = b""
            quiet_since = time.monotonic()
        if at_prompt and not ready and time.monotonic() - quiet_since > _IDLE_S:
            quiet_since = time.monotonic()
            _lend(board, idle)


def _send(port: int, keys: bytes) -> None:
    while keys:
        try:
            keys = keys[os.write(port, keys) :]
        except BlockingIOError:
            select.select([], [port], [], 1)


def _lend(board: SimBoard, idle: Callable[[], None]) -> None:
    # Leaving the raw REPL prints a banner and the prompt, which is on the screen already.
    idle()
    try:
        board.read_until(_PROMPT, 2)
    except BoardError:
        if not board.alive:
            raise
