"""Prints one JSON line: the time of the text loops, in units of the clock's nanoseconds. For the Xtensa board under
QEMU, where they are instructions: glyphs.py FONT_FILE...
"""

import json
import sys
import time

import pixels

WIDTH = 320
LINE = "Bern, Bahnhof: 17.4 °C"
LEAST_US = 20_000


def per_call(function, *arguments):
    count = 1
    while True:
        started = time.ticks_us()
        for _ in range(count):
            function(*arguments)
        us = time.ticks_diff(time.ticks_us(), started)
        if us >= LEAST_US:
            return us * 1000 // count
        count *= 2


def main():
    frame = bytearray(WIDTH * 80 * 2)
    costs = {"characters": len(LINE)}
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            font = file.read()
        costs[path.rsplit("/", 1)[-1]] = {
            "draw": per_call(pixels.text, frame, WIDTH, font, LINE, 2, 2, 0xFFFF),
            "measure": per_call(pixels.measure, font, LINE),
            "call": per_call(pixels.line_height, font),
        }
    costs["fill"] = per_call(pixels.fill, frame, WIDTH, 0, 0, WIDTH, 80, 0)
    print(json.dumps(costs))


main()
