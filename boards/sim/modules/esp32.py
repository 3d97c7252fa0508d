# Module `esp32` of the simulated board: partitions and non-volatile storage on the flash model.
#
# Structures and rules are those of ESP-IDF 5.4: `gen_esp32part.py` (partition table), `esp_ota_ops.c`
# (otadata). NVS has the interface of the ESP32's, but a record format of its own (see NVS).
import hashlib
import struct
from binascii import crc32

import _simhw
from micropython import const

_TABLE = const(0x8000)
_TABLE_SIZE = const(0xC00)
_SECTOR = const(4096)

# Errors of ESP-IDF that the firmware may meet.
_ERR_NVS_NOT_FOUND = const(-0x1102)
_ERR_NVS_KEY_TOO_LONG = const(-0x1109)
_ERR_NVS_NOT_ENOUGH_SPACE = const(-0x1105)
_ERR_NVS_INVALID_LENGTH = const(-0x110C)
_ERR_OTA_VALIDATE_FAILED = const(-0x1503)
_ERR_NOT_FOUND = const(-0x105)

_TYPE_APP = const(0)
_TYPE_DATA = const(1)
_SUBTYPE_OTADATA = const(0)
_SUBTYPE_FACTORY = const(0)
_SUBTYPE_OTA_0 = const(0x10)

# otadata: esp_ota_select_entry_t, one at the start of each of two sectors.
_SELECT = "<I20sII"
_SELECT_SIZE = const(32)
_STATE_NEW = const(0)
_STATE_PENDING_VERIFY = const(1)
_STATE_VALID = const(2)
_STATE_INVALID = const(3)
_STATE_ABORTED = const(4)
_STATE_UNDEFINED = const(0xFFFFFFFF)


class _TableError(OSError):
    pass


def _table():
    # Entries as (type, subtype, address, size, label, encrypted). A table with a wrong MD5 is none.
    raw = bytearray(_TABLE_SIZE)
    _simhw.flash_read(_TABLE, raw)
    entries = []
    for at in range(0, _TABLE_SIZE, 32):
        magic = raw[at : at + 2]
        if magic == b"\xaa\x50":
            kind, subtype, address, size, label, flags = struct.unpack_from("<BBII16sI", raw, at + 2)
            entries.append((kind, subtype, address, size, label.rstrip(b"\0").decode(), bool(flags & 1)))
        elif magic == b"\xeb\xeb":
            if hashlib.md5(memoryview(raw)[:at]).digest() != raw[at + 16 : at + 32]:
                raise _TableError(_ERR_NOT_FOUND)
            return entries
        else:
            break
    raise _TableError(_ERR_NOT_FOUND)


def _otadata():
    for entry in _table():
        if entry[0] == _TYPE_DATA and entry[1] == _SUBTYPE_OTADATA:
            return entry[2]
    raise OSError(_ERR_NOT_FOUND)


def _slots():
    return sorted(
        (e for e in _table() if e[0] == _TYPE_APP and _SUBTYPE_OTA_0 <= e[1] < _SUBTYPE_OTA_0 + 16),
        key=lambda e: e[1],
    )


def _read_select():
    # The two records as [sequence, state]; None for one that is erased or broken.
    base = _otadata()
    records = []
    raw = bytearray(_SELECT_SIZE)
    for sector in range(2):
        _simhw.flash_read(base + sector * _SECTOR, raw)
        sequence, _, state, crc = struct.unpack(_SELECT, raw)
        valid = sequence != 0xFFFFFFFF and crc == _crc(sequence)
        records.append([sequence, state] if valid else None)
    return records


def _crc(sequence):
    return crc32(struct.pack("<I", sequence), 0xFFFFFFFF)


def _write_select(sector, sequence, state):
    address = _otadata() + sector * _SECTOR
    _simhw.flash_erase(address, _SECTOR)
    _simhw.flash_write(address, struct.pack(_SELECT, sequence, b"\xff" * 20, state, _crc(sequence)))


def _active(records):
    # The sector whose record the boot loader follows, or None.
    best = None
    for sector, record in enumerate(records):
        if record and record[1] not in (_STATE_INVALID, _STATE_ABORTED):
            if best is None or record[0] > records[best][0]:
                best = sector
    return best


def _selected():
    # The app slot that the boot loader starts.
    slots = _slots()
    records = _read_select()
    sector = _active(records)
    if sector is None:
        for entry in _table():
            if entry[0] == _TYPE_APP and entry[1] == _SUBTYPE_FACTORY:
                return entry
        return slots[0]
    return slots[(records[sector][0] - 1) % len(slots)]


