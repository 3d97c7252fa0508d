"""One run of a widget: an instance as good as new, its calls in both directions, its quotas, its end.

With threads (`wasm3.THREADS`) the guest is started: what it does in a moment it does here, the rest in a native thread.
It is suspended in each host call, while this coroutine, which waits for the instance's poll ioctl, serves the call.
Inline, the guest runs on this thread and the engine calls back. The host interfaces and the canonical ABI are the same
for both.
"""

import asyncio
import time

import wasm3
from micropython import const

from . import hosts
from .abi import Memory
from .errors import (
    HostError,
    InvalidError,
    LinkError,
    MalformedError,
    QuotaError,
    TrapError,
    UnsupportedError,
    WidgetError,
)
from .utf8 import decode


def translate(error):
    """The runtime's error for one of the engine's, or for a MemoryError."""
    if isinstance(error, MemoryError):
        return HostError("The display has too little memory for this widget.", "memory")
    message = str(error.args[0]) if error.args else "failed"
    kind = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], str) else None
    if isinstance(error, wasm3.QuotaError):
        if kind == "cancelled" or message == "cancelled":
            return QuotaError("The run was cancelled.", "cancelled")
        if kind == "deadline" or message == "deadline":
            return QuotaError("The widget took too long and was stopped.", "deadline")
        if kind == "fuel" or message == "fuel":
            return QuotaError("The widget used up its computing time and was stopped.", "fuel")
        if kind == "memory":
            return HostError("The display has too little memory for this widget.", "memory")
        return QuotaError("The widget used up a quota: %s." % message, kind)
    if isinstance(error, wasm3.TrapError):
        what = message[11:] if message.startswith("wasm trap: ") else message
        return TrapError("The widget crashed: %s." % what, kind, error.args[2])
    if isinstance(error, wasm3.MalformedError):
        return MalformedError("The widget's code is damaged: %s." % message, kind)
    if isinstance(error, wasm3.InvalidError):
        return InvalidError("The widget's code is not valid: %s." % message, kind)
    if isinstance(error, wasm3.UnsupportedError):
        return UnsupportedError("The widget's code needs what the display doesn't have: %s." % message, kind)
    if isinstance(error, wasm3.LinkError):
        return LinkError("The widget doesn't fit the display: %s." % message, kind)
    return HostError("The display couldn't run the widget: %s." % message, kind)


# A widget that asks the host without end gets its share of the loop's time and no more: after so many milliseconds
# without a wait of its own it is left waiting, and the longer the more others are: together they get no more than one.
BURST_MS = const(4)
PAUSE_MS = const(12)
_paused = 0  # runs that are left waiting now


async def _pause():
    global _paused
    _paused += 1
    try:
        await asyncio.sleep_ms(PAUSE_MS * _paused)
    finally:
        _paused -= 1


# So long is waited for the instance alone, in microseconds, before it is waited for with the rest of the loop's
# streams: most calls and pauses between host calls are over by then. Longer would be felt by the others.
_ALONE_US = const(300)


async def _news(instance):
    # Waits until the instance's poll() has something to say (the stream protocol's poll ioctl).
    yield asyncio.core._io_queue.queue_read(instance)


# Held while an inline instance exists: a loop inside a loop can't see that the outer one's task has ended.
inline_lock = asyncio.Lock()


def _drive(coroutine):
    """Runs a coroutine to its end on this stack, other tasks in between: for hosts of inline instances."""
    core = asyncio.core
    current = core.cur_task
    if current is None:
        return asyncio.run(coroutine)
    task = core.create_task(coroutine)
    current.data = (
        task  # to the loop the current task waits for this one: cancelling it cancels the inner task
    )
    try:
        return core.run_until_complete(task)
    finally:
        current.data = None
        core.cur_task = current


def _finish(coroutine):
    """The result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("a host function waited")


def services(layout, imports):
    """For each imported function of a core module, in its order: the coroutine function, and the layout's Import."""
    found = [layout.imports[(module, field)] for module, field, _kind, _type in imports]
    return [(hosts.FUNCTIONS[(i.interface, i.function)], i) for i in found]


def options(limits):
    """What of Limits is an instance's own: it serves a run with the same only."""
    return limits.MEMORY_PAGES, limits.WASM_STACK_BYTES, limits.NATIVE_STACK_BYTES


