"""`make firmware` where there is no ESP-IDF, and what it makes of a linker's map where there is."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from esp32_port import BOARD, PORT, Project

from wg import ROOT
from wg.sim import partitions

COMPILER = "xtensa-esp32s3-elf-gcc"


def make_firmware(idf: Path | None, tools: Path) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "IDF_"))}
    env["IDF_TOOLS_PATH"] = str(tools)
    # as on a machine without Espressif's compiler, whatever this one has
    env["PATH"] = os.pathsep.join(d for d in env["PATH"].split(os.pathsep) if not Path(d, COMPILER).exists())
    if idf:
        env["IDF_PATH"] = str(idf)
    # -n: where ESP-IDF is found, say only what would be done
    command = ["make", "-n", "-C", ROOT, "--no-print-directory", "firmware"]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def fake_idf(folder: Path, version: str) -> Path:
    (folder / "tools" / "cmake").mkdir(parents=True)
    (folder / "tools" / "cmake" / "project.cmake").touch()
    (folder / "export.sh").touch()
    major, minor = version.split(".")
    text = f"set(IDF_VERSION_MAJOR {major})\nset(IDF_VERSION_MINOR {minor})\nset(IDF_VERSION_PATCH 2)\n"
    (folder / "tools" / "cmake" / "version.cmake").write_text(text)
    return folder


def test_without_idf_it_ends_with_2_and_one_page(tmp_path: Path) -> None:
    done = make_firmware(None, tmp_path)
    assert done.returncode == 2
    assert done.stdout == "", "nothing is made or fetched before"
    page = done.stderr
    assert 10 < page.count("\n") <= 40 and max(map(len, page.splitlines())) <= 120
    for said in ("IDF_PATH is not set", "git clone", "install.sh esp32s3", "docker run", "docs/hardware.md"):
        assert said in page


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (None, "which is no folder of ESP-IDF"),
        ("4.4", "is version 4.4"),
        ("5.5", "is version 5.5"),
        ("5.4", "its compiler for the ESP32-S3 is not"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, version: str | None, said: str) -> None:
    idf = tmp_path / "idf"
    if version:
        fake_idf(idf, version)
    done = make_firmware(idf, tmp_path / "tools")
    assert done.returncode == 2 and said in done.stderr


@pytest.mark.parametrize("version", ["5.2", "5.3", "5.4"])
def test_with_idf_and_its_compiler_the_build_starts(tmp_path: Path, version: str) -> None:
    idf = fake_idf(tmp_path / "idf", version)
    (tmp_path / "tools" / "tools" / "xtensa-esp-elf" / "esp-14.2.0").mkdir(parents=True)
    done = make_firmware(idf, tmp_path / "tools")
    assert done.returncode == 0, done.stderr
    assert "boards/esp32s3/build.sh" in done.stdout and f"IDF_PATH={idf}" in done.stdout


def test_the_page_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "hardware.md").read_text()
    page = (BOARD / "check_idf.sh").read_text()
    container = page[
        page.index("    make firmware-sources") : page.index("build.sh", page.index("docker run"))
    ]
    for line in container.replace("\\$", "$").replace("\\\\\n", "\\\n").splitlines():
        assert line.strip(" \\") in manual


# ---- build.sh, with a program in idf.py's place that leaves the files which the real one leaves ----

IDF_PY = """\
#!/bin/bash
set -e
printf '%s\\n' "$PWD" "$@" >"$FAKE/arguments"
printenv MICROPY_MPYCROSS MICROPY_GIT_TAG >>"$FAKE/arguments"
while [ "$1" != -B ]; do shift; done
[ -f "$2/sdkconfig" ] && touch "$FAKE/kept"
[ -f "$2/frozen_content.c" ] && touch "$FAKE/frozen"
mkdir -p "$2/bootloader" "$2/partition_table"
printf 'CONFIG_IDF_TARGET="esp32s3"\\nCONFIG_BOOTLOADER_OFFSET_IN_FLASH=0x0\\n' >"$2/sdkconfig"
printf boot >"$2/bootloader/bootloader.bin"
cp "$FAKE/table.bin" "$2/partition_table/partition-table.bin"
printf '\\xe9app' >"$2/micropython.bin"
cp "$FAKE/firmware.map" "$2/micropython.map"
cat "$FAKE/log"
"""

# Of ESP-IDF's module, what MicroPython's makeimg.py takes from it.
GEN_ESP32PART = """\
from wg.sim import partitions

