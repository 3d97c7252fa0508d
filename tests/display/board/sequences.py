"""Reads sequences of screen operations, one JSON line each, and answers each with a JSON line.

{"picture": true if the panel shows what a full redraw shows, "sent": [bytes of each operation],
"clean": true if drawing the same again sent nothing}
"""

import json
import sys

from bench import items_of, make_screen


class FailingBus:
    """The model's SPI bus, which can be told to fail after so many writes."""

    def __init__(self, model):
        self.model = model
        self.left = -1

    def write(self, data):
        if self.left == 0:
            self.left = -1
            self.model._code = None  # what the panel has not got whole it forgets
            raise OSError(5)
        if self.left > 0:
            self.left -= 1
        self.model.write(data)


def apply(screen, operation):
    kind = operation[0]
    if kind == "draw":
        _, header, rows, background, page, size = operation
        screen.size = size
        screen.draw(
            header if isinstance(header, str) else tuple(header), items_of(rows), background, page=page
        )
    else:
        screen.message(*operation[1:])


def main():
    model, screen = make_screen()
    bus = FailingBus(model)
    screen.panel._spi = bus
    other_model, other = make_screen()
    while True:
        line = sys.stdin.readline()
        if not line.strip():
            break
        job = json.loads(line)
        screen.refresh()
        sent = []
        for operation in job["operations"]:
            before = screen.bytes_sent
            if operation[0] == "fail":
                bus.left = operation[1]
                continue
            try:
                apply(screen, operation)
            except OSError:
                assert model.cs.level, "the bus was left selected"
            sent.append(screen.bytes_sent - before)
        bus.left = -1
        last = job["operations"][-1]
        apply(screen, last)
        before = screen.bytes_sent
        apply(screen, last)
        other.refresh()
        apply(other, last)
        answer = {
            "picture": model.memory == other_model.memory,
            "sent": sent,
            "clean": screen.bytes_sent == before,
        }
        print(json.dumps(answer))


main()
