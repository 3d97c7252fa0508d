"""What happened before the last reset.

Two places: the last warnings and errors of the log are copied to the chip's RTC memory as they come, which outlives
every reset but not the power, and costs no flash. A crash of the application, or a restart by the watchdog, makes a
record on flash, which outlives the power; at most CRASHES are kept and WRITES are made from one start to the next.
"""

import io
import struct
import sys
from binascii import crc32

from micropython import const

from .storage import record

CRASHES = const(5)
WRITES = const(2)
KEPT_BYTES = const(1500)  # of the RTC memory's 2048
LOG_LINES = const(8)  # of the log in a record
TRACE_CHARS = const(1200)

_HEAD = "<4sIH"
_MAGIC = b"WGL1"
_START = "---- start"


class Kept:
    """The lines in RTC memory: `before` are those that were there, `add()` appends one."""

    def __init__(self, rtc=None):
        if rtc is None:
            try:
                from machine import RTC

                rtc = RTC()
            except ImportError:
                rtc = None
        self._rtc = rtc
        self._lines = self._read()
        while self._lines and self._lines[-1] == _START:
            self._lines.pop()
        self.before = [line for line in self._lines if line != _START]
        self._lines.append(_START)

    def _read(self):
        try:
            raw = self._rtc.memory()
            magic, crc, size = struct.unpack_from(_HEAD, raw)
            body = bytes(raw[struct.calcsize(_HEAD) :][:size])
            if magic == _MAGIC and len(body) == size and crc32(body) == crc:
                return body.decode().split("\n")
        except (AttributeError, OSError, ValueError, UnicodeError):
            pass
        return []

    def add(self, line):
        self._lines.append(line.replace("\n", " / "))
        body = "\n".join(self._lines).encode()
        while len(body) > KEPT_BYTES:
            self._lines.pop(0)
            body = "\n".join(self._lines).encode()
        try:
            self._rtc.memory(struct.pack(_HEAD, _MAGIC, crc32(body), len(body)) + body)
        except (AttributeError, OSError, ValueError):
            self._rtc = None


class Crashes:
    """The records in a file of the storage: dicts of `what`, `time` (s since 1970 or None), `trace`, `log`."""

    def __init__(self, root):
        self._record = record.Record(root, "crashes")
        self._writes = 0

    def load(self):
        try:
            found = self._record.load()
        except record.StorageError:
            return []
        if not isinstance(found, list):
            return []
        return [one for one in found if isinstance(one, dict) and isinstance(one.get("what"), str)]

    def add(self, what, seconds, trace, lines):
        if self._writes >= WRITES:
            return
        self._writes += 1
        one = {"what": what, "time": seconds, "trace": trace[-TRACE_CHARS:], "log": lines[-LOG_LINES:]}
        try:
            self._record.save((self.load() + [one])[-CRASHES:])
        except (record.StorageError, OSError):
            pass  # the log in memory has it as well

    def clear(self):
        self._record.clear()


def traceback(error):
    """An exception as the prompt shows it."""
    text = io.StringIO()
    sys.print_exception(error, text)
    return text.getvalue().strip()


def watchdog_reset():
    """Whether the board was restarted by its watchdog."""
    try:
        import machine

        return machine.reset_cause() == machine.WDT_RESET
    except (ImportError, AttributeError):
        return False


def now_of(clock):
    """Seconds since 1970 if the clock knows them."""
    try:
        return clock.now()[0] if clock.known else None
    except (OSError, ValueError, AttributeError):
        return None
