# Threads of wasm beside Python: each computes what it computes alone.
import gc
import select

import check
import micropython
import wasm3
from check import data

ROUNDS = 3
COUNTS = {"f32": 4000, "f64": 1500, "i64": 4000}

module = wasm3.Module(data("sums"))
loops = wasm3.Module(data("loops"))


# Deep enough that register windows go to the stack and come back.
def deep(n, x):
    if n == 0:
        return x
    return deep(n - 1, x * 1.0625 + n) * 0.9375 - x


@micropython.native
def native(n):
    total = 0
    for i in range(n):
        total = (total * 31 + i) & 0xFFFFFF
    return total


def python():
    kept = [bytes([n]) * 50 for n in range(20)]
    gc.collect()
    return repr((deep(25, 1.5), native(300), sum(map(len, kept)), 12345678901234567890 % 9973))


def alone():
    made = module.instantiate()
    return {name: made.call(name, n) for name, n in COUNTS.items()}, python()


def wait(instance):
    poller = select.poll()
    poller.register(instance, select.POLLIN)
    if not poller.poll(10000):
        raise AssertionError("no news")
    return instance.poll()[1]


expected, mine = alone()
for _ in range(ROUNDS):
    running = [(name, module.instantiate()) for name in COUNTS]
    parked = loops.instantiate(check.IMPORTS)
    parked.start("host")
    for name, made in running:
        made.start(name, COUNTS[name])
    for _ in range(6):
        if python() != mine:
            raise AssertionError("Python's numbers changed")
        if parked.poll() is not None:
            parked.reply()
    for name, made in running:
        found = wait(made)
        if found != expected[name]:
            raise AssertionError((name, found, expected[name]))
    wait(parked)  # it still asks
    parked.close()
print("equal")
