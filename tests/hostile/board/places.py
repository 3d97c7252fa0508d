# Plays the scheduler against runs that hang, fail slowly and are many, and prints what became of the others.
import asyncio
import json
import time

from wgdisplay.log import Log
from wgdisplay.scheduler import Scheduler

counts = {}


async def run(name, config):
    counts[name] = counts.get(name, 0) + 1
    if name.startswith("hung"):
        await asyncio.sleep_ms(60_000)
    if name.startswith("late"):
        await asyncio.sleep_ms(400)
    if name == "long":
        return "ä" * 100_000
    return "text"


def widget(name):
    return {"name": name, "version": "1", "json_config": "{}", "update_cycle_seconds": 1}


async def play(names, ms, cycle_ms=None, on_tick=None, **options):
    """How often each widget was started within `ms`."""
    counts.clear()
    s = Scheduler(run, Log(), on_tick, **options)
    s.load([widget(name) for name in names])
    if cycle_ms is not None:
        for entry in s.entries:
            entry.cycle_ms = cycle_ms
    task = asyncio.create_task(s.loop())
    await asyncio.sleep_ms(ms)
    task.cancel()
    found = dict(counts)
    s.load([])
    await asyncio.sleep_ms(0)
    return found


class Jitter:
    """Makes every other tick 10 ms late, as a garbage collection does."""

    def __init__(self):
        self.odd = False

    def __call__(self):
        self.odd = not self.odd
        if self.odd:
            asyncio.create_task(self.block())

    async def block(self):
        await asyncio.sleep_ms(44)
        time.sleep_ms(16)


async def main():
    seen = {}
    seen["jitter"] = await play(["clock"], 1020, cycle_ms=50, on_tick=Jitter(), tick_ms=50)
    seen["behind hung ones"] = await play(
        [f"hung{i}" for i in range(6)] + ["clock"], 3400, run_ms=10_000, quick_ms=150
    )
    seen["many"] = await play([f"w{i}" for i in range(30)], 2500)
    seen["rest"] = await play(["hung"], 4000, cycle_ms=50, tick_ms=50, run_ms=300, quick_ms=100)

    s = Scheduler(run, Log(), tick_ms=50)
    s.load([widget("long")])
    seen["run now"] = len(await s.run_now("long"))
    seen["kept"] = len(s.entry("long").last_output)

    # Five that take 400 ms, and a place where a run may take 100 ms: none fails for that.
    s = Scheduler(run, Log(), tick_ms=50, quick_ms=100)
    s.load([widget(f"late{i}") for i in range(5)])
    task = asyncio.create_task(s.loop())
    await asyncio.sleep_ms(60)
    seen["run now, put off"] = await s.run_now("late3")
    await asyncio.sleep_ms(1000)
    seen["errors"] = [entry.last_error for entry in s.entries]
    seen["texts"] = [entry.text for entry in s.entries]
    task.cancel()
    print(json.dumps(seen))


asyncio.run(main())
