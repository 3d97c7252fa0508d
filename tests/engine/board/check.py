# Runs the functions test_* of a script on the board and prints a line for each. Imported by the scripts beside it.
import sys

import wasm3

MODULES = sys.argv[1] + "/"

IMPORTS = (
    ("host", "mix", "iIfF:I"),
    ("host", "note", "i:"),
    ("host", "ask", ":i"),
    ("host", "back", ":"),
    ("host", "wait", ":"),
    ("host", "get", "i:"),
)
MIX, NOTE, ASK, BACK, WAIT, GET = range(6)


def data(name):
    with open(MODULES + name + ".wasm", "rb") as file:
        return file.read()


def instance(name, host=None, **limits):
    return wasm3.Module(data(name)).instantiate(IMPORTS, host=host, **limits)


def raises(error, function, *args, kind=None, says=None):
    try:
        function(*args)
    except error as e:
        caught = e
    else:
        raise AssertionError("nothing raised")
    e = caught
    if type(e) is not error:
        raise AssertionError("not exactly " + error.__name__ + ": " + repr(e))
    if kind is not None and e.args[1] != kind:
        raise AssertionError("kind " + repr(e.args))
    if says is not None and says not in str(e.args[0]):
        raise AssertionError("says " + repr(e.args))
    return e


def equal(a, b):
    if a != b:
        raise AssertionError(repr(a) + " is not " + repr(b))


def main(names):
    failed = 0
    for name, function in sorted(names.items()):
        if name.startswith("test_"):
            try:
                function()
                print("ok", name)
            except Exception as e:
                failed += 1
                print("FAIL", name)
                sys.print_exception(e)
    sys.exit(1 if failed else 0)