def _check_image(address, size):
    # What esp_image_verify checks: magic, chip, segments, checksum, SHA-256.
    head = bytearray(24)
    _simhw.flash_read(address, head)
    segments = head[1]
    if head[0] != 0xE9 or not 0 < segments <= 16 or head[12] | head[13] << 8 != _simhw.CHIP_ID:
        raise OSError(_ERR_OTA_VALIDATE_FAILED)
    digest = hashlib.sha256(head)
    checksum = 0xEF
    at = 24
    part = bytearray(8)
    block = bytearray(_SECTOR)
    for _ in range(segments):
        _simhw.flash_read(address + at, part)
        digest.update(part)
        length = struct.unpack("<II", part)[1]
        at += 8
        if length % 4 or at + length > size:
            raise OSError(_ERR_OTA_VALIDATE_FAILED)
        while length:
            view = memoryview(block)[: min(length, _SECTOR)]
            _simhw.flash_read(address + at, view)
            digest.update(view)
            for byte in view:
                checksum ^= byte
            at += len(view)
            length -= len(view)
    padded = (at + 16) // 16 * 16
    tail = bytearray(padded - at)
    _simhw.flash_read(address + at, tail)
    if tail[-1] != checksum:
        raise OSError(_ERR_OTA_VALIDATE_FAILED)
    if head[23]:
        digest.update(tail)
        stored = bytearray(32)
        _simhw.flash_read(address + padded, stored)
        if stored != digest.digest():
            raise OSError(_ERR_OTA_VALIDATE_FAILED)


class Partition:
    TYPE_APP = const(0)
    TYPE_DATA = const(1)
    BOOT = const(0)
    RUNNING = const(1)

    def __init__(self, id, block_size=_SECTOR):
        if isinstance(id, str):
            found = [e for e in _table() if e[4] == id]
            if not found:
                raise OSError(_ERR_NOT_FOUND)
            self._entry = found[0]
        elif id == self.BOOT:
            self._entry = _selected()
        elif id == self.RUNNING:
            self._entry = _running
        else:
            raise ValueError
        self._init(block_size)

    def _init(self, block_size):
        if block_size <= 0 or block_size & (block_size - 1):
            raise ValueError("block size must be a power of 2")
        self._block = block_size
        blocks = _simhw.Range(self._entry[2], self._entry[3], block_size)
        self.readblocks = blocks.readblocks
        self.writeblocks = blocks.writeblocks
        self.ioctl = blocks.ioctl

    def __repr__(self):
        kind, subtype, address, size, label, encrypted = self._entry
        return (
            "<Partition type=%d, subtype=%d, address=%d, size=%d, label=%s, encrypted=%d, block_size=%d>"
            % (kind, subtype, address, size, label, encrypted, self._block)
        )

    def __eq__(self, other):
        return isinstance(other, Partition) and self._entry == other._entry

    @classmethod
    def _of(cls, entry, block_size=_SECTOR):
        self = object.__new__(cls)
        self._entry = entry
        self._init(block_size)
        return self

    @classmethod
    def find(cls, type=_TYPE_APP, subtype=0xFF, label=None, block_size=_SECTOR):
        return [
            cls._of(e, block_size)
            for e in _table()
            if e[0] == type and subtype in (0xFF, e[1]) and label in (None, e[4])
        ]

    def info(self):
        return self._entry

    def get_next_update(self):
        slots = _slots()
        for n, slot in enumerate(slots):
            if slot == self._entry:
                return Partition._of(slots[(n + 1) % len(slots)])
        return Partition._of(slots[0])

    def set_boot(self):
        slots = _slots()
        if self._entry not in slots:
            raise OSError(-0x102)
        _check_image(self._entry[2], self._entry[3])
        wanted = slots.index(self._entry)
        records = _read_select()
        sector = _active(records)
        if sector is None:
            _write_select(0, wanted + 1, _STATE_NEW)
            return
        # The next sequence number that means this slot.
        sequence = records[sector][0] + 1
        while (sequence - 1) % len(slots) != wanted:
            sequence += 1
        _write_select(1 - sector, sequence, _STATE_NEW)

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        records = _read_select()
        sector = _active(records)
        if sector is not None and records[sector][1] in (_STATE_NEW, _STATE_PENDING_VERIFY):
            _write_select(sector, records[sector][0], _STATE_VALID)


