"""The reference host: runs cases with wasmtime, whose folder PYTHONPATH names. JSON lines on stdin and stdout."""

import json
import sys

import wasmtime
import wasmtime.component as wc

_METHODS = ("get", "head", "post", "put", "delete")
_LEVELS = ("debug", "info", "warn", "error")
_EXPORTS = {
    "name": "get-name",
    "version": "get-version",
    "schema": "get-config-schema",
    "cycle": "get-run-update-cycle-seconds",
}


class Script:
    def __init__(self, answers):
        self.answers = {key: list(values) for key, values in answers.items()}
        self.calls = []

    def next(self, kind, default):
        waiting = self.answers.get(kind)
        return waiting.pop(0) if waiting else default


def record(**fields):
    value = wc.Record()
    for name, content in fields.items():
        setattr(value, name.replace("_", "-"), content)
    return value


def tag(value):
    return value.tag if isinstance(value, wc.Variant) else value


class Oracle:
    def __init__(self):
        self.engine = wasmtime.Engine()
        self.components = {}
        self.script = None

    def component(self, path):
        if path not in self.components:
            with open(path, "rb") as file:
                self.components[path] = wc.Component(self.engine, file.read())
        return self.components[path]

    def linker(self):
        linker = wc.Linker(self.engine)
        with linker.root() as root:
            with root.add_instance("widget:widget/types"):
                pass
            with root.add_instance("widget:widget/clocks") as clocks:
                clocks.add_func("now", self.now)
            with root.add_instance("widget:widget/random") as random:
                random.add_func("get-random", self.random)
            with root.add_instance("widget:widget/logging") as logging:
                logging.add_func("log", self.log)
            with root.add_instance("widget:widget/http") as http:
                http.add_func("request", self.http)
        return linker

    def now(self, _store):
        self.script.calls.append(["now"])
        seconds, nanoseconds = self.script.next("now", [1, 2])
        return record(seconds=seconds, nanoseconds=nanoseconds)

    def random(self, _store):
        self.script.calls.append(["random"])
        return self.script.next("random", 7)

    def log(self, _store, level, context, message):
        self.script.calls.append(["log", _LEVELS.index(tag(level)), context, message])

    def http(self, _store, method, url, body):
        body = body.payload if isinstance(body, wc.Variant) else body
        self.script.calls.append(
            ["http", _METHODS.index(tag(method)), url, None if body is None else body.hex()]
        )
        answer = self.script.next("http", [200, None, "6f6b"])
        if answer is None:
            return None
        status, length, content = answer
        return record(status=status, content_length=length, bytes=bytes.fromhex(content))

    def case(self, case):
        self.script = Script(case.get("answers", {}))
        try:
            store = wasmtime.Store(self.engine)
            instance = self.linker().instantiate(store, self.component(case["oracle"]))
            what = case["call"]
            function = instance.get_func(store, _EXPORTS.get(what, what))
            arguments = []
            if what == "run":
                seconds, nanoseconds = case["last"]
                last = record(seconds=seconds, nanoseconds=nanoseconds)
                arguments = [record(last_invocation=last, config=case["config"])]
            value = function(store, *arguments)
            if hasattr(function, "post_return"):
                function.post_return(store)
            result = {"ok": getattr(value, "data", value)}
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            result = {"error": "TrapError", "message": str(error)}
        result["calls"] = self.script.calls
        return result


def main():
    oracle = Oracle()
    for line in sys.stdin:
        if not line.strip():
            break
        print(json.dumps(oracle.case(json.loads(line))), flush=True)


main()
