"""Decides at each start whether the application runs as usual or in the safe mode: the console, the screen and the
network without any widget, and with nothing of the flash in the place of the firmware's own modules.

The safe mode comes when the button "boot" of the board's settings is held while the board starts, when three starts in
a row did not prove healthy, or when it was asked for. A start is a reset of the chip; soft resets keep what was
decided. The count is in NVS, so that it outlives the power; without NVS nothing is counted and the start is as usual.

The start after a safe mode is a usual one. If it fails again, the one after it is safe again.
"""

import sys

from micropython import const

FAILED_STARTS = const(3)  # so many in a row lead to the safe mode

_NAMESPACE = "wgboot"
_KEY = "failed"
_ASKED = const(1000)  # in place of a count: wg.reboot(safe=True)

# Bits of the number that survives soft resets.
_STARTED = const(1)
_FAILED = const(2)
_HELD = const(4)
_WISH = const(8)

TOO_MANY = "{} starts in a row failed".format(FAILED_STARTS)
_REASONS = {
    _FAILED: TOO_MANY,
    _HELD: 'the button "boot" was held at the start',
    _WISH: "it was asked for",
}

# What the firmware imports when it is needed, and MicroPython would look for on the flash first.
_BUILT_IN = (
    "array asyncio binascii cryptolib deflate errno framebuf gc hashlib heapq io json machine math network os platform "
    "random re select socket ssl struct time tls vfs esp32 _thread"
)

reason = None  # why this is the safe mode, a few words; None: a usual start
problem = None  # what was wrong with the board's settings on the flash, a sentence
new = False  # whether this start is one of the chip, not of Python alone
_begun = False


def begin():
    """Decides, counts this start, and loads the board's settings; -> `reason`. Only the first call does."""
    global reason, new, _begun
    if _begun:
        return reason
    _begun = True
    own_modules_first()
    marks = _marks()
    new = not marks & _STARTED
    if new:
        marks = _STARTED | _count()
        _marks(marks)
    reason = _REASONS.get(marks & (_FAILED | _HELD | _WISH))
    _load_board(reason is None)
    if new and reason is None and _held():
        _marks(_STARTED | _HELD)
        _store(0)
        reason = _REASONS[_HELD]
    return reason


def own_modules_first():
    """Makes the firmware's modules come before files of the same name on the flash, built-in ones too."""
    sys.path[:] = [".frozen"]
    for name in _BUILT_IN.split():
        try:
            sys.modules[name] = __import__(name)  # which MicroPython does not keep for built-in ones
        except ImportError:
            pass  # this board has none
    sys.path.extend(("", "/lib"))


def healthy():
    """The application's proof that this start went well: the count begins anew. Does nothing in the safe mode."""
    if reason is None:
        _store(0)


def leave(safe=False):
    """Before a restart that somebody asked for: the next start is a usual one, or with `safe` the safe mode."""
    _store(_ASKED if safe else 0)


def _count():
    failed = _load()
    if failed == _ASKED:
        _store(0)
        return _WISH
    if failed >= FAILED_STARTS:
        _store(FAILED_STARTS - 1)
        return _FAILED
    _store(failed + 1)
    return 0


def _load_board(from_flash):
    """Imports `board`: the root of the flash may hold one for another board, which must not stop the start."""
    global problem
    problem = None
    if not from_flash or "board" in sys.modules:
        return
    usual = sys.path[:]
    sys.path[:] = ["", ".frozen"]
    try:
        __import__("board")
    except BaseException as error:  # SystemExit, too: it would be a soft reset without end
        sys.modules.pop("board", None)
        problem = "the board's own settings /board.py failed ({}: {}); the firmware's are used".format(
            type(error).__name__, error
        )
    finally:
        sys.path[:] = usual


def _held():
    try:
        from machine import Pin

        import board

        number, level = board.BUTTONS["boot"]
        return Pin(number, Pin.IN, Pin.PULL_UP).value() == level
    except (ImportError, AttributeError, KeyError, TypeError, ValueError):
        return False  # there is no such button


def _marks(value=None):
    try:
        from wgconsole import retained
    except ImportError:
        return _STARTED  # can't tell a soft reset: nothing is counted
    return retained() if value is None else retained(value)


def _nvs():
    from esp32 import NVS

    return NVS(_NAMESPACE)


def _load():
    try:
        return _nvs().get_i32(_KEY)
    except (ImportError, OSError):
        return 0


def _store(count):
    try:
        nvs = _nvs()
        if count or _load():
            nvs.set_i32(_KEY, count)
            nvs.commit()
    except (ImportError, OSError):
        pass  # a start that can't be counted is as good as any
