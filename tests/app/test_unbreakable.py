"""Nothing at the prompt leaves the board unable to start: whatever is removed, mis-set or filled, after a restart there
is a prompt with `wg`, and what was said to do brings the display back."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from local_store import local_store

from wg.sim.board import BoardError, SimBoard

WAYS: dict[str, str] = {
    "no data": "rmtree('/data')",
    "data is a file": "rmtree('/data'); write('/data', 'x')",
    "no widgets": "rmtree('/data/widgets')",
    "widgets is a file": "rmtree('/data/widgets'); write('/data/widgets', 'x')",
    "no records": "rmtree('/data/0'); rmtree('/data/1')",
    "the records' folder is a file": "rmtree('/data/1'); write('/data/1', 'x')",
    "entries are garbage": "[write('/data/' + h + '/' + n, 'x') for h in '01' for n in os.listdir('/data/' + h)]",
    "a widget's file is gone": "[os.remove('/data/widgets/' + n) for n in os.listdir('/data/widgets')]",
    "a widget's file is another": "[write('/data/widgets/' + n, '\\0asm') for n in os.listdir('/data/widgets')]",
    "records are garbage": "[write('/data/' + n, 'no json') for n in RECORDS]",
    "records are empty": "[write('/data/' + n, '') for n in RECORDS]",
    "records are folders": "[(remove('/data/' + n), os.mkdir('/data/' + n)) for n in RECORDS]",
    "records are huge": "[write('/data/' + n, '[' * 200000) for n in RECORDS]",
    "the flash is full": "fill('/full')",
    "the flash is full of small files": "small('/many')",
    "NVS is erased": "erase('nvs')",
    "NVS is garbage": "garbage('nvs')",
    "the slots' table is garbage": "garbage('otadata')",
    "the file system is garbage": "garbage('vfs')",
    "the file system is erased": "erase('vfs')",
    "boot.py resets": "write('/boot.py', 'import machine; machine.reset()')",
    "boot.py ends Python": "write('/boot.py', 'raise SystemExit')",
    "boot.py takes all memory": "write('/boot.py', 'x = []\\nwhile True: x.append(bytearray(50000))')",
    "boot.py deletes wg": "write('/boot.py', 'import sys; sys.modules.clear(); del wg')",
    "boot.py is huge": "write('/boot.py', '#' * 3000000)",
    "board.py resets": "write('/board.py', 'import machine; machine.reset()')",
    "board.py has other pins": "write('/board.py', 'NAME = 1; BUTTONS = 5; PANEL = {\"spi\": 77}')",
    "board.py has a button that is always held": "write('/board.py', 'BUTTONS = {\"boot\": (1, 1)}; PANEL = {}')",
    "board.py is a folder": "os.mkdir('/board.py')",
    "modules of the firmware's names": "[write('/' + n + '.py', 'raise SystemExit') for n in NAMES]",
    "a package of the firmware's name": "os.mkdir('/wgdisplay'); write('/wgdisplay/__init__.py', 'raise SystemExit')",
    "settings are nonsense": (
        "wg.set('hostname', 'x' * 3000); wg.set('ntp', '\\n\\0'); wg.set('store', 'ftp://[::1');"
        "wg.limits('Time', fuel=1000)"
    ),
    "threads that never end": "[_thread.start_new_thread(spin, ()) for _ in range(4)]",
    "the prompt's names are gone": "sys.modules.clear(); del wg",
    "memory is used up": "use_up()",
    "the root is unmounted": "vfs.umount('/')",
    "the pins of the panel are others'": "[machine.Pin(n, machine.Pin.OUT, value=0) for n in (4, 5, 6, 7, 48, 47)]",
}

TOOLS = """
import os, sys, vfs, machine, esp32, _thread, wg
RECORDS = [h + "/" + n for h in ("0", "1") for n in ("system", "wifi", "access", "crashes")] + ["widgets/incoming"]
NAMES = "wg json machine asyncio os time network esp32 hashlib re board_settings boot main inisetup flashbdev".split()
def write(path, text):
    with open(path, "w") as f:
        f.write(text)
