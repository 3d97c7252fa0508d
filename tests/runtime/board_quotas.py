"""What a run may use up, who may end it, and what goes on meanwhile. Prints one JSON object: scenario -> what happened.

Runs on the board: wgdisplay --script board_quotas.py FOLDER threads|inline
"""

import asyncio
import gc
import json
import os
import sys
import time

from wgdisplay.runtime import Limits, Runtime, WidgetError

FOLDER = sys.argv[1]
THREADS = sys.argv[2] == "threads"
LAYOUT = "259"


class Host:
    def __init__(self, delay_ms=0, answer=(200, 2, b"ok"), error=None):
        self.delay_ms = delay_ms
        self.answer = answer
        self.error = error
        self.time = 1000
        self.logged = []
        self.requests = 0

    async def http(self, name, method, url, body):
        self.requests += 1
        if self.delay_ms:
            await asyncio.sleep_ms(self.delay_ms)
        if self.error is not None:
            raise self.error
        return self.answer

    def now(self):
        self.time += 1
        return self.time, 7

    def random(self):
        return 7

    def log(self, name, level, context, message):
        self.logged.append((name, level, context, message))


def read(probe):
    with open(FOLDER + "/" + probe + "." + LAYOUT + ".wasm", "rb") as file:
        return file.read()


def program(*steps):
    text = ""
    for step in steps:
        text += step[0] + "".join([f"{value:08x}" for value in step[1:]])
    return text


REQUEST = program(("H", 0, 0x2017, 9, 0, 0, 0, 0x608))


class Ticker:
    """Counts how often the loop came by while something else went on."""

    async def __aenter__(self):
        self.count = 0
        self.task = asyncio.create_task(self._tick())
        self.start = time.ticks_ms()
        return self

    async def _tick(self):
        while True:
            self.count += 1
            await asyncio.sleep_ms(5)

    async def __aexit__(self, *_error):
        self.ms = time.ticks_diff(time.ticks_ms(), self.start)
        self.task.cancel()


async def attempt(coroutine):
    try:
        return {"ok": await coroutine}
    except WidgetError as error:
        return {"error": type(error).__name__, "kind": error.kind, "message": str(error)}
    except asyncio.CancelledError:
        return {"error": "CancelledError"}


async def measured(coroutine):
    async with Ticker() as ticker:
        result = await attempt(coroutine)
    result["ms"] = ticker.ms
    result["ticks"] = ticker.count
    return result


def runtime(probe, host=None, **limits):
    kept = type("Kept", (Limits,), limits)
    found = Runtime(host or Host(), limits=kept, threads=THREADS)
    found.add("w", read(probe))
    return found


async def deadline_in_a_loop():
    return await measured(runtime("endless").run("w", "", 150))


async def deadline_of_the_limits():
    return await measured(runtime("endless", DEADLINE_MS=150).run("w", ""))


async def deadline_in_a_description():
    return await measured(Runtime(Host(), threads=THREADS).metadata(read("endless-name"), 150))


async def deadline_in_a_request():
    host = Host(delay_ms=5000)
    return await measured(runtime("plain", host).run("w", REQUEST, 150))


async def deadline_between_requests():
    host = Host(delay_ms=40)
    return await measured(runtime("requests-endlessly", host).run("w", "", 200))


