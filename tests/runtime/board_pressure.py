"""Many widgets of 60 pages in a process that may not have much memory. Prints what each run ended in, as JSON.

Runs on the board: wgdisplay --script board_pressure.py FILE threads|inline
"""

import asyncio
import json
import sys

from wgdisplay.runtime import Limits, Runtime, WidgetError


class Host:
    def now(self):
        return 1, 2

    def random(self):
        return 7

    def log(self, name, level, context, message):
        pass


class Much(Limits):
    KEPT_BYTES = 1 << 30


async def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    runtime = Runtime(Host(), Much, threads=sys.argv[2] == "threads")
    seen = []
    idle = 0
    for count in range(60):
        name = f"w{count % 30}"
        if not runtime.has(name):
            runtime.add(name, data)
        try:
            seen.append(await runtime.run(name, ""))
        except WidgetError as error:
            seen.append(f"{type(error).__name__} {error.kind}: {error}")
        idle = max(idle, runtime.held())
    buffers = [len(runtime.buffer(1 << 20)) for _ in range(3)]
    print(json.dumps({"seen": seen, "most": idle, "buffers": buffers}))


asyncio.run(main())
