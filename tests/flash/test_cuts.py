"""Power cuts in every flash operation of every change, and what LittleFS on the PC finds in images of after them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from littlefs import LittleFS

#: Files of a record, in the folders 0 and 1, begin with this, see firmware/wgdisplay/storage/record.py.
MAGIC = b"wg2 "


def mount(image: bytes) -> LittleFS:
    fs = LittleFS(block_size=4096, block_count=len(image) // 4096, mount=False)
    fs.context.buffer[:] = image
    fs.mount()
    return fs


def test_every_cut(script: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = script("cuts", str(tmp_path))
    cuts = found["cuts"]
    with capsys.disabled():
        print(f"\n{sum(cuts.values())} power cuts of the storage, each left the old or the new state: {cuts}")
    assert len(cuts) == 18 and min(cuts.values()) >= 5
    assert sum(cuts.values()) >= 2000
    # The images of after the cut, before anything was put right: a sound file system with whole files in it.
    assert len(found["images"]) >= 20
    for name in found["images"]:
        if name.startswith("first boot"):  # there may be no file system yet; the next boot makes it
            continue
        fs = mount((tmp_path / name).read_bytes())
        for folder, _, files in fs.walk("/"):
            for file in files:
                path = f"{folder.rstrip('/')}/{file}"
                with fs.open(path, "rb") as opened:
                    data = opened.read()
                if folder.endswith(("/0", "/1")) and data:
                    head, _, body = data.partition(b"\n")
                    assert head.startswith(MAGIC), (name, path)
                    assert head.split()[2].decode() == hashlib.sha256(body).hexdigest(), (name, path)
                elif file.endswith((".wasm", ".new", ".old")):
                    assert hashlib.sha256(data).hexdigest().startswith(file.partition(".")[0]), (name, path)
        # ... that can be written to.
        with fs.open("/new", "wb") as opened:
            opened.write(b"x" * 10_000)