APP_TYPE = 0


class PartitionTable:
    @staticmethod
    def from_binary(raw):
        found = partitions.parse_binary(raw)
        for p in found:
            object.__setattr__(p, "name", p.label)
        return found
"""


@dataclass
class Fake:
    """An ESP-IDF that builds nothing, and the build folder for it."""

    folder: Path
    build: Path

    def run(self, log: str = "") -> subprocess.CompletedProcess[str]:
        (self.folder / "log").write_text(log)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "IDF_"))}
        env |= {
            "IDF_PATH": str(self.folder / "idf"),
            "IDF_TOOLS_PATH": str(self.folder / "tools"),
            "BUILD": str(self.build),
            "FAKE": str(self.folder),
            "PYTHONPATH": str(ROOT / "tools"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [BOARD / "build.sh"]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    idf = fake_idf(tmp_path / "idf", "5.4")
    (tmp_path / "tools" / "tools" / "xtensa-esp-elf" / "esp-14.2.0").mkdir(parents=True)
    (idf / "export.sh").write_text(f'export PATH="{idf / "tools"}:$PATH"\n')
    (idf / "tools" / "idf.py").write_text(IDF_PY)
    (idf / "tools" / "idf.py").chmod(0o755)
    (idf / "components" / "partition_table").mkdir(parents=True)
    (idf / "components" / "partition_table" / "gen_esp32part.py").write_text(GEN_ESP32PART)
    table = partitions.parse_csv((BOARD / "partitions.csv").read_text())
    (tmp_path / "table.bin").write_bytes(partitions.to_binary(table))
    (tmp_path / "firmware.map").write_text(MAP)
    build = tmp_path / "build"
    (build / "wasm3").mkdir(parents=True)
    for name in ("third_party", "fonts", "roots", "wasm3/current"):
        (build / name).symlink_to(ROOT / "build" / name)
    return Fake(tmp_path, build)


def test_the_build_leaves_its_files(fake: Fake) -> None:
    done = fake.run()
    assert done.returncode == 0, done.stderr
    out = fake.build / "esp32s3"
    image = (out / "firmware.bin").read_bytes()
    assert image[:4] == b"boot" and image[0x20000:] == b"\xe9app"
    assert partitions.parse_binary(image[0x8000:0x8C00])[-1].label == "vfs"
    assert (out / "app.bin").read_bytes() == b"\xe9app"
    assert "flash code" in (out / "size.txt").read_text() and (out / "firmware.map").exists()


def test_the_frozen_code_is_made_anew(fake: Fake) -> None:
    """Else it has names of its own that a changed C module now has too: `redeclaration of enumerator`."""
    folder = fake.build / "esp32s3" / "idf"
    folder.mkdir(parents=True)
    (folder / "frozen_content.c").touch()
    assert fake.run().returncode == 0
    assert not (fake.folder / "frozen").exists()


def test_what_idf_py_is_told(fake: Fake) -> None:
    assert fake.run().returncode == 0
    folder, *arguments = (fake.folder / "arguments").read_text().splitlines()
    assert Path(folder).resolve() == PORT.resolve()
    assert f"MICROPY_BOARD_DIR={BOARD}" in arguments and arguments[-3:-2] == ["build"]
    assert Path(arguments[-2]).is_file() and arguments[-1] == "v1.26.1"
    wasm3 = next(a for a in arguments if a.startswith("WASM3_SRC="))
    assert Path(wasm3.partition("=")[2], "m3_env.c").is_file()


def test_a_changed_fragment_makes_sdkconfig_new(fake: Fake) -> None:
    assert fake.run().returncode == 0
    config = fake.build / "esp32s3" / "idf" / "sdkconfig"
    os.utime(config)
    assert fake.run().returncode == 0 and (fake.folder / "kept").exists()
    (fake.folder / "kept").unlink()
    os.utime(config, (1, 1))  # as if sdkconfig.board had been written since
    assert fake.run().returncode == 0 and not (fake.folder / "kept").exists()


def test_a_warning_in_our_own_files_fails_the_build(fake: Fake) -> None:
    assert fake.run("/x/components/lwip/a.c:1:2: warning: not ours\n").returncode == 0
    done = fake.run("/x/cmodules/wasm3_bridge/engine.c:1:2: warning: unused\n")
    assert done.returncode == 1 and "warnings in our own files" in done.stderr


def test_a_failed_build_shows_its_errors(fake: Fake) -> None:
    (fake.folder / "firmware.map").unlink()  # the last step of the stand-in fails
    done = fake.run()
    assert done.returncode == 1 and "the whole log is" in done.stderr
    assert not (fake.build / "esp32s3" / "firmware.bin").exists()


def test_missing_sources_are_named(fake: Fake) -> None:
    (fake.build / "wasm3" / "current").unlink()
    done = fake.run()
    assert done.returncode == 1 and "make firmware-sources" in done.stderr


# ---- What was built ----

MAP = """\
Archive member included to satisfy reference by file (symbol)

 .text          0x00000000        0x10 esp-idf/main/libmain.a(before.c.obj)

