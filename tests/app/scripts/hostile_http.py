# One process for many hostile answers. Each line of input is {"hosts": [...], "urls": [...], "most": bytes, "ms": each
# one's deadline}: all are asked for at once. Prints a line for each: {"answers": [[status or null, length or what was
# said, ms]...], "gap": the longest that the loop stood still (ms), "kept": bytes of the heap that stayed in use,
# "peak": bytes that were in use at most, garbage put aside}. {"one": url...} measures one request alone.
import asyncio
import gc
import json
import sys
import time

from wgdisplay.net import connection, http, resolver
from wgdisplay.net.permissions import Permissions


async def one(url, permissions, most, ms):
    begun = time.ticks_ms()
    try:
        r = await http.request("GET", url, max_body=most, deadline_ms=ms, permissions=permissions)
        answer = [r.status, len(r.body)]
        if hasattr(r.body, "close"):
            r.body.close()
    except http.HttpError as error:
        answer = [None, str(error)]
    return answer + [time.ticks_diff(time.ticks_ms(), begun)]


class Beat:
    def __init__(self, collects):
        self.gap = 0
        self.peak = gc.mem_alloc()
        self.collects = collects

    async def run(self):
        last = time.ticks_ms()
        while True:
            await asyncio.sleep_ms(0 if self.collects else 5)
            now = time.ticks_ms()
            self.gap = max(self.gap, time.ticks_diff(now, last) - 5)
            if self.collects:
                gc.collect()
                self.peak = max(self.peak, gc.mem_alloc())
            last = time.ticks_ms()


async def settle():
    await asyncio.sleep_ms(20)  # what was cancelled ends


def in_use():
    asyncio.run(settle())
    connection.tidy(True)
    resolver.forget()
    gc.collect()
    gc.collect()
    return gc.mem_alloc()


async def batch(order):
    alone = "one" in order
    permissions = Permissions(order["hosts"])
    beat = Beat(alone)
    gc.collect()
    before = gc.mem_alloc()
    task = asyncio.create_task(beat.run())
    urls = [order["one"]] if alone else order["urls"]
    answers = await asyncio.gather(*[one(url, permissions, order["most"], order["ms"]) for url in urls])
    task.cancel()
    return {"answers": answers, "gap": beat.gap, "peak": beat.peak - before}


while True:
    line = sys.stdin.readline()
    if not line:
        break
    found = asyncio.run(batch(json.loads(line)))
    line = None
    found["kept"] = in_use()
    print(json.dumps(found))
    found = None
