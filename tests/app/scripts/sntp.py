# Asks the time server on the port given and prints how far the clock is from the time that it should have told.
import asyncio
import json
import sys

from wgdisplay.log import Log
from wgdisplay.net import clock

argument = json.loads(sys.stdin.readline())
log = Log()
c = clock.Clock(log, answer_ms=300)


async def main():
    before = c.now()
    synced = await c.sync("127.0.0.1:{}".format(argument["port"]))
    seconds, ns = c.now()
    print(
        json.dumps(
            {
                "synced": synced,
                "flag": c.synced,
                "known": c.known,
                "off_ms": (seconds - argument["expected"]) * 1000 + ns // 1000000,
                "moved": seconds - before[0],
                "said": [line[3] for line in log.lines()],
            }
        )
    )


asyncio.run(main())
