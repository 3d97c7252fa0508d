# Cuts the power at every block operation of every change of the storage, in three ways, and looks at what a boot finds.
# Prints {scenario: number of cuts}; any state that is neither the old nor the new one is an AssertionError.
import json
import os

import vfs

from wgdisplay.storage import Storage

BLOCK = 4096
COUNT = 40
EIO = 5


class Flash:
    """RAM that behaves as NOR flash and loses power at operation `cut`: before, in the middle of, or after it."""

    def __init__(self, data=None):
        self.data = bytearray(data) if data else bytearray(b"\xff" * (BLOCK * COUNT))
        self.ops = 0
        self.cut = None
        self.how = None
        self.dead = False

    def _cut_here(self):
        self.ops += 1
        if self.cut is not None and self.ops == self.cut:
            self.dead = True
        return self.dead

    def readblocks(self, block, buf, off=0):
        if self.dead:
            return -EIO
        start = block * BLOCK + off
        buf[:] = memoryview(self.data)[start : start + len(buf)]

    def writeblocks(self, block, buf, off=0):
        if self.dead:
            return -EIO
        start = block * BLOCK + off
        n = len(buf)
        if self._cut_here():
            n = {"before": 0, "half": n // 2, "after": n}[self.how]
        for i in range(n):
            assert self.data[start + i] & buf[i] == buf[i], "a write may only clear bits"
        self.data[start : start + n] = memoryview(buf)[:n]
        return -EIO if self.dead else None

    def ioctl(self, op, arg):
        if op == 4:
            return COUNT
        if op == 5:
            return BLOCK
        if op == 6:
            if self.dead:
                return -EIO
            start = arg * BLOCK
            n = BLOCK
            if self._cut_here():
                n = {"before": 0, "half": BLOCK // 2, "after": BLOCK}[self.how]
            self.data[start : start + n] = b"\xff" * n
            return -EIO if self.dead else 0
        return 0


def mount(flash):
    vfs.mount(vfs.VfsLfs2(flash), "/f")


def unmount():
    vfs.umount("/f")


def opened():
    s = Storage("/f/data")
    s.open()
    return s


def look(s):
    """What a user could tell apart: the configuration, the widgets' bytes, the networks."""
    state = {"config": s.config, "networks": s.networks(), "files": {}}
    for name in s.names():
        state["files"][name] = bytes(s.read(name))
    return state


def install(s, name, content):
    incoming = s.receive(len(content))
    for at in range(0, len(content), 1000):
        incoming.write(content[at : at + 1000])
    incoming.finish()
    s.add(incoming, {"name": name, "version": "1", "schema": "{}", "cycle": 5})


def first_boot(s):
    pass


def install_first(s):
    install(s, "A", b"a" * 5000)


def install_second(s):
    install(s, "B", bytes(range(256)) * 30)


def configure(s):
    s.configure("A", '{"zone": "Europe/Zurich", "text": "' + "x" * 600 + '"}')


def limits(s):
    s.set_limits("A", {"deadline_ms": 5000, "fuel": 1 << 40})


def background(s):
    s.set_background("#102030")


def setting(s):
    s.set("ntp", "time.example")


def network(s):
    s.add_network("home", "secret-password")


def another_network(s):
    s.add_network("work", "other-password")


def remove(s):
    s.remove("A")


SCENARIOS = (
    (first_boot, ()),
    (install_first, ()),
    (install_second, (install_first,)),
    (configure, (install_first, install_second)),
    (limits, (install_first, install_second)),
    (background, (install_first,)),
    (setting, ()),
    (network, ()),
    (another_network, (network, install_first)),
    (remove, (install_first, install_second)),
)


def prepared(before):
    flash = Flash()
    vfs.VfsLfs2.mkfs(flash)
    if before is None:
        return flash
    mount(flash)
    s = opened()
    for step in before:
        step(s)
    unmount()
    return flash


def play(change, before):
    # The first boot itself is a change: it starts from an empty file system.
    start = prepared(None if change is first_boot else before)
    states = []
    flash = Flash(start.data)
    mount(flash)
    if change is not first_boot:
        flash.ops = 0
    s = opened()
    states.append(look(s))
    change(s)
    states.append(look(s))
    unmount()
    total = flash.ops
    assert total > 0 and (change is first_boot or states[0] != states[1]), change
    cuts = 0
    seen_old = seen_new = False
    for how in ("before", "half", "after"):
        for cut in range(1, total + 1):
            flash = Flash(start.data)
            flash.cut, flash.how = cut, how
            try:
                mount(flash)
                s = opened()
                change(s)
            except Exception as error:
                assert flash.dead, error
            assert flash.dead
            try:
                unmount()
            except OSError:
                pass
            flash = Flash(flash.data)  # the power is back
            mount(flash)
            s = opened()
            found = look(s)
            where = (change.__name__, how, cut)
            assert found in states, (where, found)
            assert s.problems == [], (where, s.problems)
            named = sorted(w["file"] for w in s.config["widgets"])
            assert sorted(os.listdir("/f/data/widgets")) == named, where
            for name in os.listdir("/f/data"):
                assert name in ("config.json", "wifi.json", "widgets"), (where, name)
            seen_old = seen_old or found == states[0]
            seen_new = seen_new or found == states[1]
            # And the change can be made after all.
            if found != states[1]:
                change(s)
                assert look(s) == states[1], where
            unmount()
            cuts += 1
    assert seen_old and seen_new
    return cuts


print(json.dumps({change.__name__: play(change, before) for change, before in SCENARIOS}))
