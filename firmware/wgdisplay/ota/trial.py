"""New firmware proves itself, and old firmware finds out what became of an update.

The proof: the display is up and has drawn, the storage is mounted, the widget engine is there, the network was reached
once if one is known, and the application has ticked for a while. Then the slot is marked valid. If the proof is not
there in time the board is reset, and the boot loader starts the old firmware. wgtrial.py covers what never gets here.
"""

import time

import wgtrial
from micropython import const

from .. import VERSION
from . import journal, slots

PROOF_TICKS = const(10)  # seconds, more or less
TRIAL_MS = const(180_000)  # for all of the proof

# What machine.reset_cause() says about the end of a trial of which nothing else is known.
_CAUSES = {
    1: "the power failed before it had proved itself",
    3: "it hung, and the watchdog restarted the board",
}
_CRASHED = "it crashed or restarted before it had proved itself"


class Trial:
    """Of the firmware that runs. `app` is the application; `outcome` what became of the last update, once it is known
    in this start: {version, from, outcome, why}."""

    def __init__(self, app):
        self.outcome = None
        self._app = app
        self._ticks = 0
        self._reached = False  # the network, once
        self._began = time.ticks_ms()
        wgtrial.begin()  # boot.py did, unless somebody interrupted it

    def settle(self):
        """At the start: ends the story of an update that this firmware is not on trial for. -> `outcome`."""
        try:
            trial = journal.load("trial")
            if trial is not None and not wgtrial.on_trial:
                self._settle(trial)
        except (ImportError, OSError):
            pass  # no slots, no updates
        return self.outcome

    def _settle(self, trial):
        slot = trial.get("slot")
        running = slots.running()
        other = slots.other()
        if slots.label(running) == slot:
            # Marked valid, and cut before that was noted.
            self.outcome = journal.end(trial, journal.INSTALLED)
        elif slots.label(other) == slot and slots.record_state(other) in (slots.ABORTED, slots.INVALID):
            self.outcome = journal.end(trial, journal.ROLLED_BACK, journal.load_text("why") or _cause())
        else:
            self.outcome = journal.end(trial, journal.INTERRUPTED, "the power failed while it was started")

    def tick(self):
        """Once a second."""
        wgtrial.feed()
        if not wgtrial.on_trial:
            return
        self._ticks += 1
        missing = self._missing()
        if missing is None:
            self._pass()
        elif time.ticks_diff(time.ticks_ms(), self._began) > TRIAL_MS:
            wgtrial.failed("after {} s {}".format(TRIAL_MS // 1000, missing))

    def _missing(self):
        # What the proof lacks, a few words.
        app = self._app
        if app.screen is None or not app.screen.frames:
            return self._said("the display", "the display shows nothing")
        for problem in app.problems:
            if problem.startswith("the storage"):
                return problem
        if app.runtime is None and not getattr(app, "safe", None):
            return self._said("the widget engine", "there is no widget engine")
        wifi = app.wifi
        if wifi is not None and wifi.state == "connected":
            self._reached = True
        if not self._reached and wifi is not None and app.storage.networks():
            return "the network was not reached"
        if self._ticks < PROOF_TICKS:
            return "it had not run for long enough"
        return None

    def _said(self, part, otherwise):
        for problem in self._app.problems:
            if problem.startswith(part):
                return problem
        return otherwise

    def _pass(self):
        from esp32 import Partition

        Partition.mark_app_valid_cancel_rollback()
        wgtrial.passed()
        trial = journal.load("trial")
        if trial is not None:  # else somebody switched the slots by hand
            self.outcome = journal.end(trial, journal.INSTALLED)
        self._app.log.info("ota", "{} has proved itself".format(VERSION))

    def state(self):
        """How firmware and updates stand, as plain data."""
        found = {
            "version": VERSION,
            "slot": None,
            "state": "unknown",
            "on_trial": wgtrial.on_trial,
            "last": None,
            "trusts": [],
        }
        try:
            from wgrelease import board

            from . import release

            found["board"] = board()
            found["trusts"] = [release.key_id(key) for key in release.trusted_keys()]
            running = slots.running()
            found["slot"] = slots.label(running)
            found["state"] = slots.state_word(running)
            found["last"] = journal.load("last")
        except (ImportError, OSError):
            pass  # a board without slots
        return found


def _cause():
    try:
        import machine

        return _CAUSES.get(machine.reset_cause(), _CRASHED)
    except (ImportError, AttributeError):
        return _CRASHED


def told(outcome):
    """An outcome as (title, lines) for the screen; None for one that needs no words."""
    if outcome is None:
        return None
    version, before = outcome["version"], outcome["from"]
    if outcome["outcome"] == journal.ROLLED_BACK:
        return "Update undone", [
            "Version {} did not work:".format(version),
            outcome["why"] + ".",
            "Version {} goes on.".format(before),
        ]
    if outcome["outcome"] == journal.INTERRUPTED:
        return "Update interrupted", [
            "Version {} was not started:".format(version),
            outcome["why"] + ".",
            "Version {} goes on.".format(before),
        ]
    return None
