# A board that does what it is told, one JSON object a line, and answers with what a user could see. The answers are
# compared with a plain model in test_model.py.
#
# {"do": name, "with": arguments, "cut": [operation, torn] or null} -> {"cut": bool, "error": sentence or null,
# "state": ...}. With "cut", the power fails in that flash operation of the command, if there are as many; then the
# board is started again.
import hashlib
import json
import os
import sys
from binascii import hexlify, unhexlify

import _faults
import power
from esp32 import Partition

from wgdisplay.storage import SchemaError, Storage, StorageError, catalogue

HEAD = 256  # bytes of a widget's file that describe it, in place of the runtime


def metadata(data):
    return json.loads(bytes(data[:HEAD]).decode())


def start():
    """As the application starts: what lost its entry is asked for its name."""
    storage = Storage()
    storage.open()
    for file in list(storage.orphans):
        try:
            data = storage.read_orphan(file)
        except StorageError:
            storage.give_up(file)
            continue
        try:
            storage.adopt(file, metadata(data))
        except StorageError:
            pass  # no space: at the next boot
    return storage


def state(storage):
    widgets = []
    for entry in storage.config["widgets"]:
        try:
            sum = hexlify(hashlib.sha256(storage.read(entry["name"])).digest()).decode()
        except StorageError:
            sum = None
        widgets.append([entry["name"], sum, entry["version"], entry["json_config"], entry["limits"]])
    left = [n for n in os.listdir("/data/widgets") if not n.endswith((".wasm", ".bad"))]
    if left:
        raise power.Wrong(f"left over: {left}")
    return {
        "widgets": widgets,
        "background": storage.config["background_color"],
        "settings": storage.config["settings"],
        "networks": storage.networks(),
    }


def received(storage, data, **options):
    incoming = storage.receive(len(data), **options)
    try:
        for at in range(0, len(data), 2048):
            incoming.write(data[at : at + 2048])
        incoming.finish()
    except StorageError:
        incoming.discard()
        raise
    return incoming


def install(storage, data):
    data = unhexlify(data)
    incoming = received(storage, data)
    try:
        storage.add(incoming, metadata(data))
    finally:
        incoming.discard()


def replace(storage, name, data):
    data = unhexlify(data)
    storage.widget(name)
    incoming = received(storage, data, replaces=name)
    try:
        storage.replace(name, incoming, metadata(data))
    finally:
        incoming.discard()


def fill(storage):
    # All of the flash but what is in use: one large file, then blocks as long as there are any.
    piece = bytes(4096)
    pieces = max(1, os.statvfs("/")[3] - 4)
    n = 0
    while pieces:
        try:
            with open(f"/filler.{n}", "wb") as f:
                for _ in range(pieces):
                    f.write(piece)
            pieces = 1
        except OSError:
            os.remove(f"/filler.{n}")
            pieces = 0
        n += 1


def clear(storage):
    for name in os.listdir("/"):
        if name.startswith("filler"):
            os.remove("/" + name)


def rot(path):
    """Changes a bit of a file where it lies on the chip, in every copy that is found; False if none is."""
    try:
        with open(path, "rb") as f:
            head = f.read(96)
            if len(head) < 96:
                return False
    except OSError:
        return False
    base, size = Partition("vfs").info()[2:4]
    blocks = Partition("vfs")
    block = bytearray(len(head))
    found = False
    for n in range(size // 4096):
        blocks.readblocks(n, block, 0)
        if block == head:
            _faults.rot(base + n * 4096 + 80, 0x04)
            found = True
    return found


def record_file(name):
    """The newest file of a record."""
    best = (0, "")
    for half in "01":
        path = f"/data/{half}/{name}"
        try:
            with open(path, "rb") as f:
                best = max(best, (int(f.readline().split()[1]), path))
        except (OSError, IndexError):
            continue
    return best[1]


def rot_of(storage, what, name=None):
    if what == "file":
        path = "/data/widgets/" + storage.widget(name)["sha256"][:32] + ".wasm"
    else:
        path = record_file(catalogue._id(name) if what == "entry" else what)
    if not rot(path):
        raise StorageError("nothing to rot")


DO = {
    "install": install,
    "replace": replace,
    "remove": lambda s, name: s.remove(name),
    "configure": lambda s, name, text: s.configure(name, text),
    "limits": lambda s, name, values: s.set_limits(name, values),
    "background": lambda s, color: s.set_background(color),
    "set": lambda s, key, value: s.set(key, value),
    "add network": lambda s, ssid, password: s.add_network(ssid, password),
    "forget network": lambda s, ssid: s.forget_network(ssid),
    "fill": fill,
    "clear": clear,
    "rot": rot_of,
}

power.begin()
storage = power.boot(start)
power.off()
_faults.mark()
for line in sys.stdin:
    command = json.loads(line)
    do = command["do"]
    error = None
    cut = False
    try:
        if command.get("cut"):
            _faults.cut_power_after(command["cut"][0], command["cut"][1], True)
        if do == "begin":
            power.off()
            _faults.rewind()
            storage = power.boot(start)
        elif do == "restart":
            power.off()
            storage = power.boot(start)
        else:
            DO[do](storage, *command["with"])
    except Exception as e:
        cut = _faults.is_off()
        if not cut and not isinstance(e, (StorageError, SchemaError)):
            raise
        error = str(e)
    cut = _faults.is_off()
    _faults.cut_power_after(0)
    if cut or do == "rot":
        power.off()
        _faults.power_on()
        storage = power.boot(start)
    print(json.dumps({"cut": cut, "error": error, "state": state(storage)}))
