"""The CMake glue: which of our sources are in the firmware, with which options, and what it refuses."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from esp32_port import BOARD, MICROPYTHON, PORT, Project, configure

from wg import ROOT

ENGINE = sorted((ROOT / "cmodules" / "wasm3_bridge").glob("*.c"))
PIXELS = sorted((ROOT / "cmodules" / "wg_display").glob("*.c"))
RELEASE = sorted((ROOT / "cmodules" / "wg_release").glob("*.c"))
FLASH = sorted((ROOT / "cmodules" / "wg_flash").glob("*.c"))
CONSOLE = sorted((ROOT / "cmodules" / "wg_console").glob("*.c"))
OURS = ENGINE + PIXELS + RELEASE + FLASH + CONSOLE
WASM3 = sorted((ROOT / "build" / "wasm3" / "current").resolve().glob("*.c"))


def test_the_real_usermod_cmake_finds_our_modules(project: Project) -> None:
    found = re.search(r"^Found User C Module\(s\): (.*)$", project.output, re.MULTILINE)
    assert found and set(found[1].split(", ")) >= {"usermod_wasm3", "usermod_wg_display", "usermod_wg_flash"}
    assert "warning" not in project.output.lower()


@pytest.mark.parametrize(
    "sources",
    [ENGINE, PIXELS, RELEASE, FLASH, CONSOLE, WASM3],
    ids=["engine", "pixels", "release", "flash", "console", "wasm3"],
)
def test_every_source_is_in_the_firmware_once(project: Project, sources: list[Path]) -> None:
    assert sources
    made = {source.name: project.objects.get(source, []) for source in sources}
    assert all(len(objects) == 1 for objects in made.values()), made


def test_every_source_of_the_firmware_is_compiled_once(project: Project) -> None:
    twice = {source: objects for source, objects in project.objects.items() if len(objects) > 1}
    assert not twice


@pytest.mark.parametrize("source", OURS, ids=lambda path: path.name)
def test_our_sources_see_the_chip_and_warnings_are_errors(project: Project, source: Path) -> None:
    command = project.commands[source]
    for option in ("-DESP_PLATFORM", "-Wall", "-Wextra", "-Werror", "-O2", "-ffunction-sections"):
        assert f" {option} " in command, f"{source.name} is compiled without {option}"


@pytest.mark.parametrize("source", OURS, ids=lambda path: path.name)
def test_esp_idfs_headers_get_their_indulgence(project: Project, source: Path) -> None:
    """They are no system headers, and with -Wextra -Werror those of 5.2's FreeRTOS do not compile."""
    command = project.commands[source]
    assert command.index(" -Wextra ") < command.index(" -Wno-sign-compare ")


@pytest.mark.parametrize("source", OURS + WASM3, ids=lambda path: path.name)
def test_atomics_are_those_that_work_in_psram(project: Project, source: Path) -> None:
    """The S3's instruction for them, s32c1i, does not work on external memory: ESP-IDF turns it off by an option."""
    assert " -mdisable-hardware-atomics " in project.commands[source]


def test_names_are_collected_from_what_is_compiled(project: Project) -> None:
    """MicroPython looks for names (qstrs) in sources preprocessed by a command of its own. What our sources ask in
    their conditions must be known there as when they are compiled, or names are missing."""
    command = project.qstr_command
    headers = sorted((ROOT / "cmodules" / "wasm3_bridge").glob("*.h"))
    lines = [line for source in OURS + headers for line in source.read_text().splitlines()]
    asked = "\n".join(line for line in lines if re.match(r"#\s*(if|ifdef|elif)\b", line))
    defined = set(re.findall(r" -D(\w+)", project.command("wasm3_bridge", "modwasm3.c")))
    decide = {name for name in defined if re.search(rf"\b{name}\b", asked)}
    assert "ESP_PLATFORM" in decide
    missing = {name for name in decide if not re.search(rf"[ \"]-D{name}\b", command)}
    assert not missing


def test_the_linker_puts_our_wear_between_micropython_and_littlefs() -> None:
    """The same functions with make, where the simulated board's wear is measured, and with CMake."""
    folder = ROOT / "cmodules" / "wg_flash"
    wrapped = {
        name: set(re.findall(r"-Wl,--wrap=(\w+)", (folder / name).read_text()))
        for name in ("micropython.mk", "micropython.cmake")
    }
    defined = set(
        re.findall(r"^int __wrap_(\w+)\(.*\{$", (folder / "lfs_cycles.c").read_text(), re.MULTILINE)
    )
    assert (
        wrapped["micropython.mk"] == wrapped["micropython.cmake"] == defined == {"lfs2_mount", "lfs2_format"}
    )
    called = (MICROPYTHON / "extmod" / "vfs_lfsx.c").read_text()
    assert "LFSx_API(mount)(&self->lfs" in called and "LFSx_API(format)(&self.lfs" in called


