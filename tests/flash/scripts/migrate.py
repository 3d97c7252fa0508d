# The flash as version 0.1 left it, started with today's firmware, with the power cut in every operation of that start.
# Prints what was found, and what a damaged old configuration leaves.
import hashlib
import json
import os
from binascii import hexlify

import power

from wgdisplay.storage import Storage

WIDGETS = (("Time", b"t" * 9000, '{"zone": "UTC"}', {"fuel": 5000}), ("Weather", b"w" * 300, "{}", None))


def start():
    storage = Storage()
    storage.open()
    return storage


def nothing(storage):
    pass


def look(storage):
    if storage.problems:
        raise power.Wrong(storage.problems)
    return [
        storage.config,
        storage.networks(),
        storage.access_password(),
        [bytes(storage.read(name)) for name in storage.names()],
        sorted(name for name in os.listdir("/data") if name.endswith((".json", ".new"))),
    ]


def write(name, value):
    body = json.dumps(value).encode()
    with open("/data/" + name, "wb") as f:
        f.write(b"wg1 " + hexlify(hashlib.sha256(body).digest()) + b"\n" + body)


def old():
    """Makes the files of version 0.1."""
    power.off()
    import inisetup

    inisetup.setup()
    os.mkdir("/data")
    os.mkdir("/data/widgets")
    entries = []
    for name, content, config, limits in WIDGETS:
        sum = hexlify(hashlib.sha256(content).digest()).decode()
        entry = {
            "name": name,
            "description": "of old",
            "version": "1",
            "json_config": config,
            "json_config_schema": "{}",
            "update_cycle_seconds": 5,
            "file": sum[:32] + ".wasm",
            "sha256": sum,
            "size": len(content),
            "url": "http://old",
        }
        if limits:
            entry["limits"] = limits
        entries.append(entry)
        with open("/data/widgets/" + entry["file"], "wb") as f:
            f.write(content)
    write(
        "config.json",
        {"background_color": "#102030", "settings": {"ntp": "time.example"}, "widgets": entries},
    )
    write("wifi.json", [["home", "secret-password"], ["work", "other"]])
    write("access.json", "abcdefgh23")


power.begin()
power.boot(start)
old()
power.off()
cuts = power.every_cut("migration", start, nothing, look)
found = {"cuts": cuts, "state": look(power.boot(start))}
found["state"][3] = [len(content) for content in found["state"][3]]

# A damaged one: the networks are still there, and the widgets' files are asked for their names.
old()
with open("/data/config.json", "r+b") as f:
    f.seek(200)
    f.write(b"rot")
power.off()
storage = power.boot(start)
found["damaged"] = [storage.problems, storage.networks()]
assert len(storage.orphans) == 2 and "config.json.bad" in os.listdir("/data")
power.off()
storage = power.boot(start)
found["damaged, restarted"] = [storage.problems, storage.networks()]
assert len(storage.orphans) == 2
print(json.dumps(found))
