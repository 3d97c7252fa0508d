# Runs every exported function of generated modules on a board: a path on each line in, a JSON line out for each,
# and an empty line at the end. Each module is run twice: in new instances, and in one that is reset each time.
# generated_oracle.py does the same with wasmtime. Floats are their bits, NaNs are all alike.
import json
import sys

import wasm3

PAGES = 64
DEADLINE_MS = 500  # an endless loop is left out of the comparison
LOGGED = 500  # host calls that are compared
ARGUMENTS = {"i": 7, "I": 11, "f": 0x40400000, "F": 0x4014000000000000}  # 3.0 and 5.0


def shown(letter, value):
    if letter == "f" and value & 0x7FFFFFFF > 0x7F800000:
        return "nan"
    if letter == "F" and value & 0x7FFFFFFFFFFFFFFF > 0x7FF0000000000000:
        return "nan"
    return value


class Run:
    def __init__(self, data):
        self.module = wasm3.Module(data)
        self.offers = [(i[0], i[1], i[3]) for i in self.module.imports]
        self.log = []

    def host(self, index, args):
        _, name, signature = self.offers[index]
        letters, _, results = signature.partition(":")
        if len(self.log) < LOGGED:
            self.log.append([name] + [shown(letter, value) for letter, value in zip(letters, args)])  # noqa: B905
        return 0 if results else None

    def instance(self):
        made = self.module.instantiate(self.offers, pages=PAGES, host=self.host)
        self.begin(made)
        return made

    def begin(self, instance):
        instance.deadline(DEADLINE_MS)
        if instance.has_start:
            instance.run_start()

    def again(self):
        """As all(), in one instance as long as it can be reset; how often it was."""
        before, self.log = self.log, []
        answers = []
        resets = 0
        instance = self.instance_or_none()
        dirty = False
        for name, kind, signature in self.module.exports:
            if kind != "func":
                continue
            letters, _, results = signature.partition(":")
            try:
                if dirty or instance is None:
                    dirty = False
                    instance, done = self.renewed(instance)
                    resets += done
                values = instance.call(name, *(ARGUMENTS[letter] for letter in letters))
                values = [] if values is None else values if isinstance(values, tuple) else [values]
                answers.append([name, [shown(letter, value) for letter, value in zip(results, values)]])  # noqa: B905
            except wasm3.Error as error:
                answers.append([name, type(error).__name__ + ": " + str(error.args[1] or error.args[0])])
                dirty = True
        if instance:
            instance.close()
        log, self.log = self.log, before
        return answers, log, resets

    def instance_or_none(self):
        # A used one: what it did before must not matter.
        try:
            made = self.module.instantiate(self.offers, pages=PAGES, host=self.host)
        except wasm3.Error:
            return None
        try:
            self.begin(made)
            for name, kind, signature in self.module.exports:
                if kind == "func":
                    made.call(name, *(ARGUMENTS[letter] for letter in signature.partition(":")[0]))
        except wasm3.Error:
            pass
        self.log = []
        try:
            made.reset()
            self.begin(made)
        except wasm3.Error:
            made.close()
            self.log = []
            return None
        return made

    def renewed(self, instance):
        if instance is not None:
            try:
                instance.reset()
                self.begin(instance)
                return instance, 1
            except wasm3.Error as error:
                instance.close()
                if type(error) is not wasm3.Error:
                    raise
        return self.instance(), 0

    def all(self):
        answers = []
        instance = None
        for name, kind, signature in self.module.exports:
            if kind != "func":
                continue
            letters, _, results = signature.partition(":")
            try:
                instance = instance or self.instance()
                values = instance.call(name, *(ARGUMENTS[letter] for letter in letters))
                values = [] if values is None else values if isinstance(values, tuple) else [values]
                answers.append([name, [shown(letter, value) for letter, value in zip(results, values)]])  # noqa: B905
            except wasm3.Error as error:
                answers.append([name, type(error).__name__ + ": " + str(error.args[1] or error.args[0])])
                if instance:
                    instance.close()
                instance = None
        if instance:
            instance.close()
        log = self.log
        reset = 0
        # The depth of the native stack, and the time, are not the same if code was compiled before.
        if not any(limit in said for _, said in answers for limit in ("exhausted", "deadline", "heap")):
            again, log, reset = self.again()
            if again != answers or log != self.log:
                raise wasm3.Error("a reset instance differs: " + repr((again, answers))[:500])
        self.module.close()
        return {"answers": answers, "log": self.log, "resets": reset}


def main():
    while True:
        path = sys.stdin.readline().strip()
        if not path:
            return
        with open(path, "rb") as file:
            data = file.read()
        try:
            answer = Run(data).all()
        except wasm3.Error as error:
            answer = {"refused": str(error)}
        print(json.dumps(answer))


main()
