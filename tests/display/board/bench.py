"""What the board-side scripts share: a Screen on a PanelModel, and the pictures that they hand to pytest."""

import sys

sys.path.insert(0, __file__.rsplit("/", 1)[0])

from panel_model import Clock, PanelModel
from wgdisplay.display import panel as driver
from wgdisplay.display.screen import Screen

PLAIN = {
    "model": "ILI9342C",
    "width": 320,
    "height": 240,
    "spi": 1,
    "baudrate": 1,
    "sck": 1,
    "mosi": 2,
    "dc": 3,
}


def make_screen(settings=PLAIN, columns=320, rows=240, size="auto"):
    """(model, screen) for a panel of the given settings."""
    driver.time = clock = Clock()
    model = PanelModel(settings["model"], columns, rows, clock, int(settings.get("reset_high", False)))
    panel = driver.Panel(settings, model, model.dc, model.cs, model.reset, model.light)
    panel.start()
    return model, Screen(panel, size)


def items_of(rows):
    """Items as `Screen.draw` wants them, of what JSON makes of them."""
    return [tuple(row) for row in rows]