async def deadline_in_parts():
    """_initialize, the allocator, run and the post-return function take a quarter of the time each."""
    found = runtime("slow-parts")
    whole = (await measured(found.run("w", "x")))["ms"]
    whole = min(whole, (await measured(found.run("w", "x")))["ms"])
    result = await measured(found.run("w", "x", whole // 3))
    result["whole"] = whole
    return result


async def slow_request():
    host = Host(delay_ms=150)
    return await measured(runtime("plain", host).run("w", REQUEST))


async def fuel():
    return await measured(runtime("endless", FUEL=100000).run("w", ""))


async def cancel_in_a_loop():
    found = runtime("endless")

    async def later():
        await asyncio.sleep_ms(80)
        return found.cancel("w")

    task = asyncio.create_task(later())
    result = await measured(found.run("w", "", 3000))
    result["cancelled"] = await task
    result["idle"] = found.cancel("w")
    return result


async def cancel_in_a_request():
    found = runtime("plain", Host(delay_ms=3000))

    async def later():
        await asyncio.sleep_ms(80)
        return found.cancel("w")

    task = asyncio.create_task(later())
    result = await measured(found.run("w", REQUEST))
    result["cancelled"] = await task
    return result


async def remove_in_a_request():
    found = runtime("plain", Host(delay_ms=3000))

    async def later():
        await asyncio.sleep_ms(80)
        found.remove("w")

    task = asyncio.create_task(later())
    result = await measured(found.run("w", REQUEST))
    await task
    result["has"] = found.has("w")
    result["again"] = await attempt(found.run("w", ""))
    return result


async def task_cancelled():
    found = runtime("plain" if not THREADS else "endless", Host(delay_ms=3000))
    task = asyncio.create_task(attempt(found.run("w", REQUEST, 5000)))
    await asyncio.sleep_ms(60)
    task.cancel()
    result = await task
    found.add("w", read("echo"))
    result["after"] = await attempt(found.run("w", "fine"))
    return result


async def four_at_once():
    host = Host(delay_ms=200)
    found = Runtime(host, threads=THREADS)
    for name in "abcd":
        found.add(name, read("plain"))
    return await measured(asyncio.gather(*[found.run(name, REQUEST) for name in "abcd"]))


async def twice_at_once():
    """One widget, asked for twice: one run after the other."""
    host = Host(delay_ms=50)
    found = runtime("plain", host)
    return await measured(asyncio.gather(found.run("w", REQUEST), found.run("w", REQUEST)))


async def last_invocation():
    host = Host()
    found = runtime("plain", host)
    for _ in range(3):
        await found.run("w", program(("D", 0x200, 12)))
    return [line[3] for line in host.logged]


async def log_has_the_name():
    host = Host()
    await runtime("plain", host).run("w", program(("L", 2, 0x2000, 5, 0x2005, 5)))
    return host.logged


async def host_calls():
    return await measured(runtime("asks-endlessly", HOST_CALLS=50).run("w", "", 3000))


async def log_lines():
    host = Host()
    result = await measured(runtime("logs-endlessly", host, LOG_LINES=50).run("w", "", 3000))
    result["lines"] = len(host.logged)
    return result


async def log_bytes():
    host = Host()
    # 9 ASCII bytes, then 2, 3 and 4 bytes of UTF-8: the cut falls between characters.
    await runtime("plain", host, LOG_BYTES=13).run("w", program(("L", 2, 0x2000, 2, 0x2017, 18)))
    return host.logged[0][3]


async def http_requests():
    host = Host()
    result = await measured(runtime("requests-endlessly", host, HTTP_REQUESTS=5).run("w", "", 3000))
    result["requests"] = host.requests
    return result


async def http_total():
    host = Host(answer=(200, None, bytes(1000)))
    result = await measured(runtime("requests-endlessly", host, HTTP_TOTAL_BYTES=4500).run("w", "", 3000))
    result["requests"] = host.requests
    return result


async def http_url_bytes():
    return await attempt(runtime("plain", HTTP_URL_BYTES=8).run("w", REQUEST))


async def http_body_bytes():
    text = program(("H", 2, 0x2017, 9, 1, 0, 3000, 0x608))
    return await attempt(runtime("plain", HTTP_BODY_BYTES=2999).run("w", text))


async def http_answer_bytes():
    """A host that doesn't keep the limit: the widget gets an error, not more than it may have."""
    host = Host(answer=(200, None, bytes(3000)))
    await runtime("plain", host, HTTP_BODY_BYTES=2999).run("w", REQUEST + program(("D", 0x608, 1)))
    return host.logged[0][3]


async def result_bytes():
    return await attempt(runtime("echo", RESULT_BYTES=10).run("w", "12345678901"))


async def config_bytes():
    return await attempt(runtime("echo", CONFIG_BYTES=10).run("w", "12345678901"))


async def config_surrogate():
    return await attempt(runtime("echo").run("w", json.loads('"\\ud800"')))


async def file_bytes():
    found = Runtime(Host(), limits=type("Kept", (Limits,), {"FILE_BYTES": 100}), threads=THREADS)
    try:
        found.load(read("plain"))
    except WidgetError as error:
        return {"error": type(error).__name__, "message": str(error)}


async def memory_pages():
    return ord(await runtime("grows", MEMORY_PAGES=40).run("w", ""))


async def memory_at_start():
    return await attempt(runtime("huge").run("w", ""))


async def host_error():
    found = runtime("plain", Host(error=ValueError("odd")))
    result = await attempt(found.run("w", REQUEST))
    found.host = Host()
    result["after"] = await attempt(found.run("w", ""))
    return result


async def no_state_survives():
    """What a run stored in its memory is gone in the next."""
    host = Host()
    found = runtime("plain", host)
    await found.run("w", program(("S", 0x500, 0x12345678), ("D", 0x500, 4)))
    await found.run("w", program(("D", 0x500, 4)))
    return [line[3] for line in host.logged]


async def nothing_survives():
    """Text after text of a widget that changes all the state that it has; and how many threads wait meanwhile."""
    found = runtime("stateful")
    texts = []
    for _ in range(4):
        texts.append(await found.run("w", ""))
    return {"texts": texts}


def threads():
    return len(os.listdir("/proc/self/task"))


async def kept():
    """What waits between runs: an instance after a good run, none after a trap or another quota; within the budget."""
    found = runtime("plain", KEPT_BYTES=400_000)
    held = [found.held()]
    await found.run("w", "")
    held.append(found.held())
    first = found.idle("w")
    await found.run("w", "")
    held.append(found.held())
    same = found.idle("w") is first
    await attempt(found.run("w", program(("T",))))
    held.append(found.held())
    await found.run("w", "")
    fewer = type("Fewer", (Limits,), {"MEMORY_PAGES": 3, "KEPT_BYTES": 400_000})
    second = found.idle("w")
    pages = await found.run("w", program(("G", 1)), limits=fewer)
    other = found.idle("w") is not second
    for name in "abcdef":
        found.add(name, read("plain"))
        await found.run(name, "")
        held.append(found.held())
    idle = [name for name in "wabcdef" if found.idle(name) is not None]
    await found.run("w", program(("G", 3)))  # what it grew to is not kept
    held.append(found.held())
    last = found.idle("w") is not None
    time.sleep_ms(100)  # the threads of what is idle go
    kept_threads = threads()
    for name in "wabcdef":
        found.remove(name)
    return {
        "held": held,
        "same": same,
        "other": other,
        "pages": pages,
        "idle": idle,
        "last": last,
        "after": found.held(),
        "threads": kept_threads,
    }


async def shelf():
    """Room for the code of two: a third takes the place of the one that was used longest ago."""
    data = read("plain")
    size = 2 * Runtime(Host()).load(data).size
    found = runtime("plain", KEPT_BYTES=size)
    found.add("x", data)
    await found.run("w", "")
    found.add("y", data)
    return {
        "there": [name for name in ("w", "x", "y") if found.has(name)],
        "gone": await attempt(found.run("x", "")),
    }


async def shelf_keeps_what_runs():
    found = runtime("plain", Host(delay_ms=200), KEPT_BYTES=1)
    task = asyncio.create_task(attempt(found.run("w", REQUEST)))
    await asyncio.sleep_ms(50)
    found.add("x", read("plain"))
    during = found.has("w")
    result = await task
    found.add("y", read("plain"))
    return {"during": during, "result": result, "after": found.has("w")}


async def shelf_keeps_the_time():
    host = Host()
    found = runtime("plain", host, KEPT_BYTES=1)
    for name in ("w", "x", "w"):
        if not found.has(name):
            found.add(name, read("plain"))
        await found.run(name, program(("D", 0x200, 12)))
    found.remove("w")
    found.add("w", read("plain"))
    await found.run("w", program(("D", 0x200, 12)))
    return [line[3] for line in host.logged]


async def unknown():
    return await attempt(Runtime(Host(), threads=THREADS).run("nobody", ""))


async def memory_after_many_runs():
    found = {
        probe: runtime(probe) for probe in ("plain", "traps", "endless", "post-traps", "realloc-far", "huge")
    }

    async def round_():
        for _ in range(30):
            for probe in found:
                await attempt(found[probe].run("w", REQUEST if probe == "plain" else "", 10))
        gc.collect()
        with open("/proc/self/statm") as file:
            return gc.mem_alloc(), int(file.read().split()[1]) * 4096

    await round_()
    rounds = []
    for _ in range(4):
        rounds.append(await round_())
    return {"heap": [heap for heap, _ in rounds], "resident": [resident for _, resident in rounds]}


async def main():
    found = {}
    for scenario in SCENARIOS:
        try:
            found[scenario.__name__] = await scenario()
        except Exception as error:
            sys.print_exception(error, sys.stderr)
            found[scenario.__name__] = {"escaped": repr(error)}
        gc.collect()
    print(json.dumps(found))


SCENARIOS = (
    deadline_in_a_loop,
    deadline_of_the_limits,
    deadline_in_a_description,
    deadline_in_a_request,
    deadline_between_requests,
    deadline_in_parts,
    slow_request,
    fuel,
    task_cancelled,
    four_at_once,
    twice_at_once,
    last_invocation,
    log_has_the_name,
    host_calls,
    log_lines,
    log_bytes,
    http_requests,
    http_total,
    http_url_bytes,
    http_body_bytes,
    http_answer_bytes,
    result_bytes,
    config_bytes,
    config_surrogate,
    file_bytes,
    memory_pages,
    memory_at_start,
    host_error,
    no_state_survives,
    nothing_survives,
    kept,
    shelf,
    shelf_keeps_what_runs,
    shelf_keeps_the_time,
    unknown,
    cancel_in_a_request,
    remove_in_a_request,
    memory_after_many_runs,
)
if THREADS:
    SCENARIOS += (cancel_in_a_loop,)

asyncio.run(main())
