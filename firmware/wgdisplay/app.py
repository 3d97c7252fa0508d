"""The application: wires storage, network, runtime, screen and scheduler together and serves the console's jobs.

It lives in one thread of its own with one asyncio loop; the main thread is the prompt. The prompt posts a `Job` and
waits for it; nothing else crosses between the threads. A part that fails to start is reported in `problems` and the
rest goes on without it.
"""

import asyncio
import gc
import os
import time

import wgtrial
from micropython import const

from . import VERSION, bootguard, crash, quotas
from .installer import Installer
from .log import ERROR, Log, as_text
from .net import connection, http, resolver, trust
from .net.clock import Clock
from .net.gateway import Gateway
from .net.wifi import AP, CONNECTED, CONNECTING, Wifi
from .ota.service import Service
from .scheduler import Scheduler
from .storage import SchemaError, Storage, StorageError
from .store import Store
from .view import View, check_setting

JOB_POLL_MS = const(10)
# After so many new bytes the heap is tidied up. MicroPython alone does it when the heap is full: until then what stays
# is strewn over all of it, and no large block is left however much is free.
COLLECT_BYTES = const(256 * 1024)
PICTURE_MS = const(10_000)  # the screen stands still so long at most while its picture is taken
WIFI_POLL_MS = const(1000)
PROOF_TICKS = const(2)  # of the scheduler, after which a start is sound if each widget has run once ...
PROOF_PATIENCE_TICKS = const(40)  # ... or after so many, if some have not


class AppError(Exception):
    """A job that can't be done, in one sentence."""


class Job:
    """A coroutine of the application on behalf of the prompt. Made and waited for in the main thread."""

    def __init__(self, work, args):
        self.done = False
        self.value = None
        self.error = None  # a sentence
        self.cancelled = False  # set by the main thread; the application ends the work
        self.task = None
        self._work = work
        self._args = args
        self._ask = None  # (function, arguments) for the main thread
        self._answer = None

    # in the main thread

    def serve(self):
        """Does what the application wants done in the main thread, if anything; True if there was something."""
        ask = self._ask
        if ask is None:
            return False
        try:
            self._answer = (ask[0](*ask[1]), None)
        except Exception as error:
            self._answer = (None, error)
        self._ask = None
        return True

    # in the application's loop

    async def here(self, function, *args):
        """Calls a function in the main thread: for files, which may lie behind the prompt's own serial line."""
        self._ask = (function, args)
        while self._ask is not None:
            await asyncio.sleep_ms(2)
        value, error = self._answer
        self._answer = None
        if error is not None:
            raise error
        return value

    async def run(self, log):
        try:
            self.value = await self._work(self, *self._args)
        except asyncio.CancelledError:
            self.error = "abandoned"
        except Exception as error:
            self.error = sentence(error)
            if not _expected(error):
                log.error("app", self.error)
        self.done = True


def _expected(error):
    # The runtime's WidgetError is known by its `kind`: the application runs without the runtime, too.
    return isinstance(error, (AppError, StorageError, SchemaError, OSError, RuntimeError)) or hasattr(
        error, "kind"
    )


def _passes(error):
    # A lack of memory: the next try may find enough.
    return isinstance(error, MemoryError) or getattr(error, "kind", None) in ("memory", "heap")


def sentence(error):
    """What an exception says to a person."""
    text = str(error)
    if _expected(error) and text:
        return text
    if isinstance(error, MemoryError):
        return "the display has too little memory for this"
    return "internal error: {}: {}".format(type(error).__name__, text)


class Host:
    """The four interfaces that the runtime asks for on behalf of widgets."""

    def __init__(self, clock, log, gateway):
        self._log = log
        self.now = clock.now
        self.http = gateway.request

    def random(self):
        return int.from_bytes(os.urandom(8), "little")

    def log(self, name, level, context, message):
        self._log.add(level, name, "{}: {}".format(context, message) if context else message, True)


