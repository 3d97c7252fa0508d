# Buffers outside the Python heap.
import gc
import io
import json

import check
import wasm3
from check import equal, raises

LIMIT = 4 << 20


def test_as_a_bytearray():
    b = wasm3.buffer(10)
    equal((len(b), bytes(b), bool(b)), (10, bytes(10), True))
    b[0] = 7
    b[2:5] = b"abc"
    b[-1] = 255
    equal(bytes(b), b"\x07\x00abc\x00\x00\x00\x00\xff")
    equal((b[0], b[2], b[-1]), (7, 97, 255))
    equal(io.BytesIO(b"0123456789").readinto(b), 10)
    equal(bytes(memoryview(b)[3:5]), b"34")
    b[0:5] = b[2:7]
    equal(bytes(b), b"2345656789")
    raises_any(IndexError, lambda: b[10])
    raises_any(ValueError, lambda: put(b, b"abc"))
    raises_any(ValueError, lambda: wasm3.buffer(-1))
    raises_any(TypeError, lambda: wasm3.buffer(b"x"))
    raises_any(NotImplementedError, lambda: b[::2])
    empty = wasm3.buffer(0)
    equal((len(empty), bytes(empty), bool(empty)), (0, b"", False))


def put(b, data):
    b[0:2] = data


def raises_any(error, function):
    try:
        function()
    except error:
        return
    raise AssertionError("no " + error.__name__)


def test_parts_are_the_same_bytes():
    b = wasm3.buffer(100)
    part = b[10:20]
    part[0:3] = b"xyz"
    equal(bytes(b[10:13]), b"xyz")
    equal(bytes(part[1:3][1:]), b"z")
    equal(len(part[5:]), 5)
    b = None
    gc.collect()
    other = [wasm3.buffer(100) for _ in range(20)]
    for o in other:
        o[0:100] = b"!" * 100
    equal(bytes(part[:3]), b"xyz")  # a part keeps the whole
    part.close()
    for use in (lambda: part[0], lambda: len(part), lambda: bytes(part), lambda: part[1:2]):
        raises_any(ValueError, use)


def test_close():
    b = wasm3.buffer(1000)
    part = b[1:]
    b.close()
    b.close()
    for use in (lambda: b[0], lambda: part[0], lambda: len(b), lambda: bytes(part), lambda: b[:1]):
        raises_any(ValueError, use)


def test_the_budget_of_all():
    held = [wasm3.buffer(LIMIT // 4) for _ in range(4)]
    raises_any(MemoryError, lambda: wasm3.buffer(1))
    held[0].close()
    raises_any(MemoryError, lambda: wasm3.buffer(LIMIT // 4 + 1))
    held[0] = wasm3.buffer(LIMIT // 4)
    held = None
    all_of_it = wasm3.buffer(LIMIT)  # what nobody holds is collected first
    raises_any(MemoryError, lambda: wasm3.buffer(1))
    raises_any(MemoryError, lambda: wasm3.buffer(1 << 30))
    all_of_it.close()
    wasm3.buffer(LIMIT).close()


def test_the_heap_is_left_alone():
    gc.collect()
    before = gc.mem_alloc()
    b = wasm3.buffer(1 << 20)
    for at in range(0, 1 << 20, 1 << 16):
        b[at : at + 1024] = bytes(1024)
    gc.collect()
    assert gc.mem_alloc() - before < 4096, gc.mem_alloc() - before
    b.close()


def test_for_modules_memory_and_json():
    module = check.data("memory")
    b = wasm3.buffer(len(module) + 8)
    b[4 : 4 + len(module)] = module
    m = wasm3.Module(b[4 : 4 + len(module)])
    b.close()  # the module has a copy
    i = m.instantiate(check.IMPORTS)
    b = wasm3.buffer(16)
    i.write(0, b"0123456789abcdef")
    i.read_into(0, b)
    equal(bytes(b), b"0123456789abcdef")
    b[0:2] = b"zz"
    i.write(8, b[0:4])
    equal(i.read(8, 4), b"zz23")
    b[0:16] = b'{"a": [1, 2, 3]}'
    equal(json.loads(b), {"a": [1, 2, 3]})
    b.close()
    raises_any(ValueError, lambda: i.write(0, b))
    raises(wasm3.TrapError, i.read_into, 65530, wasm3.buffer(7))


check.main(globals())
