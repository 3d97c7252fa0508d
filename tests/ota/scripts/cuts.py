# Cuts the power at every flash operation of a step of an update, in every way that an operation can be torn. After
# each, the boot loader must start the old firmware or the whole new one, all else on the flash must be as it was, and
# the firmware must know what became of the update.
# Reads [scenario, image of version 2, image of version 3], the images as paths, and prints the number of cuts.
import asyncio
import hashlib
import json
import sys

import _faults
import _simhw
import esp32
import wgtrial
from esp32 import NVS, Partition

from wgdisplay.ota import install, journal, trial
from wgdisplay.ota.release import Release

NAME, *PATHS = json.loads(sys.stdin.readline())
IMAGES = []
for path in PATHS:
    with open(path, "rb") as file:
        IMAGES.append(file.read())


wgtrial._watch = lambda ms: None  # a script has no boot loader that could start it again


class Screen:
    frames = 1


class Log:
    def info(self, *words):
        pass


class App:
    """As much of the application as the proof asks for."""

    screen = Screen()
    runtime = Screen()
    wifi = None
    problems = []
    log = Log()


def stated(number):
    image = IMAGES[number]
    said = {"version": f"{number + 2}.0", "board": __import__("wgrelease").board(), "minimum": "0"}
    said.update(
        {"size": len(image), "sha256": hashlib.sha256(image).digest().hex(), "image": "i", "notes": ""}
    )
    return Release(said)


def download_from(image):
    async def download(url, sink, max_bytes, deadline_ms, start, etag):
        sink.expect(len(image))
        for at in range(start, len(image), 1460):
            sink.write(memoryview(image)[at : at + 1460])

    return download


def become(slot):
    # The boot loader has chosen: this is now the firmware of that slot.
    assert slot in (0, 1), "no slot is bootable"
    esp32._running = esp32._slots()[slot]
    wgtrial.on_trial = wgtrial._begun = False
    wgtrial.begin()


def start():
    become(_simhw.boot())


def update(number):
    install._PAUSES_MS = (0,) * 4
    asyncio.run(
        install.install(stated(number), "", lambda done, size: None, True, download_from(IMAGES[number]))
    )


def prove():
    watcher = trial.Trial(App)
    for _ in range(trial.PROOF_TICKS):
        watcher.tick()
    assert not wgtrial.on_trial


def contents(partition, size):
    digest = hashlib.sha256()
    block = bytearray(4096)
    for at in range(0, size, 4096):
        partition.readblocks(at // 4096, block)
        digest.update(memoryview(block)[: min(4096, size - at)])
    return digest.digest()


def others():
    # What an update has nothing to do with.
    nvs = bytearray(8)
    n = NVS("wifi").get_blob("cal", nvs)
    data = Partition.find(Partition.TYPE_DATA, label="vfs")[0]
    return bytes(nvs[:n]), contents(data, 64 * 4096), NVS("wifi").get_i32("n")


def holds(slot):
    # The number of the image that a slot holds whole, None: none of them, "factory" for the one it was made with.
    partition = Partition(f"ota_{slot}")
    for number in range(len(IMAGES)):
        if contents(partition, len(IMAGES[number])) == hashlib.sha256(IMAGES[number]).digest():
            return number
    return "factory" if contents(partition, 336) == FACTORY else None


def play(name, prepare, act, old, new, can_retry):
    """Cuts at every operation of act(). `old`, `new`: (slot, image) that may run afterwards."""
    _faults.rewind()
    prepare()
    _faults.mark()
    before = others()
    running = esp32._running
    trial_before = wgtrial.on_trial
    at = _faults.operations()
    act()
    total = _faults.operations() - at
    assert total > 0, name
    cuts = 0
    seen = set()
    for torn in _faults.TORN:
        for cut in range(1, total + 1):
            _faults.rewind()
            esp32._running = running
            wgtrial.on_trial = trial_before
            _faults.cut_power_after(cut, torn, True)
            try:
                act()
            except Exception:
                pass
            assert _faults.power_on(), (name, torn, cut)
            start()
            where = (name, torn, cut)
            slot = _simhw_slot()
            found = (slot, holds(slot))
            assert found in (old, new), (where, found)
            seen.add(found)
            assert others() == before, where
            watcher = trial.Trial(App)
            watcher.settle()
            if not wgtrial.on_trial:
                last = journal.load("last")
                assert journal.load("trial") is None, where
                if found == new and new != old:
                    assert last["outcome"] == journal.INSTALLED, (where, last)
            # And the board goes on: what is on trial proves itself, and an update can be made.
            if wgtrial.on_trial:
                prove()
                start()
                assert _simhw_slot() == slot, where
            if can_retry is not None and found == old:
                update(can_retry)
                start()
                assert _simhw_slot() != slot and wgtrial.on_trial, where
            cuts += 1
    assert seen == {old, new}, (name, seen)
    return cuts


def _simhw_slot():
    return esp32._slots().index(esp32._running)


def factory():
    pass


def installed():
    start()
    update(0)


def on_trial():
    installed()
    start()
    assert wgtrial.on_trial


def proved():
    on_trial()
    prove()


def installed_twice():
    proved()
    start()
    update(1)


def broken():
    # Rot in the slot that runs: the boot loader has gone back to the other one.
    proved()
    _faults.rot(Partition("ota_1").info()[2] + 5000, 1)
    start()
    assert _simhw_slot() == 0


def given_up():
    # What wgtrial.failed() does, up to the reset.
    nvs = wgtrial._nvs()
    nvs.set_blob("why", b"because")
    nvs.commit()
    start()


data = Partition.find(Partition.TYPE_DATA, label="vfs")[0]
for i in range(64):
    data.writeblocks(i, bytes((i * 7 + k) & 255 for k in range(256)) * 16)
nvs = NVS("wifi")
nvs.set_blob("cal", b"\x01\x02\xff\x80")
nvs.set_i32("n", 42)
nvs.commit()
# The start that made the flash has written otadata: the first start is played on an erased one.
FACTORY = contents(Partition("ota_0"), 336)
otadata = Partition.find(Partition.TYPE_DATA, subtype=0)[0]
otadata.ioctl(6, 0)
otadata.ioctl(6, 1)
_faults.mark()

# What runs before and after: (slot, image).
A, B, C = (0, "factory"), (1, 0), (0, 1)
SCENARIOS = {
    "first start": (factory, start, A, A, 0),
    "download and switch": (start, lambda: update(0), A, B, 0),
    "start of new firmware": (installed, start, A, B, None),
    "proof": (on_trial, prove, A, B, 0),
    "rollback": (on_trial, given_up, A, A, 0),
    "second update": (proved, lambda: update(1), B, C, 1),
    "update of a broken slot": (broken, lambda: update(0), A, B, 0),
    "start after the second update": (installed_twice, start, B, C, None),
}
print(json.dumps(play(NAME, *SCENARIOS[NAME])))
