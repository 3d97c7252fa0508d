"""The model of the display, driven by the bytes that go over SPI (decoded by boards/sim/panel.c)."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest
from PIL import Image

from wg.sim.board import SimBoard
from wg.sim.panel import HEIGHT, IDLE, INVERTED, ON, WIDTH, Frame

MIRRORED = 0xC8  # MX, MY, BGR: upright and with true colours on this board
RED, GREEN, BLUE, WHITE, BLACK = 0xF800, 0x07E0, 0x001F, 0xFFFF, 0

PRELUDE = """
import time, machine
from machine import Pin
_cs = Pin(5, Pin.OUT, value=1); _dc = Pin(4, Pin.OUT, value=1); _rst = Pin(48, Pin.OPEN_DRAIN, value=1)
_spi = machine.SPI(1, baudrate=40_000_000, sck=Pin(7), mosi=Pin(6))
def c(command, *data):
    _cs(0); _dc(0); _spi.write(bytes((command,))); _dc(1)
    if data: _spi.write(bytes(data))
    _cs(1)
def d(data):
    _cs(0); _dc(1); _spi.write(data); _cs(1)
def px(*colors): d(b"".join(bytes((x >> 8, x & 255)) for x in colors))
def window(x0, y0, x1, y1):
    c(0x2a, x0 >> 8, x0 & 255, x1 >> 8, x1 & 255); c(0x2b, y0 >> 8, y0 & 255, y1 >> 8, y1 & 255)
def init(madctl=0xc8, colmod=0x55):
    time.sleep_ms(6); c(0x01); time.sleep_ms(6); c(0x11); time.sleep_ms(6)
    c(0x3a, colmod); c(0x36, madctl); c(0x29)
def clear():
    window(0, 0, 319, 239); c(0x2c); d(bytes(320 * 240 * 2))
def faults():
    import _simhw; return _simhw.panel()[5:]
