"""The check of the compiled handlers (cmodules/wasm3_bridge/check_handlers.py) catches what must not be built."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wg.bench.programs import CALL0, DEFINES, ENGINE, WASM3_FLAGS, XTENSA
from wg.thirdparty.patch import PATCHED
from wg.xtensa.toolchain import ABI

CHECK = ENGINE / "check_handlers.py"
WASM3 = PATCHED / "current"
GCC = XTENSA / "root" / "usr" / "bin" / "xtensa-lx106-elf-gcc"
OBJDUMP = GCC.with_name("xtensa-lx106-elf-objdump")

needs_xtensa = pytest.mark.skipif(not GCC.exists(), reason="there is no Xtensa compiler: make xtensa-tools")


def compiled(compiler: list[str], source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [*compiler, "-c", str(source), "-o", str(target)],
        check=True,
        capture_output=True,
        timeout=200,
        env={**os.environ, "XTENSA_GNU_CONFIG": str(XTENSA / "dynconfig.so")},
    )
    return target


def check(objdump: Path | str, *objects: Path) -> str:
    """What the check says; "" if it finds nothing."""
    done = subprocess.run(
        [sys.executable, "-B", str(CHECK), str(objdump), *map(str, objects)],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "XTENSA_GNU_CONFIG": str(XTENSA / "dynconfig.so")},
    )
    assert (done.returncode == 0) == (done.stderr == ""), done
    return done.stderr


XTENSA_CC = [str(GCC), *ABI, f"-isystem{XTENSA / 'libc/include'}", f"-isystem{XTENSA / 'include'}"]
# As ESP-IDF builds: literals in sections of their own, calls that reach everything.
AS_IDF = ("-mno-text-section-literals", "-mlongcalls")
HANDLERS_CC = [*XTENSA_CC, *WASM3_FLAGS, *DEFINES, f"-I{WASM3}"]


@pytest.fixture(scope="module", params=[(), AS_IDF], ids=["board", "esp-idf"])
def style(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Options of the build, after the others."""
    return tuple(request.param)


@pytest.fixture(scope="module")
def handlers(tmp_path_factory: pytest.TempPathFactory, style: tuple[str, ...]) -> Path:
    folder = tmp_path_factory.mktemp("handlers")
    return compiled([*HANDLERS_CC, *CALL0, *style], WASM3 / "m3_exec.c", folder / "m3_exec.o")


@pytest.fixture
def xtensa_copy(tmp_path: Path) -> Iterator[Path]:
    """The folder with the ways, to be changed."""
    yield Path(shutil.copytree(ENGINE / "xtensa", tmp_path / "xtensa"))


def ways(folder: Path, *changes: tuple[str, str], options: tuple[str, ...] = ()) -> Path:
    source = folder / "ways.S"
    text = source.read_text()
    for old, new in changes:
        assert re.search(old, text), f"{old} is not in ways.S"
        text = re.sub(old, new, text)
    source.write_text(text)
    return compiled([*XTENSA_CC, *options], source, folder / "ways.o")


@needs_xtensa
def test_what_is_built_is_sound(handlers: Path, xtensa_copy: Path, style: tuple[str, ...]) -> None:
    assert check(OBJDUMP, handlers, ways(xtensa_copy, options=style)) == ""


@needs_xtensa
@pytest.mark.parametrize(
    "change,said",
    [
        ((r"    movi a4, __xtensa_libgcc_window_spill\n    callx4 a4\n", ""), "does not spill the register windows"),
        ((r"    addi a1, a1, -SAVE_AREA\n", ""), "does not leave the save area"),
        ((r"#define SAVE_AREA 16", "#define SAVE_AREA 8"), "does not leave the save area"),
        ((r"(?s)callx4( a4\n    mov a12)", r"callx8\1"), "has callx8"),
        ((r"(?s)callx4( a4\n    mov a12)", r"callx12\1"), "has callx12"),
        ((r"movi a4, \\name", "movi a4, memcpy"), "does not call"),
    ],
    ids=["no-spill", "no-gap", "small-gap", "callx8", "callx12", "wrong-function"],
)  # fmt: skip
def test_broken_ways_are_told(
    handlers: Path, xtensa_copy: Path, style: tuple[str, ...], change: tuple[str, str], said: str
) -> None:
    assert said in check(OBJDUMP, handlers, ways(xtensa_copy, change, options=style))


SCRIPT = """
SECTIONS {
  .text 0x42000000 : { *m3_exec.o(.literal .literal.* .text .text.*) }
  .far 0x42000000 + %#x : { *ways.o(.literal .literal.* .text .text.*) }
}
"""


@needs_xtensa
def test_as_in_esp_idf_calls_reach_the_ways_out(
    handlers: Path, xtensa_copy: Path, style: tuple[str, ...], tmp_path: Path
) -> None:
    """Wherever ESP-IDF's linker script puts them; a direct call reaches 512 KB."""
    done = {}
    for distance in (0x40000, 0xC0000):
        script = tmp_path / "script.ld"
        script.write_text(SCRIPT % distance)
        done[distance] = subprocess.run(
            [str(GCC.with_name("xtensa-lx106-elf-ld")), "-T", str(script), "--unresolved-symbols=ignore-all", "-e", "0",
             str(handlers), str(ways(xtensa_copy, options=style)), "-o", str(tmp_path / "linked")],
            capture_output=True, text=True, timeout=100,
            env={**os.environ, "XTENSA_GNU_CONFIG": str(XTENSA / "dynconfig.so")},
        )  # fmt: skip
    assert done[0x40000].returncode == 0, done[0x40000].stderr
    assert (done[0xC0000].returncode == 0) == (style == AS_IDF)
    assert style == AS_IDF or "call target out of range" in done[0xC0000].stderr


@needs_xtensa
@pytest.mark.parametrize("options", [(), AS_IDF], ids=["board", "esp-idf"])
def test_a_call_without_a_way_out_is_told(
    xtensa_copy: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """A library function of the windowed ABI, called by a handler as if it were of its own."""
    listed = xtensa_copy / "calls.inc"
    listed.write_text(listed.read_text().replace("CALL(__muldf3)\n", ""))
    flags = [str(xtensa_copy / "handlers.h") if flag.endswith("handlers.h") else flag for flag in CALL0]
    made = compiled([*HANDLERS_CC, *flags, *options], WASM3 / "m3_exec.c", tmp_path / "m3_exec.o")
    assert "calls __muldf3: it has no way out" in check(OBJDUMP, made, ways(xtensa_copy))


@needs_xtensa
def test_windowed_handlers_are_told(xtensa_copy: Path, tmp_path: Path) -> None:
    made = compiled([*HANDLERS_CC, "-O1"], WASM3 / "m3_exec.c", tmp_path / "m3_exec.o")
    said = check(OBJDUMP, made, ways(xtensa_copy))
    assert "op_i32_Add_ss returns" in said and "op_i32_Add_ss has entry" in said


def test_handlers_that_call_are_told_on_a_pc(tmp_path: Path) -> None:
    flags = ["gcc", *WASM3_FLAGS, *DEFINES, f"-I{WASM3}"]
    good = compiled([*flags, "-O2"], WASM3 / "m3_exec.c", tmp_path / "good" / "m3_exec.o")
    assert check("objdump", good) == ""
    bad = compiled(
        [*flags, "-O1", "-fno-optimize-sibling-calls"], WASM3 / "m3_exec.c", tmp_path / "bad" / "m3_exec.o"
    )
    assert "op_i32_Add_ss returns" in check("objdump", bad)