class NVS:
    # Key-value storage in the partition `nvs`. A log of records in one of its two halves; a full
    # half is rewritten into the other. A record: length (0xffff: end of the log), CRC-32, payload.
    # The payload is namespace, NUL, key, NUL, kind ("i", "b" or "x" for erased), value.
    # The header of a half is a record with the half's generation; it is written last.

    def __init__(self, namespace):
        if not 0 < len(namespace) < 16:
            raise OSError(_ERR_NVS_KEY_TOO_LONG)
        self._name = namespace
        found = Partition.find(_TYPE_DATA, label="nvs")
        if not found:
            raise OSError(_ERR_NOT_FOUND)
        entry = found[0].info()
        self._half = entry[3] // 2 // _SECTOR * _SECTOR
        self._bases = (entry[2], entry[2] + self._half)
        self._pending = {}

    def _generation(self, base):
        head = bytearray(8)
        _simhw.flash_read(base, head)
        generation, crc = struct.unpack("<II", head)
        return generation if generation != 0xFFFFFFFF and crc == _crc(generation) else 0

    def _load(self):
        # -> (all values, base of the half in use or None, address after its last record)
        generations = [self._generation(b) for b in self._bases]
        if not any(generations):
            return {}, None, 0
        base = self._bases[generations[1] > generations[0]]
        values = {}
        at = base + 8
        head = bytearray(6)
        while at + 6 <= base + self._half:
            _simhw.flash_read(at, head)
            length, crc = struct.unpack("<HI", head)
            if length == 0xFFFF or at + 6 + length > base + self._half:
                break
            payload = bytearray(length)
            _simhw.flash_read(at + 6, payload)
            at += 6 + length
            if crc32(payload) != crc:
                continue  # cut while it was written
            name, key, rest = bytes(payload).split(b"\0", 2)
            if rest[:1] == b"x":
                values.pop((name, key), None)
            else:
                values[(name, key)] = rest
        return values, base, at

    @staticmethod
    def _record(name, value):
        payload = name[0] + b"\0" + name[1] + b"\0" + value
        return struct.pack("<HI", len(payload), crc32(payload)) + payload

    def _key(self, key):
        if not 0 < len(key) < 16:
            raise OSError(_ERR_NVS_KEY_TOO_LONG)
        return (self._name.encode(), key.encode())

    def commit(self):
        values, base, at = self._load()
        for name, value in self._pending.items():
            if value is None:
                if name not in values:
                    continue
                value = b"x"
            elif values.get(name) == value:
                continue
            record = self._record(name, value)
            if base is None or at + len(record) > base + self._half:
                base, at = self._compact(values, base)
                if at + len(record) > base + self._half:
                    raise OSError(_ERR_NVS_NOT_ENOUGH_SPACE)
            _simhw.flash_write(at, record)
            at += len(record)
            if value == b"x":
                values.pop(name)
            else:
                values[name] = value
        self._pending.clear()

    def _compact(self, values, base):
        generation = max(self._generation(b) for b in self._bases) + 1
        base = self._bases[0] if base != self._bases[0] else self._bases[1]
        _simhw.flash_erase(base, self._half)
        at = base + 8
        for name, value in values.items():
            record = self._record(name, value)
            _simhw.flash_write(at, record)
            at += len(record)
        _simhw.flash_write(base, struct.pack("<II", generation, _crc(generation)))
        return base, at

    def _get(self, key, kind):
        name = self._key(key)
        value = self._pending[name] if name in self._pending else self._load()[0].get(name)
        if value is None or value[:1] != kind:
            raise OSError(_ERR_NVS_NOT_FOUND)
        return value[1:]

    def set_i32(self, key, value):
        self._pending[self._key(key)] = b"i" + struct.pack("<i", value)

    def get_i32(self, key):
        return struct.unpack("<i", self._get(key, b"i"))[0]

    def set_blob(self, key, value):
        self._pending[self._key(key)] = b"b" + bytes(value)

    def get_blob(self, key, buffer):
        value = self._get(key, b"b")
        if len(value) > len(buffer):
            raise OSError(_ERR_NVS_INVALID_LENGTH)
        buffer[: len(value)] = value
        return len(value)

    def erase_key(self, key):
        name = self._key(key)
        if name not in self._pending and name not in self._load()[0]:
            raise OSError(_ERR_NVS_NOT_FOUND)
        self._pending[name] = None


def idf_heap_info(capabilities):
    # One region each for data and for code, as large as those of an 8 MB PSRAM board.
    return [(8 * 1024 * 1024, 4 * 1024 * 1024, 4 * 1024 * 1024, 4 * 1024 * 1024)]


def mcu_temperature():
    return 40


HEAP_DATA = const(4)
HEAP_EXEC = const(1)

# The slot whose firmware this is; a set_boot() does not change it before the next reset.
_running = _slots()[_simhw.boot_slot()]