"""


@pytest.fixture(scope="module")
def lcd(board: SimBoard) -> SimBoard:
    board.exec(PRELUDE)
    return board


def draw(lcd: SimBoard, code: str, madctl: int = MIRRORED, colmod: int = 0x55) -> Frame:
    lcd.exec(f"init(0xc8); clear(); init({madctl}, {colmod})\n{code}")
    return lcd.frame()


def at(frame: Frame, x: int, y: int) -> int:
    return int(struct.unpack_from("<H", frame.pixels, 2 * (y * WIDTH + x))[0])


def lit(frame: Frame) -> dict[tuple[int, int], int]:
    """All pixels that are not black."""
    values = struct.unpack(f"<{WIDTH * HEIGHT}H", frame.pixels)
    return {(i % WIDTH, i // WIDTH): v for i, v in enumerate(values) if v}


def test_a_window_is_filled_row_by_row(lcd: SimBoard) -> None:
    frame = draw(lcd, "window(10, 20, 12, 21); c(0x2c); px(1, 2, 3, 4, 5, 6)")
    assert lit(frame) == {(10, 20): 1, (11, 20): 2, (12, 20): 3, (10, 21): 4, (11, 21): 5, (12, 21): 6}
    assert frame.flags & ON


def test_the_pointer_wraps_to_the_start_of_the_window(lcd: SimBoard) -> None:
    frame = draw(lcd, "window(10, 20, 11, 21); c(0x2c); px(1, 2, 3, 4, 5, 6)")
    assert lit(frame) == {(10, 20): 5, (11, 20): 6, (10, 21): 3, (11, 21): 4}


def test_a_pixel_may_be_split_between_transfers(lcd: SimBoard) -> None:
    frame = draw(lcd, "window(0, 0, 1, 0); c(0x2c); d(b'\\xf8'); d(b'\\x00\\x07'); d(b'\\xe0')")
    assert lit(frame) == {(0, 0): RED, (1, 0): GREEN}


def test_write_continue(lcd: SimBoard) -> None:
    frame = draw(lcd, "window(0, 0, 3, 0); c(0x2c); px(1, 2); c(0x00); c(0x3c); px(3, 4); c(0x2c); px(9)")
    assert lit(frame) == {(0, 0): 9, (1, 0): 2, (2, 0): 3, (3, 0): 4}


@pytest.mark.parametrize(
    ("madctl", "place"),
    [
        (0xC8, (5, 7)),
        (0x08, (319 - 5, 239 - 7)),
        (0x48, (5, 239 - 7)),
        (0x88, (319 - 5, 7)),
        (0x28, (319 - 7, 239 - 5)),
        (0xE8, (7, 5)),
        (0x68, (7, 239 - 5)),
        (0xA8, (319 - 7, 5)),
    ],
)
def test_orientations(lcd: SimBoard, madctl: int, place: tuple[int, int]) -> None:
    frame = draw(lcd, "window(5, 7, 5, 7); c(0x2c); px(0xffff)", madctl)
    assert lit(frame) == {place: WHITE}


def test_turned_windows_reach_240_by_320(lcd: SimBoard) -> None:
    before = lcd.eval("faults()[0]")
    frame = draw(lcd, "window(239, 319, 239, 319); c(0x2c); px(0xffff)", 0xE8)
    assert lit(frame) == {(319, 239): WHITE}
    assert lcd.eval("faults()[0]") == before


@pytest.mark.parametrize(("madctl", "seen"), [(0xC8, [RED, GREEN, BLUE]), (0xC0, [BLUE, GREEN, RED])])
def test_colour_order(lcd: SimBoard, madctl: int, seen: list[int]) -> None:
    frame = draw(lcd, f"window(0, 0, 2, 0); c(0x2c); px({RED}, {GREEN}, {BLUE})", madctl)
    assert [at(frame, x, 0) for x in range(3)] == seen


def test_18_bits(lcd: SimBoard) -> None:
    frame = draw(lcd, "window(0, 0, 2, 0); c(0x2c); d(b'\\xfc\\0\\0\\0\\xfc\\0\\0\\0\\xfc')", colmod=0x66)
    assert [at(frame, x, 0) for x in range(3)] == [RED, GREEN, BLUE]


def test_inversion(lcd: SimBoard) -> None:
    pixels = f"window(0, 0, 1, 0); c(0x2c); px({RED}, {BLACK}); c(0x21)"
    frame = draw(lcd, pixels)
    assert (at(frame, 0, 0), at(frame, 1, 0), bool(frame.flags & INVERTED)) == (0x07FF, WHITE, True)
    lcd.exec("c(0x20)")
    assert at(lcd.frame(), 0, 0) == RED


def test_off_and_asleep_are_black(lcd: SimBoard) -> None:
    draw(lcd, "window(0, 0, 0, 0); c(0x2c); px(0xffff)")
    for dark, light in (("c(0x28)", "c(0x29)"), ("c(0x10); time.sleep_ms(6)", "c(0x11); time.sleep_ms(6)")):
        lcd.exec(dark)
        assert (lit(lcd.frame()), lcd.frame().flags & ON) == ({}, 0)
        lcd.exec(light)
        assert lit(lcd.frame()) == {(0, 0): WHITE}


def test_idle_mode_has_eight_colours(lcd: SimBoard) -> None:
    frame = draw(lcd, "window(0, 0, 1, 0); c(0x2c); px(0x8410, 0x7bef); c(0x39)")
    assert (at(frame, 0, 0), at(frame, 1, 0), bool(frame.flags & IDLE)) == (WHITE, BLACK, True)
    lcd.exec("c(0x38)")
    assert at(lcd.frame(), 0, 0) == 0x8410


def test_vertical_scroll(lcd: SimBoard) -> None:
    # Memory rows as the controller counts them, so that the areas are easy to follow: MADCTL = BGR only.
    code = """
