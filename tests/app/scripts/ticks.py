# Plays the scheduler in fast time (a tick is 50 ms, so a cycle of N is N * 1000 ms) and prints what happened.
import asyncio
import json
import time

from wgdisplay.log import Log
from wgdisplay.scheduler import Scheduler

log = Log()
calls = []
down = []


async def run(name, config):
    calls.append((name, config))
    if name == "slow":
        await asyncio.sleep_ms(1500)
        return "slow text"
    if name == "hung":
        while True:
            await asyncio.sleep_ms(1000)
    if name == "broken":
        raise RuntimeError("it broke")
    count = len([c for c in calls if c[0] == name])
    if name == "heals" and count == 1:
        raise OSError("no network")
    if name == "worsens" and count > 2:
        raise OSError("the server of the weather has gone away.")
    if name == "fickle" and down:
        raise OSError("it is down")
    return f"text {count}"


def widget(name, cycle=0, config="{}", version="1"):
    return {"name": name, "version": version, "json_config": config, "update_cycle_seconds": cycle}


async def main():
    seen = {}
    times = []
    s = Scheduler(
        run, log, lambda: times.append(time.ticks_ms()), tick_ms=50, run_ms=2500, quick_ms=3000, jitter=int
    )
    names = ("quick", "slow", "hung", "broken", "heals", "worsens")
    s.load([widget(n) for n in names] + [widget("rare", 3600)])
    seen["before"] = s.items()
    task = asyncio.create_task(s.loop())
    await asyncio.sleep_ms(3300)
    seen["counts"] = {n: len([c for c in calls if c[0] == n]) for n in names + ("rare",)}
    seen["items"] = s.items()
    seen["errors"] = {e.name: e.last_error for e in s.entries}
    seen["outputs"] = {e.name: e.last_output for e in s.entries}
    seen["gap"] = max([time.ticks_diff(times[i + 1], times[i]) for i in range(len(times) - 1)])
    seen["ticks"] = len(times)

    # What failed is due at once when there is reason to try again.
    before = len([c for c in calls if c[0] == "broken"])
    s.retry()
    await asyncio.sleep_ms(150)
    seen["retried"] = len([c for c in calls if c[0] == "broken"]) - before

    # A changed configuration is run at once, what is unchanged keeps its text, what is gone is gone.
    s.load([widget("rare", 3600, '{"a": 1}'), widget("quick")])
    seen["kept"] = s.items()
    await asyncio.sleep_ms(150)
    seen["rerun"] = [c for c in calls if c[0] == "rare"]
    seen["run now"] = await s.run_now("rare")

    # The old text of another configuration is not kept over a failure.
    s.load([widget("fickle")])
    await asyncio.sleep_ms(150)
    down.append(True)
    try:
        await s.run_now("fickle")
    except RuntimeError as error:
        seen["said"] = str(error)
    seen["old"] = s.items()
    s.load([widget("fickle", 0, '{"a": 1}')])
    await asyncio.sleep_ms(150)
    seen["other configuration"] = s.items()

    # More due widgets than places: all get their turn.
    s.load([widget(f"w{i}") for i in range(9)])
    await asyncio.sleep_ms(400)
    seen["all ran"] = sorted(e.name for e in s.entries if e.runs)

    def bad():
        raise ValueError("tick")

    s._on_tick = bad
    ticks = s.ticks
    await asyncio.sleep_ms(300)
    seen["goes on"] = s.ticks - ticks
    seen["log"] = [(line[2], line[3]) for line in log.lines()]
    task.cancel()
    print(json.dumps(seen))


asyncio.run(main())
