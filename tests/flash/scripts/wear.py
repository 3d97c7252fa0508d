# Changes one widget's configuration many times and counts the erases of each block of the data partition.
# Argument: [widgets installed, changes, changes between two restarts]. Prints the counts and what was seen.
import json
import sys

import _faults
import power
from esp32 import Partition

from wgdisplay.storage import Storage

widgets, changes, between = json.loads(sys.stdin.readline())


def start():
    storage = Storage()
    storage.open()
    return storage


def install(storage, name, size):
    incoming = storage.receive(size)
    piece = name.encode() + bytes(4096 - len(name))
    for at in range(0, size, 4096):
        incoming.write(piece[: min(4096, size - at)])
    incoming.finish()
    storage.add(incoming, {"name": name, "version": "1", "schema": "{}", "cycle": 60})


def counts():
    return [_faults.erase_count(base + 4096 * block) for block in range(size // 4096)]


power.begin()
base, size = Partition("vfs").info()[2:4]
storage = power.boot(start)
for n in range(widgets):
    install(storage, f"Widget {n}", 120 * 1024)
installed = counts()
for n in range(changes):
    if n % between == between - 1:
        power.off()
        storage = power.boot(start)
    storage.configure("Widget 0", json.dumps({"station": "Bern", "count": n}))
assert storage.widget("Widget 0")["json_config"] == json.dumps({"station": "Bern", "count": changes - 1})
assert storage.problems == []
now = counts()
print(json.dumps({"changes": [now[n] - installed[n] for n in range(len(now))], "all": now}))
