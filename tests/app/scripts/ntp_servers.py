# Reads {"syncs": [[port...]...]}: the servers that are asked each time, in turn. Prints for each whether the clock was
# set, and how far it then is (s) from what it was at the start plus the time that passed.
import asyncio
import json
import sys
import time

from wgdisplay.log import Log
from wgdisplay.net import clock

argument = json.loads(sys.stdin.readline())
c = clock.Clock(Log(), answer_ms=300)


async def main():
    begun = c.now()[0]
    ticks = time.ticks_ms()
    found = []
    for ports in argument["syncs"]:
        done = await c.sync(", ".join([f"127.0.0.1:{port}" for port in ports]))
        found.append([done, c.now()[0] - begun - time.ticks_diff(time.ticks_ms(), ticks) // 1000])
    print(json.dumps(found))


asyncio.run(main())
