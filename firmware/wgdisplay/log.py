"""The log: a ring buffer of the last lines, in memory. The application never prints, it logs.

A line is `(ticks_ms, level, source, text)`; `level` is one of DEBUG, INFO, WARN, ERROR (0 to 3, the order of the
widget interface's enum), `source` a widget's name or a part of the firmware. Secrets are never logged.
"""

import time

from micropython import const

DEBUG = const(0)
INFO = const(1)
WARN = const(2)
ERROR = const(3)

NAMES = ("debug", "info", "warn", "error")

CAPACITY = const(200)  # lines kept
MAX_TEXT = const(200)  # characters of a line kept


class Log:
    """Keeps the last `capacity` lines; adding one never fails and forgets the oldest."""

    def __init__(self, capacity=CAPACITY):
        self._lines = [None] * capacity
        self._next = 0
        self.count = 0  # lines ever added

    def add(self, level, source, text):
        if not 0 <= level < len(NAMES):
            level = ERROR
        if len(text) > MAX_TEXT:
            text = text[: MAX_TEXT - 3] + "..."
        self._lines[self._next] = (time.ticks_ms(), level, source, text)
        self._next = (self._next + 1) % len(self._lines)
        self.count += 1

    def debug(self, source, text):
        self.add(DEBUG, source, text)

    def info(self, source, text):
        self.add(INFO, source, text)

    def warn(self, source, text):
        self.add(WARN, source, text)

    def error(self, source, text):
        self.add(ERROR, source, text)

    def lines(self, last=None, source=None, level=DEBUG):
        """The kept lines, oldest first: at most the `last` ones, of one source, of at least one level."""
        ring = self._lines[self._next :] + self._lines[: self._next]
        found = [
            line
            for line in ring
            if line is not None and line[1] >= level and (source is None or line[2] == source)
        ]
        return found if last is None or last >= len(found) else found[len(found) - last :]
