"""The inputs to start from: components that were built here with their core modules emptied, and simple scripts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from runtime_alone import ROOT

FOLDER = ROOT / "build" / "fuzz"
#: The widgets and the tests' probes; whatever of them is built.
_BUILT = (ROOT / "build" / "widgets", ROOT / "build" / "tests" / "probes")
_HEADER = b"\0asm\x0d\0\1\0"
_CORE = b"\0asm\1\0\0\0"


def leb(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _unleb(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def sections(data: bytes) -> list[tuple[int, bytes]]:
    """A component's sections; the rest of a damaged one is one section more. ValueError for what is none at all."""
    if data[:8] != _HEADER:
        raise ValueError("not a component")
    found = []
    at = 8
    while at < len(data):
        try:
            size, start = _unleb(data, at + 1)
        except IndexError:
            size, start = 0, at + 1
        found.append((data[at], data[start : start + size]))
        at = start + size
    return found


def joined(parts: list[tuple[int, bytes]]) -> bytes:
    return _HEADER + b"".join(bytes([number]) + leb(len(body)) + body for number, body in parts)


def _emptied(data: bytes) -> bytes:
    # Custom sections say nothing to the parser, nor does what is in the main module.
    parts = [(number, body) for number, body in sections(data) if number != 0]
    return joined([(n, _CORE if n == 1 and len(body) > 600 else body) for n, body in parts])


def component_seeds() -> Iterator[bytes]:
    for folder in _BUILT:
        for path in sorted(folder.glob("*.wasm")):
            data = path.read_bytes()
            if data[:8] == _HEADER:
                yield _emptied(data)
    yield _CORE
    yield b"\x7fELF"
    yield b"<!doctype html>"


def _script_seeds(size: int) -> Iterator[bytes]:
    chance = random.Random(1)
    for length in range(0, size, size // 40):
        # Small bytes choose early ends and small pointers: more of them get through to the end.
        yield bytes(chance.choice((0, 0, 1, 2, 3, 4, 8, 32, chance.randrange(256))) for _ in range(length))


def seeds(target: str) -> list[bytes]:
    """The seeds of a target, each once, in order."""
    makers: dict[str, Callable[[], Iterator[bytes]]] = {
        "component": component_seeds,
        "link": lambda: _script_seeds(160),
        "abi": lambda: _script_seeds(600),
    }
    return list(dict.fromkeys(makers[target]()))


def mutations(target: str, count: int, seed: int = 0) -> Iterator[bytes]:
    """`count` damaged seeds, the same ones every time for the same seeds."""
    chance = random.Random(seed)
    originals = seeds(target)
    for _ in range(count):
        original = chance.choice(originals)
        if target == "component" and chance.random() < 0.7 and len(original) > 8 and original[:8] == _HEADER:
            parts = sections(original)
            at = chance.randrange(len(parts))
            parts[at] = (parts[at][0], damaged(parts[at][1], chance))
            if chance.random() < 0.1:
                parts.insert(chance.randrange(len(parts)), chance.choice(parts))
            yield joined(parts)
        else:
            yield damaged(original, chance)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A few bytes set, flipped, left out, doubled or put in."""
    content = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(content) + 1)
        kind = chance.randrange(5)
        if kind == 0 and at < len(content):
            content[at] = chance.choice((0, 1, 2, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        elif kind == 1 and at < len(content):
            content[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del content[at : at + chance.randint(1, 12)]
        elif kind == 3:
            content[at:at] = content[at : at + chance.randint(1, 40)]
        else:
            content[at:at] = chance.choice((b"\xff" * 5, b"\x80" * 5, chance.randbytes(chance.randint(1, 6))))
    return bytes(content)


def write(target: str) -> Path:
    """Puts the seeds into the target's corpus, which keeps what fuzzing finds. Returns the folder."""
    folder = FOLDER / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(target)):
        (folder / f"seed-{number:03}").write_bytes(data)
    return folder
