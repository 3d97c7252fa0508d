"""Widgets: loading, describing and running them. `Runtime` is all that the rest of the firmware needs.

runtime = Runtime(host)
runtime.add("Time", data)
text = await runtime.run("Time", "{}")
"""

import asyncio

import wasm3

from . import component
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
from .execution import Execution, inline_lock, translate
from .limits import Limits

__all__ = (
    "Runtime",
    "Widget",
    "Limits",
    "WidgetError",
    "MalformedError",
    "InvalidError",
    "UnsupportedError",
    "LinkError",
    "TrapError",
    "QuotaError",
    "HostError",
)


class Widget:
    """A loaded and checked widget, not an instance of it. kind: "component" or "module". Needs no bytes any more."""

    def __init__(self, layout, module, imports):
        self.kind = layout.kind
        self.size = len(layout.main)  # bytes of code, of which the engine has a copy
        layout.main = None  # let the file go
        self.layout = layout
        self.module = module
        self.imports = imports  # the core module's, in its order: (module, field, kind, type)

    def close(self):
        """Frees the engine's copy of the code. Running instances must be gone."""
        self.module.close()


class _Entry:
    def __init__(self, widget):
        self.widget = widget
        self.used = 0  # when it was last added or run, as a count
        self.lock = asyncio.Lock()  # one run of a widget at a time
        self.running = None  # its Execution
        self.removed = False