class Instance:
    """The engine's instance of a widget's core module, for one run after another. `close()` is due.

    options: as made by `options()`. Inline, host calls go to the run that is under way.
    """

    def __init__(self, widget, options, threads):
        self.options = options
        self.serve = None  # of the run that uses it
        pages, stack, native_stack = options
        self.engine = widget.module.instantiate(
            [(module, field, typ) for module, field, _kind, typ in widget.imports],
            host=None if threads else self._host,
            pages=pages,
            stack=stack,
            native_stack=native_stack,
        )
        self.memory = Memory(self.engine)

    def _host(self, index, arguments):
        return self.serve(index, arguments)

    def reset(self):
        """Makes it as good as new. wasm3.Error: it can't be, or something runs in it."""
        self.serve = None
        self.engine.reset()

    def size(self):
        """All bytes that it holds while it is idle: compiled code, tables, stack and linear memory; no thread."""
        return self.engine.heap_used + self.engine.memory_size

    def close(self):
        """Stops and frees it. May be called more than once."""
        self.engine.close()


class Execution:
    """One use of an instance of `widget`, as good as new. It may be used again if all went well, and no more if not.

    name: for the log. host: see Runtime. limits: Limits. deadline_ms: of everything from now on.
    """

    # Of most runs to their ends; an instance's dictionary is to be small.
    _inside = False  # a call into the guest is under way; another one is nested in a host call of it
    _locked = False  # the guest may not call out: it allocates or cleans up
    _starting = False  # the core module's start function runs
    _cancelled = False
    _expired = False
    _waiting = None  # the task that waits outside for this run

    def __init__(self, widget, instance, name, host, limits, deadline_ms, threads):
        self.name = name
        self.host = host
        self.limits = limits
        self._layout = widget.layout
        self._services = widget.services
        self._threads = threads
        self._spent = {}  # quota's name -> what was spent of it
        self._since = now = time.ticks_ms()  # when the run last let the loop wait
        self._ends = time.ticks_add(now, deadline_ms)
        if not threads:
            instance.serve = self._serve_inline
        self._instance = instance.engine
        self.memory = instance.memory
        if limits.FUEL is not None:
            self._instance.fuel(limits.FUEL)

    def explain(self, error):
        """The runtime's error for one of the engine's, or for a lack of memory, in this run."""
        if self._cancelled:
            return QuotaError("The run was cancelled.", "cancelled")
        if type(error) is wasm3.Error and time.ticks_diff(self._ends, time.ticks_ms()) <= 1:
            # The engine ended the run while the host was at work for it, and now refuses the answer.
            return QuotaError("The widget took too long and was stopped.", "deadline")
        return translate(error)

    def cancel(self):
        """Ends the run soon, wherever it is; it raises QuotaError with the kind "cancelled"."""
        self._cancelled = True
        self._instance.cancel()
        if self._waiting is not None:
            self._waiting.cancel()

    # What the host interfaces use

    def spend(self, limit, amount, what):
        """Counts towards the quota `limit` of Limits."""
        spent = self._spent.get(limit, 0) + amount
        self._spent[limit] = spent
        if spent > getattr(self.limits, limit):
            raise QuotaError(
                "The widget used up its %s (%d in one run)." % (what, getattr(self.limits, limit)), limit
            )

    async def lower(self, data, realloc):
        """Copies a string or list<u8> into the guest, in memory that its allocator gives. Returns the pointer.

        The allocator is called for nothing at all as well, and may not call out.
        """
        pointer = await self.call(realloc, (0, 0, 1, len(data)), True)
        self.memory.check(pointer, len(data), 1, "its new memory")
        self.memory.write(pointer, data)
        return pointer

    async def outside(self, coroutine):
        """Awaits what the host does for the guest, within the run's deadline."""
        if self._threads:
            return await self._within_deadline(coroutine)
        return _drive(self._within_deadline(coroutine))

    async def _within_deadline(self, coroutine):
        # Not asyncio.wait_for: cancelled from outside, MicroPython's cancels the waiting task a second time, later.
        task = asyncio.create_task(coroutine)
        timer = asyncio.create_task(self._expire(task))
        self._waiting = task
        if self._cancelled:
            task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            if self._cancelled:
                raise QuotaError("The run was cancelled.", "cancelled")
            if self._expired:
                raise QuotaError("The widget took too long and was stopped.", "deadline")
            raise
        finally:
            self._since = time.ticks_ms()
            self._waiting = None
            timer.cancel()

    async def _expire(self, task):
        await asyncio.sleep_ms(max(time.ticks_diff(self._ends, time.ticks_ms()), 0))
        self._expired = True
        task.cancel()

    # Calls into the guest

    async def initialize(self):
        """The core module's start function, then `_initialize`."""
        if self._instance.has_start:
            self._starting = True
            await self.call(None)
            self._starting = False
        if self._layout.initialize is not None:
            await self.call(self._layout.initialize)

    async def call(self, function, arguments=(), locked=False):
        """Calls a core function of the guest, None: the start function. Returns the core result or None.

        Serves its host calls, but if it is locked: then it may make none.
        """
        instance = self._instance
        was_locked = self._locked
        outermost = not self._inside
        if locked:
            self._locked = True
        try:
            if outermost:
                # The engine's deadline is one call's, ours is the whole run's.
                left = time.ticks_diff(self._ends, time.ticks_ms())
                if left <= 0:
                    raise QuotaError("The widget took too long and was stopped.", "deadline")
                instance.deadline(left)
                self._inside = True
            if not self._threads:
                result = instance.run_start() if function is None else instance.call(function, *arguments)
            else:
                if function is None:
                    instance.run_start()
                else:
                    instance.start(function, *arguments)
                news = instance.poll()
                if news is not None and news[0] == wasm3.DONE:
                    result = news[1]  # over in a moment, as most calls are
                else:
                    result = await self._attend(instance, news)
        except (wasm3.Error, MemoryError) as error:
            raise self.explain(error)
        finally:
            if outermost:
                self._inside = False
        if locked:
            self._locked = was_locked
        return result

    async def _attend(self, instance, news):
        # Serves a call that was started until it is done; news: its first, or None.
        while True:
            if news is None:
                news = instance.poll(_ALONE_US)
            if news is None:
                await _news(instance)
                self._since = time.ticks_ms()
                continue
            if news[0] == wasm3.DONE:
                return news[1]
            answer = await self._serve(news[1], news[2])
            if time.ticks_diff(time.ticks_ms(), self._since) >= BURST_MS:
                await _pause()
                self._since = time.ticks_ms()
            instance.reply(answer)
            news = None

    # Calls from the guest

    def _serve_inline(self, index, arguments):
        return _finish(self._serve(index, arguments))

    async def _serve(self, index, arguments):
        function, found = self._services[index]
        if self._locked:
            raise TrapError("The widget called the display while it was allocating or cleaning up.")
        if self._starting and not found.early:
            raise TrapError("The widget called the display before it was complete.")
        self.spend("HOST_CALLS", 1, "host calls")
        try:
            return await function(self, arguments, found.realloc)
        except (WidgetError, wasm3.Error, MemoryError, asyncio.CancelledError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise HostError("The display failed to serve the widget: %s." % error)

    # The world's exports

    async def text(self, name, limit, *arguments):
        """Calls an export whose result is a string, or a record of one string, and cleans up after it."""
        export = self._layout.exports[name]
        result = await self.call(export.core, arguments)
        pointer, size = self.memory.read_pair(result, "the result of " + name)
        value = self.memory.read_string(pointer, size, limit, "result of " + name)
        await self._post_return(export, result)
        return value

    async def number(self, name):
        """Calls an export whose result is a u32."""
        export = self._layout.exports[name]
        result = await self.call(export.core)
        await self._post_return(export, result)
        return result

    async def run(self, seconds, nanoseconds, config):
        """The export `run`: the widget's text for its configuration (str, JSON)."""
        data = config.encode()
        if len(data) > self.limits.CONFIG_BYTES:
            raise QuotaError("The widget's configuration is too long: %d bytes." % len(data), "size")
        try:
            decode(data)
        except ValueError:
            # MicroPython's strings may hold surrogates; a guest is promised UTF-8.
            raise HostError(
                "The widget's configuration holds characters that don't exist: set it again.", "text"
            )
        pointer = await self.lower(data, self._layout.exports["run"].realloc)
        return await self.text("run", self.limits.RESULT_BYTES, seconds, nanoseconds, pointer, len(data))

    async def _post_return(self, export, result):
        if export.post_return is not None:
            await self.call(export.post_return, (result,), True)
