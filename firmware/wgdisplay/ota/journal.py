"""What is known of the last update, in NVS: it outlives resets and belongs to both firmwares.

`trial`: {version, from, slot} from just before the slots are switched until the outcome is known. `why`, `starts`: what
the new firmware left (wgtrial). `last`: {version, from, outcome, why} of the last update; outcome is "installed",
"rolled back" or "interrupted".
"""

import json

from micropython import const

_MAX = const(512)  # bytes of a value

INSTALLED = "installed"
ROLLED_BACK = "rolled back"
INTERRUPTED = "interrupted"


def _nvs():
    from esp32 import NVS

    return NVS("ota")


def load(key):
    """A value that was stored, or None."""
    text = load_text(key)
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def load_text(key):
    buffer = bytearray(_MAX)
    try:
        n = _nvs().get_blob(key, buffer)
        return str(memoryview(buffer)[:n], "utf-8")
    except (ImportError, OSError, ValueError):
        return None


def begin(version, running, slot):
    """Before the slots are switched. OSError if it can't be written."""
    nvs = _nvs()
    _drop(nvs, "why")
    _drop(nvs, "starts")
    nvs.set_blob("trial", json.dumps({"version": version, "from": running, "slot": slot}).encode())
    nvs.commit()


def end(trial, outcome, why=""):
    """The outcome of a trial is known."""
    said = {"version": trial.get("version"), "from": trial.get("from"), "outcome": outcome, "why": why[:200]}
    try:
        nvs = _nvs()
        nvs.set_blob("last", json.dumps(said).encode())
        nvs.commit()
        for key in ("trial", "why", "starts"):
            _drop(nvs, key)
        nvs.commit()
    except OSError:
        pass  # it will be told again after the next start
    return said


def _drop(nvs, key):
    try:
        nvs.erase_key(key)
    except OSError:
        pass  # it was not there
