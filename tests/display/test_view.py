"""What is on the screen when: pages, keys, touch, day and night, notices, set-up, failed starts. On whole boards."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from bidi import get_display
from PIL import Image

from wg import ROOT
from wg.sim.board import SimBoard
from wg.sim.panel import Frame, Panel

BOOT, MUTE = 0, 1  # pins of the keys
FULL = 65535


def test_rules(run_script: Callable[..., str]) -> None:
    assert run_script("rules.py").strip() == "OK"


def test_every_colour_is_readable(run_script: Callable[..., str]) -> None:
    assert run_script("colours.py").strip() == "OK"


def test_the_order_of_both_directions_is_unicodes(run_script: Callable[..., str], tmp_path: Path) -> None:
    """Against python-bidi's UAX #9. What it leaves to others, turned brackets and marks, is checked apart."""
    draw = random.Random(9)
    alphabet = 'abAB  12345.,:/+-%$ אבגדש שלום سلام ١٢٣ éπж°€→!?"☀'
    lines = ["".join(draw.choices(alphabet, k=draw.randint(1, 16))) for _ in range(3000)]

    def on_board(*texts: str) -> list[str]:
        file = tmp_path / "lines"
        file.write_text("".join(json.dumps(text) + "\n" for text in texts))
        said = run_script("bidi_lines.py", str(file))
        return [json.loads(answer) for answer in said.splitlines()]

    shown = on_board(*lines)
    for line, got in zip(lines, shown, strict=True):
        assert got == get_display(line), (line, got)
    # A bracket opens where it is read first: at the right, and with its other side.
    assert on_board("שלום (עולם)") == ["(םלוע) םולש"]
    # A mark stays behind its base, whichever way the line is turned.
    assert on_board("שe\u0301x\u0304ש", "שָלom") == ["שe\u0301x\u0304ש", "omלשָ"]


def value(board: SimBoard, expression: str) -> Any:
    return json.loads(board.exec(f"import wg, json\nprint(json.dumps({expression}))").splitlines()[-1])


def refusal(board: SimBoard, statement: str) -> str:
    return board.exec(f"import wg\ntry:\n {statement}\nexcept wg.Error as e:\n print(e)").strip()


def wait_until(board: SimBoard, condition: Callable[[Frame], bool], seconds: float = 10) -> Frame:
    end = time.monotonic() + seconds
    while not condition(frame := board.frame()):
        assert time.monotonic() < end, "the screen did not change as expected"
        time.sleep(0.02)
    return frame


def settled(board: SimBoard) -> Frame:
    """The picture once it stands still."""
    frame = board.frame()
    while True:
        time.sleep(1.2)
        now = board.frame()
        if now.pixels == frame.pixels:
            return now
        frame = now


@pytest.fixture
def paged(sim_board: SimBoard) -> Iterator[tuple[SimBoard, Panel]]:
    """A board with three pages that don't turn by themselves, and its panel's file."""
    sim_board.exec(
        "import wg\nfrom wgdisplay import console\nwg.set('page_seconds', 0)\nwg.set('text_size', 'huge')\n"
        "console._app.view._items = lambda: [('W%d' % i, 'one\\ntwo\\nthree', False) for i in range(3)]"
    )
    assert sim_board.panel_path is not None
    with Panel(sim_board.panel_path) as panel:
        yield sim_board, panel


def press(panel: Panel, pin: int) -> None:
    panel.pull_low(pin, True)
    time.sleep(0.15)
    panel.pull_low(pin, False)
    time.sleep(0.15)


def tap(panel: Panel, x: int, y: int) -> None:
    panel.touch(x, y)
    time.sleep(0.15)
    panel.lift()
    time.sleep(0.15)


def test_keys_and_touch_turn_pages(paged: tuple[SimBoard, Panel]) -> None:
    board, panel = paged
    first = settled(board).pixels
    press(panel, BOOT)
    second = wait_until(board, lambda frame: frame.pixels != first).pixels
    press(panel, BOOT)
    third = wait_until(board, lambda frame: frame.pixels not in (first, second)).pixels
    press(panel, BOOT)
    wait_until(board, lambda frame: frame.pixels == first)
    press(panel, MUTE)
    wait_until(board, lambda frame: frame.pixels == third)
    tap(panel, 300, 120)
    wait_until(board, lambda frame: frame.pixels == first)
    tap(panel, 20, 120)
    wait_until(board, lambda frame: frame.pixels == third)
    # A key or a finger that stays down turns one page.
    panel.pull_low(BOOT, True)
    panel.touch(300, 10)
    time.sleep(1.5)
    panel.pull_low(BOOT, False)
    panel.lift()
    assert settled(board).pixels == second


def test_pages_turn_by_themselves(paged: tuple[SimBoard, Panel]) -> None:
    board, _ = paged
    first = settled(board).pixels
    board.exec("wg.set('page_seconds', 1)")
    seen = [first]
    while len(seen) < 4:
        seen.append(wait_until(board, lambda frame: frame.pixels != seen[-1]).pixels)
    assert len(set(seen[:3])) == 3 and seen[3] == first