for y in (0, 20, 30, 239): window(0, y, 0, y); c(0x2c); px(y + 1)
c(0x33, 0, 10, 0, 220, 0, 10)
c(0x37, 0, 20)
"""
    frame = draw(lcd, code, 0x08)
    # Line L of the scroll area shows memory row L + 10; row 0 and row 239 are in the fixed areas.
    assert lit(frame) == {(319, 239 - 0): 1, (319, 239 - 10): 21, (319, 239 - 20): 31, (319, 0): 240}
    lcd.exec("c(0x37, 0, 10)")
    assert lit(lcd.frame()) == {(319, 239 - y): y + 1 for y in (0, 20, 30, 239)}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("c(0x99)", "unknown"),
        ("c(0x2a, 0, 0, 1); c(0)", "wrong number"),
        ("c(0xe0, *range(14)); c(0)", "wrong number"),
        ("c(0x2a, 0, 5, 0, 4)", "window outside"),
        ("c(0x2a, 0, 0, 1, 64)", "window outside"),
        ("c(0x2b, 0, 0, 0, 240)", "window outside"),
        ("c(0x3a, 0x11)", "bits a pixel"),
        ("c(0x33, 0, 10, 0, 10, 0, 10)", "240 lines"),
        ("c(0x01); c(0x11)", "less than 5 ms"),
    ],
)
def test_faults_are_counted_and_named(lcd: SimBoard, code: str, reason: str) -> None:
    before = lcd.eval("faults()[0]")
    draw(lcd, code)
    count, text = lcd.eval("faults()")
    assert (count, reason in text) == (before + 1, True), text


def test_the_commands_of_a_usual_initialisation_are_no_faults(lcd: SimBoard) -> None:
    before = lcd.eval("faults()[0]")
    draw(
        lcd,
        """
c(0xc8, 0xff, 0x93, 0x42); c(0xc0, 0x12, 0x12); c(0xc1, 3); c(0xc5, 0xf2); c(0xb0, 0xe0); c(0xf6, 1, 0, 0)
c(0xe0, *range(15)); c(0xe1, *range(15)); c(0xb6, 8, 0x82, 0x1d, 4); c(0xb1, 0, 0x1b); c(0x26, 1); c(0x13); c(0)
""",
    )
    assert lcd.eval("faults()[0]") == before


def test_only_a_selected_panel_hears(lcd: SimBoard) -> None:
    draw(lcd, "window(0, 0, 0, 0); c(0x2c)")
    heard = lcd.frame().spi_bytes
    lcd.exec("_cs(1); _dc(1); _spi.write(b'\\xff\\xff')")
    assert (lcd.frame().spi_bytes, lit(lcd.frame())) == (heard, {})
    lcd.exec("_cs(0); machine.SPI(2, sck=Pin(12), mosi=Pin(11)).write(b'\\xff\\xff'); _cs(1)")
    assert lcd.frame().spi_bytes == heard


def test_reset_line(lcd: SimBoard) -> None:
    draw(lcd, "window(0, 0, 0, 0); c(0x2c); px(0xffff)")
    # Open-drain the line can't hold the panel in reset; driven high it does.
    lcd.exec("_rst(0); _rst(1)")
    assert lcd.frame().flags & ON
    heard = lcd.frame().spi_bytes
    lcd.exec("Pin(48, Pin.OUT, value=1); c(0x29)")
    assert (lcd.frame().flags & ON, lcd.frame().spi_bytes) == (0, heard)
    lcd.exec("Pin(48, Pin.OPEN_DRAIN, value=1); init(0xc8)")
    assert lit(lcd.frame()) == {(0, 0): WHITE}  # the memory keeps its content


def test_backlight(lcd: SimBoard) -> None:
    lcd.exec("_pwm = machine.PWM(Pin(47), freq=20000, duty_u16=30000)")
    assert lcd.frame().backlight == 30000
    lcd.exec("_pwm.duty_u16(0)")
    assert lcd.frame().backlight == 0
    lcd.exec("_pwm.deinit(); Pin(47, Pin.OUT, value=1)")
    assert lcd.frame().backlight == 65535


def test_screenshot(lcd: SimBoard, tmp_path: Path) -> None:
    draw(lcd, f"window(1, 2, 3, 2); c(0x2c); px({RED}, {GREEN}, 0x8410)")
    image = Image.open(lcd.screenshot(tmp_path / "screen.png")).convert("RGB")
    assert image.size == (320, 240)
    row = [image.getpixel((x, 2)) for x in range(5)]
    assert row == [(0, 0, 0), (255, 0, 0), (0, 255, 0), (132, 130, 132), (0, 0, 0)]


def test_sequence_is_even_at_rest_and_counts(lcd: SimBoard) -> None:
    first = lcd.frame().sequence
    lcd.exec("c(0x2c); px(1)")
    time.sleep(0.01)
    assert lcd.frame().sequence > first
    assert lcd.frame().sequence % 2 == 0
