"""Runs widgets on the board and takes the time. JSON lines on standard input and output.

A line: "file", "what" ("cold": from the file's bytes to the text; "warm": once more), "config", "answer" (a body, hex).
"""

import asyncio
import gc
import json
import sys
import time

from wgdisplay.runtime import Runtime

NAME = "widget"
DEADLINE_MS = 20000


class Host:
    """Answers at once, always the same."""

    body = b""

    async def http(self, name, method, url, body):
        return 200, len(self.body), self.body

    def now(self):
        return 1764000000, 0

    def random(self):
        return 4

    def log(self, name, level, context, message):
        pass


async def main():
    host = Host()
    runtime = Runtime(host)
    while True:
        line = sys.stdin.readline()
        if not line.strip():
            break
        case = json.loads(line)
        host.body = bytes.fromhex(case["answer"])
        data = None
        if case["what"] == "cold":
            with open(case["file"], "rb") as file:
                data = file.read()
            try:
                runtime.remove(NAME)
            except Exception:
                pass
        gc.collect()
        start = time.ticks_us()
        if data is not None:
            runtime.add(NAME, data)
        text = await runtime.run(NAME, case["config"], DEADLINE_MS)
        taken = time.ticks_diff(time.ticks_us(), start)
        print(json.dumps({"ns": taken * 1000, "text": text}))


asyncio.run(main())
