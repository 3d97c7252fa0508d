# Reads [[method, url, body or null, max_body, deadline_ms]...], makes the requests one after the other (or all at once
# if the list starts with "together"; {"roots": folder} before that adds root certificates,
# with "rootless" there are no others) and prints [[status or null, body, length or what was said, ms]...].
import asyncio
import json
import sys
import time

from wgdisplay.net import http, trust

jobs = json.loads(sys.stdin.readline())
if isinstance(jobs[0], dict):
    options = jobs.pop(0)
    trust.FOLDER = options["roots"]
    if options.get("rootless"):
        sys.modules["wgroots"] = type("wgroots", (), {"CERTIFICATES": ()})
together = jobs[0] == "together"
if together:
    jobs.pop(0)
ticks = 0


async def one(method, url, body, most, deadline):
    begun = time.ticks_ms()
    try:
        r = await http.request(
            method, url, body.encode() if body else None, max_body=most, deadline_ms=deadline
        )
        text = "".join(chr(c) for c in r.body[:200])
        answer = [r.status, text, len(r.body), r.url, r.headers]
    except http.HttpError as error:
        answer = [None, str(error), 0, None, None]
    return answer + [time.ticks_diff(time.ticks_ms(), begun)]


async def beat():
    global ticks
    while True:
        await asyncio.sleep_ms(20)
        ticks += 1


async def main():
    task = asyncio.create_task(beat())
    begun = time.ticks_ms()
    if together:
        answers = await asyncio.gather(*[one(*job) for job in jobs])
    else:
        answers = []
        for job in jobs:
            answers.append(await one(*job))
    elapsed = time.ticks_diff(time.ticks_ms(), begun)
    task.cancel()
    print(json.dumps({"answers": answers, "elapsed": elapsed, "ticks": ticks}))


asyncio.run(main())
