"""Prints one JSON line: bytes on the wire of typical changes, and heap growth over FRAMES redraws."""

import gc
import json
import sys
import time

from bench import make_screen

FRAMES = int(sys.argv[1])
FULL = 320 * 240 * 2


def items(minute, river="17.4"):
    return [
        ("Time", "Mon, 23 Nov 2026\t22:%02d" % minute, False),
        ("Public Transport", "Bern -> Zürich\nin 9 minutes (22:50)\nin 24 minutes (23:05)", False),
        ("Aareguru", "Bern: %s °C (geil aber chli chalt)" % river, False),
    ]


def main():
    model, screen = make_screen()
    costs = {}

    def cost(name, *arguments):
        before, transfers = screen.bytes_sent, screen.panel.transfers
        screen.draw(*arguments)
        costs[name] = screen.bytes_sent - before
        costs[name + " transfers"] = screen.panel.transfers - transfers

    sizes = []
    write = model.write
    screen.panel._spi = model
    model.write = lambda data: (sizes.append(len(data)), write(data))
    cost("full frame", ("192.168.1.23", "22:59"), items(59))
    costs["full frame sizes"] = list(sizes)
    model.write = write
    cost("nothing", ("192.168.1.23", "22:59"), items(59))
    # Every digit that can change does: the dearest minute of an hour.
    cost("minute", ("192.168.1.23", "23:00"), items(0))
    cost("widget", ("192.168.1.23", "23:00"), items(0, "8.9"))
    many = items(0) + list(reversed(items(1)))
    screen.draw(("192.168.1.23", "23:00"), many, page=0)
    before = screen.bytes_sent
    screen.draw(("192.168.1.23", "23:00"), many, page=1)
    costs["page"] = screen.bytes_sent - before

    def frames(n):
        for i in range(n):
            screen.draw(("192.168.1.23", "%02d:%02d" % (i // 60 % 24, i % 60)), items(i % 60), page=0)

    # A widget may answer with a book: it is cut, and the screen is not held up.
    longest = 0
    for piece, count in (("x", 600_000), ("word ", 120_000), ("\n", 600_000), ("a\u0301", 200_000)):
        text = piece * count + "x"
        started = time.ticks_ms()
        screen.draw("", [("Long", text, False)] * 2)
        longest = max(longest, time.ticks_diff(time.ticks_ms(), started))
        text = None
        screen.message("", [])
        gc.collect()
    costs["long text ms"] = longest

    frames(50)
    gc.collect()
    before = gc.mem_alloc()
    counted = screen.frames
    frames(FRAMES)
    gc.collect()
    costs["growth"] = gc.mem_alloc() - before
    costs["frames"] = screen.frames - counted
    print(json.dumps(costs))


main()
