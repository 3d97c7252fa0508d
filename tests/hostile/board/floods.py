# Widgets that ask the host without end; prints how much of its thread the loop needs for them, in percent.
# wgdisplay --script floods.py FILE
import asyncio
import json
import sys
import time

from wgdisplay.runtime import Limits, Runtime, WidgetError


class Host:
    def now(self):
        return 1, 2

    def random(self):
        return 7

    def log(self, name, level, context, message):
        pass


class Few(Limits):
    HOST_CALLS = 1_000_000


def busy():
    """Nanoseconds of CPU time of the loop's thread."""
    with open("/proc/thread-self/schedstat") as file:
        return int(file.read().split()[0])


async def flood(runtime, name):
    try:
        await runtime.run(name, "{}", 1500)
    except WidgetError as error:
        return error.kind


async def play(data, names):
    runtime = Runtime(Host(), Few)
    for name in names:
        runtime.add(name, data)
    tasks = [asyncio.create_task(flood(runtime, name)) for name in names]
    await asyncio.sleep_ms(100)
    began, spent = time.ticks_ms(), busy()
    await asyncio.sleep_ms(1000)
    share = (busy() - spent) // 10_000 // time.ticks_diff(time.ticks_ms(), began)
    return {"percent": share, "ends": await asyncio.gather(*tasks)}


async def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    print(json.dumps({"one": await play(data, "a"), "four": await play(data, "abcd")}))


asyncio.run(main())
