"""The flash layout: what is made from it is current, obeys ESP-IDF's rules, and has the room that is promised."""

from __future__ import annotations

from pathlib import Path

import pytest

from wg import ROOT
from wg.flash import layout
from wg.sim import partitions

LAYOUTS = layout.load()


def test_what_is_made_from_the_table_is_current() -> None:
    assert layout.stale() == [], "run `wg layout write`"


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_csv_says_what_the_table_says(name: str) -> None:
    found = LAYOUTS[name]
    read = partitions.parse_csv(found.csv.read_text())
    partitions.check(read, found.flash)
    assert read == found.partitions
    assert partitions.parse_binary(partitions.to_binary(read)) == read


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_updates_over_the_air_and_storage_need(name: str) -> None:
    found = LAYOUTS[name]
    assert found["ota_0"].size == found["ota_1"].size
    assert found["otadata"].size == 2 * partitions.SECTOR
    assert found["vfs"].end == found.flash
    ordered = sorted(found.partitions, key=lambda p: p.offset)
    gaps = sum(b.offset - a.end for a, b in zip(ordered, ordered[1:], strict=False))
    assert gaps < partitions.APP_ALIGNMENT


def test_room_for_40_widgets_of_120_kb() -> None:
    assert LAYOUTS["16MB"].widgets >= 40


@pytest.mark.parametrize("program", ["sim", "sim32"])
def test_the_simulated_boards_program_fits_a_slot(program: str) -> None:
    """It is wrapped as an image and put into a slot, without its symbols: what is loaded is what counts."""
    path = ROOT / "build" / program / "wgdisplay"
    assert path.exists(), f"run `make {program}`"
    data = path.read_bytes()
    wide = data[4] == 2
    at, count_at, entry = (32, 56, 56) if wide else (28, 44, 32)
    word = 8 if wide else 4
    headers = int.from_bytes(data[at : at + word], "little")
    count = int.from_bytes(data[count_at : count_at + 2], "little")
    loaded = 0
    for n in range(count):
        header = data[headers + n * entry : headers + (n + 1) * entry]
        if int.from_bytes(header[:4], "little") == 1:  # PT_LOAD: offset and size in the file
            offset_at, size_at = (8, 32) if wide else (4, 16)
            offset = int.from_bytes(header[offset_at : offset_at + word], "little")
            loaded = max(loaded, offset + int.from_bytes(header[size_at : size_at + word], "little"))
    assert 1_000_000 < loaded < min(found["ota_0"].size for found in LAYOUTS.values()) - 256 * 1024


@pytest.mark.parametrize(
    ("size", "count"), [(0, 0), (1, 1), (4096, 1), (4097, 2), (8188, 2), (8189, 3), (122880, 31)]
)
def test_blocks_of_a_file(size: int, count: int) -> None:
    """The second block begins with one pointer, the third with two, as LittleFS' SPEC.md says."""
    assert layout.blocks(size) == count


def test_blocks_are_those_that_littlefs_takes() -> None:
    from littlefs import LittleFS

    for size in (4096, 5000, 65536, 122880, 300_001):
        fs = LittleFS(block_size=4096, block_count=256)
        used = fs.used_block_count
        with fs.open("/w", "wb") as file:
            file.write(bytes(size))
        assert fs.used_block_count - used == layout.blocks(size)


def test_bad_tables_are_refused() -> None:
    text = layout.TABLE.read_text()
    for old, new, said in (
        ('size = "4M", holds = "firmware"', 'size = "12M", holds = "firmware"', "behind the flash"),
        ('subtype = "nvs"', 'subtype = "nvz"', "nvz"),
        ('offset = "0xf000"', 'offset = "0x9000"', "inside nvs"),
    ):
        assert old in text
        with pytest.raises(partitions.PartitionError, match=said):
            layout.load(text.replace(old, new, 1))


def test_a_stale_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "flash.md"
    copy.write_text(layout.DOCUMENT.read_text().replace("| ota_0 |", "| ota_9 |"))
    monkeypatch.setattr(layout, "DOCUMENT", copy)
    assert layout.stale() == [copy]
    assert layout.write() == [copy]
    assert layout.stale() == []
    copy.write_text("nothing")
    with pytest.raises(partitions.PartitionError, match="no place"):
        layout.stale()
