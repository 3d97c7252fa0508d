"""App images as ESP-IDF's boot loader takes them: reading, checking, and making those of the simulated board.

The format is that of `esp_app_format.h` (ESP-IDF 5.4): a header of 24 bytes, up to 16 segments (load address, length,
bytes), padding, an XOR checksum as the last byte of a multiple of 16, and the SHA-256 of all that. The first segment
begins with `esp_app_desc_t`, which carries the version.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

MAGIC = 0xE9
MAX_SEGMENTS = 16
_HEADER = struct.Struct("<BBBBIB3sHBHH4sB")
_SEGMENT = struct.Struct("<II")
_CHECKSUM = 0xEF
_DIGEST = 32

#: `esp_app_desc_t`: magic word, secure version, reserved, version, project, time, date, IDF, ELF's SHA-256, reserved.
_DESCRIPTION = struct.Struct("<II8s32s32s16s16s32s32s80s")
_DESCRIPTION_MAGIC = 0xABCD5432

#: `chip_id` of the header. Those of the simulated board are ours: the low byte, by which esptool goes, is the
#: ESP32-S3's that it stands for, the high byte (no chip of Espressif's has one) the word size. A chip's boot loader
#: compares both bytes and refuses them.
CHIP_ESP32S3 = 0x0009
CHIP_SIM = 0x4009
CHIP_SIM32 = 0x2009
CHIPS = {CHIP_ESP32S3: "ESP32-S3", CHIP_SIM: "simulated board, 64 bit", CHIP_SIM32: "simulated board, 32 bit"}

#: Load addresses in images of the simulated board; its boot loader knows the segments by them.
DESCRIPTION_ADDRESS = 0x3C000020
PROGRAM_ADDRESS = 0x42000020
OVERLAY_ADDRESS = 0x3D000000

# cmodules/wg_release puts the board's name into the image.
_IDENTITY = re.compile(rb"\nWG_BOARD=([!-~]{1,31})\n")


class ImageError(Exception):
    """What is wrong with an image, a sentence. `code` is the exit code of a command that ends in it."""

    code = 1


@dataclass(frozen=True)
class Segment:
    """Bytes with the address that they are loaded to."""

    address: int
    data: bytes


@dataclass(frozen=True)
class Image:
    """What an image says of itself; `version` and `board` are None in images without them."""

    chip_id: int
    segments: tuple[Segment, ...]
    version: str | None
    board: str | None
    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def chip(self) -> str:
        return CHIPS.get(self.chip_id, f"chip {self.chip_id:#x}")


def read(data: bytes) -> Image:
    """Reads an image and checks everything that a boot loader checks. Raises ImageError."""
    if len(data) < _HEADER.size:
        raise ImageError(f"an image has at least {_HEADER.size} bytes, this file has {len(data)}")
    magic, count, *_ = head = _HEADER.unpack_from(data)
    chip_id, appended = head[7], head[12]
    if magic != MAGIC:
        raise ImageError(f"not an app image: it begins with {magic:#04x} instead of {MAGIC:#04x}")
    if not 0 < count <= MAX_SEGMENTS:
        raise ImageError(f"the image has {count} segments; 1 to {MAX_SEGMENTS} are possible")
    if appended != 1:
        raise ImageError("the image has no SHA-256 appended: build it with ESP-IDF's defaults")
    at = _HEADER.size
    checksum = _CHECKSUM
    segments = []
    for number in range(count):
        if at + _SEGMENT.size > len(data):
            raise ImageError(f"the image is cut off before segment {number}")
        address, length = _SEGMENT.unpack_from(data, at)
        at += _SEGMENT.size
        if at + length > len(data):
            raise ImageError(f"the image is cut off in segment {number}")
        segments.append(Segment(address, data[at : at + length]))
        checksum ^= _xor(segments[-1].data)
        at += length
    end = at // 16 * 16 + 16
    if len(data) != end + _DIGEST:
        raise ImageError(f"the image should have {end + _DIGEST} bytes and has {len(data)}")
    if data[end - 1] != checksum:
        raise ImageError("the image's checksum is wrong")
    if data[end:] != hashlib.sha256(data[:end]).digest():
        raise ImageError("the image's SHA-256 is wrong")
    return Image(chip_id, tuple(segments), _version(segments[0].data), _board(data), data)


def _xor(data: bytes) -> int:
    # The XOR of all bytes, by halving: an image has millions of them.
    size = 1 << max(0, len(data) - 1).bit_length()
    value = int.from_bytes(data.ljust(size, b"\0"), "little")
    while size > 1:
        size //= 2
        value = (value >> (8 * size)) ^ (value & ((1 << (8 * size)) - 1))
    return value


def _version(first: bytes) -> str | None:
    if len(first) < _DESCRIPTION.size:
        return None
    magic, _, _, version, *_ = _DESCRIPTION.unpack_from(first)
    if magic != _DESCRIPTION_MAGIC:
        return None
    return bytes(version).rstrip(b"\0").decode("ascii", "replace")


def _board(data: bytes) -> str | None:
    found = set(_IDENTITY.findall(data))
    return found.pop().decode() if len(found) == 1 else None


def build(segments: Sequence[Segment], chip_id: int, version: str) -> bytes:
    """An image of these segments, with a description before them."""
    digest = hashlib.sha256(b"".join(s.data for s in segments)).digest()
    description = _DESCRIPTION.pack(
        _DESCRIPTION_MAGIC,
        0,
        b"",
        _fixed(version, 32),
        _fixed("wg-display", 32),
        b"",
        b"",
        _fixed("MicroPython unix", 32),
        digest,
        b"",
    )
    parts = [Segment(DESCRIPTION_ADDRESS, description), *segments]
    # As ESP-IDF makes them for 16 MB of flash: mode DIO in the header, 80 MHz, no WP pin.
    out = bytearray(
        _HEADER.pack(MAGIC, len(parts), 2, 0x4F, PROGRAM_ADDRESS, 0xEE, b"", chip_id, 0, 0, 99, b"", 1)
    )
    checksum = _CHECKSUM
    for part in parts:
        data = part.data.ljust(-(-len(part.data) // 4) * 4, b"\0")
        out += _SEGMENT.pack(part.address, len(data)) + data
        checksum ^= _xor(data)
    out += b"\0" * (15 - len(out) % 16) + bytes([checksum])
    return bytes(out) + hashlib.sha256(out).digest()


def _fixed(text: str, size: int) -> bytes:
    raw = text.encode("ascii")
    if len(raw) >= size:
        raise ImageError(f"{text!r} is longer than the {size - 1} characters that an image has room for")
    return raw