def remove(path):
    try:
        os.remove(path)
    except OSError:
        pass
def rmtree(path):
    for entry in os.ilistdir(path):
        inside = path + "/" + entry[0]
        if entry[1] == 0x4000:
            rmtree(inside)
        else:
            os.remove(inside)
    os.rmdir(path)
def fill(path):
    block = b"f" * 4096
    with open(path, "wb") as f:
        try:
            while True:
                f.write(block)
        except OSError:
            pass
def small(path):
    fill(path)
    os.remove(path)
    s = os.statvfs("/")
    with open(path, "wb") as f:
        for _ in range(max(0, s[3] - 40)):
            f.write(b"f" * s[0])
    os.mkdir("/s")
    try:
        for i in range(200):
            write("/s/%d" % i, "x" * 600)
    except OSError:
        pass
def partition(label):
    return [p for t in (0, 1) for p in esp32.Partition.find(t) if p.info()[4] == label][0]
def erase(label):
    p = partition(label)
    for i in range(min(64, p.info()[3] // 4096)):
        p.writeblocks(i, b"\\xff" * 4096)
def garbage(label):
    p = partition(label)
    for i in range(min(16, p.info()[3] // 4096)):
        p.writeblocks(i, os.urandom(4096))
def spin():
    while True:
        pass
def use_up():
    global kept
    kept = []
    for size in (100000, 1000, 50):
        try:
            while True:
                kept.append(bytearray(size))
        except MemoryError:
            pass
"""

#: Starts until the board must be there: three that fail, and the safe mode.
STARTS = 4


@pytest.fixture(scope="module")
def template(wgdisplay: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flash with one widget."""
    folder = tmp_path_factory.mktemp("template")
    with local_store(folder / "store") as store, SimBoard(flash=folder / "flash.bin") as b:
        b.exec(f"import wg; wg.set('store', {store!r}); wg.install('Time')")
    return folder / "flash.bin"


def answer(board: SimBoard, code: str) -> Any:
    return json.loads(board.exec(code, timeout=20).splitlines()[-1])


@pytest.mark.parametrize("way", WAYS)
def test_the_board_starts_whatever_was_done(way: str, template: Path, tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    shutil.copy(template, flash)
    with SimBoard(flash=flash) as b:
        try:
            b.exec(TOOLS + WAYS[way], timeout=30)
        except BoardError as error:
            assert "Traceback" in str(error) or b.alive
    # The power goes off and on; a board that resets itself does so on its own.
    for start in range(STARTS):
        with SimBoard(flash=flash, wait=False) as b:
            try:
                b.wait_for_prompt(8)
                found = answer(b, "import wg, json\nprint(json.dumps(wg.status()))")
                break
            except (BoardError, IndexError, ValueError):
                assert start < STARTS - 1, b.errors()
    problems, safe = found.get("problems", []), found.get("safe_mode")
    with SimBoard(flash=flash) as b:
        # There is the console, the screen is lit, and each problem is a sentence.
        found = answer(b, "import wg, json\nprint(json.dumps(wg.status()))")
        assert "the application is not running" not in str(found["problems"])
        assert all(len(problem) > 20 for problem in found["problems"])
        end = time.monotonic() + 5
        while not b.frame().on and "display" not in str(found["problems"]):
            assert time.monotonic() < end, found
            time.sleep(0.05)
        # The way out: what is in the way is removed, and the board is as new.
        b.exec(TOOLS + "[remove(n) for n in ('/boot.py', '/board.py', '/full', '/many')]")
        b.exec("try:\n rmtree('/board.py')\nexcept OSError:\n pass")
        with b.transport() as t:
            t.exec_raw_no_follow("wg.reboot()")
            t.in_raw_repl = False
        b.wait_for_prompt()
        found = answer(b, "import wg, json\nprint(json.dumps(wg.status()))")
        assert found["safe_mode"] is None, found
        b.exec("import wg; wg.set('hostname', 'again'); wg.background('#123456')")
        b.reset()
        assert answer(b, "import wg, json\nprint(json.dumps(wg.background()))") == "#123456", (problems, safe)
