"""`make firmware` where there is no ESP-IDF, and what it makes of a linker's map where there is."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from esp32_port import BOARD

from wg import ROOT

COMPILER = "xtensa-esp32s3-elf-gcc"


def make_firmware(idf: Path | None, tools: Path) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "IDF_"))}
    env["IDF_TOOLS_PATH"] = str(tools)
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


@pytest.fixture
def no_compiler() -> None:
    assert shutil.which(COMPILER) is None, "this machine has ESP-IDF's compiler: these tests mean one without"


@pytest.mark.usefixtures("no_compiler")
def test_without_idf_it_ends_with_2_and_one_page(tmp_path: Path) -> None:
    done = make_firmware(None, tmp_path)
    assert done.returncode == 2
    assert done.stdout == "", "nothing is made or fetched before"
    page = done.stderr
    assert 10 < page.count("\n") <= 40 and max(map(len, page.splitlines())) <= 120
    for said in ("IDF_PATH is not set", "git clone", "install.sh esp32s3", "docker run", "docs/hardware.md"):
        assert said in page


@pytest.mark.usefixtures("no_compiler")
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


# ---- What was built ----

MAP = """\
Archive member included to satisfy reference by file (symbol)

 .text          0x00000000        0x10 esp-idf/main/libmain.a(before.c.obj)

Linker script and memory map

.iram0.text     0x40374404     0x1234
 .text.a        0x40374404      0x100 esp-idf/freertos/libfreertos.a(tasks.c.obj)
 .iram1.a_long_name_that_has_a_line_of_its_own
                0x40374504       0x20 esp-idf/main/libwg_wasm3.a(m3_exec.c.obj)
                0x40374504                op_Call
 *fill*         0x40374524        0x4 \n
.flash.text     0x42000020    0x10000
 .text.mp_x     0x42000020      0x200 esp-idf/main/libmain.a(vm.c.obj)
 .text.mod      0x42000220      0x300 esp-idf/main/libmain.a(modwasm3.c.obj)
                                0x308 (size before relaxing)
 .text.pix      0x42000520       0x40 esp-idf/main/libmain.a(pixels.c.obj)

.flash.rodata   0x3c120020     0x8000
 .rodata.f      0x3c120020     0x4000 esp-idf/main/libmain.a(frozen_content.c.obj)

.dram0.bss      0x3fc9a000     0x1000
 COMMON         0x3fc9a000        0x8 esp-idf/wg/libwg_engine.a(heap.c.obj)

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
        "IRAM": {"ESP-IDF": 0x100, "engine": 0x20},
        "flash code": {"MicroPython": 0x200, "engine": 0x300, "pixels": 0x40},
        "flash data": {"frozen Python": 0x4000},
        "DRAM zeroed": {"engine": 8},
    }


def test_the_report_adds_up_and_knows_the_slot(size_report: dict[str, Any]) -> None:
    slot = size_report["slot_size"]((BOARD / "partitions.csv").read_text())
    assert slot == 0x300000
    text = size_report["report"](size_report["read_map"](MAP.splitlines(True)), slot // 2, slot)
    code = next(line for line in text.splitlines() if line.startswith("flash code"))
    assert [int(n) for n in code.split()[2:]] == [0x300, 0x40, 0, 0x200, 0, 0x540]
    assert text.endswith("of a slot, 50 %")


def test_an_image_that_does_not_fit_is_refused(size_report: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "firmware.map").write_text(MAP)
    (tmp_path / "app.bin").write_bytes(b"\xe9" * 0x300001)
    with pytest.raises(SystemExit, match="larger than its slot"):
        size_report["main"](tmp_path / "firmware.map", tmp_path / "app.bin", BOARD / "partitions.csv")