class Runtime:
    """Carries widgets and runs them, each run in a fresh instance.

    host brings the four interfaces: `async http(method: 0..4, url, body: bytes | None) -> (status, content length or
    None, bytes)`, which raises OSError if there is no answer; `now() -> (seconds since 1970, nanoseconds)`;
    `random() -> u64`; `log(widget name, level 0..3, context, message)`. None of the calls of this class blocks the loop
    if `threads` is true (the default where the engine has threads).
    """

    def __init__(self, host, limits=Limits, threads=None):
        self.host = host
        self.limits = limits
        self.threads = wasm3.THREADS if threads is None else threads and wasm3.THREADS
        self._entries = {}
        self._last = {}  # name: time of its last run, (seconds, nanoseconds)
        self._uses = 0

    def buffer(self, size):
        """Memory for a file, outside the Python heap: a wasm3.buffer, whose `close()` is due. MemoryError.

        Where memory is short, loaded widgets that don't run are forgotten to make room.
        """
        try:
            return wasm3.buffer(size)
        except MemoryError:
            if not self._shed(0):
                raise
        return wasm3.buffer(size)

    # Without a name: before a widget is installed

    def load(self, data):
        """Reads and checks a file (bytes-like). Returns a Widget, or raises one WidgetError that says why not.

        Where memory is short, loaded widgets that don't run are forgotten to make room.
        """
        if len(data) > self.limits.FILE_BYTES:
            raise QuotaError("The file is too long for a widget: %d bytes." % len(data), "size")
        try:
            return self._load(data)
        except (HostError, QuotaError) as error:
            if error.kind != "memory" or not self._shed(0):
                raise
        return self._load(data)

    def _load(self, data):
        module = None
        try:
            layout = component.load(data)
            module = wasm3.Module(layout.main)
            component.link(layout, module.imports, module.exports)
        except (WidgetError, wasm3.Error, MemoryError) as error:
            if module is not None:
                module.close()
            raise error if isinstance(error, WidgetError) else translate(error)
        return Widget(layout, module, module.imports)

    async def metadata(self, data, deadline_ms=None):
        """What a widget says about itself: name, version, schema, cycle (s), and the empty description and config.

        data: a file's bytes, or a Widget.
        """

        async def describe(run):
            return {
                "name": await run.text("get-name", self.limits.NAME_BYTES),
                "version": await run.text("get-version", self.limits.NAME_BYTES),
                "schema": await run.text("get-config-schema", self.limits.SCHEMA_BYTES),
                "cycle": await run.number("get-run-update-cycle-seconds"),
                "description": "",
                "config": "{}",
            }

        return await self._once(data, describe, deadline_ms)

    async def name(self, widget):
        """The export `get-name` of a Widget, a file's bytes or an added widget's name."""
        return await self._once(widget, lambda run: run.text("get-name", self.limits.NAME_BYTES))

    async def version(self, widget):
        return await self._once(widget, lambda run: run.text("get-version", self.limits.NAME_BYTES))

    async def config_schema(self, widget):
        """The JSON schema of the widget's configuration, as text."""
        return await self._once(widget, lambda run: run.text("get-config-schema", self.limits.SCHEMA_BYTES))

    async def run_update_cycle_seconds(self, widget):
        return await self._once(widget, lambda run: run.number("get-run-update-cycle-seconds"))

    # With a name: what is installed

    def add(self, name, data):
        """Loads a widget (bytes-like or Widget) under a name, in place of one that had it.

        The code of all that are loaded is kept within LOADED_BYTES: what was used longest ago is forgotten, so ask
        has() before each run. The time of a widget's last run outlives this.
        """
        widget = data if isinstance(data, Widget) else self.load(data)
        entry = self._entries.get(name)
        if entry is not None and entry.widget is widget:
            return
        self._unload(name)
        entry = self._entries[name] = _Entry(widget)
        self._use_now(entry)
        self._shed(self.limits.LOADED_BYTES, entry)

    def remove(self, name):
        """Forgets a widget and the time of its last run; its run, if there is one, is cancelled."""
        self._last.pop(name, None)
        self._unload(name)

    def _use_now(self, entry):
        self._uses += 1
        entry.used = self._uses

    def _shed(self, size, keep=None):
        # Unloads idle widgets but `keep`, those used longest ago first, until the rest has `size` bytes. True: it did.
        loaded = sum([entry.widget.size for entry in self._entries.values()])
        idle = [(e.used, name) for name, e in self._entries.items() if e is not keep and not e.lock.locked()]
        shed = False
        for _used, name in sorted(idle):
            if loaded <= size:
                break
            loaded -= self._entries[name].widget.size
            self._unload(name)
            shed = True
        return shed

    def _unload(self, name):
        entry = self._entries.pop(name, None)
        if entry is not None:
            entry.removed = True
            if entry.running is not None:
                entry.running.cancel()
            else:
                entry.widget.close()

    def has(self, name):
        return name in self._entries

    def cancel(self, name):
        """Ends the widget's run if there is one: it raises QuotaError "cancelled". True if there was one.

        For the thread of the asyncio loop, like all of this class.
        """
        entry = self._entries.get(name)
        if entry is None or entry.running is None:
            return False
        entry.running.cancel()
        return True

    async def run(self, name, config, deadline_ms=None, limits=None):
        """Runs an added widget with its configuration (JSON text) and returns its text.

        Its context holds the time of its last run, or the time now if it has none. limits: this run's Limits, None for
        the runtime's. Raises a WidgetError.
        """
        entry = self._entry(name)
        async with entry.lock:
            if entry.removed:
                raise self._unknown(name)
            self._use_now(entry)
            now = self.host.now()
            last = self._last.get(name, now)
            self._last[name] = now

            async def use(run):
                return await run.run(last[0], last[1], config)

            try:
                return await self._execute(entry.widget, name, use, deadline_ms, entry, limits)
            finally:
                if entry.removed:
                    entry.widget.close()

    def _entry(self, name):
        entry = self._entries.get(name)
        if entry is None:
            raise self._unknown(name)
        return entry

    def _unknown(self, name):
        return WidgetError("There is no widget %s." % name, "unknown")

    async def _once(self, widget, use, deadline_ms=None):
        if deadline_ms is None:
            deadline_ms = self.limits.DESCRIBE_MS
        if isinstance(widget, str):
            return await self._execute(self._entry(widget).widget, widget, use, deadline_ms)
        if isinstance(widget, Widget):
            return await self._execute(widget, "(new widget)", use, deadline_ms)
        loaded = self.load(widget)
        try:
            return await self._execute(loaded, "(new widget)", use, deadline_ms)
        finally:
            loaded.close()

    async def _execute(self, widget, name, use, deadline_ms, entry=None, limits=None):
        if self.threads:
            return await self._use(widget, name, use, deadline_ms, entry, limits)
        await asyncio.sleep_ms(0)  # the others' turn: an inline run may not wait even once
        async with inline_lock:
            return await self._use(widget, name, use, deadline_ms, entry, limits)

    async def _use(self, widget, name, use, deadline_ms, entry, limits):
        if entry is not None and entry.removed:
            raise self._unknown(name)
        if limits is None:
            limits = self.limits
        limit = limits.DEADLINE_MS if deadline_ms is None else deadline_ms
        run = Execution(widget, name, self.host, limits, limit, self.threads)
        if entry is not None:
            entry.running = run
        try:
            await run.initialize()
            return await use(run)
        except (wasm3.Error, MemoryError) as error:
            raise run.explain(error)
        finally:
            if entry is not None:
                entry.running = None
            run.close()
