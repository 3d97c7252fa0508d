# Installs widgets of 120 KB until the storage refuses, then replaces one by one of 1 MB, removes one, and goes on.
# Prints what was said and seen. To be run with a Python heap smaller than a widget.
import gc
import json

import power

from wgdisplay.storage import Storage, StorageError

SIZE = 120 * 1024


def start():
    storage = Storage()
    storage.open()
    return storage


def received(storage, seed, size, **options):
    incoming = storage.receive(**options)
    try:
        incoming.expect(size)
        piece = memoryview(bytes(str(seed), "ascii") + bytes(4096))[:4096]
        for at in range(0, size, 4096):
            incoming.write(piece[: min(4096, size - at)])
        incoming.finish()
        return incoming
    except StorageError:
        incoming.discard()
        raise


def metadata(name):
    return {"name": name, "version": "1", "schema": "{}", "cycle": 60}


def install(storage, name):
    storage.add(received(storage, name, SIZE), metadata(name))


power.begin()
storage = power.boot(start)
gc.collect()
found = {"heap": gc.mem_free() + gc.mem_alloc()}
try:
    for n in range(100):
        install(storage, str(n))
except StorageError as error:
    found["refused"] = str(error)
found["installed"] = len(storage.names())
power.off()
storage = power.boot(start)
storage.configure("0", '{"still": "possible"}')
try:
    incoming = received(storage, "large", 1024 * 1024, replaces="0")
    storage.replace("0", incoming, metadata("0"))
    found["replaced"] = storage.widget("0")["size"]
except StorageError as error:
    found["replaced"] = str(error)
storage.remove("1")
storage.remove("2")
install(storage, "new")
power.off()
storage = power.boot(start)
found["problems"] = storage.problems
found["again"] = len(storage.names())
found["kept"] = storage.widget("0")["json_config"]
print(json.dumps(found))
