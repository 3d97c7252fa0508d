"""Watches over new firmware until it has proved itself. Imported before anything else of the firmware, by boot.py.

After an update the boot loader starts the new firmware once, on trial. If the board is reset before
`Partition.mark_app_valid_cancel_rollback()` was called, whatever the reason, it starts the old one again. So all that
is to do here is to make sure that firmware which does not work is reset: a watchdog that only the application's tick
feeds, a limit of soft resets, and `failed()` for what is known to be wrong. Why is kept in NVS, for the old firmware
to tell (wgdisplay/ota/journal.py). Firmware that is not on trial is left alone.

This module stands by itself: it works if everything else of the new firmware is broken.
"""

import struct

from micropython import const

HANG_MS = const(30_000)  # so long may the application's tick stay away
MAX_STARTS = const(5)  # soft resets within a trial, the first start included
RELAXED_MS = const(7 * 24 * 3600 * 1000)  # the watchdog can't be stopped: what it waits after the trial
_PENDING_VERIFY = const(1)
_OTA_0 = const(0x10)  # subtype of the first app slot

on_trial = False
_begun = False
_dog = None


def begin():
    """Looks whether this firmware is on trial, and starts the watchdog if it is. Only the first whole call does."""
    global on_trial, _begun
    if _begun:
        return
    try:
        on_trial = _is_pending()
        if on_trial:
            _watch(HANG_MS)
            starts = _count()
            if starts > MAX_STARTS:
                failed("it was started {} times without proving itself".format(starts - 1))
    except Exception:  # a board without slots, or without a watchdog: nothing can be on trial
        pass
    _begun = True


def _is_pending():
    from esp32 import Partition

    count = len([p for p in Partition.find(Partition.TYPE_APP) if p.info()[1] >= _OTA_0])
    number = Partition(Partition.RUNNING).info()[1] - _OTA_0
    for partition in Partition.find(Partition.TYPE_DATA, subtype=0):  # otadata
        record = bytearray(32)
        for sector in range(2):
            partition.readblocks(sector, record, 0)
            sequence, state = struct.unpack_from("<I20xI", record)
            if sequence != 0xFFFFFFFF and state == _PENDING_VERIFY and (sequence - 1) % count == number:
                return True
    return False


def _watch(ms):
    global _dog
    from machine import WDT

    _dog = WDT(timeout=ms)


def _nvs():
    from esp32 import NVS

    return NVS("ota")


def _count():
    nvs = _nvs()
    try:
        starts = nvs.get_i32("starts")
    except OSError:
        starts = 0
    nvs.set_i32("starts", starts + 1)
    nvs.commit()
    return starts + 1


def feed():
    """The application ticks."""
    if _dog is not None:
        _dog.feed()


def passed():
    """The firmware has proved itself and was marked valid."""
    global on_trial
    if on_trial:
        on_trial = False
        _watch(RELAXED_MS)


def failed(why):
    """Ends the trial at once, by a reset. `why`: a few words or an exception. Does nothing when not on trial."""
    if not on_trial:
        return
    if isinstance(why, BaseException):
        why = "{}: {}".format(type(why).__name__, why)
    try:
        nvs = _nvs()
        nvs.set_blob("why", why.encode()[:200])
        nvs.commit()
    except Exception:
        pass  # without a reason, then
    from machine import reset

    reset()
