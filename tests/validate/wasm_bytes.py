"""Core modules made byte by byte, right or wrong, and mutations of them."""

import random
from collections.abc import Sequence

HEADER = b"\0asm\1\0\0\0"
I32, I64, F32, F64 = b"\x7f", b"\x7e", b"\x7d", b"\x7c"


def leb(value: int) -> bytes:
    """An unsigned LEB128 number, as short as can be."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def vector(items: Sequence[bytes]) -> bytes:
    return leb(len(items)) + b"".join(items)


def name(text: bytes) -> bytes:
    return leb(len(text)) + text


def section(number: int, content: bytes) -> bytes:
    return bytes([number]) + leb(len(content)) + content


def func_type(params: bytes = b"", results: bytes = b"") -> bytes:
    return b"\x60" + leb(len(params)) + params + leb(len(results)) + results


def body(code: bytes, local_groups: Sequence[bytes] = ()) -> bytes:
    """A function body; `code` without its last END, a group as (count, type) bytes."""
    inside = vector(local_groups) + code + b"\x0b"
    return leb(len(inside)) + inside


def module(
    *sections: bytes,
    types: Sequence[bytes] = (),
    functions: Sequence[tuple[int, bytes]] = (),
    code_after: bytes = b"",
) -> bytes:
    """A module of types and functions (type index, body), with other sections between the two."""
    out = HEADER + section(1, vector(types))
    early = [s for s in sections if s[0] == 2]
    late = [s for s in sections if s[0] != 2]
    out += b"".join(early)
    if functions:
        out += section(3, vector([leb(index) for index, _ in functions]))
    out += b"".join(late)
    if functions:
        out += section(10, vector([code for _, code in functions]))
    return out + code_after


def function(code: bytes, params: bytes = b"", results: bytes = b"", *sections: bytes) -> bytes:
    """A module with one function."""
    return module(*sections, types=[func_type(params, results)], functions=[(0, body(code))])


MEMORY = section(5, b"\1\0\1")
TABLE = section(4, b"\1\x70\0\1")

#: Bytes that mean something: opcodes, types, LEB edges.
_TELLING = (
    bytes(range(0x12))
    + bytes(range(0x1A, 0x27))
    + b"\x28\x36\x3f\x40\x41\x42\x43\x44\x45\x6a\x7c\x7d\x7e\x7f\x80\xfc\xff\xc0\xd0"
)


def mutate(data: bytes, random_source: random.Random) -> bytes:
    """A copy with one to four small changes; the header is left alone mostly."""
    out = bytearray(data)
    for _ in range(random_source.choice((1, 1, 1, 2, 4))):
        low = 8 if len(out) > 8 and random_source.random() < 0.99 else 0
        if len(out) <= low:
            break
        at = random_source.randrange(low, len(out))
        kind = random_source.random()
        if kind < 0.5:
            out[at] = random_source.choice(_TELLING)
        elif kind < 0.65:
            out[at] ^= 1 << random_source.randrange(8)
        elif kind < 0.75:
            out[at] = (out[at] + random_source.choice((1, -1))) & 0xFF
        elif kind < 0.85:  # two neighbours change places
            other = at - 1 if at > low else at
            out[at], out[other] = out[other], out[at]
        elif kind < 0.9:
            del out[at]
        elif kind < 0.95:
            out.insert(at, random_source.choice(_TELLING))
        else:
            del out[at:]
    return bytes(out)