class App:
    """The application with its parts; a part that is None is absent and what needs it says so.

    storage: Storage, not yet opened. runtime, screen: a callable that makes one, called in the application's thread.
    safe: why this is the safe mode, without widgets; None: it is not.
    board: the module of that name, for its keys and its touch.
    """

    def __init__(
        self,
        storage,
        log,
        clock,
        wifi,
        make_runtime,
        make_screen,
        gateway,
        request=http.request,
        download=http.download,
        safe=None,
        board=None,
    ):
        self.safe = safe
        self.proven = safe is not None  # whether this start has been proved sound
        self.storage = storage
        self.log = log
        self.clock = clock
        self.wifi = wifi
        self.runtime = None
        self.screen = None
        self.problems = []
        self.crashes = crash.Crashes(storage.root)
        self.boot_ms = None  # from the start of the thread to the first picture
        self.failure = None  # why the application is not running, a sentence
        self.ended = False  # its thread has left the loop for good
        self.scheduler = Scheduler(self._run, log, self._tick)
        self._make_runtime = make_runtime if safe is None else None
        self._make_screen = make_screen
        self._gateway = gateway
        self._board = board
        self._jobs = []
        self._active = []
        self._stopping = False
        self._began = time.ticks_ms()
        self._generation = None
        self._broken = {}  # widget: why it can't be loaded
        self._store = Store(storage, log, request)
        self._installer = Installer(storage, self._store, self._engine, download, log)
        self.view = None  # what the screen shows; made with the screen
        self._picturing = False
        self.updates = Service(self, self._local_time)

    # ---- for the main thread ----

    def submit(self, work, *args):
        """Hands a coroutine function `work(job, *args)` to the loop; -> Job."""
        job = Job(work, args)
        self._jobs.append(job)
        return job

    def stop(self):
        """Ends the loop at its next round."""
        self._stopping = True

    # ---- the loop ----

    async def main(self):
        """Runs until `stop()`."""
        asyncio.get_event_loop().set_exception_handler(self._unhandled)
        self._open()
        await self._recover()
        self.updates.begin()
        tasks = [
            asyncio.create_task(work)
            for work in (
                self.scheduler.loop(),
                self._network(),
                self.updates.nightly(),
                self.view.watch(self._board),
            )
        ]
        try:
            while not self._stopping:
                self._start_jobs()
                await asyncio.sleep_ms(JOB_POLL_MS)
        finally:
            self.failure = "the application was stopped; wg.reload() starts it again"
            for task in tasks:
                task.cancel()
            for job in self._active + self._jobs:
                if not job.done:
                    job.error = self.failure
                    job.done = True
                if job.task is not None:
                    job.task.cancel()
            for name in self.storage.names():
                if self.runtime is not None:
                    self.runtime.remove(name)
            await asyncio.sleep_ms(0)

    def _open(self):
        self.screen = self._part("the display", self._make_screen)
        self.view = View(
            self.screen,
            self.storage,
            self.clock,
            self.wifi,
            self.scheduler.items,
            lambda: bool(self.problems or self.storage.problems),
            self.log,
            self.safe,
        )
        self._try("the display", self.view.step, "WG Display " + VERSION)
        self._step("the storage", self.storage.open)
        self._try("looking for crashes", self._look_back)
        self.runtime = self._step("the widget engine", self._make_runtime)
        if self.wifi is not None:
            self.wifi.hostname = self.storage.setting("hostname")
            self._step("WiFi", self.wifi.start)
        self._reload()
        gc.collect()
        gc.threshold(COLLECT_BYTES)

    def _step(self, what, function):
        """A part's start, as a line of the start screen."""
        if function is None:
            return None
        before = len(self.problems)
        value = self._try(what, function)
        failed = len(self.problems) > before
        self._try("the display", self.view.step, self.problems[-1] if failed else what, failed)
        return value

    def note_crash(self, what, trace=""):
        """Makes a record on flash of what went wrong, with the last lines of the log."""
        lines = [as_text(line) for line in self.log.lines(crash.LOG_LINES)]
        self.crashes.add(what, crash.now_of(self.clock), trace, lines or self.log.before)

    def _look_back(self):
        """After the storage is open: a start that the watchdog made, or that failed before, leaves a record."""
        if self.safe == bootguard.TOO_MANY:
            self.note_crash(self.safe)
        elif bootguard.new and crash.watchdog_reset():
            self.crashes.add("the watchdog restarted the board", None, "", self.log.before)

    def _unhandled(self, loop, context):
        # A task of somebody else's making that ended in an exception: to the log, not over the prompt.
        self.log.error("app", sentence(context["exception"]))

    async def _recover(self):
        """Widgets whose entry was lost: asks their files for their names, so that only configurations are lost."""
        if self.runtime is None:
            return
        for file in list(self.storage.orphans):
            data = None
            try:
                data = self.storage.read_orphan(file, self.runtime.buffer)
                metadata = await self.runtime.metadata(data)
            except Exception as error:
                self.log.error("app", "the file {} was not found again: {}".format(file, sentence(error)))
                if not _passes(error):
                    self.storage.give_up(file)
                continue
            finally:
                if data is not None:
                    data.close()
            entry = self._try("finding a widget again", self.storage.adopt, file, metadata)
            if entry is not None:
                self.problems.append("{} was found again; look at its configuration".format(entry["name"]))
        self._reload()

    def _part(self, what, make):
        return self._try(what, make) if make is not None else None

    def _try(self, what, function, *args):
        try:
            return function(*args)
        except Exception as error:
            text = "{} failed: {}".format(what, sentence(error) if str(error) else repr(error))
            if text not in self.problems:
                self.problems.append(text)
                self.log.error("app", text)
            return None

    def _why(self, what):
        if self.safe is not None:
            return "this is the safe mode; wg.reboot() starts as usual"
        for problem in self.problems:
            if problem.startswith(what):
                return problem
        return "there is no {}".format(what)

    def _start_jobs(self):
        for job in self._active:
            if job.cancelled and job.task is not None:
                job.task.cancel()
                job.task = None
        if self._active:
            self._active = [job for job in self._active if not job.done]
        while self._jobs:
            job = self._jobs.pop(0)
            if not job.cancelled:
                job.task = asyncio.create_task(job.run(self.log))
                self._active.append(job)

    async def _network(self):
        """Looks after the WiFi; time and the store's catalogue follow the first connection."""
        seen = -1
        while True:
            try:
                if self.wifi is not None:
                    self.wifi.step()
                generation = self.wifi.generation if self.wifi is not None else 0
                if generation != seen and (self.wifi is None or self.wifi.state == CONNECTED):
                    seen = generation
                    asyncio.create_task(self._connected())
                elif self.clock.due and self._online() and self.storage.setting("ntp"):
                    asyncio.create_task(self._sync())
                connection.tidy()
            except Exception as error:
                self.log.error("wifi", sentence(error))
            await asyncio.sleep_ms(WIFI_POLL_MS)

    def _online(self):
        return self.wifi is None or self.wifi.state == CONNECTED

    async def _connected(self):
        resolver.forget()
        connection.tidy(True)
        self.scheduler.retry()
        await self._sync()
        if self._store.url:
            try:
                await self._store.catalogue()
            except OSError as error:
                self.log.warn("store", str(error))

    async def _sync(self):
        """Asks for the time; where no time server answers, the store's web server has to do."""
        known = self.clock.known
        if (
            not await self.clock.sync(self.storage.setting("ntp"))
            and not self.clock.known
            and self._store.url
        ):
            try:
                self.clock.offer(await self._store.date())
            except OSError as error:
                self.log.warn("clock", str(error))
        if not known and self.clock.known:
            self.scheduler.retry()  # certificates can be checked from now on

    # ---- once a second ----

    def _reload(self):
        if self._generation == self.storage.generation:
            return
        self._generation = self.storage.generation
        self._broken = {}
        self.scheduler.load(self.storage.config["widgets"] if self.safe is None else [])

    def _tick(self):
        self._reload()
        self.updates.tick()
        if not self.proven:
            self._prove()
        if self.screen is None:
            if self.boot_ms is None:
                self.boot_ms = time.ticks_diff(time.ticks_ms(), self._began)
            return
        self.view.draw()
        if self.boot_ms is None:
            self.boot_ms = time.ticks_diff(time.ticks_ms(), self._began)

    def notice(self, title, lines=(), progress=None):
        """Shows a message in place of the widgets, at once and until `notice(None)`; progress 0 to 100 or None.

        To be called in the application's loop. Does nothing on a board without a display.
        """
        self._try("the display", self.view.notice, title, lines, progress)

    def _prove(self):
        """Tells the boot guard, once, that this start went well: all parts are up and the widgets have run."""
        ticks = self.scheduler.ticks
        if ticks < PROOF_TICKS or any(
            problem.startswith(part)
            for problem in self.problems
            for part in ("the display", "the storage", "the widget engine")
        ):
            return
        if ticks >= PROOF_PATIENCE_TICKS or all(entry.runs for entry in self.scheduler.entries):
            self.proven = True
            bootguard.healthy()

    def _local_time(self):
        """(day, hour, minute) where the display is, UTC without a time zone; None: not known yet."""
        if not self.clock.known:
            return None
        seconds = self.clock.now()[0]
        text = self.view.time_text()
        if not text or text == "--:--":
            return seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60
        return seconds // 86400, int(text[:2]), int(text[3:5])

    async def _run(self, name, config):
        if self.runtime is None:
            raise AppError("no widget can run: " + self._why("the widget engine"))
        if not self.runtime.has(name):
            if name in self._broken:
                raise AppError(self._broken[name])
            data = None
            try:
                data = self.storage.read(name, self.runtime.buffer)
                self.runtime.add(name, data)
            except Exception as error:
                if not _passes(error):
                    self._broken[name] = sentence(error)
                raise
            finally:
                if data is not None:
                    data.close()
        limits = quotas.limits(self.storage.widget(name)["limits"])
        return await self.runtime.run(name, config, limits=limits)

    # ---- jobs of the console ----

    async def install(self, job, source, description="", hosts=None, ask=None):
        """Installs from an address, a file or, by name, from the store; -> the new entry. See installer.py."""
        widget = await self._installer.install(job, source, description, hosts, ask)
        self._reload()
        return widget

    async def update(self, job, name=None):
        """Brings one widget, or all, up to date; -> what became of each. See installer.py."""
        rows = await self._installer.update(job, name)
        for row in rows:
            if row["version"] != row["was"] or row["result"].startswith("updated"):
                self._gateway.forget(row["name"])
                self.runtime.remove(row["name"])
        self._reload()
        return rows

    def _engine(self):
        if self.runtime is None:
            raise AppError("nothing can be installed: " + self._why("the widget engine"))
        return self.runtime

    async def remove(self, job, name):
        self.storage.remove(name)
        self._gateway.forget(name)
        if self.runtime is not None:
            self.runtime.remove(name)
        self._reload()
        self.log.info("app", "removed {}".format(name))

    async def configure(self, job, name, text):
        self.storage.configure(name, text)
        self._reload()

    async def run(self, job, name):
        self.storage.widget(name)
        self._reload()
        return await self.scheduler.run_now(name)

    async def limits(self, job, name, values):
        """Changes the quotas in `values`, if any; -> all quotas of the widget, unset ones with their default."""
        if values:
            self.storage.set_limits(name, values)
            self._reload()
        stored = self.storage.widget(name)["limits"]
        return [
            {"name": key, "value": stored.get(key, quotas.default(key)), "set": key in stored, "what": what}
            for key, (_, _, what) in sorted(quotas.RANGES.items())
        ]

    async def hosts(self, job, name, hosts=None):
        """Changes which hosts a widget may reach, if a list is given; -> the list."""
        if hosts is not None:
            self.storage.set_hosts(name, hosts)
            self._reload()
        return self.storage.widget(name)["hosts"]

    async def trust(self, job, data=None, remove=None):
        """Trusts one more root certificate (bytes), or one of the owner's no longer (by its name); -> the owner's."""
        if data is not None:
            self.log.info("app", "https trusts {}".format(trust.add(data)))
        if remove is not None:
            trust.remove(remove)
        connection.tidy(True)
        return [{"name": name, "file": file, "until": until} for name, file, until in trust.listed()]

    async def picture(self, job, write):
        """Hands the screen as PNG to `write(buffer)` in the main thread; the screen stands still meanwhile."""
        if self.screen is None:
            raise AppError("there is no picture: " + self._why("the display"))
        if self._picturing:
            raise AppError("a picture is being taken")
        self._picturing = True
        self.view.stand_still(PICTURE_MS)
        try:
            await job.here(self.screen.write_png, write)
        finally:
            self._picturing = False
            self.view.stand_still(None)

    async def background(self, job, color):
        self.storage.set_background(color)

    async def set(self, job, key, value):
        try:
            check_setting(key, value)
        except ValueError as error:
            raise AppError(str(error))
        self.storage.set(key, value)

    async def add_network(self, job, ssid, password):
        self.storage.add_network(ssid, password)
        if self.wifi is not None:
            self.wifi.start()

    async def forget_network(self, job, ssid):
        self.storage.forget_network(ssid)
        if self.wifi is not None:
            self.wifi.start()

    async def wait_wifi(self, job, ms):
        """Waits until the radio has an outcome; -> the state."""
        end = time.ticks_add(time.ticks_ms(), ms)
        while (
            self.wifi is not None
            and self.wifi.state == CONNECTING
            and time.ticks_diff(end, time.ticks_ms()) > 0
        ):
            await asyncio.sleep_ms(50)
        return self.wifi.state if self.wifi is not None else "absent"

    async def ota(self, job, address, check, downgrade, restart, progress):
        """Updates the firmware, see ota/service.py; `progress(done, size)` is called in the main thread."""

        async def tell(done, size):
            await job.here(progress, done, size)

        if address:
            http.Url(address)  # refuses what is none
        return await self.updates.update(address, check, downgrade, restart, tell if progress else None)

    async def ota_state(self, job):
        return self.updates.trial.state()

    async def entry(self, job, name):
        return self.storage.widget(name)

    async def overview(self, job):
        """What `wg.list()` shows: one plain dict for each widget."""
        found = []
        for widget in self.storage.config["widgets"]:
            entry = self.scheduler.entry(widget["name"])
            found.append(
                {
                    "name": widget["name"],
                    "version": widget["version"],
                    "description": widget["description"],
                    "cycle": widget["update_cycle_seconds"],
                    "size": widget["size"],
                    "url": widget["url"],
                    "limits": widget["limits"],
                    "hosts": widget["hosts"],
                    "runs": entry.runs if entry else 0,
                    "last_ms": entry.last_ms if entry else None,
                    "last_output": entry.last_output if entry else None,
                    "last_error": entry.last_error if entry else None,
                }
            )
        return found

    async def status(self, job):
        wifi = self.wifi
        seconds = self.clock.now()[0]
        gc.collect()
        return {
            "version": VERSION,
            "wifi": wifi.state if wifi else "absent",
            "ssid": (wifi.ap_ssid if wifi.state == AP else wifi.ssid) if wifi else "",
            "address": wifi.address if wifi else "",
            "rssi": wifi.rssi() if wifi else None,
            "wifi_problem": wifi.problem if wifi else "",
            "access_password": wifi.ap_password if wifi and wifi.state == AP else None,
            "time": seconds if self.clock.known else None,
            "time_synced": self.clock.synced,
            "memory_free": gc.mem_free(),
            "flash_free": self.storage.free(),
            "widgets": len(self.storage.config["widgets"]),
            "background": self.storage.config["background_color"],
            "boot_ms": self.boot_ms,
            "late_ms": self.scheduler.late_ms,
            "ota": self.updates.trial.state(),
            "safe_mode": self.safe,
            "problems": self.problems + self.storage.problems,
        }

    async def state(self, job):
        """What tools read: runs and texts of the widgets, and how the board fares."""
        return {
            "widgets": [
                {
                    "name": e.name,
                    "version": e.version,
                    "runs": e.runs,
                    "last_output": e.last_output,
                    "last_error": e.last_error,
                }
                for e in self.scheduler.entries
            ],
            "boot_ms": self.boot_ms,
            "frames": self.screen.frames if self.screen is not None else 0,
        }

    # ---- the store ----

    async def store(self, job, again=False):
        """The catalogue's items, see store.py."""
        return await self._store.catalogue(again)