Linker script and memory map

.iram0.text     0x40374404      0x128
 .text.a        0x40374404      0x100 esp-idf/freertos/libfreertos.a(tasks.c.obj)
 .iram1.a_long_name_that_has_a_line_of_its_own
                0x40374504       0x20 esp-idf/main/libwg_wasm3.a(m3_exec.c.obj)
                0x40374504                op_Call
 *fill*         0x40374524        0x8 \n
.flash.text     0x42000020      0x5a0
 .text.mp_x     0x42000020      0x200 esp-idf/main/libmain.a(vm.c.obj)
 .text.mod      0x42000220      0x300 esp-idf/main/libmain.a(modwasm3.c.obj)
                                0x308 (size before relaxing)
 .text.pix      0x42000520       0x40 esp-idf/main/libmain.a(pixels.c.obj)
 .text.png      0x42000560       0x20 esp-idf/main/libmain.a(png.c.obj)
 .text.lfs      0x42000580       0x20 esp-idf/main/libmain.a(lfs_cycles.c.obj)
 .text.buf      0x420005a0       0x20 esp-idf/main/libmain.a(buffer.c.obj)

.flash.rodata   0x3c120020     0x4180
                0x3c120020                _rodata_start = ABSOLUTE (.)
 .rodata.f      0x3c120020     0x4000 esp-idf/main/libmain.a(frozen_content.c.obj)
 .rodata.str1.4
                0x3c124020      0x180 esp-idf/main/libmain.a(vm.c.obj)
                                0x220 (size before relaxing)
 .rodata.str1.4
                0x3c124100      0x300 esp-idf/log/liblog.a(log.c.obj)
 .rodata.str1.4
                0x3c124100      0x900 esp-idf/log/liblog.a(log_write.c.obj)
 .rodata.names  0x3c124100       0x80 esp-idf/main/libwg_engine.a(engine.c.obj)
 .rodata.none   0x3c124180        0x0 esp-idf/main/libmain.a(vm.c.obj)

.flash.rodata_noload
                0x3c200000     0x3043
 .rodata_wlog   0x3c200000      0x100 esp-idf/log/liblog.a(log.c.obj)

.dram0.bss      0x3fc9a000       0x10
 COMMON         0x3fc9a000        0x8 esp-idf/wg/libwg_engine.a(heap.c.obj)

.rtc.a_long_name_of_an_output_section
                0x600fe000       0x34
 .rtc.text      0x600fe000       0x34 esp-idf/esp_hw_support/libesp_hw_support.a(sleep.c.obj)

.debug_info     0x00000000    0x99999
 .debug_info    0x00000000    0x99999 esp-idf/main/libmain.a(vm.c.obj)

