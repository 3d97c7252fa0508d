"""Runs each widget when its cycle has passed and keeps its last text. Knows time and no WebAssembly.

Every run is a task of its own, so that a slow or hung widget costs nobody else anything. At most `limit` run at a time,
the longest overdue first, and a run that passes RUN_MS is cancelled and is an error of that widget.

So that slow and hung widgets can't take all places, the last one is for quick runs: one that takes longer than QUICK_MS
there is put off. It is no error; the widget is tried again in another place, at its next turn, and keeps to the others
until it was quick once. Who was quick comes before who never ran.

A widget that fails rests for longer each time: its cycle, twice, four times... up to REST_MS, and for as long as a slow
failure took at least. Chance moves each rest by a quarter, so that many displays don't ask a service that is back all
at once. After a failure its last good text stays, marked as old.
"""

import asyncio
import os
import time

from micropython import const

TICK_MS = const(1000)
RUN_MS = const(35_000)  # a run's last resort, above the runtime's own deadline of 30 s
QUICK_MS = const(1000)  # what takes longer is slow
REST_MS = const(300_000)  # the longest rest after failures, for cycles that are no longer
CONCURRENT = const(4)  # runs at a time; one that is due waits for a place
KEPT_CHARS = const(4096)  # of a text; the screen shows some hundreds
NOTE_CHARS = const(32)  # of what is said about an old text
NOT_RUN = "-"  # the text before the first run


class Entry:
    """A widget as the scheduler sees it; times in milliseconds of the scheduler's own clock, which never wraps."""

    def __init__(self, name, version, config, cycle, due):
        self.name = name
        self.version = version
        self.config = config
        self.cycle_ms = max(1, cycle) * 1000  # a cycle of 0 counts as 1 s
        self.due = due
        self.text = NOT_RUN
        self.error = False  # the text is what went wrong
        self.good_ms = None  # when the text was good, for the present configuration
        self.failures = 0  # in a row
        self.runs = 0  # runs that ended, whatever their end
        self.last_output = None  # text of the last good run
        self.last_error = None  # of the last run, None if it was good
        self.last_ms = None  # how long the last run took
        self.slow = False  # the last run was: it waits for one of the places that are not for quick runs
        self.put_off = False
        self.rest_ms = 0  # after the last run, if that failed
        self.task = None


