"""Firmware for the simulated board, made in no time."""

from __future__ import annotations

import shutil
from pathlib import Path

from wg import ROOT
from wg.release import image as images
from wg.release import keys, manifest
from wg.release.image import CHIP_SIM, CHIP_SIM32, Segment
from wg.release.simulated import program_image

#: Neither a program nor an overlay: the boot loader goes on with the program that was started.
SOMEWHERE = 0x3FC88000
TRIAL = "wgdisplay/ota/trial.py"


def small_image(word_size: int, size: int = 20_000, version: str = "2.0.0", chip: int | None = None) -> bytes:
    """An image of about `size` bytes that the boot loader takes; the program itself is its firmware."""
    payload = bytes((i * 31 + len(version) + ord(version[0])) & 255 for i in range(size))
    own = CHIP_SIM if word_size == 64 else CHIP_SIM32
    return images.build([Segment(SOMEWHERE, payload)], own if chip is None else chip, version)


class Releases:
    """A folder of releases for the simulated board, signed by the key that its build trusts."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.folder = folder
        self._program = program
        self._key = keys.load(ROOT / "build" / "keys" / "sim" / "dev.key")

    def make(self, version: str, changed: dict[str, str] | None = None, **statement: str) -> None:
        """Releases the firmware with another version, and with the texts of `changed` in place of its files.

        It proves itself in less time than the product does, unless `changed` has its own trial.
        """
        overlay = self.folder / "overlay"
        shutil.rmtree(overlay, ignore_errors=True)
        texts = {
            "wgdisplay/__init__.py": f'VERSION = "{version}"\n',
            TRIAL: patched(TRIAL, ("PROOF_TICKS = const(10)", "PROOF_TICKS = const(2)")),
            **(changed or {}),
        }
        for name, text in texts.items():
            (overlay / name).parent.mkdir(parents=True, exist_ok=True)
            (overlay / name).write_text(text)
        image = images.read(program_image(self._program, overlay))
        manifest.write(self.folder, image, manifest.statement(image, **statement), [self._key])


def patched(name: str, *changes: tuple[str, str]) -> str:
    """A file of the firmware with pieces of its text replaced."""
    text = (ROOT / "firmware" / name).read_text()
    for old, new in changes:
        assert old in text, (name, old)
        text = text.replace(old, new)
    return text
