# Changes one bit anywhere in the part of the data partition that is in use, and starts the board: everything must be
# there, or what is not must be told, and the board must take changes. Untold may be that the last change of a record
# is not there: a folder of LittleFS' with a rotten commit is as it was before it. Argument: [seed, how many bits].
# Prints how often what was seen.
import json
import os
import random
import sys

import _faults
import power
from esp32 import Partition

from wgdisplay.storage import Storage, StorageError

seed, count = json.loads(sys.stdin.readline())
random.seed(seed)


def start():
    storage = Storage()
    storage.open()
    for file in list(storage.orphans):
        try:
            storage.read_orphan(file)
        except StorageError:
            storage.give_up(file)
            continue
        storage.adopt(file, metadata("found " + file[:4]))
    return storage


def metadata(name):
    return {"name": name, "version": "1", "schema": "{}", "cycle": 5}


def install(storage, name, size):
    incoming = storage.receive(size)
    incoming.write((name.encode() * size)[:size])
    incoming.finish()
    storage.add(incoming, metadata(name))


def read(storage):
    """What can be read without a complaint."""
    whole = []
    for name in storage.names():
        try:
            whole.append([name, len(storage.read(name)), storage.widget(name)["json_config"]])
        except StorageError:
            pass
    return [whole, storage.networks(), storage.config["settings"], storage.config["background_color"]]


def one_behind(found):
    """Whether nothing but the last change of a configuration or of the settings is missing."""
    text = json.dumps([found, 0]).replace("28", "29").replace("#00001c", "#00001d")
    return text == json.dumps([expected, 0])


power.begin()
storage = power.boot(start)
install(storage, "A", 9000)
install(storage, "B", 500)
storage.set("ntp", "time.example")
storage.add_network("home", "12345678")
for n in range(30):
    storage.configure("A", json.dumps({"n": n}))
    storage.set_background(f"#{n:06x}")
expected = read(storage)
base, size = Partition("vfs").info()[2:4]
blocks = Partition("vfs")
block = bytearray(4096)
used = []
for n in range(size // 4096):
    blocks.readblocks(n, block)
    if block.count(b"\xff") != len(block):
        used.append(n)
power.off()
_faults.mark()
seen = {"whole": 0, "told": 0, "one change behind": 0}
for n in range(count):
    # Half of them where LittleFS' own structures are.
    at = base + random.choice(used) * 4096 + random.randrange(512 if n & 1 else 4096)
    bit = random.randrange(8)
    _faults.rot(at, 1 << bit)
    where = f"bit {bit} at {at:#x}: "
    storage = power.boot(start)
    found = read(storage)
    if found == expected:
        seen["whole"] += 1
    elif storage.problems:
        seen["told"] += 1
    elif one_behind(found):
        seen["one change behind"] += 1
    else:
        raise power.Wrong(where + f"found {found} and no problem")
    # The board goes on: changes, an installation, a removal, another start.
    for name in storage.names():
        storage.configure(name, json.dumps({"after": n}))
    install(storage, "new", 3000)
    storage.remove("new")
    os.statvfs("/")
    power.off()
    storage = power.boot(start)
    for widget in storage.config["widgets"]:
        if widget["json_config"] != json.dumps({"after": n}):
            raise power.Wrong(where + "a later change is not there")
    power.off()
    _faults.rewind()
print(json.dumps(seen))