# ---- the board's own application ----


def build(log=None):
    """The application of this board, with its real parts. log: the one of the application before it, if there was."""
    if log is None:
        log = Log(kept=crash.Kept())
    clock = Clock(log)
    storage = Storage(log=log)

    gateway = Gateway(lambda name: storage.widget(name)["hosts"], log)

    def make_runtime():
        from .runtime import Runtime

        runtime = Runtime(Host(clock, log, gateway))
        gateway.allocate = runtime.buffer
        return runtime

    def make_screen():
        from .display import Screen

        return Screen.from_board()

    try:
        import board
    except ImportError:
        board = None
    wifi = Wifi(storage.networks, log, storage.access_password)
    app = App(
        storage, log, clock, wifi, make_runtime, make_screen, gateway, safe=bootguard.reason, board=board
    )
    if bootguard.problem is not None:
        app.problems.append(bootguard.problem)
    return app


_loops = None  # asyncio's functions that run or replace the loop, before they were guarded


def _own_loop(app):
    """Makes a loop for this thread. asyncio has one for all threads: others get an error while the application runs."""
    global _loops
    import _thread

    core = asyncio.core
    if _loops is None:
        _loops = (core.run_until_complete, asyncio.run, asyncio.new_event_loop)
    complete, run, new = _loops
    owner = _thread.get_ident()

    def mine():
        if not app.ended and _thread.get_ident() != owner:
            raise RuntimeError(
                "asyncio belongs to the display's application: use wg.stop() before and wg.reload() after"
            )

    def guarded_complete(main_task=None):
        mine()
        return complete(main_task)

    def guarded_run(coroutine):
        mine()
        return run(coroutine)

    def guarded_new():
        mine()
        return new()

    core.run_until_complete = guarded_complete
    core.run = asyncio.run = guarded_run
    core.new_event_loop = asyncio.new_event_loop = guarded_new
    new()


# Bytes of stack of the application's thread: TLS, the JSON parser and nested imports need most of it.
_STACK = const(32 * 1024)


def launch(app, crashed=None):
    """Runs an application in a thread of its own. `crashed(app)` is called there, at last, if an exception ended it."""
    import _thread

    def thread():
        failed = False
        try:
            _own_loop(app)
            asyncio.run(app.main())
        except Exception as error:
            failed = True
            app.failure = "the application ended: " + sentence(error)
            app.log.add(ERROR, "app", app.failure)
            wgtrial.failed(app.failure)
            app.note_crash(app.failure, crash.traceback(error))
        app.ended = True
        if failed and crashed is not None:
            crashed(app)

    old = _thread.stack_size(_STACK)
    try:
        _thread.start_new_thread(thread, ())
    finally:
        _thread.stack_size(old)
