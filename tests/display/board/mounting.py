"""Draws a marked frame on panels of every model, mounting and rotation and prints OK if each pixel is where a
person expects it. The expectation is geometry in the test's own words; the driver's MADCTL is not
consulted."""

import pixels

from bench import make_screen
from controllers import MEMORY, registers_of
from wgdisplay.display.panel import MODELS, PanelError, check_settings


def marks(width, height):
    """Pixels, as seen, that tell all eight orientations apart."""
    return {
        (0, 0): 0xF800,
        (width - 1, 0): 0x07E0,
        (0, height - 1): 0x001F,
        (7, 3): 0xFFFF,
        (width - 2, height - 1): 0x1234,
    }


def seen_at(x, y, width, height, rotation):
    """Where a pixel of the rotated picture is on the board as it is mounted; its frame is width x height
    there.
    """
    if rotation == 90:
        return width - 1 - y, x
    if rotation == 180:
        return width - 1 - x, height - 1 - y
    if rotation == 270:
        return y, height - 1 - x
    return x, y


def memory_at(x, y, settings, columns, rows):
    """Where the memory of a panel mounted like this has the pixel that is seen at (x, y)."""
    if settings["swap_xy"]:
        x, y = y, x
    return (columns - 1 - x if settings["mirror_x"] else x, rows - 1 - y if settings["mirror_y"] else y)


def check(settings, columns, rows):
    model, screen = make_screen(settings, columns, rows)
    width, height = screen.panel.width, screen.panel.height
    wanted = {}
    for (x, y), colour in marks(width, height).items():
        pixels.fill(screen.canvas.buffer, width, x, y, 1, 1, colour)
        sx, sy = seen_at(x, y, settings["width"], settings["height"], settings["rotation"])
        wanted[memory_at(sx, sy, settings, columns, rows)] = colour
    assert screen._send()
    memory = model.memory
    for (x, y), colour in wanted.items():
        at = (y * columns + x) * 2
        got = memory[at] << 8 | memory[at + 1]
        assert got == colour, (settings, x, y, hex(got), hex(colour))
    assert sum(1 for i in range(0, len(memory), 2) if memory[i] or memory[i + 1]) == len(wanted)


def refuses(word, **change):
    settings = {
        "model": "ST7789",
        "width": 240,
        "height": 320,
        "spi": 1,
        "baudrate": 1,
        "sck": 1,
        "mosi": 2,
        "dc": 3,
    }
    settings.update(change)
    for key in [key for key in settings if settings[key] == "absent"]:
        del settings[key]
    try:
        check_settings(settings)
    except PanelError as error:
        assert word in str(error), error
        return
    raise AssertionError("accepted %s" % change)


def main():
    count = 0
    for name in sorted(MODELS):
        # Smaller glasses of the same shape: the geometry is the same and the slow model is quicker.
        columns, rows, commands = MODELS[name]
        columns, rows = columns // 10, rows // 10
        MODELS[name] = columns, rows, commands
        for swap in (False, True):
            for rotation in (0, 90, 180, 270):
                for mirrors in range(4) if name == "ST7789" else (0, 3):
                    settings = {
                        "model": name,
                        "width": rows if swap else columns,
                        "height": columns if swap else rows,
                        "rotation": rotation,
                        "mirror_x": bool(mirrors & 1),
                        "mirror_y": bool(mirrors & 2),
                        "swap_xy": swap,
                        "spi": 1,
                        "baudrate": 40_000_000,
                        "sck": 1,
                        "mosi": 2,
                        "dc": 3,
                    }
                    check(settings, columns, rows)
                    count += 1
        MODELS[name] = columns * 10, rows * 10, commands
    # What is in the registers is what the sources ask for; any command that the model lacks would have raised.
    assert sorted(MODELS) == sorted(MEMORY)
    for name in sorted(MODELS):
        columns, rows = MEMORY[name]
        assert MODELS[name][:2] == (columns, rows)
        settings = {"model": name, "width": columns, "height": rows, "spi": 1, "baudrate": 1, "reset": 9}
        settings.update({"sck": 1, "mosi": 2, "dc": 3, "bgr": True, "reset_high": name == "ILI9342C"})
        model, screen = make_screen(settings, columns, rows)
        assert model.registers == registers_of(name), (name, model.registers)
        assert (model.on, model.asleep, model.inverted) == (True, False, False)
        assert (model.madctl, model.colmod) == (0x08, 0x55)
    # A 240 x 240 glass on an ST7789 starts at row 80 of its memory when mounted upside down.
    settings = {"model": "ST7789", "width": 240, "height": 240, "offset": (0, 80), "invert": True, "spi": 1}
    settings.update({"baudrate": 1, "sck": 1, "mosi": 2, "dc": 3})
    model, screen = make_screen(settings, 240, 320)
    screen.canvas.fill(0, 0, 240, 240, 0xFFFF)
    screen._send()
    assert model.inverted
    assert not any(memory for memory in model.memory[: 240 * 80 * 2])
    assert model.memory[240 * 80 * 2 :] == b"\xff" * (240 * 240 * 2)
    refuses("model", model="absent")
    refuses("ILI9341", model="SSD1306")
    refuses("rotation", rotation=45)
    refuses("unknown setting 'mirrorx'", mirrorx=True)
    refuses("baudrate", baudrate="fast")
    refuses("backlight", backlight="47")
    refuses("320 x 240", width=320, height=240)
    refuses("width", width=0)
    refuses("height", height=True)
    refuses("baudrate", baudrate=100_000_000)
    refuses("spi", spi=3)
    refuses("bgr", bgr="yes")
    refuses("dc", dc=None)
    refuses("dc must be a pin from 0 to 48, not 49", dc=49)
    refuses("cs must be a pin from 0 to 48 or None", cs=-1)
    refuses("mosi and cs are both pin 2", cs=2)
    refuses("offset", offset=80)
    refuses("offset", offset=(0, -1))
    refuses("(0, 0) pixels more", offset=(0, 1))
    refuses("(80, 0) pixels more", offset=(0, 1), height=240, rotation=90)
    print("OK %d" % count)


main()
