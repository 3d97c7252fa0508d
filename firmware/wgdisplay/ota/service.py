"""Updates as the application offers them: one at a time, shown on the screen, by hand or each night."""

import asyncio
import time

from micropython import const

from .. import VERSION
from ..net import http
from . import install, journal, release
from .release import OtaError
from .trial import Trial, told

RESTART_MS = const(2000)  # from the switch to the restart: for the console to say so
TOLD_MS = const(120_000)  # so long the screen tells what became of an update
NIGHT_HOUR = const(3)  # local time, UTC without a time zone
_MINUTE_MS = const(60_000)


class Service:
    """The application's updates.

    `app` has log, storage, problems and `notice(title, lines, progress=None)`; `local_time()` gives (day, hour,
    minute), or None while the time is not known.
    """

    def __init__(self, app, local_time, request=http.request, download=http.download, restart=None):
        self.trial = Trial(app)
        self.busy = False
        self._app = app
        self._local_time = local_time
        self._request = request
        self._download = download
        self._restart = restart if restart is not None else _reset
        self._told = None  # until when the outcome is on the screen, in ticks
        self._night = None  # the day of the last nightly check

    # ---- at the start, and each second ----

    def begin(self):
        """At the application's start: what became of the last update is told on the screen and in the problems."""
        said = told(self.trial.settle())
        if said is None:
            return
        title, lines = said
        text = "{}: {}".format(title, " ".join(lines))
        self._app.problems.append(text[0].lower() + text[1:].rstrip("."))
        self._app.log.warn("ota", text)
        self._app.notice(title, lines)
        self._told = time.ticks_add(time.ticks_ms(), TOLD_MS)

    def tick(self):
        self.trial.tick()
        if self._told is not None and time.ticks_diff(self._told, time.ticks_ms()) <= 0:
            self._told = None
            if not self.busy:
                self._app.notice(None)

    # ---- by hand ----

    async def update(self, address, check=False, downgrade=False, restart=True, tell=None):
        """Looks for a release and, unless `check`, installs it and restarts the board soon after.

        -> {version, notes, size, running, action}; action is "current", "available" or "installed". `tell(done, size)`
        is an async function, called on the way.
        """
        if self.busy:
            raise OtaError("an update is under way")
        self.busy = True
        try:
            return await self._update(address, check, downgrade, restart, tell)
        finally:
            self.busy = False

    async def _update(self, address, check, downgrade, restart, tell):
        address = address or self._app.storage.setting("ota")
        if not address:
            raise OtaError(
                'say where releases are: wg.ota("https://.../"), or for good wg.set("ota", "https://.../")'
            )
        found, image = await install.look(address, self._request)
        answer = {
            "version": found.version,
            "notes": found.notes,
            "size": found.size,
            "running": VERSION,
            "action": "available",
        }
        if found.version == VERSION:
            answer["action"] = "current"
            return answer
        from wgrelease import board

        release.suits(found, VERSION, board(), downgrade)
        if check:
            return answer
        self._app.log.info("ota", "installing {} in the place of {}".format(found.version, VERSION))
        self._told = None
        progress = _Progress(self._app, found.version, tell)
        try:
            await install.install(found, image, progress.tell, downgrade, self._download)
        except BaseException:
            progress.end()
            self._app.notice(None)
            raise
        progress.end()
        if tell is not None:
            await tell(found.size, found.size)
        self._app.log.info("ota", "{} is installed, on trial from the next start".format(found.version))
        self._app.notice("Update", ["Version {} is installed.".format(found.version), "Restarting."], 100)
        answer["action"] = "installed"
        if restart:
            asyncio.create_task(self._restart_soon())
        return answer

    async def _restart_soon(self):
        await asyncio.sleep_ms(RESTART_MS)
        self._restart()

    # ---- each night ----

    async def nightly(self):
        """Checks once a night, if the setting says so, at a minute of this board's own."""
        while True:
            await asyncio.sleep_ms(_MINUTE_MS)
            now = self._local_time()
            settings = self._app.storage
            if now is None or not settings.setting("ota_nightly") or not settings.setting("ota"):
                continue
            day, hour, minute = now
            if hour != NIGHT_HOUR or minute < _own_minute() or day == self._night:
                continue
            self._night = day
            try:
                await self.check_tonight()
            except Exception as error:
                self._app.log.warn("ota", "the nightly check: {}".format(error))

    async def check_tonight(self):
        """Installs what is new, but not what was rolled back before: that is for a person to decide."""
        found = await self.update(None, check=True)
        last = journal.load("last")
        if found["action"] != "available":
            return
        if last and last.get("version") == found["version"] and last.get("outcome") == journal.ROLLED_BACK:
            self._app.log.warn("ota", "{} is not tried again: it was rolled back".format(found["version"]))
            return
        await self.update(None)


class _Progress:
    # On the screen and to a listener, when another percent is done.

    def __init__(self, app, version, tell):
        self._app = app
        self._version = version
        self._percent = -1
        self._at = (0, 0)
        self._task = asyncio.create_task(self._follow(tell)) if tell is not None else None

    def tell(self, done, size):
        self._at = (done, size)
        percent = done * 100 // size
        if percent != self._percent:
            self._percent = percent
            lines = [
                "Version {} is being downloaded:".format(self._version),
                "{} of {} KB".format(done // 1024, (size + 1023) // 1024),
                "",
                "The display goes on afterwards.",
            ]
            self._app.notice("Update", lines, percent)

    async def _follow(self, tell):
        seen = None
        while True:
            if self._at != seen and self._at[1]:
                seen = self._at
                await tell(*seen)
            await asyncio.sleep_ms(200)

    def end(self):
        if self._task is not None:
            self._task.cancel()


def _own_minute():
    # So that not all boards ask in the same second.
    import machine

    return sum(machine.unique_id()) % 60


def _reset():
    import machine

    try:
        from .. import bootguard

        bootguard.leave()
    except (ImportError, AttributeError):
        pass
    machine.reset()
