"""The simulated board's display: reads the shared file that the panel model writes (boards/sim/panel_file.h)."""

from __future__ import annotations

import mmap
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from PIL import Image

WIDTH = 320
HEIGHT = 240

ON = 1
INVERTED = 2
BACKLIGHT = 4
IDLE = 8

_MAGIC = b"WGPANEL1"
_HEADER = struct.Struct("<8sHHIIIQQII16s")
_SEQUENCE_AT = 12
_PULLED_LOW_AT = 48
_TOUCH = struct.Struct("<HHI")
_TOUCH_AT = 52


class PanelError(Exception):
    """The file is not one that the panel model writes."""


@dataclass(frozen=True)
class Frame:
    """What a person in front of the display sees at one moment."""

    sequence: int
    flags: int
    #: Duty of the backlight, 0 to 65535.
    backlight: int
    #: Bytes over SPI and calls of SPI write since power-on.
    spi_bytes: int
    transfers: int
    commands: int
    #: Unknown commands, wrong numbers of parameters, broken timing.
    faults: int
    #: RGB565, little-endian, rows from the top.
    pixels: bytes

    @property
    def on(self) -> bool:
        return bool(self.flags & ON)

    def rgb(self) -> bytes:
        """The picture as 320 x 240 x 3 bytes; five and six bits are spread over the full range of eight."""
        return self.image().tobytes()

    def image(self) -> Image.Image:
        """The picture, independent of the backlight's brightness."""
        values = struct.unpack(f"<{WIDTH * HEIGHT}H", self.pixels)
        return Image.frombytes("RGB", (WIDTH, HEIGHT), b"".join(map(_RGB.__getitem__, values)))


def _rgb888(value: int) -> bytes:
    r, g, b = value >> 11, value >> 5 & 63, value & 31
    return bytes((r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2))


_RGB = [_rgb888(value) for value in range(65536)]


class Panel:
    """The file of a running (or ended) board's panel."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("r+b") as file:
            try:
                self._map = mmap.mmap(file.fileno(), _HEADER.size + WIDTH * HEIGHT * 2)
            except ValueError:
                raise PanelError(f"{path}: too short for a panel file") from None
        if self._map[:8] != _MAGIC:
            raise PanelError(f"{path}: not a panel file")

    def sequence(self) -> int:
        """Changes with every change of the picture; odd while one is going on."""
        return int.from_bytes(self._map[_SEQUENCE_AT : _SEQUENCE_AT + 4], "little")

    def read(self) -> Frame:
        """A whole frame: waits while a transfer is being decoded (some milliseconds at most)."""
        end = time.monotonic() + 0.5
        while True:
            before = self.sequence()
            raw = self._map[:]
            # A killed board may leave the number odd for ever: take what is there.
            if (before % 2 == 0 and self.sequence() == before) or time.monotonic() > end:
                break
            time.sleep(0.0005)
        _, _, _, sequence, flags, backlight, count, transfers, commands, faults, _ = _HEADER.unpack_from(raw)
        return Frame(sequence, flags, backlight, count, transfers, commands, faults, raw[_HEADER.size :])

    def pull_low(self, pin: int, pulled: bool) -> None:
        """Lets something outside pull a pin (0 to 31) low, as a pressed key does, or let it go."""
        now = int.from_bytes(self._map[_PULLED_LOW_AT : _PULLED_LOW_AT + 4], "little")
        now = now | 1 << pin if pulled else now & ~(1 << pin)
        self._map[_PULLED_LOW_AT : _PULLED_LOW_AT + 4] = now.to_bytes(4, "little")

    def touch(self, x: int, y: int) -> None:
        """Puts a finger on the glass, in pixels from the top left as seen."""
        self._map[_TOUCH_AT : _TOUCH_AT + _TOUCH.size] = _TOUCH.pack(x, y, 1)

    def lift(self) -> None:
        """Takes the finger off."""
        self._map[_TOUCH_AT : _TOUCH_AT + _TOUCH.size] = _TOUCH.pack(0, 0, 0)

    def close(self) -> None:
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()
