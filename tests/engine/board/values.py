# Values, lists of imports and exports, memory, errors.
import check
import wasm3
from check import IMPORTS, data, equal, instance, raises


def test_version():
    equal(wasm3.VERSION.split(".")[0], "0")
    equal(wasm3.THREADS, True)


def test_i32_extremes():
    i = instance("basic")
    for value, out in (
        (0, 0),
        (1, 1),
        (-1, 2**32 - 1),
        (2**31, 2**31),
        (-(2**31), 2**31),
        (2**32 - 1, 2**32 - 1),
    ):
        equal(i.call("i32", value), out)
    for value in (2**32, -(2**31) - 1, 2**64, -(2**64), 2**200, -(2**200)):
        raises(ValueError, i.call, "i32", value)
    raises(TypeError, i.call, "i32", 1.0)
    raises(TypeError, i.call, "i32", "1")
    raises(TypeError, i.call, "i32", None)


def test_i64_extremes():
    i = instance("basic")
    for value, out in (
        (0, 0),
        (2**30, 2**30),
        (-(2**30) - 1, 2**64 - 2**30 - 1),
        (2**62, 2**62),
        (-(2**62) - 1, 2**64 - 2**62 - 1),
        (2**63 - 1, 2**63 - 1),
        (2**63, 2**63),
        (-(2**63), 2**63),
        (-1, 2**64 - 1),
        (2**64 - 1, 2**64 - 1),
    ):
        equal(i.call("i64", value), out)
    for value in (2**64, -(2**63) - 1, 2**127, -(2**127), 2**300):
        raises(ValueError, i.call, "i64", value)


def test_i64_arithmetic():
    i = instance("basic")
    for a, b in ((2**63, 3), (0x123456789ABCDEF0, 0xFEDCBA987654321), (2**64 - 1, 2**64 - 1)):
        equal(i.call("mul64", a, b), a * b % 2**64)
    equal(i.call("add", 2**32 - 1, 2), 1)


def test_float_bits_cross_unchanged():
    i = instance("basic")
    for bits in (0, 0x80000000, 0x3F800000, 0x7F800000, 0x7FC00000, 0x7FA00001, 0xFFC12345, 1):
        equal(i.call("f32", bits), bits)
    for bits in (0, 2**63, 0x3FF0000000000000, 0x7FF0000000000000, 0x7FF8000000000000, 0x7FF0000000000001, 1):
        equal(i.call("f64", bits), bits)
    equal(i.call("addf", 0x3FF8000000000000, 0x4002000000000000), 0x400E000000000000)  # 1.5 + 2.25


def test_floats():
    i = instance("floats")
    equal(i.call("nearest", 0x40200000), 0x40000000)  # 2.5 -> 2
    equal(i.call("min", 0, 2**63), 2**63)  # -0 is less than 0
    equal(i.call("max32", 0x80000000, 0), 0)
    equal(i.call("div", 0x3FF0000000000000, 0), 0x7FF0000000000000)  # 1 / 0
    equal(i.call("neg", 0x7FF8000000000000), 0xFFF8000000000000)
    equal(i.call("abs32", 0xC0490FDB), 0x40490FDB)
    equal(i.call("bits64", 0x7FF0000000000001), 0x7FF0000000000001)
    equal(i.call("from64", 0x7FF0000000000001), 0x7FF0000000000001)
    equal(i.call("promote", 0x3FC00000), 0x3FF8000000000000)
    equal(i.call("saturate", 0xC000000000000000), 0)  # -2
    equal(i.call("saturate", 0x7FEFFFFFFFFFFFFF), 2**32 - 1)
    equal(i.call("convert", 2**64 - 1), 0x5F800000)
    # no double rounding: the product is just above half of a last digit of f32
    equal(i.call("mul32", 0x3F800001, 0x3F800001), 0x3F800002)


def test_f32_nan_bits_are_kept():
    i = instance("floats")
    equal(i.call("global"), 0x7FA00001)
    equal(i.call("from32", 0x7FA00001), 0x7FA00001)
    equal(i.call("bits32", 0xFFA00001), 0xFFA00001)
    equal(i.call("abs32", 0xFFA00001), 0x7FA00001)


def test_rounding_makes_nans_quiet():
    i = instance("floats")
    equal(i.call("nearest", 0xFFA00001), 0xFFE00001)
    equal(i.call("ceil", 0x7FF4000000000001), 0x7FFC000000000001)
    equal(i.call("ceil", 0xBFE0000000000000), 2**63)  # -0.5 -> -0


def test_multiple_results():
    equal(instance("basic").call("two", 7, -1), (2**64 - 1, 7))
    equal(instance("basic").call("none"), None)


