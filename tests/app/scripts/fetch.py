# Reads [[method, url, body or null, max_body, deadline_ms]...], makes the requests one after the other (or all at once
# if the list starts with "together"; {"roots": folder} before that adds root certificates,
# with "rootless" there are no others, with "frozen" that file is one of two others) and prints
# [[status or null, body, length or what was said, ms]...].
import asyncio
import hashlib
import json
import sys
import time

from wgdisplay.net import certificate, http, trust

jobs = json.loads(sys.stdin.readline())
if isinstance(jobs[0], dict):
    options = jobs.pop(0)
    trust.FOLDER = options["roots"]
    if options.get("frozen"):
        # Two roots, of which the chain asks for one.
        with open(options["frozen"], "rb") as f:
            der = f.read()
        import wgroots

        both = (wgroots.CERTIFICATES[0], der)
        subjects = [hashlib.sha256(certificate.facts(root)[1]).digest()[:8] for root in both]
        made = type("wgroots", (), {"CERTIFICATES": both, "SUBJECTS": b"".join(subjects)})
        sys.modules["wgroots"] = made
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
    loaded = [len(indices) for indices, _ in trust._contexts]
    print(json.dumps({"answers": answers, "elapsed": elapsed, "ticks": ticks, "loaded": loaded}))


asyncio.run(main())
