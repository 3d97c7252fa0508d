"""Runs widgets and kernels under wasmtime, whose folder PYTHONPATH names, with the Pulley interpreter. JSON lines.

A line: "what", "file", and for a widget "config" and "answer" (a body, hex), for a kernel "argument". What is measured:
"cold": from a component's bytes to the text, which compiles it; "artefact": the same from what was compiled before, as
the original firmware does it; "warm": a run in a new instance of what is loaded; "kernel": a call of `run`. "sizes":
the component's and the artefact's bytes for the target "target".
"""

import json
import sys
import time

import wasmtime
from wasmtime import _ffi, component

from wg.widget import reference
from wg.widget.reference import record


def engine_for(target):
    config = wasmtime.Config()
    if hasattr(type(config), "target"):
        config.target = target
    else:
        error = _ffi.wasmtime_config_target_set(config.ptr(), target.encode())
        if error:
            raise wasmtime.WasmtimeError._from_ptr(error)
    return wasmtime.Engine(config)


class Host:
    """Answers at once, always the same."""

    body = b""

    def now(self, _store):
        return record(seconds=1764000000, nanoseconds=0)

    def random(self, _store):
        return 4

    def log(self, _store, level, context, message):
        pass

    def request(self, _store, method, url, body):
        return record(status=200, content_length=len(self.body), bytes=self.body)


def main():
    engine = engine_for("pulley64")
    host = Host()
    linker = reference.linker(engine, host.now, host.random, host.log, host.request)
    loaded = {}
    artefacts = {}
    kernels = {}

    def run(widget, config):
        store = wasmtime.Store(engine)
        instance = linker.instantiate(store, widget)
        function = instance.get_func(store, "run")
        last = record(seconds=1764000000, nanoseconds=0)
        value = function(store, record(last_invocation=last, config=config))
        if hasattr(function, "post_return"):
            function.post_return(store)
        return getattr(value, "data", value)

    for line in sys.stdin:
        if not line.strip():
            break
        case = json.loads(line)
        path, what = case["file"], case["what"]
        answer = {}
        if what == "sizes":
            with open(path, "rb") as file:
                data = file.read()
            artefact = component.Component(engine_for(case["target"]), data).serialize()
            answer = {"component": len(data), "artefact": len(artefact)}
        elif what == "kernel":
            if path not in kernels:
                store = wasmtime.Store(engine)
                with open(path, "rb") as file:
                    module = wasmtime.Module(engine, file.read())
                exports = wasmtime.Instance(store, module, []).exports(store)
                kernels[path] = store, exports["run"]
            store, function = kernels[path]
            start = time.perf_counter_ns()
            result = function(store, case["argument"])
            answer = {"ns": time.perf_counter_ns() - start, "result": result & 0xFFFFFFFF}
        else:
            host.body = bytes.fromhex(case["answer"])
            with open(path, "rb") as file:
                data = file.read()
            if what == "warm" and path not in loaded:
                loaded[path] = component.Component(engine, data)
            if what == "artefact" and path not in artefacts:
                artefacts[path] = component.Component(engine, data).serialize()
            start = time.perf_counter_ns()
            if what == "cold":
                widget = component.Component(engine, data)
            elif what == "artefact":
                widget = component.Component.deserialize(engine, artefacts[path])
            else:
                widget = loaded[path]
            text = run(widget, case["config"])
            answer = {"ns": time.perf_counter_ns() - start, "text": text}
        print(json.dumps(answer), flush=True)


main()
