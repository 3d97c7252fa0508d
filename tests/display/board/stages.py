"""Prints one JSON line: for typical changes, the transfers on the wire and the time of each stage of a drawing."""

import json
import time

import pixels

from bench import PLAIN
from wgdisplay.display import layout
from wgdisplay.display import panel as driver
from wgdisplay.display.screen import Screen

ROUNDS = 20  # of each stage's time, the least counts
HEADER = ("\ue004 192.168.1.23", "22:59", False)


class Wire:
    """An SPI bus that counts and takes no time."""

    def __init__(self):
        self.sizes = []

    def write(self, data):
        self.sizes.append(len(data))


class Line:
    def value(self, level):
        pass

    duty_u16 = value


def items(minute, river="17.4"):
    return [
        ("Time", "Mon, 23 Nov 2026\t22:%02d" % minute, False),
        ("Public Transport", "Bern -> Zürich\nin 9 minutes (22:50)\nin 24 minutes (23:05)", False),
        ("Aareguru", "Bern: %s °C (geil aber chli chalt)" % river, False),
    ]


def least(function, *arguments):
    best = None
    for _ in range(ROUNDS):
        started = time.ticks_us()
        function(*arguments)
        us = time.ticks_diff(time.ticks_us(), started)
        best = us if best is None else min(best, us)
    return best


def stages(screen, header, shown, page):
    """Microseconds of each stage of a drawing that is there already, and of sending a whole frame."""
    size, canvas = (screen.panel.width, screen.panel.height), screen.canvas
    shown = [(name, text, error, "") for name, text, error in shown]
    face, pages = layout.arrange(shown, "auto", *size)
    theme = screen._theme("#000000")
    us = {
        "arrange": least(layout.arrange, shown, "auto", *size),
        "draw": least(layout.draw_page, canvas, theme, header, face, pages, page),
    }
    us["compare"] = least(pixels.diff, canvas.buffer, screen._shown, canvas.width, screen._rects)
    us["send all"] = least(screen._send_rect, 0, 0, *size)
    return us


def main():
    wire = Wire()
    panel = driver.Panel(PLAIN, wire, Line(), Line(), None, Line())
    panel.start()
    screen = Screen(panel)
    late = (HEADER[0], "23:00", False)
    many = items(0) + list(reversed(items(1)))
    changes = []

    def change(name, header, shown, page=0):
        del wire.sizes[:]
        started = time.ticks_us()
        screen.draw(header, shown, page=page)
        us = time.ticks_diff(time.ticks_us(), started)
        changes.append({"name": name, "transfers": list(wire.sizes), "us": us})

    screen.draw(HEADER, items(59))
    screen.refresh()
    change("full frame", HEADER, items(59))
    change("clock tick", late, items(0))
    change("one widget's text", late, items(0, "8.9"))
    screen.draw(late, many)
    change("page turn", late, many, 1)
    print(json.dumps({"changes": changes, "us": stages(screen, late, items(0), 0)}))


class _Time:
    """The driver's waits cost nothing here."""

    def sleep_ms(self, ms):
        pass


driver.time = _Time()
main()
