"""Runs widgets under wasmtime, whose folder PYTHONPATH names. JSON lines on stdin and stdout.

A case: "file", "call" (default "run"), "config", "now" in seconds, "answers": [status, body as hex] or null each.
"""

import json
import sys

import wasmtime
from wasmtime import component

from wg.widget import reference
from wg.widget.reference import record


class Run:
    """The host's side of one run."""

    def __init__(self, case):
        self.now = case.get("now", 0)
        self.answers = list(case.get("answers", ()))
        self.requests = []
        self.logs = []

    def clock(self, _store):
        return record(seconds=self.now, nanoseconds=0)

    def random(self, _store):
        return 4

    def log(self, _store, level, context, message):
        self.logs.append([context, message])

    def request(self, _store, method, url, body):
        self.requests.append(url)
        answer = self.answers.pop(0) if self.answers else None
        if answer is None:
            return None
        return record(status=answer[0], content_length=None, bytes=bytes.fromhex(answer[1]))


def main():
    engine = wasmtime.Engine()
    components = {}
    for line in sys.stdin:
        case = json.loads(line)
        path = case["file"]
        if path not in components:
            with open(path, "rb") as file:
                components[path] = component.Component(engine, file.read())
        run = Run(case)
        try:
            store = wasmtime.Store(engine)
            linker = reference.linker(engine, run.clock, run.random, run.log, run.request)
            instance = linker.instantiate(store, components[path])
            call = case.get("call", "run")
            function = instance.get_func(store, call)
            arguments = []
            if call == "run":
                last = record(seconds=run.now, nanoseconds=0)
                arguments = [record(last_invocation=last, config=case.get("config", "{}"))]
            for _ in range(case.get("repeat", 1)):
                value = function(store, *arguments)
                if hasattr(function, "post_return"):
                    function.post_return(store)
            result = {"ok": getattr(value, "data", value)}
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            result = {"trap": str(error)}
        print(json.dumps({**result, "requests": run.requests, "logs": run.logs}), flush=True)


main()
