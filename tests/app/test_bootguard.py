"""The boot guard: starts that fail lead to the safe mode, which says why and how to leave it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from wg.sim.board import SimBoard

HELD = "held = {0: 0}"
CRASHING = "import machine\nmachine.reset()\n"


def value(board: SimBoard, expression: str) -> Any:
    return json.loads(board.exec(f"import wg, json\nprint(json.dumps({expression}))").splitlines()[-1])


def write(board: SimBoard, path: str, text: str) -> None:
    board.exec(f"with open({path!r}, 'w') as f:\n f.write({text!r})\ndel f")


def safe_mode(board: SimBoard) -> str | None:
    said = value(board, "wg.status()['safe_mode']")
    assert said is None or isinstance(said, str)
    return said


def failed_starts(board: SimBoard) -> int:
    code = "try:\n print(__import__('esp32').NVS('wgboot').get_i32('failed'))\nexcept OSError:\n print(0)"
    return int(board.exec(code))


def proven(board: SimBoard) -> None:
    end = time.monotonic() + 10
    while failed_starts(board):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_button_held_at_the_start(tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    with SimBoard(flash=flash, faults=HELD, wait=False) as b:
        said = b.wait_for_prompt()
        assert 'This is the safe mode, without widgets: the button "boot" was held at the start.' in said
        assert "then wg.reboot()" in said
        assert safe_mode(b) == 'the button "boot" was held at the start'
        assert "Mode     safe, without widgets" in b.exec("print(wg.status())")
        b.exec("import _faults; _faults.held = {}")
        b.soft_reset()
        assert safe_mode(b) is not None
    with SimBoard(flash=flash) as b:
        assert safe_mode(b) is None


def test_three_failed_starts_and_the_way_out(tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    with SimBoard(flash=flash) as b:
        proven(b)
        write(b, "/boot.py", CRASHING)
        b.process and b.kill()
    with SimBoard(flash=flash, wait=False) as b:
        # It resets itself three times, then it stays.
        said = b.wait_for_prompt()
        assert "safe mode, without widgets: 3 starts in a row failed" in said
        assert b.exec("print(wg.help is not None)").strip() == "True"
        b.soft_reset()
        assert safe_mode(b) == "3 starts in a row failed"
        b.exec("import os; os.remove('/boot.py')")
        with b.transport() as t:
            t.exec_raw_no_follow("wg.reboot()")
            t.in_raw_repl = False
        b.wait_for_prompt()
        assert safe_mode(b) is None
        proven(b)


def test_after_a_safe_mode_one_start_is_tried(tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    with SimBoard(flash=flash) as b:
        proven(b)
        write(b, "/boot.py", CRASHING)
    for _ in range(2):
        with SimBoard(flash=flash, wait=False) as b:
            assert "safe mode" in b.wait_for_prompt()
            assert failed_starts(b) == 2


def test_a_start_that_goes_well_begins_the_count_anew(tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    for _ in range(5):
        with SimBoard(flash=flash) as b:
            assert safe_mode(b) is None
            proven(b)


def test_soft_resets_are_no_starts(sim_board: SimBoard) -> None:
    b = sim_board
    count = failed_starts(b)
    for _ in range(5):
        b.soft_reset()
    assert failed_starts(b) <= count
    assert safe_mode(b) is None


def test_the_safe_mode_can_be_asked_for(sim_board: SimBoard) -> None:
    b = sim_board
    for call, mode in (("wg.reboot(safe=True)", "it was asked for"), ("wg.reboot()", None)):
        with b.transport() as t:
            t.exec_raw_no_follow("import wg; " + call)
            t.in_raw_repl = False
        b.wait_for_prompt()
        assert safe_mode(b) == mode


def test_files_on_the_flash_do_not_replace_the_firmwares(sim_board: SimBoard) -> None:
    b = sim_board
    for name in ("wg", "json", "machine", "asyncio", "os", "time", "network", "esp32", "wgfonts", "inisetup"):
        write(b, f"/{name}.py", "raise SystemExit")
    b.exec("import os; os.mkdir('/wgdisplay')")
    write(b, "/wgdisplay/__init__.py", "raise SystemExit")
    write(b, "/wgdisplay/app.py", "raise SystemExit")
    for reset in (b.soft_reset, b.reset):
        reset()
        assert value(b, "wg.status()['problems']") == []
        proven(b)


def test_settings_of_another_board_that_are_wrong(sim_board: SimBoard) -> None:
    b = sim_board
    for text in ("raise SystemExit", "no (python", "import nothing_such", "PANEL ="):
        write(b, "/board.py", text)
        proven(b)
        b.reset()
        (problem,) = value(b, "wg.status()['problems']")
        assert problem.startswith("the board's own settings /board.py failed ("), problem
        assert value(b, "__import__('board').NAME") == "ESP32-S3-BOX-3"
    proven(b)
    write(b, "/board.py", "NAME = 'mine'\nfrom machine import reset\nreset()\n")
    with b.transport() as t:
        t.exec_raw_no_follow("import machine; machine.reset()")
        t.in_raw_repl = False
    assert "3 starts in a row failed" in b.wait_for_prompt()
    assert value(b, "__import__('board').NAME") == "ESP32-S3-BOX-3"
    assert value(b, "wg.status()['problems']") == []


def test_without_nvs_nothing_is_counted(tmp_path: Path) -> None:
    flash = tmp_path / "flash.bin"
    with SimBoard(flash=flash) as b:
        b.exec("import esp32; p = esp32.Partition.find(1, label='nvs')[0]; n = p.info()[3] // 4096")
        b.exec("p.writeblocks(0, bytes(4096 * n)); print(n)")
        b.reset()
        assert safe_mode(b) is None
        assert value(b, "wg.status()['problems']") == []
