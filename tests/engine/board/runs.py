# Runs: traps, quotas, host functions, inline and in threads.
import asyncio
import gc
import select
import time

import check
import wasm3
from check import ASK, GET, IMPORTS, MIX, NOTE, WAIT, data, equal, instance, raises

LOOPS = (
    "empty", "conditional", "table_branch", "nested", "with_parameter", "calls", "calls_by_table", "fills",
    "copies", "grows", "calls_only",
)  # fmt: skip

TRAPS = (
    ("unreachable", (), "unreachable"),
    ("divide", (1, 0), "integer divide by zero"),
    ("divide", (2**31, -1), "integer overflow"),
    ("divide_u64", (1, 0), "integer divide by zero"),
    ("remainder", (1, 0), "integer divide by zero"),
    ("truncate", (0x7FF8000000000000,), "invalid conversion to integer"),
    ("truncate", (0x41E0000000000000,), "integer overflow"),
    ("load", (65533,), "memory access out of bounds"),
    ("load", (-1,), "memory access out of bounds"),
    ("load_far", (-1,), "memory access out of bounds"),
    ("store64", (65529,), "memory access out of bounds"),
    ("fill", (1, 65536), "memory access out of bounds"),
    ("copy", (0, 1, -1), "memory access out of bounds"),
    ("copy", (65535, 0, 2), "memory access out of bounds"),
    ("indirect", (0,), "indirect call type mismatch"),
    ("indirect", (3,), "uninitialized element"),
    ("indirect", (4,), "undefined element"),
    ("indirect", (-1,), "undefined element"),
    ("recursion", (), "call stack exhausted"),
    ("recursion_with_locals", (1, 2, 3, 4), "call stack exhausted"),
    ("recursion_by_table", (), "call stack exhausted"),
)


def _leb(n):
    out = b""
    while n > 127:
        out += bytes((n & 127 | 128,))
        n >>= 7
    return out + bytes((n,))


def _section(number, data):
    return bytes((number,)) + _leb(len(data)) + data


def _run_of(body):
    """A module whose export `run` is of an i32, with an f64 as its local 1 and this code."""
    code = b"\x01\x01\x7c" + body + b"\x0b"
    return (
        b"\0asm\1\0\0\0"
        + _section(1, b"\x01\x60\x01\x7f\0")
        + _section(3, b"\x01\0")
        + _section(7, b"\x01\x03run\0\0")
        + _section(10, b"\x01" + _leb(len(code)) + code)
    )


# Operations and how often: a square root is one.
def _roots(count):
    return b"\x20\x01" + b"\x9f" * count + b"\x21\x01"


_GET, _IF, _ELSE, _BLOCK, _END = b"\x20\0", b"\x04\x40", b"\x05", b"\x02\x40", b"\x0b"
# name -> what `run` does, so that more operations of other lengths are jumped over, and its argument
IN_A_ROW = {
    "straight": (lambda n: _roots(40) * 50, 1),
    "past a block": (lambda n: (_roots(40) + _BLOCK + _GET + b"\x0d\0" + _roots(n) + _END) * 50, 1),
    "past an if": (lambda n: (_roots(40) + _GET + _IF + _roots(n) + _END) * 50, 0),
    "through then": (lambda n: (_GET + _IF + _roots(40) + _ELSE + _roots(n) + _END) * 50, 1),
    "through else": (lambda n: (_GET + _IF + _roots(n) + _ELSE + _roots(40) + _END) * 50, 0),
    "by a table": (
        lambda n: (_BLOCK * 2 + _roots(40) + _GET + b"\x0e\x01\0\1" + _END + _roots(n) + _END) * 50,
        1,
    ),
    "with a result": (
        lambda n: (
            (
                b"\x02\x7f"
                + _roots(40)
                + b"\x41\0"
                + _GET
                + b"\x0d\0\x1a"
                + _roots(n)
                + b"\x41\0"
                + _END
                + b"\x1a"
            )
            * 50
        ),
        1,
    ),
    "out of two": (
        lambda n: (
            (_BLOCK + _BLOCK + _roots(40) + _GET + b"\x0d\x01" + _roots(n) + _END + _roots(20) + _END) * 50
        ),
        1,
    ),
    # after the calls: returns are not counted
    "on the way back": (lambda n: _GET + _IF + _GET + b"\x41\1\x6b\x10\0" + _END + _roots(40), 49),
}


