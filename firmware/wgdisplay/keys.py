"""The board's keys: presses, debounced, by the names that `board.BUTTONS` gives them."""

from micropython import const

POLL_MS = const(20)  # between two looks
_STEADY = const(2)  # looks in a row that a key has to be down for: contacts bounce for some milliseconds


class Keys:
    """`buttons` is {name: (pin, level while pressed)}; pins are inputs, pulled to the other level."""

    def __init__(self, buttons):
        from machine import Pin

        self._keys = []
        for name in sorted(buttons):
            number, pressed = buttons[name]
            pull = Pin.PULL_DOWN if pressed else Pin.PULL_UP
            self._keys.append([name, Pin(number, Pin.IN, pull), pressed, 0])

    def poll(self):
        """The name of a key that has just been pressed, or None. To be called every POLL_MS."""
        found = None
        for key in self._keys:
            if key[1].value() != key[2]:
                key[3] = 0
            elif key[3] < _STEADY:
                key[3] += 1
                if key[3] == _STEADY and found is None:
                    found = key[0]
        return found