Cross Reference Table

 .text.never    0x42000020      0x200 esp-idf/main/libmain.a(vm.c.obj)
"""


@pytest.fixture(scope="module")
def size_report() -> dict[str, Any]:
    return runpy.run_path(str(BOARD / "size_report.py"))


def test_sizes_are_read_from_the_map(size_report: dict[str, Any]) -> None:
    assert size_report["read_map"](MAP.splitlines(True)) == {
        "IRAM": {"ESP-IDF": 0x100, "engine": 0x20, "gaps": 8},
        "flash code": {"MicroPython": 0x200, "engine": 0x320, "C modules": 0x80},
        # strings that more than one file has are in the image once, wherever the map tells them
        "flash data": {"frozen Python": 0x4000, "MicroPython": 0xE0, "engine": 0x80, "gaps": 0x20},
        "DRAM zeroed": {"engine": 8, "gaps": 8},
        "RTC memory": {"ESP-IDF": 0x34},
    }


def test_the_report_adds_up_and_knows_the_slot(size_report: dict[str, Any]) -> None:
    slot = size_report["slot_size"]((BOARD / "partitions.csv").read_text())
    assert slot == 0x400000
    sizes = size_report["read_map"](MAP.splitlines(True))
    told = dict(re.findall(r"^(\.[\w.]+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)$", MAP, re.MULTILINE))
    for section, kind in {".flash.text": "flash code", ".flash.rodata": "flash data"}.items():
        assert sum(sizes[kind].values()) == int(told[section], 16), (
            "not what the map says for the whole section"
        )
    text = size_report["report"](sizes, slot // 2, slot)
    code = next(line for line in text.splitlines() if line.startswith("flash code"))
    assert [int(n) for n in code.split()[2:]] == [0x320, 0x80, 0, 0x200, 0, 0, 0x5A0]
    assert text.endswith("of a slot, 50 %")


def test_every_source_of_ours_has_its_group(size_report: dict[str, Any], project: Project) -> None:
    for source in project.objects:
        if ROOT / "cmodules" in source.parents:
            library = "libwg_engine.a" if "wg_engine" in project.objects[source][0] else "libmain.a"
            library = "libwg_wasm3.a" if "wg_wasm3" in project.objects[source][0] else library
            line = f"esp-idf/main/{library}({source.name}.obj)"
            group = next(name for name, pattern in size_report["GROUPS"] if pattern.search(line))
            assert group == ("engine" if "wasm3_bridge" in source.parts else "C modules"), line


def test_an_image_that_does_not_fit_is_refused(size_report: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "firmware.map").write_text(MAP)
    (tmp_path / "app.bin").write_bytes(b"\xe9" * 0x400001)
    with pytest.raises(SystemExit, match="larger than its slot"):
        size_report["main"](tmp_path / "firmware.map", tmp_path / "app.bin", BOARD / "partitions.csv")


# ---- CROSS_COMPILE: Espressif's compiler in the place of ours, for `make xtensa-check` ----


def make_variable(name: str, *arguments: str) -> str:
    command = ["make", "-C", str(ROOT), "--no-print-directory", f"--eval=print: ; @printf '%s' '$({name})'"]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "CROSS_"))}
    done = subprocess.run(
        [*command, "print", *arguments], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_another_compiler_brings_its_own_library_and_leaves_the_board_alone() -> None:
    other = f"CROSS_COMPILE=/opt/{COMPILER.removesuffix('gcc')}"
    assert make_variable("XTENSA_PREFIX", other) + "gcc" == f"/opt/{COMPILER}"
    assert "-isystem" not in make_variable("XTENSA_CFLAGS", other)
    # the board needs picolibc, whoever compiles cmodules
    for name in ("XTENSA_BOARD_PREFIX", "XTENSA_BOARD_CFLAGS"):
        assert make_variable(name, other) == make_variable(name)
    assert "libc/include" in make_variable("XTENSA_BOARD_CFLAGS", other)
    assert make_variable("XTENSA_PREFIX") == make_variable("XTENSA_BOARD_PREFIX")