class Scheduler:
    """`run(name, config)` is a coroutine function that returns a text or raises; `log` takes errors.

    `on_tick()` is called once a second, after due widgets were started; what it raises is logged.
    """

    def __init__(
        self,
        run,
        log,
        on_tick=None,
        limit=CONCURRENT,
        tick_ms=TICK_MS,
        run_ms=RUN_MS,
        quick_ms=QUICK_MS,
        jitter=None,
    ):
        self.entries = []
        self.ticks = 0
        self.late_ms = 0  # the latest that a tick was since this was last set to 0
        self._run = run
        self._log = log
        self._on_tick = on_tick
        self._limit = limit
        self._tick_ms = tick_ms
        self._run_ms = run_ms
        self._quick_ms = quick_ms
        self._jitter = jitter or _jitter
        self._tasks = []
        self._quick = None  # the task in the place for quick runs
        self._now = 0
        self._horizon = 0  # what is due until then belongs to the last tick
        self._last_ticks = time.ticks_ms()
        self._said = None

    def load(self, widgets):
        """Takes over the configuration's entries, in their order. What is unchanged keeps its text and its cycle."""
        self._advance()
        old = {}
        for entry in self.entries:
            old[entry.name] = entry
        self.entries = []
        for widget in widgets:
            name = widget["name"]
            entry = Entry(
                name, widget["version"], widget["json_config"], widget["update_cycle_seconds"], self._now
            )
            before = old.pop(name, None)
            if before is not None and before.version != entry.version:
                old[name] = before
            elif before is not None:
                if before.cycle_ms != entry.cycle_ms:
                    before.cycle_ms = entry.cycle_ms
                    before.due = min(before.due, self._now + entry.cycle_ms)
                if before.config != entry.config:
                    before.config = entry.config
                    before.good_ms = None  # a text of another configuration is no old text of this one
                    before.failures = before.rest_ms = 0
                    before.due = self._now
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
        """[(name, text, error, age_s, note)...] for the screen.

        error: the text is what went wrong, for there was no good one yet. A text is old after a failed run: age_s are
        the seconds since it was good, and note says in a few words why; else they are None and "".
        """
        self._advance()
        return [
            (e.name, e.text, False, (self._now - e.good_ms) // 1000, _few_words(e.last_error))
            if e.last_error is not None and e.good_ms is not None
            else (e.name, e.text, e.error, None, "")
            for e in self.entries
        ]

    def retry(self):
        """What failed is due now, without a rest: after the network has come back, say."""
        self._advance()
        for entry in self.entries:
            if entry.last_error is not None:
                entry.failures = entry.rest_ms = 0
                entry.due = min(entry.due, self._now)

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
        # What is due before the middle of two ticks is due now: a late tick must not cost the next one's run.
        self._horizon = self._now + self._tick_ms // 2
        self._fill()
        if self._on_tick:
            self._on_tick()

    def _advance(self):
        ticks = time.ticks_ms()
        self._now += time.ticks_diff(ticks, self._last_ticks)
        self._last_ticks = ticks

    def _fill(self):
        """Starts what is due while there are places."""
        self._advance()
        until = max(self._now, self._horizon)
        # A task that was cancelled before its first step is done without having said so.
        self._tasks = [task for task in self._tasks if not task.done()]
        while len(self._tasks) < self._limit:
            others = len(self._tasks) - (self._quick in self._tasks)
            only_quick = self._limit > 1 and others >= self._limit - 1
            next_one = first = None
            for entry in self.entries:
                if entry.task is None and until >= entry.due and not (only_quick and entry.slow):
                    # In the last place those that were quick come first: else each that is new costs them QUICK_MS.
                    key = (only_quick and entry.runs == 0, entry.due)
                    if next_one is None or key < first:
                        next_one = entry
                        first = key
            if next_one is None:
                return
            self._start(next_one, only_quick)

    def _start(self, entry, quick=False):
        entry.put_off = False
        late = self._now - entry.due
        if not self._tick_ms // 2 < late <= entry.cycle_ms:
            # Cycles follow the ticks. Only who had to wait for a place keeps to its times, unless it is far behind:
            # then runs are left out, not made up for.
            entry.due = self._now
        entry.due += entry.cycle_ms
        entry.task = asyncio.create_task(self._one(entry, quick))
        self._tasks.append(entry.task)
        if quick:
            self._quick = entry.task

    async def _one(self, entry, quick):
        began = time.ticks_ms()
        limit = min(self._quick_ms, self._run_ms) if quick else self._run_ms
        failed = True
        try:
            text = await asyncio.wait_for_ms(self._run(entry.name, entry.config), limit)
            entry.text = entry.last_output = _kept(text)
            entry.error = failed = False
            entry.last_error = None
            self._advance()
            entry.good_ms = self._now
        except asyncio.TimeoutError:
            if limit < self._run_ms:
                entry.put_off = True
            else:
                self._failed(entry, "no result within {} s".format(limit // 1000))
        except Exception as error:
            self._failed(entry, str(error) or repr(error))
        finally:
            self._ended(entry, time.ticks_diff(time.ticks_ms(), began), failed)

    def _ended(self, entry, ms, failed):
        self._tasks.remove(entry.task)
        entry.task = None
        entry.slow = entry.put_off or ms > self._quick_ms
        self._advance()
        if entry.put_off:
            entry.due = self._now
        else:
            entry.runs += 1
            entry.last_ms = ms
            entry.failures = entry.failures + 1 if failed else 0
            entry.rest_ms = self._rest(entry, ms) if failed else 0
            if entry.rest_ms:
                entry.due = max(entry.due, self._now + self._jitter(entry.rest_ms))
        self._fill()

    def _rest(self, entry, ms):
        longest = max(REST_MS, entry.cycle_ms)
        rest = min(2 * entry.rest_ms or entry.cycle_ms, longest)
        return min(max(rest, ms), longest) if entry.slow else rest

    def _failed(self, entry, text):
        text = _kept(text)
        if text != entry.last_error:
            self._log.error(entry.name, text)
        entry.last_error = text
        if entry.good_ms is None:
            entry.text = text
            entry.error = True

    async def run_now(self, name):
        """Runs a widget now, or waits for the run that is under way; returns its text or raises RuntimeError."""
        entry = self.entry(name)
        while True:
            if entry.task is None:
                self._advance()
                self._start(entry)
            task = entry.task
            while not task.done():
                await asyncio.sleep_ms(10)
            if not entry.put_off:
                break
        if entry.last_error is not None:
            raise RuntimeError(entry.last_error)
        return entry.last_output


def _jitter(ms):
    """Up to a quarter more or less, by chance."""
    return ms * (768 + 2 * os.urandom(1)[0]) // 1024


def _few_words(text):
    text = text.split("\n")[0]
    if len(text) <= NOTE_CHARS:
        return text.rstrip(".")
    cut = text.rfind(" ", 0, NOTE_CHARS - 2)
    return text[: cut if cut > 0 else NOTE_CHARS - 3] + "..."


def _kept(text):
    # Slicing alone would count the characters of each text.
    return text if len(text) <= KEPT_CHARS else text[:KEPT_CHARS] + "..."
