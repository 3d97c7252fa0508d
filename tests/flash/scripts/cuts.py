# Cuts the power in every flash operation of every change of the storage. Argument: a folder for images of the data
# partition after some of the cuts, or null. Prints {change: cuts} and what those images hold.
import hashlib
import json
import os
import sys
from binascii import hexlify

import power
from esp32 import Partition

from wgdisplay.storage import Storage, catalogue

folder = json.loads(sys.stdin.readline())
EVERY = 41  # an image after each so many cuts

SCHEMA = json.dumps({"type": "object", "properties": {"zone": {"type": "string"}}})
ZONE = json.dumps({"zone": "Europe/Zurich"})


def start():
    storage = Storage()
    storage.open()
    return storage


def look(storage):
    """What a user could tell apart: configuration, files, networks; and that nothing is left over."""
    if storage.problems:
        raise power.Wrong(f"problems: {storage.problems}")
    files = {}
    for name in storage.names():
        files[name] = hexlify(hashlib.sha256(storage.read(name)).digest())
    left = [name for name in os.listdir("/data") if name not in ("0", "1", "widgets")]
    left += os.listdir("/data/widgets")
    known = ["system", "wifi", "access"] + [catalogue._id(name) for name in storage.names()]
    for half in ("/data/0", "/data/1"):
        left += [name for name in os.listdir(half) if name not in known]
    sums = [widget["sha256"][:32] + ".wasm" for widget in storage.config["widgets"]]
    for name in sums:
        left.remove(name)
    if left or storage.orphans:
        raise power.Wrong(f"left over: {left} {storage.orphans}")
    return [storage.config, files, storage.networks()]


def content(seed, size):
    block = hashlib.sha256(seed).digest()
    return (block * (size // 32 + 1))[:size]


def received(storage, data, **options):
    incoming = storage.receive(len(data), **options)
    for at in range(0, len(data), 4096):
        incoming.write(data[at : at + 4096])
    incoming.finish()
    return incoming


def metadata(name, schema=SCHEMA, version="1"):
    return {"name": name, "version": version, "schema": schema, "cycle": 5}


def install(name, size):
    def change(storage):
        if not storage.has(name):
            storage.add(received(storage, content(name, size)), metadata(name))

    return change


def replace(name, size, schema=SCHEMA):
    def change(storage):
        incoming = received(storage, content(name + "2", size), replaces=name)
        storage.replace(name, incoming, metadata(name, schema, "2"))
        incoming.discard()

    return change


def remove(name):
    def change(storage):
        if storage.has(name):
            storage.remove(name)

    return change


def nothing(storage):
    pass


def forget(storage):
    if storage.networks():
        storage.forget_network("home")


def image(number):
    # The data partition, as littlefs-python is to find it; what the board reads from it is noted beside.
    if folder is None or number % EVERY:
        return
    partition = Partition.find(Partition.TYPE_DATA, label="vfs")[0]
    block = bytearray(4096)
    images.append(f"{name}.{number}")
    with open(f"/host{folder}/{images[-1]}", "wb") as f:
        for n in range(partition.ioctl(4, 0)):
            partition.readblocks(n, block)
            f.write(block)


CHANGES = (
    # Each begins where the one before ended.
    ("first boot", nothing),
    ("first install", install("A", 5000)),
    ("second install", install("B", 700)),
    ("configuration", lambda s: s.configure("A", ZONE)),
    ("configuration again", lambda s: s.configure("A", json.dumps({"zone": "x" * 5000}))),
    ("limits", lambda s: s.set_limits("B", {"deadline_ms": 5000})),
    ("hosts", lambda s: s.set_hosts("A", ["api.example"])),
    ("background", lambda s: s.set_background("#102030")),
    ("setting", lambda s: s.set("ntp", "time.example")),
    ("setting back", lambda s: s.set("ntp", None)),
    ("network", lambda s: s.add_network("home", "secret-password")),
    ("another network", lambda s: s.add_network("work", "other-password")),
    ("network forgotten", forget),
    ("replace", replace("A", 9000)),
    ("replace, configuration refused", replace("B", 300, '{"type": "object", "required": ["key"]}')),
    ("remove", remove("A")),
    ("install after remove", install("A", 5000)),
    ("remove another", remove("B")),
)

power.begin()
images = []
cuts = {}
for name, change in CHANGES:
    cuts[name] = power.every_cut(name, start, change, look, image=image)
    power.operations(start, change)
    power.off()
print(json.dumps({"cuts": cuts, "images": images}))
