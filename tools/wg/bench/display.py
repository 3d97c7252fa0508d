"""The display: bytes on the wire of typical changes, the time of each stage, instructions of the text loops."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wg import ROOT
from wg.bench import FOLDER, Table
from wg.process import ToolError
from wg.xtensa.board import command

#: Scripts for the boards, beside the tests that use them too.
SCRIPTS = ROOT / "tests" / "display" / "board"
SIM = ROOT / "build" / "sim" / "wgdisplay"
XTENSA = ROOT / "build" / "xtensa-qemu" / "wgdisplay.elf"
FONTS = ROOT / "build" / "fonts" / "wgfonts"

FRAME = 320 * 240 * 2
#: The panel's clock (boards/esp32s3/board.py).
BUS_HZ = 40_000_000
#: machine.SPI of the esp32 port cuts a transfer into pieces of so many bytes, one queued while the other is on the
#: wire (MicroPython 1.26, ports/esp32/machine_hw_spi.c, MP_HW_SPI_MAX_XFER_BYTES). Up to four bytes go without DMA.
PIECE = 4092
SMALL = 4
#: From one piece to the next, in microseconds: ESP-IDF's time of a whole transaction beside the wire, by interrupt
#: (ESP-IDF 5.4, API reference of the SPI master, "Transaction Duration", ESP32-S3). Queued pieces wait for less.
GAP_DMA_US = 26.0
GAP_SMALL_US = 24.0


def wire_us(transfers: Sequence[int]) -> tuple[float, float]:
    """Microseconds that bits are on the wire, and of the gaps, for transfers of so many bytes."""
    wire = sum(transfers) * 8 / BUS_HZ * 1e6
    gaps = sum(GAP_SMALL_US if size <= SMALL else -(-size // PIECE) * GAP_DMA_US for size in transfers)
    return wire, gaps


def on_sim(script: str, *arguments: str) -> Any:
    """The JSON that a script of SCRIPTS prints on the simulated board."""
    path = ":".join(
        map(str, (SCRIPTS, ROOT / "firmware", ROOT / "boards" / "esp32s3", ROOT / "build" / "fonts"))
    )
    done = subprocess.run(
        [str(SIM), "--script", str(SCRIPTS / script), *arguments],
        env={**os.environ, "MICROPYPATH": path},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ToolError(f"{script} failed: {done.stdout}{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def on_xtensa(script: str, *arguments: str) -> Any:
    """The JSON that a script prints on the Xtensa board under QEMU, whose clock counts instructions."""
    code = f"import sys\nsys.argv[:] = {['-', *arguments]!r}\n" + (SCRIPTS / script).read_text()
    done = subprocess.run(
        command(XTENSA), input=b"\x01" + code.encode() + b"\x04", capture_output=True, timeout=120
    )
    said = done.stdout.decode(errors="replace")
    if "\n{" not in said.replace(">OK{", "\n{"):
        raise ToolError(f"{script} failed on the Xtensa board: {said[-2000:]}")
    line = said.replace(">OK{", "\n{").rsplit("\n{", 1)[1].splitlines()[0]
    return json.loads("{" + line.split("\x04")[0])


def font_file(name: str, folder: Path) -> Path:
    """A font of the package `wgfonts` as a file of its own."""
    scope: dict[str, bytes] = {}
    exec((FONTS / f"{name}.py").read_text("ascii"), scope)
    path = folder / name
    path.write_bytes(scope["DATA"])
    return path


def measure() -> list[Table]:
    """Bytes and times on the simulated board; instructions, if there is a build for the Xtensa board."""
    found = on_sim("stages.py")
    changes = Table(
        "display-bytes",
        "The display: what a change costs on the wire",
        [
            "",
            "bytes",
            "of a frame, %",
            "transfers",
            "wire, ms",
            "gaps, ms",
            "wire time, %",
            "board's time, ms",
        ],
        notes=[
            f"At {BUS_HZ // 1_000_000} MHz; gaps as ESP-IDF tells them, {GAP_DMA_US:.0f} us for each piece of {PIECE} "
            "bytes. The board's time is the simulated one's, on this PC, all stages, with a bus that takes none.",
        ],
    )
    for change in found["changes"]:
        transfers = change["transfers"]
        wire, gaps = wire_us(transfers)
        changes.rows.append(
            [
                change["name"],
                sum(transfers),
                100 * sum(transfers) / FRAME,
                len(transfers),
                wire / 1000,
                gaps / 1000,
                100 * wire / (wire + gaps),
                change["us"] / 1000,
            ]
        )
    stages = Table(
        "display-stages",
        "The display: the time of each stage, simulated board on this PC",
        ["", "ms"],
        [[name, us / 1000] for name, us in found["us"].items()],
        notes=["Three widgets at the size that fits; the least of 20 rounds."],
    )
    tables = [changes, stages]
    if XTENSA.exists():
        fonts = ("text_small", "text", "text_large", "text_huge")
        FOLDER.mkdir(parents=True, exist_ok=True)
        counts = on_xtensa("glyphs.py", *(str(font_file(name, FOLDER)) for name in fonts))
        glyphs = Table(
            "display-glyphs",
            "The display's text loops on Xtensa: instructions (QEMU, core de233_fpu)",
            ["", "draw a line", "a character", "measure the line"],
            notes=[f"A line of {counts['characters']} characters, the call from Python taken off. A fill of 320 x 80 "
                   f"pixels: {counts['fill']:,}."],
        )  # fmt: skip
        for name in fonts:
            draw, call = counts[name]["draw"], counts[name]["call"]
            glyphs.rows.append(
                [name, draw - call, (draw - call) // counts["characters"], counts[name]["measure"] - call]
            )
        tables.append(glyphs)
    return tables
