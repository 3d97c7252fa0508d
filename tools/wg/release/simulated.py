"""Images for the simulated board: its own program, wrapped as the app image of a chip.

The board's boot loader (boards/sim/bootloader.c) verifies the image in the slot, writes the program to a file in
memory and runs it. An image can carry an overlay besides: Python files that take the place of the frozen ones of the
same path. So another firmware is made in a second, without a compiler.

Run as a module in the build, with the standard library only, it makes the header with the factory's image.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from wg import ROOT
from wg.release.image import (
    CHIP_SIM,
    CHIP_SIM32,
    OVERLAY_ADDRESS,
    PROGRAM_ADDRESS,
    ImageError,
    Segment,
    build,
)

_ELF_CLASS = {1: CHIP_SIM32, 2: CHIP_SIM}
_VERSION = re.compile(r'^VERSION = "([^"]+)"$', re.MULTILINE)


def firmware_version(folder: Path | None = None) -> str:
    """The version that the firmware's sources say they are. Raises ImageError."""
    path = (folder or ROOT / "firmware") / "wgdisplay" / "__init__.py"
    try:
        found = _VERSION.search(path.read_text())
    except OSError as error:
        raise ImageError(f"{path} can't be read: {error.strerror}") from error
    if found is None:
        raise ImageError(f"{path} has no line VERSION = ...")
    return found[1]


def program_image(program: Path, overlay: Path | None = None, version: str | None = None) -> bytes:
    """The image of a simulated board's executable. Raises ImageError.

    `overlay`: a folder laid out as `firmware/`, with those files that are to be others.
    `version`: default is what the overlay's or the firmware's sources say.
    """
    try:
        head = program.read_bytes()[:5]
    except OSError as error:
        raise ImageError(f"{program} can't be read: {error.strerror}; run `make sim` first") from error
    if head[:4] != b"\x7fELF" or head[4] not in _ELF_CLASS:
        raise ImageError(f"{program} is not a program for this PC")
    segments = [Segment(PROGRAM_ADDRESS, _stripped(program))]
    if overlay is not None:
        segments.append(Segment(OVERLAY_ADDRESS, overlay_files(overlay)))
    return build(segments, _ELF_CLASS[head[4]], version or firmware_version(_sources(overlay)))


def _sources(overlay: Path | None) -> Path | None:
    return overlay if overlay and (overlay / "wgdisplay" / "__init__.py").exists() else None


def _stripped(program: Path) -> bytes:
    tool = shutil.which("strip")
    if tool is None:
        raise ImageError("strip is not installed (Debian: binutils)")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "program"
        done = subprocess.run([tool, "-o", out, program], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImageError(f"strip failed: {done.stderr.strip()}")
        return out.read_bytes()


def overlay_files(folder: Path) -> bytes:
    """A folder of Python files as bootloader.c reads it: for each the lengths of path and content, and both."""
    out = b""
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix().encode()
        data = path.read_bytes()
        out += struct.pack("<HI", len(name), len(data)) + name + data
    return out + bytes(8)


def factory_header(target: str) -> str:
    """C source of the image that stands for the program itself, as the flash tool leaves it in the first slot."""
    chip = {"sim32": CHIP_SIM32}.get(target, CHIP_SIM)
    raw = build([], chip, firmware_version())
    rows = "\n".join(
        "    " + ", ".join(f"0x{b:02x}" for b in raw[i : i + 16]) + "," for i in range(0, len(raw), 16)
    )
    return (
        "// Made by wg.release.simulated.\n#include <stdint.h>\n\n"
        f"static const uint8_t factory_image[{len(raw)}] = {{\n{rows}\n}};\n"
    )


if __name__ == "__main__":
    header = Path(sys.argv[2])
    text = factory_header(sys.argv[1])
    if not header.exists() or header.read_text() != text:
        header.write_text(text)
