# Names are looked up by a getaddrinfo that takes 400 ms; the loop must go on meanwhile. Prints what was seen.
import asyncio
import json
import time

from wgdisplay.net import resolver

asked = []


class SlowSocket:
    SOCK_STREAM = 1

    def getaddrinfo(self, host, port, *rest):
        asked.append(host)
        time.sleep_ms(400)
        if host == "missing":
            raise OSError(-2)
        return [(2, 1, 0, "", (host, port))]


resolver.socket = SlowSocket()
beats = []


async def beat():
    while True:
        beats.append(time.ticks_ms())
        await asyncio.sleep_ms(10)


async def one(host):
    try:
        return await resolver.resolve(host, 80)
    except OSError as error:
        return str(error)


async def main():
    task = asyncio.create_task(beat())
    await asyncio.sleep_ms(0)
    begun = time.ticks_ms()
    found = await asyncio.gather(one("a"), one("b"), one("missing"))
    elapsed = time.ticks_diff(time.ticks_ms(), begun)
    again = await one("a")
    task.cancel()
    gap = max([time.ticks_diff(beats[i + 1], beats[i]) for i in range(len(beats) - 1)])
    print(
        json.dumps({"found": found, "elapsed": elapsed, "again": again, "asked": sorted(asked), "gap": gap})
    )


asyncio.run(main())
