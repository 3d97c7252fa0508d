"""The flash chip, its partition table, esp32.Partition, esp32.NVS, the file system."""

from __future__ import annotations

import hashlib
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from littlefs import LittleFS

from wg import ROOT
from wg.flash import layout
from wg.release import image as images
from wg.sim import partitions
from wg.sim.board import BoardError, SimBoard

Script = Callable[..., subprocess.CompletedProcess[str]]

CSV = ROOT / "boards" / "esp32s3" / "partitions.csv"
FLASH_SIZE = 16 * 1024 * 1024


def erase_counts(flash: Path) -> tuple[int, ...]:
    return struct.unpack("<4096I", flash.with_name(flash.name + ".wear").read_bytes())


def run(script: Script, code: str, *options: str) -> str:
    result = script(code, options=options)
    assert result.returncode == 0, result.stderr
    return result.stdout


def vfs(image: bytes) -> LittleFS:
    entry = next(p for p in partitions.parse_binary(image[0x8000:0x8C00]) if p.label == "vfs")
    fs = LittleFS(block_size=4096, block_count=entry.size // 4096, mount=False)
    fs.context.buffer[:] = image[entry.offset : entry.end]
    fs.mount()
    return fs


def test_nor_rules(script: Script) -> None:
    out = run(
        script,
        """
from _simhw import flash_read, flash_write, flash_erase
b = bytearray(4)
def read(): flash_read(0x700000, b); return b.hex()
print(read())
flash_write(0x700000, b"\\xf0\\x0f\\xaa\\xff"); print(read())
flash_write(0x700000, b"\\xff\\xff\\x55\\x0f"); print(read())
flash_erase(0x700000, 4096); print(read())
for address, size in ((0x700001, 4096), (0x700000, 100), (16 * 1024 * 1024, 4096)):
    try: flash_erase(address, size); print("erased")
    except OSError: print("refused")
try: flash_write(16 * 1024 * 1024 - 1, b"ab"); print("written")
except OSError: print("refused")
""",
    )
    assert out.split() == ["ffffffff", "f00faaff", "f00f000f", "ffffffff"] + ["refused"] * 4


@pytest.mark.parametrize(
    ("torn", "left"),
    [("NOTHING", "f0f0f0f0"), ("HALF", "00f0f0f0"), ("ALL_BUT_LAST", "00f000f0"), ("ALL", "00f00000")],
)
def test_torn_writes(script: Script, torn: str, left: str) -> None:
    out = run(
        script,
        f"""
import _faults
from _simhw import flash_read, flash_write
b = bytearray(4)
flash_write(0x700000, b"\\xf0" * 4)
_faults.cut_power_after(2, _faults.{torn}, True)
flash_write(0x700010, b"before")
try: flash_write(0x700000, b"\\x0f\\xff\\x0f\\x0f"); print("written")
except OSError: print("cut")
for again in range(2):
    try: flash_read(0x700000, b); print(b.hex())
    except OSError: print("off")
    if not again: print(_faults.is_off(), _faults.power_on(), _faults.is_off())
""",
    )
    assert out.split() == ["cut", "off", "True", "True", "False", left]


@pytest.mark.parametrize("torn", ["NOTHING", "HALF", "ALL_BUT_LAST", "ALL", "RANDOM"])
def test_torn_erases(script: Script, torn: str) -> None:
    out = run(
        script,
        f"""
import _faults
from _simhw import flash_read, flash_write, flash_erase
b = bytearray(8192)
flash_write(0x700000, bytes(8192))
_faults.cut_power_after(2, _faults.{torn}, True)
try: flash_erase(0x700000, 8192)
except OSError: pass
_faults.power_on()
flash_read(0x700000, b)
print(b.count(b"\\xff"), b.count(b"\\0"), len(set(b)), _faults.erase_count(0x700000), _faults.erase_count(0x702000))
""",
    )
    erased, kept, kinds, count, none = (int(n) for n in out.split())
    assert (count, none) == (1, 0)
    if torn == "RANDOM":
        assert 4096 < erased < 5000 and kinds > 200
    else:
        assert erased == 4096 + {"NOTHING": 0, "HALF": 2048, "ALL_BUT_LAST": 4095, "ALL": 4096}[torn]
        assert erased + kept == 8192


def test_torn_write_of_random_bits_obeys_nor(script: Script) -> None:
    out = run(
        script,
        """
import _faults
from _simhw import flash_read, flash_write
b = bytearray(4096)
seen = set()
for n in range(3):
    flash_write(0x700000 + n * 4096, b"\\xf0" * 4096)
    _faults.cut_power_after(n + 1, _faults.RANDOM, True)
    for _ in range(n): flash_write(0x710000, b"x")
    try: flash_write(0x700000 + n * 4096, b"\\x3c" * 4096)
    except OSError: pass
    _faults.power_on()
    flash_read(0x700000 + n * 4096, b)
    seen.add(bytes(b[:64]))
    print(sorted(set(b)))
print(len(seen))
""",
    )
    # 0xf0 AND 0x3c is 0x30: only the two highest bits may have gone.
    assert out.splitlines() == [str([0x30, 0x70, 0xB0, 0xF0])] * 3 + ["3"]


def test_failures_worn_sectors_and_rot(script: Script) -> None:
    out = run(
        script,
        """
import _faults
from _simhw import flash_read, flash_write, flash_erase
b = bytearray(4096)
def attempt(f, *args):
    try: f(*args); return "done"
    except OSError: return "failed"
_faults.fail_after(2, 2)
print([attempt(flash_write, 0x700000 + i, b"\\0") for i in range(4)])
flash_read(0x700000, b); print(b[:4].hex())
_faults.wear_out(0x701000, True)
print(attempt(flash_erase, 0x701000, 4096)); flash_read(0x701000, b); print(b.count(b"\\xff"))
_faults.wear_out(0x701000, False)
flash_erase(0x701000, 4096); flash_read(0x701000, b); print(b.count(b"\\xff"))
_faults.rot(0x700000, 0x81); flash_read(0x700000, b); print(b[:1].hex())
_faults.mark(); flash_erase(0x700000, 8192); _faults.rot(0x9fffff, 1); _faults.rewind()
flash_read(0x700000, b); print(b[:4].hex()); flash_read(0x9ff000, b); print(b[-1:].hex())
print(attempt(_faults.rot, 1 << 24, 1), attempt(_faults.erase_count, 1 << 24))
""",
    )
    assert out.splitlines() == [
        "['done', 'failed', 'failed', 'done']",
        "00ffff00",
        "done",
        "4032",
        "4096",
        "81",
        "81ffff00",
        "ff",
        "failed failed",
    ]


def test_erase_counts_are_kept_over_restarts(script: Script, tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    options = ("--flash", str(flash))
    for _ in range(3):
        run(script, "from _simhw import flash_erase; flash_erase(0x700000, 8192)", *options)
    counts = erase_counts(flash)
    assert {n: c for n, c in enumerate(counts) if c} == {
        0x0F: 1,  # otadata: the first start
        0x700: 3,
        0x701: 3,
    }
    # A new image in the same place begins at zero, whatever file of counts is there.
    flash.unlink()
    run(script, "pass", *options)
    assert {n: c for n, c in enumerate(erase_counts(flash)) if c} == {0x0F: 1}


def test_a_file_system_from_before_the_cut_stays_off(script: Script) -> None:
    out = run(
        script,
        """
import _faults, vfs, gc
from esp32 import Partition
p = Partition.find(Partition.TYPE_DATA, label="vfs")[0]
vfs.VfsLfs2.mkfs(p); vfs.mount(p, "/f")
f = open("/f/a", "w"); f.write("x" * 100000)
_faults.cut_power_after(5, _faults.HALF, True)
try: f.write("x" * 100000)
except OSError as e: print(e)
_faults.power_on()
try: f.close()
except OSError as e: print(e)
vfs.umount("/f")
p = Partition.find(Partition.TYPE_DATA, label="vfs")[0]
vfs.mount(p, "/f"); print(open("/f/a").read() == "")
""",
    )
    assert out.splitlines()[:3] == ["-24577", "-24577", "True"]


def test_a_chip_of_8_mb(script: Script, tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    show = (
        "from esp32 import Partition; import _simhw; print(_simhw.flash_size(), Partition('vfs').info()[2:4])"
    )
    assert run(script, show, "--flash", str(flash), "--chip", "8") == "8388608 (6422528, 1966080)\n"
    # The image keeps its size.
    assert run(script, show, "--flash", str(flash)) == "8388608 (6422528, 1966080)\n"
    assert partitions.parse_binary(flash.read_bytes()[0x8000:0x8C00]) == layout.load()["8MB"].partitions


def test_fresh_image_has_a_valid_table(script: Script, tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    run(script, "pass", "--flash", str(flash))
    image = flash.read_bytes()
    assert len(image) == FLASH_SIZE
    table = image[0x8000:0x8C00]
    entries = partitions.parse_csv(CSV.read_text())
    partitions.check(entries, FLASH_SIZE)
    assert partitions.parse_binary(table) == entries
    # Byte for byte, independently of our own code: ESP-IDF's format.
    assert table[:2] == b"\xaa\x50"
    end = 32 * len(entries)
    assert table[end : end + 16] == b"\xeb\xeb" + b"\xff" * 14
    assert table[end + 16 : end + 32] == hashlib.md5(table[:end]).digest()
    assert set(table[end + 32 :]) == {0xFF}
    # The first start has noted which slot it took, and there is the image that stands for the program.
    slot = next(entry for entry in entries if entry.label == "ota_0")
    otadata = next(entry for entry in entries if entry.label == "otadata")
    assert image[otadata.offset : otadata.offset + 4] == b"\1\0\0\0"
    assert images.read(image[slot.offset : slot.offset + 336]).chip_id == images.CHIP_SIM
    used = [(0x8000, 0xC00), (slot.offset, 336), (otadata.offset, 32)]
    rest = bytearray(image)
    for at, size in used:
        rest[at : at + size] = b"\xff" * size
    assert rest.count(0xFF) == len(rest)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("app, app, ota_0, 0x11000, 0x100000", "multiple of 0x10000"),
        ("x, data, nvs, 0x9100, 0x3000", "multiple of 0x1000"),
        ("x, data, nvs, 0x9000, 0x2000", "at least 0x3000"),
        ("x, data, ota, 0x9000, 0x1000", "0x2000 bytes"),
        ("x, data, nvs, 0x8000, 0x3000", "inside the partition table"),
        ("x, data, fat, 0x9000, 0x1000000", "behind the flash"),
        ("a_label_of_17_byt, data, fat, 0x9000, 0x1000", "1 to 16 bytes"),
        ("x, data, fat, 0x9000, 0x2000\ny, data, fat, 0xa000, 0x1000", "inside x"),
        ("x, data, fat, 0x9000, 0x1000\nx, data, fat, 0xa000, 0x1000", "occurs twice"),
        ("x, app, ota_0, 0x10000, 0x10000", "otadata"),
        ("x, data, nonsense, 0x9000, 0x1000", "subtype"),
    ],
)
def test_the_rules_of_the_table(line: str, rule: str) -> None:
    with pytest.raises(partitions.PartitionError, match=rule):
        partitions.check(partitions.parse_csv(line), FLASH_SIZE)


def test_partition_interface(script: Script) -> None:
    out = run(
        script,
        """
from esp32 import Partition
p = Partition.find(Partition.TYPE_DATA, label="vfs")[0]
print(p.ioctl(4, 0) * p.ioctl(5, 0) == p.info()[3], p.info()[4])
b = bytearray(4096)
p.writeblocks(3, b"\\x5a" * 4096); p.readblocks(3, b); print(set(b))
p.writeblocks(3, b"\\x0f" * 8, 16); p.readblocks(3, b, 0); print(b[14:26].hex())
p.writeblocks(3, b"\\xa5" * 4096); p.readblocks(3, b); print(set(b))
p.ioctl(6, 3); p.readblocks(3, b); print(set(b))
try: p.readblocks(p.ioctl(4, 0), b); print("read")
except OSError: print("outside")
small = Partition.find(Partition.TYPE_DATA, label="vfs", block_size=512)[0]
small.writeblocks(9, b"\\x11" * 512); p.readblocks(1, b); print(set(b[512:1024]), set(b[:512] + b[1024:]))
print(len(Partition.find()), Partition(Partition.RUNNING).info()[4], Partition(Partition.BOOT).info()[4])
print(Partition(Partition.RUNNING).get_next_update().info()[4])
""",
    )
    assert out.splitlines() == [
        "True vfs",
        "{90}",
        "5a5a0a0a0a0a0a0a0a0a5a5a",
        "{165}",
        "{255}",
        "outside",
        "{17} {255}",
        "2 ota_0 ota_0",
        "ota_1",
    ]


def app_image(payload: bytes) -> bytes:
    """A minimal image that ESP-IDF's checks accept: one segment, checksum, SHA-256."""
    payload = payload.ljust(-(-len(payload) // 4) * 4, b"\0")
    head = struct.pack("<BBBBI", 0xE9, 1, 2, 0x4F, 0x40370000)
    head += b"\0" * 4 + struct.pack("<H", images.CHIP_SIM) + b"\0" * 9 + b"\x01"
    body = head + struct.pack("<II", 0x3C000020, len(payload)) + payload
    checksum = 0xEF
    for byte in payload:
        checksum ^= byte
    body += b"\0" * (15 - len(body) % 16) + bytes([checksum])
    return body + hashlib.sha256(body).digest()


def test_set_boot_writes_otadata_and_rolls_back(tmp_path: Path, script: Script) -> None:
    flash = tmp_path / "flash.bin"
    image = tmp_path / "app.bin"
    image.write_bytes(app_image(b"firmware" * 700))
    write = f"""
from esp32 import Partition
p = Partition("ota_1")
data = open({str(image)!r}, "rb").read()
"""
    store = "for i in range(0, len(data), 4096): p.writeblocks(i // 4096, data[i:i+4096])\n"
    show = "print(Partition(Partition.BOOT).info()[4], Partition(Partition.RUNNING).info()[4])\n"
    option = ("--flash", str(flash))
    assert "-5379" in script(write + "p.set_boot()", options=option).stderr  # ESP_ERR_OTA_VALIDATE_FAILED
    broken = "data = data[:100] + b'?' + data[101:]\n"
    assert "-5379" in script(write + broken + store + "p.set_boot()", options=option).stderr
    assert run(script, write + store + "p.set_boot()\n" + show, *option) == "ota_1 ota_0\n"
    raw = flash.read_bytes()[0x10000:0x10020]
    sequence, _, state, crc = struct.unpack("<I20sII", raw)
    assert (sequence, state, crc) == (2, 0, 0x55F63774)  # the CRC is that of esptool's own otadata for 2
    # Started once without being marked valid: at the next start the old one is back.
    assert run(script, write + show, *option) == "ota_1 ota_1\n"
    assert run(script, write + show, *option) == "ota_0 ota_0\n"
    # Marked valid, it stays.
    run(script, write + "p.set_boot()", *option)
    assert (
        run(script, write + "Partition.mark_app_valid_cancel_rollback()\n" + show, *option) == "ota_1 ota_1\n"
    )
    assert run(script, write + show, *option) == "ota_1 ota_1\n"


def test_nvs(script: Script, tmp_path: Path) -> None:
    option = ("--flash", str(tmp_path / "flash.bin"))
    run(
        script,
        """
from esp32 import NVS
n = NVS("wg")
n.set_i32("count", -5); n.set_blob("blob", b"abc"); n.commit()
for i in range(1500):
    n.set_i32("turns", i); n.commit()
n.set_blob("gone", b"x"); n.commit(); n.erase_key("gone"); n.commit()
n.set_i32("lost", 1)
""",
        *option,
    )
    out = run(
        script,
        """
from esp32 import NVS
n = NVS("wg"); b = bytearray(8)
print(n.get_i32("count"), n.get_i32("turns"), n.get_blob("blob", b), bytes(b[:3]))
for name, key in (("wg", "lost"), ("wg", "gone"), ("other", "count")):
    try: print(NVS(name).get_i32(key))
    except OSError as e: print(hex(-e.args[0]))
""",
        *option,
    )
    assert out.splitlines() == ["-5 1499 3 b'abc'", "0x1102", "0x1102", "0x1102"]


def test_nvs_survives_a_power_cut_at_every_operation(script: Script, tmp_path: Path) -> None:
    start = "from esp32 import NVS\nn = NVS('wg'); n.set_i32('a', 1); n.set_i32('b', 1); n.commit()"
    show = "from esp32 import NVS\nn = NVS('wg'); print(n.get_i32('a'), n.get_i32('b'))"
    for cut in range(1, 5):
        option = ("--flash", str(tmp_path / f"flash{cut}.bin"))
        run(script, start, *option)
        code = f"""
import _faults
from esp32 import NVS
n = NVS("wg")
_faults.cut_power_after({cut})
n.set_i32("a", 2); n.commit()
n.set_i32("a", 3); n.commit()
n.set_i32("a", 4); n.commit()
"""
        ended = script(code, options=option)
        assert ended.returncode == (86 if cut <= 3 else 0)
        assert run(script, show, *option) == f"{min(cut, 4)} 1\n"


def test_littlefs_reads_the_data_partition(tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    with SimBoard(flash=flash) as board:
        board.exec("import os; os.mkdir('/d')\nwith open('/d/f', 'wb') as f: f.write(bytes(range(256)) * 50)")
    fs = vfs(flash.read_bytes())  # must outlive its files
    with fs.open("/d/f", "rb") as file:
        assert file.read() == bytes(range(256)) * 50


def test_what_littlefs_wrote_is_read_by_the_board(tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    with SimBoard(flash=flash) as board:
        board.exec("pass")
    image = bytearray(flash.read_bytes())
    fs = vfs(bytes(image))
    with fs.open("/from_pc.txt", "wb") as file:
        file.write(b"hello")
    entry = next(p for p in partitions.parse_binary(image[0x8000:0x8C00]) if p.label == "vfs")
    image[entry.offset : entry.end] = fs.context.buffer
    flash.write_bytes(image)
    with SimBoard(flash=flash) as board:
        assert board.exec("print(open('/from_pc.txt').read())") == "hello\n"


def test_an_unreadable_file_system_is_made_anew(tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    with SimBoard(flash=flash):
        pass
    image = bytearray(flash.read_bytes())
    entry = next(p for p in partitions.parse_binary(image[0x8000:0x8C00]) if p.label == "vfs")
    image[entry.offset : entry.offset + 0x4000] = b"\0" * 0x4000
    flash.write_bytes(image)
    with SimBoard(flash=flash) as board:
        board.exec("with open('/new', 'w') as f: f.write('x')")


@pytest.mark.parametrize("size", [1, 4096, FLASH_SIZE + 1])
def test_a_file_of_another_size_is_refused(tmp_path: Path, size: int) -> None:
    flash = tmp_path / "flash.bin"
    flash.write_bytes(b"x" * size)
    with pytest.raises(BoardError, match="not a flash image"):
        SimBoard(flash=flash).start()
    assert flash.stat().st_size == size


def test_two_boards_do_not_share_a_flash(tmp_path: Path) -> None:
    with SimBoard(flash=tmp_path / "flash.bin"):
        with pytest.raises(BoardError, match="another board runs with it"):
            SimBoard(flash=tmp_path / "flash.bin").start()