def test_settings_change_the_screen(sim_board: SimBoard) -> None:
    board = sim_board
    board.exec(
        "import wg\nfrom wgdisplay import console\nconsole._app.view._items = lambda: [('A', 'b', False)]"
    )
    seen = {settled(board).pixels}
    for key, setting in (
        ("text_size", "small"),
        ("text_size", "large"),
        ("theme", "light"),
        ("theme", "dark"),
    ):
        board.exec(f"wg.set({key!r}, {setting!r})")
        seen.add(settled(board).pixels)
    assert len(seen) >= 4  # the dark theme of a black background is what it was
    board.exec("wg.set('brightness', 50)")
    wait_until(board, lambda frame: frame.backlight == FULL // 4)
    for statement, words in (
        ("wg.set('theme', 'pink')", "auto, dark, light"),
        ("wg.set('text_size', 'big')", "small, normal"),
        ("wg.set('brightness', 0)", "from 1 to 100"),
        ("wg.set('page_seconds', 4000)", "from 0 to 3600"),
        ("wg.set('night', '22-6')", "22:00-06:30"),
    ):
        assert words in refusal(board, statement), statement


def test_it_is_dimmed_by_night_and_wakes(paged: tuple[SimBoard, Panel]) -> None:
    board, panel = paged
    first = settled(board).pixels
    now = datetime.now(UTC)
    begin, end = now - timedelta(hours=1), now + timedelta(hours=1)
    board.exec(f"wg.set('zone', 'UTC0')\nwg.set('night', '{begin:%H:%M}-{end:%H:%M}')")
    wait_until(board, lambda frame: frame.backlight == FULL // 100)
    board.exec("wg.set('night_brightness', 0)")
    wait_until(board, lambda frame: frame.backlight == 0)
    # The first press makes light, the next one turns the page.
    page = board.frame().pixels
    press(panel, BOOT)
    wait_until(board, lambda frame: frame.backlight == FULL)
    assert value(board, "console._app.view._page") == 0
    press(panel, BOOT)
    wait_until(board, lambda frame: frame.pixels not in (first, page))
    board.exec(f"wg.set('night', '{end:%H:%M}-{end:%H:%M}')")
    wait_until(board, lambda frame: frame.backlight == FULL)


def test_a_notice_stays_until_it_is_ended(sim_board: SimBoard) -> None:
    board = sim_board
    board.exec(
        "import wg\nfrom wgdisplay import console\nconsole._app.view._items = lambda: [('A', 'b', False)]"
    )
    before = settled(board).pixels
    tell = (
        "async def work(job, *a):\n console._app.notice(*a)\n"
        "def tell(*a):\n job = console._app.submit(work, *a)\n while not job.done:\n  time.sleep_ms(5)\n"
        " assert job.error is None, job.error\n"
    )
    board.exec("import time\n" + tell)
    shown = {before}
    for progress in (0, 50, 100):
        board.exec(f"tell('Update', ['Version 2 is being loaded.'], {progress})")
        shown.add(board.frame().pixels)  # at once
    assert len(shown) == 4
    time.sleep(1.5)
    assert board.frame().pixels in shown - {before}
    board.exec("tell(None)")
    assert board.frame().pixels == before


def test_set_up_shows_a_code_that_joins_the_own_network(sim_board: SimBoard, tmp_path: Path) -> None:
    wait_until(sim_board, lambda frame: frame.on and frame.backlight > 0)
    name, password = value(sim_board, "[wg.status()['ssid'], wg.status()['access_password']]")
    settled(sim_board)
    found = zxingcpp.read_barcodes(Image.open(sim_board.screenshot(tmp_path / "screen.png")))
    assert [code.text for code in found] == [f"WIFI:T:WPA;S:{name};P:{password};;"]


def write_board(board: SimBoard, change: str) -> None:
    """Puts the board's settings on the flash, with a change, where they are found first; and starts anew."""
    source = (ROOT / "boards" / "esp32s3" / "board.py").read_text()
    board.exec(f"with open('/board.py', 'w') as file:\n file.write({source + chr(10) + change + chr(10)!r})")
    board.reset()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("del PANEL", "board.py has no PANEL"),
        ("PANEL['model'] = 'ILI9999'", "model 'ILI9999' is unknown; there are ILI9341, ILI9342C, ST7789"),
        ("PANEL['mirorx'] = True", "unknown setting 'mirorx'"),
        ("PANEL['dc'] = 7", "sck and dc are both pin 7"),
        ("PANEL = {}", "no 'model'"),
    ],
)
def test_wrong_board_settings_are_said_and_the_board_goes_on(
    sim_board: SimBoard, change: str, sentence: str
) -> None:
    write_board(sim_board, change)
    problems = value(sim_board, "wg.status()['problems']")
    assert len(problems) == 1 and sentence in problems[0], problems
    assert sentence in sim_board.exec("wg.greet()")


def test_a_wrong_key_or_touch_costs_only_itself(sim_board: SimBoard) -> None:
    change = "BUTTONS = {'boot': (99, 0)}\nTOUCH = {'controller': 'GT911', 'i2c': 0, 'sda': 9, 'scl': 10}"
    write_board(sim_board, change)
    wait_until(sim_board, lambda frame: frame.on and frame.backlight == FULL)
    logs = sim_board.exec("print(wg.logs())")
    assert "board.BUTTONS does not work" in logs and "no GT911 answers" in logs, logs
    assert value(sim_board, "wg.status()['problems']") == []