def test_what_wasm3_compiles_wrongly():
    i = instance("compiler")
    one, two, three = 0x3FF0000000000000, 0x4000000000000000, 0x4008000000000000
    equal(i.call("preserved", 1, 2, 3, one, 5), (one, two, three, 4, 5))
    equal(i.call("branch_over", 5), 0x3FF8000000000000)
    f64 = {5: 0x4014000000000000, 7: 0x401C000000000000, 12: 0x4028000000000000}
    equal(i.call("wide", 0, 0), (2**32 - 115, 0, 0xC0000000, 32768, 0xC2B40000, f64[7]))
    equal(i.call("br_back"), 102)
    equal([i.call("br_if_over_register", n) for n in (0, 1)], [f64[12], f64[5]])
    equal(i.call("dead", 0, 4), 12)
    equal(i.call("dead_operands", 0, 4), 4)


def test_exports_in_order_with_duplicates():
    exports = wasm3.Module(data("basic")).exports
    equal(
        exports[:4],
        (
            ("memory", "memory", "1:4"),
            ("counter", "global", "im"),
            ("limit", "global", "I"),
            ("table", "table", "2:2"),
        ),
    )
    names = [e[0] for e in exports if e[2] == "I:I"]
    equal(names, ["i64", "same", "again", "fourth", "fifth"])
    i = instance("basic")
    for name in names:
        equal(i.call(name, 5), 5)
    equal([e for e in exports if e[0] == "two"], [("two", "func", "iI:Ii")])
    equal([e for e in exports if e[0] == "none"], [("none", "func", ":")])


def test_imports():
    equal(
        wasm3.Module(data("basic")).imports,
        (("host", "mix", "func", "iIfF:I"), ("host", "note", "func", "i:"), ("host", "ask", "func", ":i")),
    )
    equal(wasm3.Module(data("import_memory")).imports, (("env", "memory", "memory", "1"),))
    equal(wasm3.Module(data("import_table")).imports, (("env", "table", "table", "1"),))
    equal(wasm3.Module(data("import_global")).imports, (("env", "base", "global", "i"),))
    equal(wasm3.Module(data("memory")).imports, ())


def test_link_errors():
    m = wasm3.Module(data("basic"))
    raises(wasm3.LinkError, m.instantiate, (), says='"host" "mix"')
    raises(wasm3.LinkError, m.instantiate, IMPORTS[:2], says='"host" "ask"')
    wrong = tuple((a, b, ":" if b == "note" else t) for a, b, t in IMPORTS)
    raises(wasm3.LinkError, m.instantiate, wrong, says="type")
    for name in ("import_memory", "import_table", "import_global"):
        raises(wasm3.LinkError, wasm3.Module(data(name)).instantiate, IMPORTS, says='"env"')
    raises(TypeError, m.instantiate, 5)
    raises(ValueError, m.instantiate, (("host", "mix"),))


def test_errors_are_printable_text():
    def importing(name):
        entry = b"\x01\x01m" + bytes((len(name),)) + name + b"\x00\x00"
        section = b"\x02" + bytes((len(entry),)) + entry
        return wasm3.Module(b"\0asm\x01\0\0\0" + b"\x01\x04\x01\x60\0\0" + section)

    cut = "x" * 63 + "\u00e9"  # at 64 bytes
    raises(wasm3.LinkError, importing(cut.encode()).instantiate, (), says='"' + "x" * 63 + '?"')
    raises(wasm3.LinkError, importing(b"\x1b[2J\n").instantiate, (), says='"?[2J?"')
    raises(wasm3.Error, instance("basic").call, cut, says="x" * 63 + "?")
    i = instance("loops")
    i.start("wait")
    while i.poll() is None:
        pass
    i.fail("\u00e9" * 150)
    error = None
    while error is None:
        try:
            i.poll()
        except wasm3.HostError as e:
            error = e
    equal(error.args[0], "\u00e9" * 95 + "?")


def test_same_import_with_two_types():
    m = wasm3.Module(data("import_twice"))
    raises(wasm3.LinkError, m.instantiate, (("a", "f", "i:"),))
    seen = []
    i = m.instantiate((("a", "f", "I:"), ("a", "f", "i:")), host=lambda n, a: seen.append((n, a)))
    i.call("g")
    equal(seen, [(1, (1,)), (0, (2,))])


def test_not_modules():
    for bad in (b"", b"\0", b"\0asm", b"hello world", b"\0asm\1\0\0", b"\x7fELF\2\1\1\0"):
        raises(wasm3.MalformedError, wasm3.Module, bad)
    raises(wasm3.UnsupportedError, wasm3.Module, b"\0asm\x0d\0\1\0", says="component")
    whole = data("basic")
    for size in range(9, len(whole) - 1, 7):
        try:
            wasm3.Module(whole[:size]).close()
        except wasm3.Error:
            pass
    raises(TypeError, wasm3.Module, 5)
    raises(TypeError, wasm3.Module)


