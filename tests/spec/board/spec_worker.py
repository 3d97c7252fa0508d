# Runs the specification's scripts on a board: commands in, answers out, one JSON line each.
#
#   ["reset"]                              forgets all modules              -> ["ok"]
#   ["module", name, base64]               instantiates, runs the start     -> ["ok", {export: type}]
#   ["try", null, base64, links]           the same, and forgets it; links: false where imports may be missing
#   ["forget", name, reason]               a module that can't be made      -> ["skip", reason]
#   ["register", as, name]                                                  -> ["ok"]
#   ["invoke", name, field, [value...]]    null: the last module            -> ["ok", [result...]]
#
# Other answers: ["error", class, message, kind], ["skip", reason] for what the engine's interface has no way to do.
import json
import sys
from binascii import a2b_base64

import wasm3

DEADLINE_MS = 20000
PAGES = 1024

# The functions of the specification's host module "spectest".
SPECTEST = {
    "print": ":",
    "print_i32": "i:",
    "print_i64": "I:",
    "print_f32": "f:",
    "print_f64": "F:",
    "print_i32_f32": "if:",
    "print_f64_f64": "FF:",
}


class Skip(Exception):
    pass


class Entry:
    # A module instance. An instance of the engine is dead after a trap, one of the specification is not: a new
    # one takes its place, and the calls that had succeeded are made again, so that it has the same state.
    def __init__(self, module, modules, links):
        self.module = module
        self.offers = []
        self.targets = []
        self.history = []
        for where, name, kind, signature in module.imports:
            if kind == "func":
                self.offer(where, name, signature, modules)
            elif where == "spectest" or where in modules:
                raise Skip("imports a " + kind)
            if links and where != "spectest" and where not in modules:
                raise Skip("imports from a module that is not there")
        self.functions = {}
        for name, kind, signature in module.exports:
            if kind == "func":
                self.functions[name] = signature
        self.instance = None
        self.make()

    def offer(self, where, name, signature, modules):
        target = None
        if where == "spectest":
            offered = SPECTEST.get(name)
            if name == "print" and signature.endswith(":"):
                offered = signature  # it took anything once
        elif where in modules:
            target = (modules[where], name)
            offered = modules[where].functions.get(name)
        else:
            offered = None
        if offered is not None and (where, name, offered) not in self.offers:
            self.offers.append((where, name, offered))
            self.targets.append(target)

    def host(self, index, args):
        target = self.targets[index]
        if target is not None:
            entry, name = target
            return entry.call(name, args)

    def make(self):
        if self.instance is not None:
            self.instance.close()
        self.instance = self.module.instantiate(self.offers, pages=PAGES, host=self.host)
        self.instance.deadline(DEADLINE_MS)
        if self.instance.has_start:
            self.instance.run_start()
        for name, args in self.history:
            self.instance.call(name, *args)

    def call(self, name, args):
        if name not in self.functions:
            raise Skip("the export is not a function")
        self.instance.deadline(DEADLINE_MS)
        try:
            result = self.instance.call(name, *args)
        except wasm3.Error:
            self.make()
            raise
        self.history.append((name, args))
        return result


def run(command, state):
    what = command[0]
    if what == "reset":
        for entry in state["all"]:
            entry.instance.close()
            entry.module.close()
        state.update({"all": [], "named": {}, "registered": {}, "last": None})
        return []
    if what == "forget":
        state["last"] = None
        state["named"].pop(command[1], None)
        raise Skip(command[2])
    if what == "try":
        module = wasm3.Module(a2b_base64(command[2]))
        Entry(module, state["registered"], command[3]).instance.close()
        module.close()
        return [None]
    if what == "module":
        state["last"] = None
        if command[1]:
            state["named"].pop(command[1], None)
        entry = Entry(wasm3.Module(a2b_base64(command[2])), state["registered"], True)
        state["all"].append(entry)
        state["last"] = entry
        if command[1]:
            state["named"][command[1]] = entry
        return [entry.functions]
    name = command[2] if what == "register" else command[1]
    entry = state["named"].get(name) if name else state["last"]
    if entry is None:
        raise Skip("the module is not there")
    if what == "register":
        state["registered"][command[1]] = entry
        return []
    result = entry.call(command[2], command[3])
    return [[] if result is None else list(result) if isinstance(result, tuple) else [result]]


def main():
    state = {"all": [], "named": {}, "registered": {}, "last": None}
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        try:
            answer = ["ok"] + run(json.loads(line), state)
        except Skip as reason:
            answer = ["skip", str(reason)]
        except wasm3.Error as error:
            answer = ["error", type(error).__name__, error.args[0], error.args[1]]
        except MemoryError as error:
            answer = ["error", "MemoryError", str(error), None]
        sys.stdout.write(json.dumps(answer))
        sys.stdout.write("\n")


main()
