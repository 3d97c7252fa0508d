# Reads {"keys": [DER in hexadecimal...], "version": running, "cases": [[address, options]...]}, updates from each
# address in turn, and prints [[what was said or done, milliseconds, whether the running slot and otadata are as they
# were]...]. The option is "downgrade".
import asyncio
import hashlib
import json
import sys
import time
from binascii import unhexlify

from esp32 import Partition

from wgdisplay.ota import install, service
from wgdisplay.ota.release import OtaError

job = json.loads(sys.stdin.readline())
sys.modules["wgkeys"] = type("wgkeys", (), {"KEYS": tuple(unhexlify(key) for key in job["keys"])})
install.VERSION = service.VERSION = job["version"]
install.STALL_MS = job.get("stall_ms", install.STALL_MS)
install.SLOW_MS = job.get("slow_ms", install.SLOW_MS)
install._PAUSES_MS = (50, 50, 50, 50)


class Log:
    def info(self, *words):
        pass

    warn = info


class Storage:
    def setting(self, key):
        return ""


class App:
    log = Log()
    storage = Storage()
    problems = []
    shown = []

    def notice(self, title, lines=(), progress=None):
        self.shown.append((title, progress))


def kept():
    digest = hashlib.sha256()
    block = bytearray(4096)
    for partition in (Partition("ota_0"), Partition("otadata")):
        for i in range(min(16, partition.info()[3] // 4096)):
            partition.readblocks(i, block)
            digest.update(block)
    return digest.digest()


async def one(address, options):
    begun = time.ticks_ms()
    before = kept()
    app = App()
    app.shown = []
    updates = service.Service(app, lambda: None)
    try:
        found = await updates.update(address, downgrade=options.get("downgrade", False), restart=False)
        said = [found["action"], found["version"]]
    except (OtaError, OSError) as error:
        said = str(error)
        assert app.shown == [] or app.shown[-1] == (None, None), (
            "the notice of the update stayed on the screen"
        )
    return [said, time.ticks_diff(time.ticks_ms(), begun), kept() == before]


async def main():
    answers = []
    for address, options in job["cases"]:
        answers.append(await one(address, options))
    print(json.dumps(answers))


asyncio.run(main())