def test_module_from_a_view():
    whole = data("basic")
    padded = bytearray(b"xyz" + whole + b"abc")
    m = wasm3.Module(memoryview(padded)[3:-3])
    for n in range(len(padded)):
        padded[n] = 0  # the bytes were copied
    equal(m.instantiate(IMPORTS).call("add", 1, 2), 3)


def test_unknown_exports_and_wrong_counts():
    i = instance("basic")
    raises(wasm3.Error, i.call, "nothing", says='"nothing"')
    raises(wasm3.Error, i.call, "memory")
    raises(wasm3.Error, i.call, "add", 1, says="2 arguments, not 1")
    raises(wasm3.Error, i.call, "add", 1, 2, 3)
    raises(wasm3.Error, i.call, "none", *range(100))
    equal(i.call("add", 1, 2), 3)  # misuse doesn't end an instance


def test_instances_are_apart():
    m = wasm3.Module(data("basic"))
    a, b = m.instantiate(IMPORTS), m.instantiate(IMPORTS)
    m.close()
    equal([a.call("count"), a.call("count"), b.call("count")], [6, 7, 6])
    a.call("poke", 8, 99)
    equal((a.call("peek", 8), b.call("peek", 8)), (99, 0))


def test_memory_read_write():
    i = instance("memory")
    equal(i.memory_size, 65536)
    equal(i.read(0, 5), b"begin")
    equal(i.read(65533, 3), b"end")
    i.write(10, b"abc")
    i.write(13, memoryview(bytearray(b"def")))
    buffer = bytearray(6)
    i.read_into(10, buffer)
    equal(buffer, b"abcdef")
    equal(i.read(65536, 0), b"")
    for at, size in ((65536, 1), (65535, 2), (65537, 0), (0, 65537), (2**32 - 1, 2), (2**31, 2**31)):
        raises(wasm3.TrapError, i.read, at, size, kind="memory access out of bounds")
    raises(wasm3.TrapError, i.write, 65535, b"ab", kind="memory access out of bounds")
    raises(wasm3.TrapError, i.read_into, 65530, bytearray(7), kind="memory access out of bounds")
    raises(ValueError, i.read, 2**32, 1)
    raises(TypeError, i.write, 0, 5)
    raises(TypeError, i.read_into, 0, b"read-only")
    equal(i.read(65533, 3), b"end")


def test_memory_grow():
    i = instance("memory", pages=10)
    equal(i.call("grow", 0), 1)
    equal(i.call("grow", 2), 1)
    equal((i.memory_size, i.call("size")), (3 * 65536, 3))
    equal(i.call("grow", 8), 2**32 - 1)
    equal(i.call("grow", 2**32 - 1), 2**32 - 1)
    equal(i.call("grow", 65536), 2**32 - 1)
    equal(i.call("grow", 7), 3)
    equal(i.call("grow", 1), 2**32 - 1)
    equal(i.read(65533, 4), b"end\0")
    equal(instance("memory").call("grow", 20), 2**32 - 1)  # the module's own maximum is 20
    equal(instance("memory").call("grow_and_load", 1, 65536 + 65535), 0)


def test_no_and_zero_memory():
    i = instance("memory_absent")
    equal((i.call("f"), i.memory_size), (1, 0))
    raises(wasm3.TrapError, i.read, 0, 1)
    equal(i.read(0, 0), b"")
    i = instance("memory_zero")
    equal((i.memory_size, i.call("grow", 1), i.call("load")), (0, 0, 0))
    i = instance("memory_none")
    equal((i.call("grow", 0), i.call("grow", 1)), (0, 2**32 - 1))
    raises(wasm3.TrapError, i.call, "load")


def test_a_memory_section_without_a_memory():
    m = wasm3.Module(b"\0asm\x01\0\0\0\x05\x01\0")
    equal((m.exports, m.instantiate().memory_size), ((), 0))


def test_too_much_memory_at_the_start():
    try:
        m = wasm3.Module(data("memory_huge"))
    except wasm3.UnsupportedError:
        return  # the validator's limit comes first
    raises(wasm3.QuotaError, m.instantiate, kind="pages")


def test_passive_data():
    i = instance("memory")
    i.call("init", 100, 2, 3)
    equal(i.read(99, 5), b"\x00234\x00")
    raises(wasm3.TrapError, instance("memory").call, "init", 100, 8, 3, kind="memory access out of bounds")
    i.call("drop")
    i.call("init", 100, 0, 0)
    raises(wasm3.TrapError, i.call, "init", 100, 0, 1, kind="memory access out of bounds")


def test_segments_out_of_range():
    for name, kind in (
        ("data_outside", "memory access out of bounds"),
        ("data_negative", "memory access out of bounds"),
        ("elem_outside", "out of bounds table access"),
    ):
        raises(wasm3.TrapError, wasm3.Module(data(name)).instantiate, kind=kind)


