"""The log: two ring buffers of the last lines, in memory: the firmware's, and the widgets', so that a widget that logs
without end pushes out nobody else's lines but other widgets'. The application never prints, it logs.

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

CAPACITY = const(100)  # lines kept of each of the two
MAX_TEXT = const(200)  # characters of a line kept


def as_text(line):
    """A line as it is printed: seconds since the board started, level, source, text."""
    ticks, level, source, text = line[:4]
    return "{:>9}.{:03d} {:5} {}: {}".format(ticks // 1000, ticks % 1000, NAMES[level], source, text)


class Log:
    """Keeps the last `capacity` lines of each ring; adding one never fails and forgets the oldest.

    kept: where the firmware's warnings and errors go as well, with `add(text)` (crash.Kept), or None.
    """

    def __init__(self, capacity=CAPACITY, kept=None):
        self._kept = kept
        self._rings = ([None] * capacity, [None] * capacity)
        self._next = [0, 0]
        self.count = 0  # lines ever added

    def add(self, level, source, text, widget=False):
        if not 0 <= level < len(NAMES):
            level = ERROR
        if len(text) > MAX_TEXT:
            text = text[: MAX_TEXT - 3] + "..."
        ring = self._rings[widget]
        at = self._next[widget]
        ring[at] = (time.ticks_ms(), level, source, text, self.count)
        self._next[widget] = (at + 1) % len(ring)
        self.count += 1
        if self._kept is not None and level >= WARN and not widget:
            self._kept.add(as_text(ring[at]))

    @property
    def before(self):
        """Warnings and errors from before the last reset, as texts."""
        return self._kept.before if self._kept is not None else []

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
        kept = [
            line
            for line in self._rings[0] + self._rings[1]
            if line is not None and line[1] >= level and (source is None or line[2] == source)
        ]
        kept.sort(key=lambda line: line[4])
        found = [line[:4] for line in kept]
        return found if last is None or last >= len(found) else found[len(found) - last :]
