# Runs all hostile widgets over and over and prints the memory in use after each tenth of the rounds, and what each
# widget ended in, if that was always the same.
# wgdisplay --script rounds.py FOLDER ROUNDS MANY; the first MANY end by themselves.
import asyncio
import gc
import json
import os
import sys

from wgdisplay.runtime import Limits, Runtime, WidgetError

FOLDER = sys.argv[1]
ROUNDS = int(sys.argv[2])
MANY = int(sys.argv[3])
AT_ONCE = 6
MANY_MS = 2000  # what ends by itself may take so long, on a busy machine too
LONG_MS = 3


class Short(Limits):
    HOST_CALLS = 40
    LOG_LINES = 20
    HTTP_REQUESTS = 3


class Host:
    answer = bytes(200_000)

    async def http(self, name, method, url, body):
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


def read(runtime, name):
    """A file outside the Python heap, as the application reads it."""
    data = runtime.buffer(os.stat(FOLDER + "/" + name)[6])
    with open(FOLDER + "/" + name, "rb") as file:
        file.readinto(data)
    return data


async def one(runtime, name, data, ms, twice):
    """Installs and runs a widget, and forgets it; -> what it ended in. twice: as after a restart, loaded once more."""
    widget = None
    try:
        widget = runtime.load(data)
        await runtime.metadata(widget, ms)
        runtime.add(name, data if twice else widget)
        text = await runtime.run(name, "{}", ms)
        return "ok " + text[:20]
    except WidgetError as error:
        return error.kind or type(error).__name__
    finally:
        runtime.remove(name)
        if widget is not None:
            widget.close()


def memory():
    gc.collect()
    gc.collect()
    with open("/proc/self/statm") as file:
        return gc.mem_alloc(), int(file.read().split()[1]) * 4096


async def main():
    names = sorted(name for name in os.listdir(FOLDER) if name.endswith(".wasm"))
    runtime = Runtime(Host(), Short)
    files = {name: read(runtime, name) for name in names}
    ends = {name: {} for name in names}
    memories = []
    for count in range(1, ROUNDS + 1):
        twice = count % 10 == 0
        for i in range(0, len(names), AT_ONCE):
            some = names[i : i + AT_ONCE]
            jobs = []
            for at, name in enumerate(some, i):
                # The large one only once in ten rounds: most of the time would be its.
                if twice or len(files[name]) < 100_000:
                    jobs.append(
                        (name, one(runtime, name, files[name], LONG_MS if at >= MANY else MANY_MS, twice))
                    )
            found = await asyncio.gather(*[job for _, job in jobs])
            for at, (name, _) in enumerate(jobs):
                ends[name][found[at]] = ends[name].get(found[at], 0) + 1
        if count == 10 or count % (ROUNDS // 10) == 0:
            memories.append(memory())
    print(json.dumps({"ends": ends, "memories": memories}))


asyncio.run(main())
