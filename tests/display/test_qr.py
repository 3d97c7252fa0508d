"""QR codes, read off the screen by a reader of another make (ZXing)."""

import json
import random
import string
from collections.abc import Callable
from pathlib import Path

import zxingcpp
from PIL import Image

CAPACITY = 271  # bytes, QR_BYTES_MAX


def read(path: Path) -> list[bytes]:
    return [found.bytes for found in zxingcpp.read_barcodes(Image.open(path))]


def test_a_reader_reads_what_was_shown(run_script: Callable[..., str], tmp_path: Path) -> None:
    draw = random.Random(8)
    texts = [
        "W",
        "WIFI:T:WPA;S:WG-Display-4F2A;P:qmvk-7cjd-x2ht;;",
        "http://192.168.1.23/",
        "Grüezi 漢字 ☀",
        "\x00\x01",
        # Every length: each version, both sides of its limits, every number of blocks.
        *("".join(draw.choices(string.printable, k=length)) for length in range(1, CAPACITY + 1, 3)),
        "0" * CAPACITY,
    ]
    run_script("codes.py", str(tmp_path), input=json.dumps(texts) + "\n")
    for number, text in enumerate(texts):
        assert read(tmp_path / f"{number}.png") == [text.encode()], (number, text)


def test_what_is_no_code_shows_none(run_script: Callable[..., str], tmp_path: Path) -> None:
    run_script("codes.py", str(tmp_path), input=json.dumps(["", "x" * (CAPACITY + 1), "é" * 200]) + "\n")
    assert [read(tmp_path / f"{number}.png") for number in range(3)] == [[], [], []]
