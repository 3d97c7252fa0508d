"""The two app slots and otadata, which says which of them the boot loader starts (ESP-IDF, `esp_ota_ops.c`)."""

import struct
from binascii import crc32

from micropython import const

BLOCK = const(4096)
HEADER_BYTES = const(24)  # esp_image_header_t
_MAGIC = const(0xE9)
_SUBTYPE_OTADATA = const(0)
_SUBTYPE_OTA_0 = const(0x10)

NEW, PENDING_VERIFY, VALID, INVALID, ABORTED = range(5)
_WORDS = ("new", "on trial", "valid", "invalid", "rolled back")


def _partition():
    from esp32 import Partition

    return Partition


def running():
    """The partition of the firmware that runs."""
    Partition = _partition()
    return Partition(Partition.RUNNING)


def other():
    """The partition that an update is written to."""
    return running().get_next_update()


def take_over():
    """Makes the slot that runs the one that starts, if it is not: the other one is about to be overwritten."""
    Partition = _partition()
    mine = running()
    if label(Partition(Partition.BOOT)) != label(mine):
        mine.set_boot()
        Partition.mark_app_valid_cancel_rollback()


def label(partition):
    return partition.info()[4]


def size(partition):
    return partition.info()[3]


def record_state(partition):
    """What otadata says of a slot, one of the numbers above; None: nothing."""
    Partition = _partition()
    found = Partition.find(Partition.TYPE_DATA, subtype=_SUBTYPE_OTADATA)
    if not found:
        return None
    count = len([p for p in Partition.find(Partition.TYPE_APP) if p.info()[1] >= _SUBTYPE_OTA_0])
    number = partition.info()[1] - _SUBTYPE_OTA_0
    best = None
    raw = bytearray(32)
    for sector in range(2):
        found[0].readblocks(sector, raw, 0)
        sequence, state, crc = struct.unpack("<I20xII", raw)
        written = sequence != 0xFFFFFFFF and crc == crc32(memoryview(raw)[:4], 0xFFFFFFFF)
        if written and (sequence - 1) % count == number and (best is None or sequence > best[0]):
            best = (sequence, state)
    return None if best is None else best[1]


def state_word(partition):
    """The same as a word for people."""
    state = record_state(partition)
    return _WORDS[state] if state is not None and state < len(_WORDS) else "unknown"


def chip_id(head):
    """The chip that an image's first bytes say it is for; None: they are not those of an image."""
    if len(head) < HEADER_BYTES or head[0] != _MAGIC:
        return None
    return head[12] | head[13] << 8


def running_chip_id():
    head = bytearray(HEADER_BYTES)
    running().readblocks(0, head, 0)
    return chip_id(head)
