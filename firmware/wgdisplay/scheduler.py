"""Runs each widget when its cycle has passed and keeps its last text. Knows time and no WebAssembly.

Every run is a task of its own, so that a slow or hung widget costs nobody else anything; at most `limit` run at a
time, and a run that passes RUN_MS is cancelled and is an error of that widget.
"""

import asyncio
import time

from micropython import const

TICK_MS = const(1000)
RUN_MS = const(35_000)  # a run's last resort, above the runtime's own deadline of 30 s
CONCURRENT = const(4)  # runs at a time; one that is due waits for a place
NOT_RUN = "-"  # the text before the first run


class Entry:
    """A widget as the scheduler sees it; times in milliseconds of the scheduler's own clock, which never wraps."""

    def __init__(self, name, version, config, cycle):
        self.name = name
        self.version = version
        self.config = config
        self.cycle_ms = max(1, cycle) * 1000  # a cycle of 0 counts as 1 s
        self.text = NOT_RUN
        self.error = False
        self.runs = 0  # runs that ended, whatever their end
        self.last_output = None  # text of the last good run
        self.last_error = None  # of the last run, None if it was good
        self.last_ms = None  # how long the last run took
        self.started = None
        self.task = None


class Scheduler:
    """`run(name, config)` is a coroutine function that returns a text or raises; `log` takes errors.

    `on_tick()` is called once a second, after due widgets were started; what it raises is logged.
    """

    def __init__(self, run, log, on_tick=None, limit=CONCURRENT, tick_ms=TICK_MS, run_ms=RUN_MS):
        self.entries = []
        self.ticks = 0
        self.late_ms = 0  # the latest that a tick ever was
        self._run = run
        self._log = log
        self._on_tick = on_tick
        self._limit = limit
        self._tick_ms = tick_ms
        self._run_ms = run_ms
        self._tasks = []
        self._now = 0
        self._last_ticks = time.ticks_ms()
        self._said = None

    def load(self, widgets):
        """Takes over the configuration's entries, in their order. What is unchanged keeps its text and its cycle."""
        old = {}
        for entry in self.entries:
            old[entry.name] = entry
        self.entries = []
        for widget in widgets:
            name = widget["name"]
            entry = Entry(name, widget["version"], widget["json_config"], widget["update_cycle_seconds"])
            before = old.pop(name, None)
            if before is not None and before.version != entry.version:
                old[name] = before
            elif before is not None:
                before.cycle_ms = entry.cycle_ms
                if before.config != entry.config:
                    before.config = entry.config
                    before.started = None  # due at once
                entry = before
            self.entries.append(entry)
        for entry in old.values():
            if entry.task is not None:
                entry.task.cancel()

    def entry(self, name):
        for entry in self.entries:
            if entry.name == name:
                return entry
        return None

    def items(self):
        """[(name, text, error)...] for the screen."""
        return [(e.name, e.text, e.error) for e in self.entries]

    async def loop(self):
        """Ticks for ever."""
        due = time.ticks_ms()
        while True:
            self.late_ms = max(self.late_ms, time.ticks_diff(time.ticks_ms(), due))
            try:
                self.tick()
            except Exception as error:
                # One bad tick must not be the last; the same complaint is logged once.
                said = "the tick failed: {!r}".format(error)
                if said != self._said:
                    self._said = said
                    self._log.error("scheduler", said)
            due = time.ticks_add(due, self._tick_ms)
            wait = time.ticks_diff(due, time.ticks_ms())
            if wait <= 0:
                due = time.ticks_ms()  # too late: ticks are left out, not made up for
                wait = 0
            await asyncio.sleep_ms(wait)

    def tick(self):
        self.ticks += 1
        self._advance()
        self._tasks = [task for task in self._tasks if not task.done()]
        for entry in self.entries:
            if len(self._tasks) >= self._limit:
                break
            if entry.task is None and (entry.started is None or self._now - entry.started >= entry.cycle_ms):
                self._start(entry)
        if self._on_tick:
            self._on_tick()

    def _advance(self):
        ticks = time.ticks_ms()
        self._now += time.ticks_diff(ticks, self._last_ticks)
        self._last_ticks = ticks

    def _start(self, entry):
        entry.started = self._now
        entry.task = asyncio.create_task(self._one(entry))
        self._tasks.append(entry.task)

    async def _one(self, entry):
        began = time.ticks_ms()
        try:
            text = await asyncio.wait_for_ms(self._run(entry.name, entry.config), self._run_ms)
            entry.text = entry.last_output = text
            entry.error = False
            entry.last_error = None
        except asyncio.TimeoutError:
            self._failed(entry, "no result within {} s".format(self._run_ms // 1000))
        except Exception as error:
            self._failed(entry, str(error) or repr(error))
        finally:
            entry.runs += 1
            entry.last_ms = time.ticks_diff(time.ticks_ms(), began)
            entry.task = None

    def _failed(self, entry, text):
        if text != entry.last_error:
            self._log.error(entry.name, text)
        entry.text = entry.last_error = text
        entry.error = True

    async def run_now(self, name):
        """Runs a widget now, or waits for the run that is under way; returns its text or raises RuntimeError."""
        entry = self.entry(name)
        if entry.task is None:
            self._advance()
            self._start(entry)
        task = entry.task
        while not task.done():
            await asyncio.sleep_ms(10)
        if entry.last_error is not None:
            raise RuntimeError(entry.last_error)
        return entry.text