def test_wasm3s_options_stay_on_its_own_objects(project: Project) -> None:
    for path in WASM3:
        command = project.commands[path]
        # -O3 and tail calls: else each wasm instruction nests a native frame
        assert " -O3 " in command and " -foptimize-sibling-calls " in command
        assert "-Werror" not in command
    assert " -O3 " not in project.command("py", "vm.c")
    assert "d_m3" not in project.command("py", "vm.c")


def test_the_handlers_are_call0_code_that_reaches_the_ways_out(project: Project) -> None:
    """ESP-IDF's linker script puts sections without literals far from those with: a direct call would not reach."""
    command = project.command("m3_exec.c")
    for option in ("-mabi=call0", "-Wa,--abi-windowed", "-mlongcalls"):
        assert f" {option} " in command
    assert "-mno-longcalls" not in command and "xtensa/handlers.h" in command
    assert len(project.objects[ROOT / "cmodules" / "wasm3_bridge" / "xtensa" / "ways.S"]) == 1
    assert not any("-mabi=call0" in project.commands[source] for source in [*OURS, *WASM3[:1]])


def test_engine_and_wasm3_agree_on_the_limits(project: Project) -> None:
    """The same numbers as in the builds with make: flags.mk is the list."""
    flags = (ROOT / "cmodules" / "wasm3_bridge" / "flags.mk").read_text().replace("\\\n", " ")
    listed = re.search(r"^WG_WASM3_DEFINES = (.*)$", flags, re.MULTILINE)
    assert listed
    expected = {flag for flag in listed[1].split() if flag.startswith("-Dd_m3")}
    assert len(expected) > 3
    for name in ("m3_exec.c", "engine.c"):
        assert set(re.findall(r"-Dd_m3\w+=\S+", project.command(name))) == expected, name


def test_the_engine_runs_on_the_core_that_micropython_does_not_use(project: Project) -> None:
    port = (PORT / "mphalport.h").read_text()
    cores = re.findall(r"#define MP_TASK_COREID \((\d)\)", port)
    assert cores == ["0", "1"], "mphalport.h names the cores otherwise than expected"
    assert "-DMP_TASK_COREID=1 " in project.command("task.c")
    assert project.sdkconfig.get("CONFIG_FREERTOS_UNICORE", "n") == "n"
    # a pthread that nobody placed stays away from MicroPython's core
    assert project.sdkconfig["CONFIG_PTHREAD_DEFAULT_CORE_0"] == "y"


def test_what_the_firmware_does_without(project: Project) -> None:
    names = {path.name for path in project.commands}
    assert not names & {"bt_hash.c", "mp_usbd.c"}, "Berkeley DB and TinyUSB are left out"
    assert {"usb_serial_jtag.c", "esp32_partition.c", "network_wlan.c", "modtls_mbedtls.c"} <= names


def test_the_board_header_comes_from_our_folder(project: Project) -> None:
    command = project.command("py", "vm.c")
    assert f"-I{BOARD} " in command
    others = [
        board for board in (PORT / "boards").glob("*/mpconfigboard.h") if f"-I{board.parent} " in command
    ]
    assert not others


def test_a_missing_engine_is_said_in_words(tmp_path: Path) -> None:
    """Without wasm3's patched sources there is a sentence, not a page of undefined symbols."""
    root = tmp_path / "repo"
    shutil.copytree(ROOT / "cmodules", root / "cmodules")
    shutil.copytree(BOARD, root / "boards" / "esp32s3")
    done = configure(tmp_path / "build", root / "boards" / "esp32s3")
    assert done.returncode != 0
    assert "run `make setup` first" in done.stderr


def test_the_port_is_the_one_that_this_board_is_for() -> None:
    version = (MICROPYTHON / "py" / "mpconfig.h").read_text()
    numbers = [re.search(rf"MICROPY_VERSION_{part} (\d+)", version) for part in ("MAJOR", "MINOR", "MICRO")]
    assert [int(number[1]) for number in numbers if number] == [1, 26, 1]


CHECKED = ROOT / "build" / "xtensa-check"


@pytest.mark.skipif(not CHECKED.exists(), reason="nothing was compiled for Xtensa: make xtensa-check")
@pytest.mark.parametrize("source", OURS, ids=lambda path: path.name)
def test_no_atomic_instruction_on_what_may_lie_in_psram(source: Path) -> None:
    """ESP-IDF 5.2 has no option against s32c1i, so our sources do without: words that are only read or written."""
    xtensa = ROOT / "build" / "xtensa"
    done = subprocess.run(
        [xtensa / "root" / "usr" / "bin" / "xtensa-lx106-elf-objdump", "-d", CHECKED / f"{source.stem}.o"],
        env={**os.environ, "XTENSA_GNU_CONFIG": str(xtensa / "dynconfig.so")},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "entry" in done.stdout and "s32c1i" not in done.stdout