def wait(i, ms=5000):
    poller = select.poll()
    poller.register(i, select.POLLIN)
    if not poller.poll(ms):
        raise AssertionError("no news within " + str(ms) + " ms")
    return i.poll()


def test_operations_in_a_row_count():
    operations = 40 * 50  # at least
    for name, (body, argument) in IN_A_ROW.items():
        # at some length what counts comes into the part that is jumped over each time
        for jumped in range(1, 70):
            m = wasm3.Module(_run_of(body(jumped)))
            i = m.instantiate(())
            for fuel, kind in ((operations, None), (operations // 140, "fuel")):
                i.fuel(fuel)
                try:
                    i.call("run", argument)
                    ended = None
                except wasm3.QuotaError as e:
                    ended = e.args[1]
                equal((name, jumped, ended), (name, jumped, kind))
            i.close()
            m.close()


def test_the_stack_grows_as_it_is_used():
    def host(index, args):
        equal((index, args[0], args[2:]), (MIX, 7, (0x3FC00000, 0xC004000000000000)))
        if args[1]:
            return (i.call("through", 50, args[1] - 1) + 1) & (2**64 - 1)
        equal(i.call("sum", 600), 600 * 601 // 2)  # while the host function's arguments lie on it
        return 1

    i = instance("stack", host=host)
    new = i.heap_used
    equal(i.call("sum", 10), 55)
    shallow = i.heap_used
    equal(i.call("grow_and_sum", 300), 300 * 301 // 2)
    deeper = i.heap_used
    equal(i.call("through", 20, 0), 1 + 20 * 21 // 2)
    deepest = i.heap_used
    assert new < 32 * 1024 and shallow < deeper < deepest, (new, shallow, deeper, deepest)
    i.reset()
    equal(i.call("through", 30, 2), 3 + 2 * (50 * 51 // 2) + 30 * 31 // 2)
    i = instance("stack", heap=shallow + 512)
    raises(wasm3.QuotaError, i.call, "sum", 600, kind="heap")


def test_the_stack_ends_at_its_size_however_it_grew():
    for stack in (4096, 10000, 65536):
        depths = []
        for before in (0, 20, 40):
            i = instance("stack", stack=stack)
            i.call("sum", before)
            raises(wasm3.TrapError, i.call, "deep", kind="call stack exhausted")
            depths.append(int.from_bytes(i.read(0, 4), "little"))
        equal(depths, [depths[0]] * 3)
        assert stack // 32 < depths[0] < stack // 8, (stack, depths)


def test_reset():
    i = instance("memory")
    begin = i.read(0, i.memory_size)
    i.write(0, b"changed")
    i.call("grow", 3)
    i.write(4 * 65536 - 1, b"x")
    i.call("drop")
    i.reset()
    equal(i.memory_size, 65536)
    equal(i.read(0, 65536), begin)
    i.call("init", 100, 2, 3)  # the segment is there again
    equal(i.read(100, 3), b"234")
    equal(i.call("grow_and_load", 1, 2 * 65536 - 1), 0)
    i = instance("start", host=lambda index, args: None)
    i.run_start()
    equal(i.call("get"), 42)
    i.reset()
    equal(i.call("get"), 0)  # the start function is run again by run_start() only
    i.run_start()
    equal(i.call("get"), 42)


def test_reset_after_the_end_of_a_run():
    i = instance("traps", host=lambda index, args: None)
    for name, args, kind in TRAPS:
        raises(wasm3.TrapError, i.call, name, *args, kind=kind)
        raises(wasm3.Error, i.call, name, *args)
        if kind == "call stack exhausted":
            raises(wasm3.Error, i.reset, says="make a new one")
            i = instance("traps", host=lambda index, args: None)
        else:
            i.reset()
    i = instance("loops")
    i.fuel(100)
    raises(wasm3.QuotaError, i.call, "empty", kind="fuel")
    i.reset()
    i.deadline(1)
    raises(wasm3.QuotaError, i.call, "empty", kind="deadline")
    i.reset()
    i.cancel()
    i.reset()
    i.deadline(30)
    begin = time.ticks_ms()
    raises(wasm3.QuotaError, i.call, "empty", kind="deadline")
    if time.ticks_diff(time.ticks_ms(), begin) < 29:
        raise AssertionError("ended too early")
    i.close()
    raises(wasm3.Error, i.reset)


def test_reset_only_when_idle():
    refused = []

    def host(index, args):
        refused.append(raises(wasm3.Error, i.reset, says="running"))
        return 7

    i = instance("basic", host=host)
    equal((i.call("ask"), len(refused)), (7, 1))
    i = instance("basic")
    i.start("ask")
    equal(wait(i)[0], wasm3.HOST)
    raises(wasm3.Error, i.reset, says="running")
    i.reply(3)
    equal(wait(i), (wasm3.DONE, 3))


def test_reset_of_an_instance_with_a_thread():
    i = instance("basic")
    for _ in range(3):
        i.start("add", 1, 2)
        raises(wasm3.Error, i.reset, says="poll")
        equal(wait(i), (wasm3.DONE, 3))
        i.reset()
    i = instance("loops")
    i.start("empty")
    i.cancel()
    raises(wasm3.QuotaError, wait, i, kind="cancelled")
    i.reset()
    i.deadline(5)
    i.start("empty")
    raises(wasm3.QuotaError, wait, i, kind="deadline")


def test_traps_inline():
    m = wasm3.Module(data("traps"))
    for name, args, kind in TRAPS:
        i = m.instantiate(IMPORTS)
        raises(wasm3.TrapError, i.call, name, *args, kind=kind, says=kind)
        raises(wasm3.Error, i.call, "remainder", 5, 2, says="ended in an error")
        raises(wasm3.Error, i.start, "remainder", 5, 2, says="ended in an error")
    equal(m.instantiate(IMPORTS).call("remainder", 2**31, -1), 0)


def test_traps_in_thread():
    m = wasm3.Module(data("traps"))
    for name, args, kind in TRAPS:
        i = m.instantiate(IMPORTS)
        i.start(name, *args)
        raises(wasm3.TrapError, wait, i, kind=kind)
        equal(i.poll(), None)
        raises(wasm3.Error, i.start, name, *args)
        i.close()


def test_recursion_with_a_large_wasm_stack():
    m = wasm3.Module(data("traps"))
    for name in ("recursion", "recursion_by_table"):
        i = m.instantiate(IMPORTS, stack=1024 * 1024, native_stack=16 * 1024)
        raises(wasm3.TrapError, i.call, name, kind="call stack exhausted")
        i = m.instantiate(IMPORTS, stack=1024 * 1024, native_stack=16 * 1024)
        i.start(name)
        raises(wasm3.TrapError, wait, i, kind="call stack exhausted")


def test_recursion_through_the_host():
    i = instance("traps", host=lambda n, a: i.call("recursion_by_host"))
    raises(wasm3.QuotaError, i.call, "recursion_by_host", kind="depth")


def nested_blocks(depth):
    """A module whose one function has so many blocks within each other."""

    def leb(n):
        out = b""
        while n > 127:
            out += bytes((n & 127 | 128,))
            n >>= 7
        return out + bytes((n,))

    body = b"\0" + b"\x02\x40" * depth + b"\x0b" * depth + b"\x0b"
    code = b"\1" + leb(len(body)) + body
    return b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\7\5\1\1f\0\0" + b"\x0a" + leb(len(code)) + code


def test_deeply_nested_blocks():
    wasm3.Module(nested_blocks(100)).instantiate().call("f")
    for depth in (1000, 20000, 60000):
        try:
            i = wasm3.Module(nested_blocks(depth)).instantiate()
            i.call("f")
        except wasm3.Error as e:
            assert type(e) in (wasm3.UnsupportedError, wasm3.TrapError), e


def test_table_index_in_five_bytes():
    # call_indirect's table index 0 as 80 80 80 80 00, as Rust's linker writes it
    i = wasm3.Module(
        b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\3\2\0\0\4\4\1\x70\0\1\7\5\1\1f\0\1\x09\7\1\0\x41\0\x0b\1\0"
        b"\x0a\x10\2\2\0\x0b\x0b\0\x41\0\x11\0\x80\x80\x80\x80\0\x0b"
    ).instantiate()
    equal(i.call("f"), None)


def test_deadline_inline():
    m = wasm3.Module(data("loops"))
    for name in LOOPS:
        i = m.instantiate(IMPORTS, pages=64)
        i.deadline(20)
        begin = time.ticks_ms()
        raises(wasm3.QuotaError, i.call, name, kind="deadline")
        took = time.ticks_diff(time.ticks_ms(), begin)
        assert 15 <= took <= 1000, took


def test_deadline_in_thread():
    m = wasm3.Module(data("loops"))
    for name in LOOPS:
        i = m.instantiate(IMPORTS, pages=64)
        i.deadline(20)
        i.start(name)
        raises(wasm3.QuotaError, wait, i, kind="deadline")


def test_deadline_while_running():
    i = instance("loops")
    i.start("empty")
    time.sleep_ms(5)
    equal(i.poll(), None)
    i.deadline(10)
    raises(wasm3.QuotaError, wait, i, kind="deadline")


def test_deadline_while_parked():
    i = instance("loops")
    i.deadline(30)
    i.start("wait")
    equal(wait(i), (wasm3.HOST, WAIT, ()))
    raises(wasm3.QuotaError, wait, i, kind="deadline")
    raises(wasm3.Error, i.reply)


def test_deadline_can_be_switched_off():
    i = instance("loops")
    i.deadline(0)
    i.deadline(None)
    i.call("count", 1000)


def test_fuel():
    m = wasm3.Module(data("loops"))
    for name in LOOPS:
        i = m.instantiate(IMPORTS)
        i.fuel(100000)
        raises(wasm3.QuotaError, i.call, name, kind="fuel")
    for count in (1, 100, 19999, 20000, 20001, 54321):
        i = m.instantiate(IMPORTS)
        i.fuel(count + 1)
        i.call("count", count)
        i.call("count", count)  # each run has its own
        raises(wasm3.QuotaError, i.call, "count", count + 1, kind="fuel")
    i = m.instantiate(IMPORTS)
    i.fuel(1)
    i.fuel(None)
    i.call("count", 100000)


def test_fuel_from_a_host_function():
    def host(index, args):
        i.fuel(100)

    i = instance("loops", host=host)
    i.call("wait")  # began without a limit
    i = instance("loops")
    i.start("host")
    equal(wait(i), (wasm3.HOST, WAIT, ()))
    i.fuel(30)
    calls = 0
    try:
        while True:
            i.reply()
            equal(wait(i), (wasm3.HOST, WAIT, ()))
            calls += 1
    except wasm3.QuotaError as e:
        equal(e.args[1], "fuel")
    assert 10 <= calls <= 30, calls
    for fuel in (-1, -(2**63), 2**63):
        raises(ValueError, i.fuel, fuel)


def test_no_inline_call_before_a_host_call_is_taken():
    i = instance("basic", host=lambda index, args: 7)
    i.start("ask_twice")
    time.sleep_ms(50)
    raises(wasm3.Error, i.call, "none", says="use start()")
    for value in (5, 3):
        equal(wait(i), (wasm3.HOST, ASK, ()))
        i.reply(value)
    equal(wait(i), (wasm3.DONE, 2))


def test_cancel_running():
    m = wasm3.Module(data("loops"))
    for name in LOOPS:
        i = m.instantiate(IMPORTS, pages=64)
        i.start(name)
        time.sleep_ms(3)
        begin = time.ticks_ms()
        i.cancel()
        i.cancel()
        raises(wasm3.QuotaError, wait, i, kind="cancelled")
        took = time.ticks_diff(time.ticks_ms(), begin)
        assert took < 300, (name, took)  # on a busy machine; about 1 ms otherwise
        equal(i.poll(), None)
        raises(wasm3.Error, i.start, name)


def test_cancel_idle_and_parked():
    i = instance("loops")
    i.cancel()
    raises(wasm3.QuotaError, i.start, "wait", kind="cancelled")
    raises(wasm3.QuotaError, i.call, "count", 1, kind="cancelled")
    i = instance("loops")
    i.start("wait")
    equal(wait(i)[0], wasm3.HOST)
    i.cancel()
    raises(wasm3.QuotaError, wait, i, kind="cancelled")
    raises(wasm3.Error, i.reply, says="waiting")


def test_host_inline():
    seen = []

    def host(index, args):
        seen.append((index, args))
        return -2 if index == MIX else 5 if index == ASK else None

    i = instance("basic", host)
    equal(i.call("mix", -1, -1, 0x7FA00001, 1), 2**64 - 2)
    equal(i.call("note", 2**31), None)
    equal(i.call("ask"), 5)
    equal(seen, [(MIX, (2**32 - 1, 2**64 - 1, 0x7FA00001, 1)), (NOTE, (2**31,)), (ASK, ())])


def test_host_exceptions_cross():
    class Mine(Exception):
        pass

    def host(index, args):
        if args == (1,):
            raise Mine("one", 2)
        if args == (2,):
            raise StopIteration
        if args == (3,):
            raise SystemExit(3)
        if args == (4,):
            return 5  # but the function has no result

    for args, error in (((1,), Mine), ((2,), StopIteration), ((4,), TypeError)):
        i = instance("basic", host)
        raises(error, i.call, "note", *args)
        raises(wasm3.Error, i.call, "none")
    i = instance("basic", host)
    try:
        i.call("note", 3)
        raise AssertionError
    except SystemExit as e:
        equal(e.args, (3,))
    for value, error in ((None, TypeError), ("x", TypeError), (2**32, ValueError)):
        i = instance("basic", lambda index, args, value=value: value)
        raises(error, i.call, "ask")
    raises(wasm3.HostError, instance("basic").call, "ask")
    try:
        instance("basic", host).call("note", 1)
    except Mine as e:
        equal(e.args, ("one", 2))


def test_nested_calls_inline():
    def host(index, args):
        at = i.call("realloc", 0, 0, 1, 100000)
        i.write(at, b"\x28")
        i.write(args[0], at.to_bytes(4, "little"))

    i = instance("realloc", host)
    for _ in range(20):
        equal(i.call("run", 2), 42)
    assert i.memory_size > 65536

    def trap(index, args):
        try:
            i.call("trap")
        except wasm3.TrapError:
            pass  # the instance is dead nevertheless

    i = instance("realloc", trap)
    raises(wasm3.TrapError, i.call, "run", 2, kind="unreachable")

    def deeper(index, args):
        if args[0] > 0:
            equal(i.call("nested", args[0] - 1), args[0] - 1)

    i = instance("realloc", deeper)
    equal(i.call("nested", 5), 5)


def test_thread_host_calls():
    i = instance("basic")
    i.start("ask_twice")
    equal(wait(i), (wasm3.HOST, ASK, ()))
    equal(i.poll(), None)  # each event is given once
    raises(TypeError, i.reply)
    raises(ValueError, i.reply, 2**32)
    i.reply(10)
    equal(wait(i), (wasm3.HOST, ASK, ()))
    i.reply(-5)
    equal(wait(i), (wasm3.DONE, 15))
    equal(i.poll(), None)
    raises(wasm3.Error, i.reply, 1)
    i.start("mix", -1, -1, 2**32 - 1, 2**64 - 1)
    equal(wait(i), (wasm3.HOST, MIX, (2**32 - 1, 2**64 - 1, 2**32 - 1, 2**64 - 1)))
    i.reply(-(2**63))
    equal(wait(i), (wasm3.DONE, 2**63))
    i.start("two", 1, 2)
    equal(wait(i), (wasm3.DONE, (2, 1)))
    i.start("note", 1)
    wait(i)
    raises(TypeError, i.reply, 1)
    i.reply(None)
    equal(wait(i), (wasm3.DONE, None))


def test_thread_nested():
    i = instance("realloc")
    for _ in range(10):
        i.start("run", 2)
        equal(wait(i), (wasm3.HOST, GET, (16,)))
        raises(wasm3.Error, i.call, "realloc", 0, 0, 1, 1, says="start()")
        i.start("realloc", 0, 0, 1, 100000)
        kind, at = wait(i)
        equal(kind, wasm3.DONE)
        i.write(at, b"\x28")
        i.write(16, at.to_bytes(4, "little"))
        i.reply()
        equal(wait(i), (wasm3.DONE, 42))
    # as deep as is allowed, and one more
    i.start("nested", 1)
    for _ in range(7):
        equal(wait(i), (wasm3.HOST, GET, (1,)))
        i.start("nested", 1)
    equal(wait(i), (wasm3.HOST, GET, (1,)))
    i.start("nested", 1)
    raises(wasm3.QuotaError, wait, i, kind="depth")


def test_thread_nested_trap_ends_all():
    i = instance("realloc")
    i.start("run", 2)
    wait(i)
    i.start("trap")
    raises(wasm3.TrapError, wait, i, kind="unreachable")
    raises(wasm3.Error, i.reply)
    raises(wasm3.Error, i.start, "run", 2)
    equal(i.poll(), None)


def test_thread_fail():
    i = instance("loops")
    i.start("wait")
    wait(i)
    i.fail("the server said no")
    e = raises(wasm3.HostError, wait, i)
    equal(e.args[0], "the server said no")
    i = instance("loops")
    i.start("wait")
    wait(i)
    i.fail("long " * 1000)
    raises(wasm3.HostError, wait, i, says="long long")


def test_busy():
    i = instance("loops")
    i.start("empty")
    for use in (
        lambda: i.read(0, 1),
        lambda: i.write(0, b"1"),
        lambda: i.memory_size,
        lambda: i.call("count", 1),
        lambda: i.start("count", 1),
        lambda: i.fuel(5),
    ):
        raises(wasm3.Error, use, says="running")
    raises(wasm3.Error, i.reply)
    i.close()


def test_close_at_any_moment():
    m = wasm3.Module(data("loops"))
    for n in range(60):
        i = m.instantiate(IMPORTS)
        i.start(("empty", "calls", "host", "wait", "fills")[n % 5])
        if n % 3 == 0:
            time.sleep_us(n * 40)
        i.close()
        raises(wasm3.Error, i.poll, says="closed")


def test_close_from_a_host_function():
    i = instance("basic", lambda index, args: i.close())
    raises(wasm3.QuotaError, i.call, "note", 1, kind="cancelled")
    raises(wasm3.Error, i.call, "none", says="closed")


def test_many_at_once():
    m = wasm3.Module(data("loops"))
    instances = [m.instantiate(IMPORTS, stack=16 * 1024) for _ in range(24)]
    fib = (610, 987, 1597, 2584, 4181, 6765)
    for n, i in enumerate(instances):
        i.start("fib", 15 + n % 6)
    for n, i in enumerate(instances):
        equal(wait(i), (wasm3.DONE, fib[n % 6]))


def test_asyncio_waits():
    m = wasm3.Module(data("loops"))
    ticks = 0

    async def news(i):
        yield asyncio.core._io_queue.queue_read(i)

    async def serve(i):
        i.start("host")
        for _ in range(20):
            await news(i)
            equal(i.poll(), (wasm3.HOST, WAIT, ()))
            await asyncio.sleep_ms(1)
            i.reply()
        i.cancel()
        await news(i)
        raises(wasm3.QuotaError, i.poll, kind="cancelled")

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep_ms(5)
            ticks += 1

    async def main():
        ticker = asyncio.create_task(tick())
        await asyncio.gather(*(serve(m.instantiate(IMPORTS)) for _ in range(5)))
        ticker.cancel()

    asyncio.run(main())
    assert ticks >= 3, ticks


def test_start_function():
    seen = []
    i = instance("start", lambda index, args: seen.append(args))
    equal((i.has_start, i.call("get")), (True, 0))
    i.run_start()
    equal((i.call("get"), seen), (42, [(9,)]))
    i = instance("start")
    i.run_start()
    equal(wait(i), (wasm3.HOST, NOTE, (9,)))
    i.reply()
    equal(wait(i), (wasm3.DONE, None))
    equal(i.call("get"), 42)
    i = instance("basic")
    equal(i.has_start, False)
    raises(wasm3.Error, i.run_start, says="no start function")


def test_the_finaliser_ends_threads():
    m = wasm3.Module(data("loops"))

    def leave():
        for n in range(30):
            m.instantiate(IMPORTS, stack=16 * 1024).start(("empty", "wait")[n % 2])

    leave()
    for _ in range(3):
        gc.collect()
        leave()
    gc.collect()
    i = m.instantiate(IMPORTS)
    i.start("fib", 10)
    equal(wait(i), (wasm3.DONE, 55))


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_no_growth_over_1000_instances():
    m = wasm3.Module(data("loops"))

    def cycle(n):
        i = m.instantiate(IMPORTS)
        if n % 2:
            equal(i.call("fib", 10), 55)
        elif n % 4:
            i.start("wait")
        else:
            i.start("fib", 5)
            wait(i)
        i.close()

    for n in range(200):
        cycle(n)
    gc.collect()
    before = resident()
    for n in range(1000):
        cycle(n)
    gc.collect()
    grown = resident() - before
    assert grown < 512 * 1024, grown


def test_the_board_runs_while_a_thread_loops():
    i = instance("loops")
    i.start("empty")
    begin = time.ticks_ms()
    n = 0
    while time.ticks_diff(time.ticks_ms(), begin) < 50:
        n += 1
    assert n > 1000, n
    i.close()


check.main(globals())
