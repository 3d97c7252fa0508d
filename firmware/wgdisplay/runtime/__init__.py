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
from .execution import Execution, Instance, inline_lock, options, services, translate
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
        self.size = module.size  # bytes that the engine holds of it
        layout.main = None  # let the file go
        self.layout = layout
        self.module = module
        self.imports = imports  # the core module's, in its order: (module, field, kind, type)
        self.services = services(layout, imports)
        self.begins = module.has_start or layout.initialize is not None

    def close(self):
        """Frees the engine's copy of the code. An instance has it until it is closed."""
        self.module.close()


class _Entry:
    def __init__(self, widget):
        self.widget = widget
        self.used = 0  # when it was last added or run, as a count
        self.lock = asyncio.Lock()  # one run of a widget at a time
        self.running = None  # its Execution
        self.idle = None  # an Instance, as good as new, that waits for the next run
        self.idle_size = 0  # bytes
        self.removed = False

    def held(self):
        """Bytes."""
        return self.widget.size + self.idle_size

    def drop_idle(self):
        """True: there was one."""
        instance = self.take_idle()
        if instance is None:
            return False
        instance.close()
        return True

    def take_idle(self):
        instance, self.idle = self.idle, None
        self.idle_size = 0
        return instance


class Runtime:
    """Carries widgets and runs them, each run in an instance that is new, or was reset to what it was when it was new.

    host brings the four interfaces: `async http(widget name, method: 0..4, url, body: bytes | None) -> (status, content
    length or None, bytes)`, which raises OSError if there is no answer; `now() -> (seconds since 1970, nanoseconds)`;
    `random() -> u64`; `log(widget name, level 0..3, context, message)`. None of the calls of this class blocks the loop
    for more than a moment if `threads` is true (the default where the engine has threads).
    """

    def __init__(self, host, limits=Limits, threads=None):
        self.host = host
        self.limits = limits
        self.threads = wasm3.THREADS if threads is None else threads and wasm3.THREADS
        self._entries = {}
        self._last = {}  # name: time of its last run, (seconds, nanoseconds)
        self._uses = 0
        self._execute = self._use if self.threads else self._use_inline

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

        What all hold between their runs is kept within KEPT_BYTES: what was used longest ago is forgotten, so ask has()
        before each run. The time of a widget's last run outlives this.
        """
        widget = data if isinstance(data, Widget) else self.load(data)
        entry = self._entries.get(name)
        if entry is not None and entry.widget is widget:
            return
        self._unload(name)
        entry = self._entries[name] = _Entry(widget)
        self._use_now(entry)
        self._shed(self.limits.KEPT_BYTES, entry)

    def remove(self, name):
        """Forgets a widget and the time of its last run; its run, if there is one, is cancelled."""
        self._last.pop(name, None)
        self._unload(name)

    def held(self):
        """Bytes that all added widgets hold now, without the runs that are under way: see KEPT_BYTES."""
        return sum([entry.held() for entry in self._entries.values()])

    def idle(self, name):
        """The Instance that waits for the widget's next run, or None: for tests."""
        return self._entries[name].idle

    def _use_now(self, entry):
        self._uses += 1
        entry.used = self._uses

    def _shed(self, size, keep=None):
        # Drops idle instances, then unloads idle widgets but `keep`, those used longest ago first, until what is left
        # holds `size` bytes. True: it did.
        held = self.held()
        if held <= size:
            return False
        shed = False
        order = sorted([(entry.used, name) for name, entry in self._entries.items()])
        for _used, name in order:
            entry = self._entries[name]
            if held > size and entry.idle is not None:
                held -= entry.idle_size
                shed = entry.drop_idle()
        for _used, name in order:
            entry = self._entries[name]
            if held > size and entry is not keep and not entry.lock.locked():
                held -= entry.held()
                self._unload(name)
                shed = True
        return shed

    def _keep(self, entry, instance):
        # The instance waits for the entry's next run, if that can be and it is not too large.
        if entry.removed or instance.size() > self.limits.KEPT_BYTES:
            return False
        try:
            instance.reset()
        except wasm3.Error:
            return False
        size = instance.size()
        if size > self.limits.KEPT_BYTES // 2:
            return False
        entry.idle = instance
        entry.idle_size = size
        self._shed(self.limits.KEPT_BYTES, entry)
        return True

    def _unload(self, name):
        entry = self._entries.pop(name, None)
        if entry is not None:
            entry.removed = True
            entry.drop_idle()
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
        await entry.lock.acquire()
        try:
            if entry.removed:
                raise self._unknown(name)
            self._use_now(entry)
            now = self.host.now()
            last = self._last.get(name, now)
            self._last[name] = now
            return await self._execute(
                entry.widget, name, lambda run: run.run(last[0], last[1], config), deadline_ms, entry, limits
            )
        finally:
            if entry.removed:
                entry.widget.close()
            entry.lock.release()

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

    async def _use_inline(self, *arguments):
        await asyncio.sleep_ms(0)  # the others' turn: an inline run may not wait even once
        async with inline_lock:
            return await self._use(*arguments)

    async def _use(self, widget, name, use, deadline_ms, entry=None, limits=None):
        if entry is not None and entry.removed:
            raise self._unknown(name)
        if limits is None:
            limits = self.limits
        limit = limits.DEADLINE_MS if deadline_ms is None else deadline_ms
        instance = self._instance(widget, options(limits), entry)
        run = Execution(widget, instance, name, self.host, limits, limit, self.threads)
        if entry is not None:
            entry.running = run
        kept = False
        try:
            if widget.begins:
                await run.initialize()
            result = await use(run)
            kept = entry is not None and self._keep(entry, instance)
            return result
        except (wasm3.Error, MemoryError) as error:
            raise run.explain(error)
        finally:
            if entry is not None:
                entry.running = None
            if not kept:
                instance.close()

    def _instance(self, widget, wanted, entry):
        # One that waits, or a new one, for which others that wait make room where memory is short.
        if entry is not None and entry.idle is not None:
            instance = entry.take_idle()
            if instance.options == wanted:
                return instance
            instance.close()
        try:
            return Instance(widget, wanted, self.threads)
        except (wasm3.Error, MemoryError) as error:
            failure = translate(error)
        if failure.kind != "memory" or not self._shed(0, entry):
            raise failure
        try:
            return Instance(widget, wanted, self.threads)
        except (wasm3.Error, MemoryError) as error:
            raise translate(error)