def test_limits_are_checked():
    m = wasm3.Module(data("memory"))
    for limits in (
        {"stack": 1},
        {"stack": 2**30},
        {"pages": 0},
        {"pages": 100000},
        {"native_stack": 1},
        {"heap": 0},
    ):
        try:
            m.instantiate((), **limits)
            raise AssertionError(limits)
        except ValueError:
            pass
    try:
        m.instantiate((), heap=3000)
        raise AssertionError("heap")
    except wasm3.QuotaError as e:
        equal(e.args[1], "heap")
    i = m.instantiate((), heap=200000)
    assert 0 < i.heap_used <= i.heap_peak <= 200000


def test_error_hierarchy():
    for (
        name
    ) in "MalformedError InvalidError UnsupportedError LinkError TrapError QuotaError HostError".split():
        assert issubclass(getattr(wasm3, name), wasm3.Error)
    assert issubclass(wasm3.Error, Exception)


def test_a_trap_names_its_function():
    def trapped(export, *args, host=lambda index, args: None):
        return raises(wasm3.TrapError, instance("names", host=host).call, export, *args).args

    equal(trapped("direct"), ("wasm trap: unreachable (in parse_stop)", "unreachable", "parse_stop"))
    equal(trapped("indirect", 0)[2], "parse_stop")
    equal(trapped("indirect", 1)[1:], ("call stack exhausted", "overflows"))
    equal(trapped("indirect", 2)[1:], ("uninitialized element", "by_table"))
    equal(trapped("indirect", 9)[1:], ("undefined element", "by_table"))
    equal(trapped("after")[1:], ("integer divide by zero", "after"))
    inner = instance("names", host=lambda index, args: inner.call("direct"))
    equal(raises(wasm3.TrapError, inner.call, "deep").args[2], "parse_stop")
    # without a name section, an export's name
    equal(raises(wasm3.TrapError, instance("traps").call, "unreachable").args[2], "unreachable")
    equal(raises(wasm3.TrapError, instance("traps").read, 65536, 1).args[2], None)


def test_hostile_function_names():
    def trapped(names, export=b"f"):
        export = b"\x01" + bytes([len(export)]) + export + b"\0\0"
        custom = b"\x04name" + names
        m = wasm3.Module(
            b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07"
            + bytes([len(export)])
            + export
            + b"\x0a\x05\x01\x03\0\0\x0b\0"
            + bytes([len(custom) & 127 | 128, len(custom) >> 7])
            + custom
        )
        return raises(wasm3.TrapError, m.instantiate().call, m.exports[0][0]).args[2]

    def section(name):
        return bytes([1, len(name) + 3, 1, 0, len(name)]) + name

    equal(trapped(section(b"good")), "good")
    equal(trapped(b"\0\x02\x01m" + section(b"after")), "after")
    equal(trapped(section(b"esc\x1b[2J\x7f\n\xc2\x9b")), "esc?[2J???")
    equal(trapped(section("a\u202eb".encode())), "a?b")
    equal(trapped(section(b"x" * 100)), "x" * 63)
    equal(trapped(section(b"x" * 62 + "\u00e9".encode())), "x" * 62)
    equal(trapped(section(b"x" * 60 + b"\xf0\x9f\x98\x80")), "x" * 60)
    # not UTF-8, empty, or a damaged section: the export's name
    for name in b"\xff", b"a\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"":
        equal(trapped(section(name)), "f")
    for names in (
        b"",
        b"\x01",
        b"\x01\x7f",
        b"\x01\x05\x01\0\x7fab",
        b"\x01\x80\x80\x80\x80\x10",
        b"\x01\x02\xff\xff",
    ):
        equal(trapped(names), "f")
    equal(trapped(b"", b"e\x1b"), "e?")


def test_closed():
    m = wasm3.Module(data("basic"))
    i = m.instantiate(IMPORTS)
    m.close()
    m.close()
    raises(wasm3.Error, lambda: m.exports, says="closed")
    raises(wasm3.Error, m.instantiate, says="closed")
    equal(i.call("add", 1, 2), 3)
    i.close()
    i.close()
    for use in (
        lambda: i.call("add", 1, 2),
        lambda: i.start("add", 1, 2),
        i.poll,
        i.reply,
        lambda: i.fail("x"),
        i.cancel,
        lambda: i.deadline(5),
        lambda: i.fuel(5),
        lambda: i.read(0, 1),
        lambda: i.read_into(0, bytearray(1)),
        lambda: i.write(0, b"1"),
        lambda: i.memory_size,
        i.run_start,
    ):
        raises(wasm3.Error, use, says="closed")


check.main(globals())
