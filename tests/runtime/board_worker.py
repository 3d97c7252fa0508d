"""The board's side of the differential tests: MicroPython, JSON lines on stdin and stdout."""

import asyncio
import gc
import io
import json
import sys

from wgdisplay.runtime import Runtime, WidgetError


class ScriptedHost:
    """Answers from a list, and writes down what it was asked."""

    def __init__(self, case):
        self.answers = case.get("answers", {})
        self.calls = []
        self.context = case.get("last") if case["call"] == "run" else None
        self.delay_ms = case.get("delay_ms")

    def next(self, kind, default):
        waiting = self.answers.get(kind)
        return waiting.pop(0) if waiting else default

    async def http(self, name, method, url, body):
        self.calls.append(["http", method, url, None if body is None else body.hex()])
        answer = self.next("http", [200, None, "6f6b"])
        if self.delay_ms is not None:
            await asyncio.sleep_ms(self.delay_ms)
        if answer is None:
            raise OSError(110)
        return answer[0], answer[1], bytes.fromhex(answer[2])

    def now(self):
        # The runtime's own question comes first: the time of this run.
        if self.context is not None:
            context, self.context = self.context, None
            return tuple(context)
        self.calls.append(["now"])
        return tuple(self.next("now", [1, 2]))

    def random(self):
        self.calls.append(["random"])
        return self.next("random", 7)

    def log(self, name, level, context, message):
        self.calls.append(["log", level, context, message])


_widgets = {}


def memory():
    """Bytes in use of MicroPython's heap, and of the process (Linux)."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return {"heap": gc.mem_alloc(), "resident": int(file.read().split()[1]) * 4096}


async def perform(case, host):
    what = case["call"]
    if what == "memory":
        return memory()
    runtime = Runtime(host, threads=case.get("threads", True))
    if "data" in case:
        runtime.add("probe", bytes.fromhex(case["data"]))
        return await runtime.run("probe", case["config"], case["deadline_ms"])
    path = case["board"]
    if path not in _widgets or case.get("fresh"):
        with open(path, "rb") as file:
            _widgets[path] = runtime.load(file.read())
    widget = _widgets[path]
    if what == "load":
        return widget.kind
    if what == "metadata":
        return await runtime.metadata(widget)
    if what == "name":
        return await runtime.name(widget)
    if what == "version":
        return await runtime.version(widget)
    if what == "schema":
        return await runtime.config_schema(widget)
    if what == "cycle":
        return await runtime.run_update_cycle_seconds(widget)
    runtime.add("probe", widget)
    return await runtime.run("probe", case["config"], case.get("deadline_ms", 20000))


async def answer(case):
    host = ScriptedHost(case)
    try:
        result = {"ok": await perform(case, host)}
    except WidgetError as error:
        result = {"error": type(error).__name__, "kind": error.kind, "message": str(error)}
    except Exception as error:
        trace = io.StringIO()
        sys.print_exception(error, trace)
        result = {"error": type(error).__name__, "kind": "escaped", "message": trace.getvalue()}
    result["calls"] = host.calls
    return result


async def main():
    # The loop runs all the time, as in the firmware; only this script may block in it to read the next line.
    while True:
        line = sys.stdin.readline()
        if not line.strip():
            break
        print(json.dumps(await answer(json.loads(line))))
        gc.collect()


asyncio.run(main())
