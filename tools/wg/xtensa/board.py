"""The Xtensa test board under QEMU, driven like the simulated board: a script, or a serial port.

    wgdisplay [OPTION...] --script FILE [ARG...]    a MicroPython script on standard input and output
    wgdisplay [OPTION...] --pty LINK                a board on a serial port, whose name LINK is

QEMU's own character devices would take the console away from the firmware: this process stands between QEMU's pipes
and the rest of the world. A script sees its own folder, what is frozen, and then the folders of MICROPYPATH.

A script's board tells at its end how deep its stack went. The tests ask for that by WG_XTENSA_RESULTS, a file that gets
a line of JSON, under the name WG_XTENSA_SUITE.
"""

import argparse
import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import tty
from collections.abc import Sequence
from pathlib import Path

from wg import ROOT

FIRMWARE = ROOT / "build" / "xtensa-qemu" / "wgdisplay.elf"

#: QEMU, without any character device: simcalls would write to that. Time is counted in instructions, and a
#: halted CPU waits no real time.
QEMU = (
    "qemu-system-xtensa -M sim -cpu de233_fpu -m 256M -display none -serial none -monitor none "
    "-semihosting -icount shift=0,sleep=off"
).split()

_PIECE = 65536

_SCRIPT = """\
import sys, host
sys.path[:] = [{folder!r}, ".frozen"] + {path!r}
sys.argv[:] = [{script!r}] + {arguments!r}
def _run():
    try:
        with open({script!r}) as file:
            code = compile(file.read(), {script!r}, "exec")
        exec(code, {{"__name__": "__main__", "__file__": {script!r}}})
    except SystemExit as e:
        return e.args[0] if e.args and type(e.args[0]) is int else 0
    except BaseException as e:
        sys.print_exception(e)
        return 1
    return 0
host.exit(_run())
"""

#: What the firmware writes to standard error at its end, before three numbers.
_STACK = b"stack: "


def command(firmware: Path = FIRMWARE, settings: Sequence[str] = ()) -> list[str]:
    """What starts QEMU; settings are `heap=BYTES` of Python's, `slice=MICROSECONDS` of a thread's turn."""
    return [*QEMU, "-append", " ".join(["wgdisplay", *settings]), "-kernel", str(firmware)]


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _tell_stack(errors: bytes) -> None:
    """Takes the stack's depth out of what the board wrote to standard error; the rest is shown."""
    results = os.environ.get("WG_XTENSA_RESULTS")
    for line in errors.splitlines():
        if not line.startswith(_STACK):
            print(line.decode(errors="replace"), file=sys.stderr)
        elif results:
            depths = [int(word) for word in line.removeprefix(_STACK).split()]
            with open(results, "a") as file:
                file.write(
                    json.dumps({"suite": os.environ.get("WG_XTENSA_SUITE", ""), "stack": depths}) + "\n"
                )


def _start(firmware: Path, settings: Sequence[str]) -> subprocess.Popen[bytes]:
    if not firmware.exists():  # QEMU would spin
        sys.exit(f"wg: {firmware} is not there: run `make xtensa`")
    return subprocess.Popen(
        command(firmware, settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,  # Ctrl-C is for us, who pass it on
        preexec_fn=_die_with_parent,
    )


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _copy_input(to: int) -> None:
    got = False
    try:
        while piece := os.read(0, _PIECE):
            _write(to, piece)
            got = True
        # An empty input is none: the board stays open to Ctrl-C.
        if got:
            os.close(to)
    except OSError:
        pass  # the board has ended


def run_script(firmware: Path, settings: Sequence[str], script: Path, arguments: Sequence[str]) -> int:
    """Runs a script with our standard input and output; returns its exit code."""
    script = script.resolve()
    code = _SCRIPT.format(
        folder=str(script.parent),
        path=[folder for folder in os.environ.get("MICROPYPATH", "").split(":") if folder],
        script=str(script),
        arguments=list(arguments),
    )
    board = _start(firmware, settings)
    assert board.stdin and board.stdout
    to, out = board.stdin.fileno(), board.stdout.fileno()
    signal.signal(signal.SIGINT, lambda *_: os.write(to, b"\x03"))
    _write(to, b"\x01" + code.encode() + b"\x04")
    threading.Thread(target=_copy_input, args=(to,), daemon=True).start()
    head = b""
    while b">OK" not in head:
        piece = os.read(out, _PIECE)
        if not piece:
            break
        head += piece
    piece = head.partition(b">OK")[2]
    held = b""  # a carriage return, whose line feed may come with the next piece
    while piece or (piece := os.read(out, _PIECE)):
        piece = held + piece
        held = b"\r" if piece.endswith(b"\r") else b""
        _write(1, piece.removesuffix(b"\r").replace(b"\r\n", b"\n"))
        piece = b""
    assert board.stderr
    _tell_stack(board.stderr.read())
    return board.wait()


def serve_pty(firmware: Path, settings: Sequence[str], link: Path) -> int:
    """A board on a pseudo-terminal until it or we are ended."""
    board = _start(firmware, settings)
    assert board.stdin and board.stdout
    ours, theirs = os.openpty()  # theirs stays open, so that a program that leaves does not hang up
    tty.setraw(theirs)
    link.unlink(missing_ok=True)
    link.symlink_to(os.ttyname(theirs))
    to, out = board.stdin.fileno(), board.stdout.fileno()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with selectors.DefaultSelector() as selector:
        selector.register(ours, selectors.EVENT_READ, to)
        selector.register(out, selectors.EVENT_READ, ours)
        try:
            while board.poll() is None:
                for key, _ in selector.select(timeout=1):
                    piece = os.read(key.fd, _PIECE)
                    if not piece:
                        return board.wait()
                    _write(key.data, piece)
        finally:
            board.kill()
            link.unlink(missing_ok=True)
    return board.returncode


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a board; its exit code is ours."""
    parser = argparse.ArgumentParser(prog="wgdisplay", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--firmware", type=Path, default=FIRMWARE)
    parser.add_argument("--heap", type=int, help="bytes of Python's heap")
    parser.add_argument("--slice", type=int, help="microseconds of a thread's turn")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--pty", type=Path, metavar="LINK")
    how.add_argument("--script", nargs=argparse.REMAINDER, metavar="FILE [ARG...]")
    args = parser.parse_args(arguments)
    given = {"heap": args.heap, "slice": args.slice}
    settings = [f"{name}={value}" for name, value in given.items() if value is not None]
    if args.pty:
        return serve_pty(args.firmware, settings, args.pty)
    if not args.script:
        parser.error("--script needs a file")
    return run_script(args.firmware, settings, Path(args.script[0]), args.script[1:])


if __name__ == "__main__":
    sys.exit(main())
