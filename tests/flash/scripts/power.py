# The power cut harness: one process boots the board's flash over and over, thousands of times a minute.
#
# A boot is the board's own: `_boot` mounts the data partition as the root (or formats it), then `start()`, given by
# the caller, opens what it tests and returns it. `every_cut()` makes a change again and again, with the power failing
# in each of its flash operations and each kind of torn operation, and hands what the next boot finds to the caller's
# `look()`. Flash is taken back to where it was after each, by _faults.mark() and rewind().
#
# Everything that is imported from the PC must be imported before `begin()`; /host is the PC's file system afterwards.
import sys

import _faults
import vfs


class Wrong(Exception):
    """A cut that left neither the old nor the new state."""


def begin():
    """From now on the root is the data partition's. The flash is as it was at the start of the process."""
    vfs.umount("/")
    vfs.mount(vfs.VfsPosix("/"), "/host")


def boot(start):
    """Mounts as the board does at power-on; -> what `start()` returns."""
    for name in ("_boot", "flashbdev", "inisetup"):
        sys.modules.pop(name, None)
    __import__("_boot")
    return start()


def off():
    """Takes the power away: all that RAM knew of the file system is gone."""
    try:
        vfs.umount("/")
    except OSError:
        pass


def fails(function, *arguments):
    """Calls; -> whether the power failed meanwhile. What was raised for another reason is raised again."""
    try:
        function(*arguments)
    except Exception:
        if not _faults.is_off():
            raise
    return _faults.is_off()


def operations(start, change):
    """Boots and makes the change in peace; -> (number of flash operations, what `start()` returned)."""
    before = _faults.operations()
    it = boot(start)
    change(it)
    return _faults.operations() - before, it


def every_cut(name, start, change, look, torn=_faults.TORN, again=True, image=None):
    """Cuts the power in every flash operation of a boot with the change after it; -> the number of cuts.

    start() -> what is tested; change(it) changes it; look(it) -> its state, which must be equal to the one before or to
    the one after the change. The flash is as it was when this returns.

    again: after a cut that left the old state, the change must succeed, and a boot in which something was put right is
    cut in each of its operations, too.
    image: called with the number of each cut, before the boot after it.
    """
    _faults.mark()
    old = look(boot(start))
    off()
    _faults.rewind()
    total, it = operations(start, change)
    new = look(it)
    off()
    if look(boot(start)) != new:
        raise Wrong(f"{name}: a restart shows another state")
    off()
    _faults.rewind()
    if total == 0:
        raise Wrong(f"{name}: nothing was written")
    cuts = 0
    seen = [0, 0]
    for how in torn:
        for at in range(1, total + 1):
            where = f"{name}, torn operation {how}, cut {at} of {total}"
            _faults.cut_power_after(at, how, True)
            if not fails(lambda: change(boot(start))):
                raise Wrong(where + ": the power did not fail")
            off()
            _faults.power_on()
            cuts += 1
            if image is not None:
                image(cuts)
            begun = _faults.operations()
            it = boot(start)
            mended = _faults.operations() - begun
            found = look(it)
            if found != old and found != new:
                raise Wrong(f"{where}: found {found}, which is neither {old} nor {new}")
            seen[found == new] += 1
            if again and found != new:
                change(it)
                if look(it) != new:
                    raise Wrong(where + f": the change, made again, shows {look(it)}")
            off()
            if again and mended and how == _faults.HALF:
                cuts += _cuts_of_mending(where, start, change, look, (old, new), at, how, mended)
            _faults.rewind()
    if total > 1 and not (seen[1] and (seen[0] or old == new)):
        raise Wrong(f"{name}: {seen[0]} cuts left the old state and {seen[1]} the new one")
    return cuts


def _cuts_of_mending(where, start, change, look, states, at, how, mended):
    for second in range(1, mended + 1):
        _faults.rewind()
        _faults.cut_power_after(at, how, True)
        fails(lambda: change(boot(start)))
        off()
        _faults.power_on()
        _faults.cut_power_after(second, how, True)
        fails(boot, start)
        off()
        _faults.power_on()
        found = look(boot(start))
        if found not in states:
            raise Wrong(f"{where}, then cut {second} of the next boot: found {found}")
        off()
    return mended
