# The chip reports a failure in each flash operation of each change, once, and works on: the change fails or succeeds,
# the next start shows the old state or the new one, and the change can be made again.
# Then sectors wear out under the changes, silently. Prints what was seen.
import json
import random

import _faults
import power
from esp32 import Partition

from wgdisplay.storage import Storage, StorageError


def start():
    storage = Storage()
    storage.open()
    return storage


def look(storage):
    for problem in storage.problems:
        if "lost a generation" not in problem:
            raise power.Wrong(problem)
    files = [len(storage.read(name)) for name in storage.names()]
    return [storage.config, files, storage.networks()]


def received(storage, size, **options):
    incoming = storage.receive(size, **options)
    try:
        for at in range(0, size, 512):
            incoming.write(bytes(min(512, size - at)))
        incoming.finish()
    except StorageError:
        incoming.discard()
        raise
    return incoming


def metadata(name):
    return {"name": name, "version": "1", "schema": "{}", "cycle": 5}


def install(storage):
    if not storage.has("A"):
        incoming = received(storage, 6000)
        try:
            storage.add(incoming, metadata("A"))
        finally:
            incoming.discard()


def replace(storage):
    incoming = received(storage, 3000, replaces="A")
    try:
        storage.replace("A", incoming, metadata("A"))
    finally:
        incoming.discard()


CHANGES = (
    install,
    lambda s: s.configure("A", '{"a": 1}'),
    lambda s: s.set_background("#102030"),
    lambda s: s.add_network("home", "12345678"),
    replace,
    lambda s: s.remove("A") if s.has("A") else None,
)

power.begin()
storage = power.boot(start)
failed = succeeded = 0
for number, change in enumerate(CHANGES):
    power.off()
    _faults.mark()
    old = look(power.boot(start))
    power.off()
    _faults.rewind()
    total, storage = power.operations(start, change)
    new = look(storage)
    for at in range(1, total + 1):
        power.off()
        _faults.rewind()
        storage = power.boot(start)
        where = f"change {number}, failure of operation {at}: "
        _faults.fail_after(at, 1)
        try:
            change(storage)
            succeeded += 1
        except StorageError:
            failed += 1
        _faults.fail_after(0, 0)
        power.off()
        _faults.power_on()  # what is still open stays off
        storage = power.boot(start)
        found = look(storage)
        if found != old and found != new:
            raise power.Wrong(where + f"found {found}")
        change(storage)
        if look(storage) != new:
            raise power.Wrong(where + f"the change, made again, shows {look(storage)}")
    power.off()
    _faults.rewind()
    power.operations(start, change)

# Every tenth sector is worn out: LittleFS finds out by reading back, and takes others.
base, size = Partition("vfs").info()[2:4]
random.seed(1)
worn = 0
for n in range(8, size // 4096):
    if random.random() < 0.1:
        _faults.wear_out(base + n * 4096, True)
        worn += 1
power.off()
storage = power.boot(start)
for n in range(30):
    install(storage)
    storage.configure("A", json.dumps({"n": n}))
    replace(storage)
    storage.set_background(f"#{n:06x}")
    power.off()
    storage = power.boot(start)
    if look(storage)[1] != [3000] or storage.config["background_color"] != f"#{n:06x}":
        raise power.Wrong(f"worn sectors: {look(storage)}")
    storage.remove("A")
print(json.dumps({"failed": failed, "succeeded": succeeded, "worn": worn}))
