"""The rest of `machine`: pins, clock, timer, PWM, who the board says it is."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

Script = Callable[..., subprocess.CompletedProcess[str]]


def run(script: Script, code: str) -> list[str]:
    result = script(code)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_pins(script: Script) -> None:
    out = run(
        script,
        """
from machine import Pin
p = Pin(10, Pin.OUT, value=1)
print(p(), p.value(), Pin(10) is p); p.off(); print(p()); p.toggle(); print(p())
od = Pin(11, Pin.OPEN_DRAIN, value=0); print(od()); od(1); print(od())
for bad in (-1, 22, 49):
    try: Pin(bad); print("made")
    except ValueError: print("invalid")
""",
    )
    assert out == ["1 1 True", "0", "1", "0", "1"] + ["invalid"] * 3


def test_an_input_interrupts(script: Script) -> None:
    out = run(
        script,
        """
import time
from machine import Pin
key = Pin(0, Pin.IN, Pin.PULL_UP)
key.irq(lambda pin: print(pin, pin()), Pin.IRQ_FALLING)
for level in (0, 1, 0): key._outside(level); time.sleep_ms(2)
""",
    )
    assert out == ["Pin(0) 0", "Pin(0) 0"]


def test_the_clock_can_be_set(script: Script) -> None:
    out = run(
        script,
        """
import machine, time
machine.RTC().datetime((2031, 5, 17, 5, 12, 30, 0, 0))
print(machine.RTC().datetime()[:6], time.localtime()[:5], time.gmtime(time.time_ns() // 1000000000)[:5])
""",
    )
    assert out == ["(2031, 5, 17, 5, 12, 30) (2031, 5, 17, 12, 30) (2031, 5, 17, 12, 30)"]


def test_timers(script: Script) -> None:
    out = run(
        script,
        """
import time
from machine import Timer
ticks = []; once = []
t = Timer(0, period=10, callback=lambda t: ticks.append(1))
Timer(1, mode=Timer.ONE_SHOT, period=20, callback=once.append)
time.sleep_ms(300); t.deinit(); time.sleep_ms(20); n = len(ticks); time.sleep_ms(50)
print(5 < n < 32, len(ticks) == n, len(once))
""",
    )
    assert out == ["True True 1"]


def test_pwm(script: Script) -> None:
    out = run(
        script,
        """
from machine import PWM, Pin
p = PWM(Pin(47), freq=1000, duty=512)
print(p.freq(), p.duty(), 32000 < p.duty_u16() < 33600)
for bad in (lambda: p.duty_u16(70000), lambda: p.freq(0), lambda: p.duty(1024)):
    try: bad(); print("taken")
    except ValueError: print("refused")
""",
    )
    assert out == ["1000 512 True"] + ["refused"] * 3


@pytest.mark.parametrize("word", ["ESP32", "simulated"])
def test_the_board_says_what_it_is(script: Script, word: str) -> None:
    out = run(script, "import os, sys; print(os.uname().machine); print(sys.implementation._machine)")
    assert all(word in line for line in out)


def test_spi_settings(script: Script) -> None:
    out = run(
        script,
        """
from machine import SPI, Pin
print(SPI(1, baudrate=30_000_000, sck=Pin(7), mosi=Pin(6)))
b = bytearray(b"xyz"); SPI(2).write_readinto(b"abc", b); print(b, SPI(2).read(2))
for bad in (lambda: SPI(3), lambda: SPI(1, bits=16)):
    try: bad(); print("made")
    except ValueError: print("refused")
""",
    )
    assert out[0].startswith("SPI(id=1, baudrate=26666666, sck=7, mosi=6")
    assert out[1:] == ["bytearray(b'\\x00\\x00\\x00') b'\\x00\\x00'", "refused", "refused"]
