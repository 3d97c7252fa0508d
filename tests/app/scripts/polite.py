# Reads [[widget, hosts, url, pause before it in ms]...], makes the requests as widgets do, with what is kept of earlier
# ones, and prints {"answers": [[status, body] or what was said], "kept": bytes, "log": lines}.
import asyncio
import json
import sys

from wgdisplay.log import Log
from wgdisplay.net.gateway import Gateway
from wgdisplay.net.http import HttpError

requests = json.loads(sys.stdin.readline())
hosts = {}
log = Log()
gateway = Gateway(lambda name: hosts[name], log)


async def main():
    answers = []
    for widget, allowed, url, pause in requests:
        hosts[widget] = allowed
        await asyncio.sleep_ms(pause)
        try:
            status, length, body = await gateway.request(widget, 0, url, None)
            assert length == len(body)
            answers.append([status, str(bytes(body[:100]), "ascii")])
        except HttpError as error:
            answers.append(str(error))
    print(
        json.dumps(
            {"answers": answers, "kept": gateway._cache.bytes, "log": [line[3] for line in log.lines()]}
        )
    )


asyncio.run(main())
