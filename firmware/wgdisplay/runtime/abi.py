"""The canonical ABI for the world `widget:widget/widget`: values into and out of a widget's linear memory.

Encoding and traps: component-model/design/mvp/CanonicalABI.md, measured against Wasmtime 42 and 50. Integers cross the
engine as unsigned numbers. The memory may grow in every call into the guest, so its size is asked for after each one.
"""

from struct import pack, unpack

import wasm3
from micropython import const

from .errors import QuotaError, TrapError
from .utf8 import decode

# What is longer than this, in bytes, is kept outside the Python heap while the host works with it.
_LONG = const(4096)


class Memory:
    """Bounds-checked access to a guest's linear memory; `instance` is the engine's."""

    def __init__(self, instance):
        self._instance = instance

    def check(self, pointer, size, align=1, what="a value"):
        """Traps unless [pointer, pointer + size) is in memory and the pointer is a multiple of `align`."""
        if pointer & (align - 1):
            raise TrapError("The widget's pointer to %s is not aligned." % what)
        if pointer + size > self._instance.memory_size:
            raise TrapError("The widget's pointer to %s is outside its memory." % what)

    def read(self, pointer, size):
        return self._instance.read(pointer, size) if size else b""

    def write(self, pointer, data):
        if len(data):
            self._instance.write(pointer, data)

    def read_pair(self, pointer, what):
        """The (pointer, length) at an address: how a string or list is stored."""
        self.check(pointer, 8, 4, what)
        return unpack("<II", self._instance.read(pointer, 8))

    def read_bytes(self, pointer, size, limit, what):
        """A list<u8>. QuotaError above `limit` bytes."""
        self.check(pointer, size, 1, what)
        if size > limit:
            raise QuotaError(
                "The widget's %s is too long: %d bytes, %d are allowed." % (what, size, limit), "size"
            )
        return self.read(pointer, size)

    def read_buffer(self, pointer, size, limit, what):
        """As `read_bytes`, but what is long comes as a wasm3.buffer; `release()` it after use."""
        if size <= _LONG or size > limit:
            return self.read_bytes(pointer, size, limit, what)
        self.check(pointer, size, 1, what)
        data = wasm3.buffer(size)
        self._instance.read_into(pointer, data)
        return data

    def read_string(self, pointer, size, limit, what, cut=False):
        """A string. With `cut`, what is above `limit` bytes is dropped after the whole was checked."""
        data = self.read_bytes(pointer, size, size if cut else limit, what)
        try:
            text = decode(data)
        except ValueError:
            raise TrapError("The widget's %s is not UTF-8." % what)
        if size > limit:
            while limit and data[limit] & 0xC0 == 0x80:
                limit -= 1
            text = str(data[:limit], "utf-8")
        return text


def release(data):
    """Gives the memory of a wasm3.buffer back; nothing for other kinds of bytes."""
    if data is not None and hasattr(data, "close"):
        data.close()


def u32(value):
    return pack("<I", value & 0xFFFFFFFF)


def u64(value):
    return pack("<Q", value & 0xFFFFFFFFFFFFFFFF)


def discriminant(value, cases, what):
    """A variant's case. The whole i32 counts: 256 is not case 0."""
    if value >= cases:
        raise TrapError("The widget's %s has no case %d." % (what, value))
    return value
