"""The C loops under the address and undefined-behaviour sanitizers, with damaged fonts and arbitrary text."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import ROOT

SOURCES = ROOT / "cmodules" / "wg_display"
FLAGS = "-std=c99 -O1 -g -Wall -Wextra -Wconversion -Wno-sign-conversion -Werror -fsanitize=address,undefined"


def test_nothing_reads_or_writes_outside(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        pytest.fail("no C compiler: run `make setup`", pytrace=False)
    scope: dict[str, bytes] = {}
    exec((ROOT / "build" / "fonts" / "wgfonts" / "text_small.py").read_text("ascii"), scope)
    font, program = tmp_path / "font", tmp_path / "hostile"
    font.write_bytes(scope["DATA"])
    source = Path(__file__).resolve().parent / "c" / "hostile.c"
    sources = (source, SOURCES / "pixels.c", SOURCES / "png.c", SOURCES / "qr.c")
    build = [compiler, *FLAGS.split(), "-fno-sanitize-recover", f"-I{SOURCES}", *sources, "-o", program]
    subprocess.run([str(word) for word in build], check=True, timeout=60)
    result = subprocess.run([str(program), str(font), "3000"], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "OK\n"), result.stderr
