"""Partition tables: from a CSV file to the bytes at 0x8000 of the flash chip.

The format and the rules are those of ESP-IDF's `gen_esp32part.py` (documentation: "Partition Tables"). What is in the
tables is said in `wg.flash.layout`. Standard library only: it runs in the build.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

TABLE_OFFSET = 0x8000
TABLE_SIZE = 0xC00
SECTOR = 0x1000
APP_ALIGNMENT = 0x10000

TYPES = {"app": 0, "data": 1}
SUBTYPES: dict[int, dict[str, int]] = {
    0: {"factory": 0x00, "test": 0x20, **{f"ota_{n}": 0x10 + n for n in range(16)}},
    1: {
        "ota": 0x00,
        "phy": 0x01,
        "nvs": 0x02,
        "coredump": 0x03,
        "nvs_keys": 0x04,
        "efuse": 0x05,
        "undefined": 0x06,
        "fat": 0x81,
        "spiffs": 0x82,
        "littlefs": 0x83,
    },
}


class PartitionError(Exception):
    """The table breaks a rule; the message says which entry and which rule."""


@dataclass(frozen=True)
class Partition:
    """One entry. Offset and size in bytes."""

    label: str
    type: int
    subtype: int
    offset: int
    size: int
    flags: int = 0

    @property
    def end(self) -> int:
        return self.offset + self.size

    def pack(self) -> bytes:
        label = self.label.encode().ljust(16, b"\0")
        fields = (self.type, self.subtype, self.offset, self.size, label, self.flags)
        return struct.pack("<2sBBII16sI", b"\xaa\x50", *fields)


def _number(text: str, names: dict[str, int], what: str) -> int:
    if text in names:
        return names[text]
    try:
        scale = {"K": 1024, "M": 1024 * 1024}.get(text[-1:].upper(), 0)
        return int(text[:-1], 0) * scale if scale else int(text, 0)
    except ValueError:
        raise PartitionError(
            f"{what} {text!r} is neither a number nor one of {', '.join(names) or 'K, M'}"
        ) from None


def parse_csv(text: str) -> list[Partition]:
    """Reads the CSV form. An empty offset means: after the previous entry, aligned."""
    partitions: list[Partition] = []
    end = TABLE_OFFSET + SECTOR
    for line in text.splitlines():
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        fields = [field.strip() for field in line.split(",")] + [""] * 5
        label, kind_name, subtype_name, offset_text, size_text, *rest = fields
        kind = _number(kind_name, TYPES, f"partition {label}: type")
        subtype = _number(subtype_name, SUBTYPES.get(kind, {}), f"partition {label}: subtype")
        alignment = APP_ALIGNMENT if kind == 0 else SECTOR
        offset = -(-end // alignment) * alignment
        if offset_text:
            offset = _number(offset_text, {}, f"partition {label}: offset")
        size = _number(size_text, {}, f"partition {label}: size")
        flags = 1 if rest and rest[0] == "encrypted" else 0
        partitions.append(Partition(label, kind, subtype, offset, size, flags))
        end = offset + size
    return partitions


def check(partitions: list[Partition], flash_size: int) -> None:
    """Raises PartitionError if the table breaks one of ESP-IDF's rules or does not fit the chip."""
    labels: set[str] = set()
    for p in partitions:
        if not 0 < len(p.label.encode()) <= 16:
            raise PartitionError(f"partition {p.label!r}: a label has 1 to 16 bytes")
        if p.label in labels:
            raise PartitionError(f"partition {p.label}: the label occurs twice")
        labels.add(p.label)
        alignment = APP_ALIGNMENT if p.type == 0 else SECTOR
        if p.offset % alignment:
            raise PartitionError(
                f"partition {p.label}: offset {p.offset:#x} is not a multiple of {alignment:#x}"
            )
        if p.size <= 0 or p.size % SECTOR:
            raise PartitionError(f"partition {p.label}: size {p.size:#x} is not a multiple of {SECTOR:#x}")
        if p.end > flash_size:
            raise PartitionError(
                f"partition {p.label}: ends at {p.end:#x}, behind the flash's {flash_size:#x}"
            )
        if p.type == 1 and p.subtype == 0 and p.size != 2 * SECTOR:
            raise PartitionError(f"partition {p.label}: otadata must have 0x2000 bytes")
        if p.type == 1 and p.subtype == 2 and p.size < 3 * SECTOR:
            raise PartitionError(f"partition {p.label}: nvs needs at least 0x3000 bytes")
    last = Partition("the partition table", 1, 6, TABLE_OFFSET, SECTOR)
    for p in sorted(partitions, key=lambda p: p.offset):
        if p.offset < last.end:
            raise PartitionError(f"partition {p.label}: starts at {p.offset:#x}, inside {last.label}")
        last = p
    slots = [p for p in partitions if p.type == 0 and 0x10 <= p.subtype < 0x20]
    if slots and not any(p.type == 1 and p.subtype == 0 for p in partitions):
        raise PartitionError("app slots for updates need a partition otadata")


def to_binary(partitions: list[Partition]) -> bytes:
    """The table as it lies in flash: entries, MD5 entry, filled with 0xff to TABLE_SIZE."""
    entries = b"".join(p.pack() for p in partitions)
    md5 = b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(entries).digest()
    if len(entries) + len(md5) > TABLE_SIZE:
        raise PartitionError(
            f"{len(partitions)} partitions are too many: the table holds {TABLE_SIZE // 32 - 1}"
        )
    return (entries + md5).ljust(TABLE_SIZE, b"\xff")


def parse_binary(raw: bytes) -> list[Partition]:
    """Reads a table from flash. Raises PartitionError if its MD5 is wrong or its end is missing."""
    partitions: list[Partition] = []
    for at in range(0, min(len(raw), TABLE_SIZE), 32):
        entry = raw[at : at + 32]
        if entry[:2] == b"\xeb\xeb":
            if entry[16:] != hashlib.md5(raw[:at]).digest():
                raise PartitionError("the partition table's MD5 is wrong")
            return partitions
        if entry[:2] != b"\xaa\x50":
            break
        _, kind, subtype, offset, size, label, flags = struct.unpack("<2sBBII16sI", entry)
        partitions.append(Partition(label.rstrip(b"\0").decode(), kind, subtype, offset, size, flags))
    raise PartitionError("the partition table has no MD5 entry")
