# Runs all hostile widgets over and over and prints the memory in use after each tenth of the rounds, and what each
# widget ended in, if that was always the same.
# wgdisplay --script rounds.py FOLDER ROUNDS
import asyncio
import gc
import json
import os
import sys

from wgdisplay.runtime import Limits, Runtime, WidgetError

FOLDER = sys.argv[1]
ROUNDS = int(sys.argv[2])
AT_ONCE = 6


class Short(Limits):
    DEADLINE_MS = 8
    DESCRIBE_MS = 8
    HOST_CALLS = 40
    LOG_LINES = 20
    HTTP_REQUESTS = 3


class Host:
    answer = bytes(200_000)

    async def http(self, method, url, body):
        if "/slow" in url or "/silent" in url:
            await asyncio.sleep_ms(1000)
        if "10MB" in url or not url:
            raise OSError("too long")
        await asyncio.sleep_ms(0)
        return 200, None, self.answer

    def now(self):
        return 1, 2

    def random(self):
        return 7

    def log(self, name, level, context, message):
        pass


def read(name):
    with open(FOLDER + "/" + name, "rb") as file:
        return file.read()


async def one(runtime, name, data):
    """Installs and runs a widget, and forgets it; -> what it ended in."""
    try:
        await runtime.metadata(data)
        runtime.add(name, data)
        text = await runtime.run(name, "{}")
        return "ok " + text[:20]
    except WidgetError as error:
        return error.kind or type(error).__name__
    finally:
        runtime.remove(name)


def memory():
    gc.collect()
    gc.collect()
    with open("/proc/self/statm") as file:
        return gc.mem_alloc(), int(file.read().split()[1]) * 4096


async def main():
    names = sorted(name for name in os.listdir(FOLDER) if name.endswith(".wasm"))
    runtime = Runtime(Host(), Short)
    # The large one only once in ten rounds: it is a megabyte on a heap of four.
    files = {name: read(name) for name in names if os.stat(FOLDER + "/" + name)[6] < 100_000}
    ends = {name: {} for name in names}
    memories = []
    for count in range(1, ROUNDS + 1):
        for i in range(0, len(names), AT_ONCE):
            some = names[i : i + AT_ONCE]
            jobs = []
            for name in some:
                data = files.get(name)
                if data is None and count % 10 == 0:
                    data = read(name)
                if data is not None:
                    jobs.append((name, one(runtime, name, data)))
                data = None
            found = await asyncio.gather(*[job for _, job in jobs])
            for at, (name, _) in enumerate(jobs):
                ends[name][found[at]] = ends[name].get(found[at], 0) + 1
        if count == 10 or count % (ROUNDS // 10) == 0:
            memories.append(memory())
    print(json.dumps({"ends": ends, "memories": memories}))


asyncio.run(main())
