"""Settings that nobody can try here: sdkconfig, partition table, pins. Held against the rules that are known."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from esp32_port import BOARD, PORT, Project, read_sdkconfig

from wg import ROOT
from wg.release.simulated import firmware_version
from wg.sim import partitions

FLASH = 16 * 1024 * 1024
FRAGMENT = BOARD / "sdkconfig.board"


def _keys_of_ours() -> set[str]:
    lines = (Path(__file__).parent / "keys.txt").read_text().splitlines()
    return {"CONFIG_" + line.split()[0] for line in lines if line and not line.startswith("#")}


def _keys_of_the_port() -> set[str]:
    found: set[str] = set()
    for path in [*PORT.glob("boards/sdkconfig.*"), *PORT.glob("boards/*/sdkconfig*")]:
        found.update(re.findall(r"^(CONFIG_[A-Z0-9_]+)=", path.read_text(), re.MULTILINE))
    return found


# ---- sdkconfig ----


def test_every_key_is_known(project: Project) -> None:
    port, ours = _keys_of_the_port(), _keys_of_ours()
    assert len(port) > 80
    assert set(project.sdkconfig) <= port | ours
    assert not ours & port, "these need no entry in keys.txt, the port uses them"
    assert ours <= set(project.sdkconfig), "keys.txt names keys that are not set"


def test_no_key_is_set_twice_in_our_fragment() -> None:
    keys = [key for key, _ in read_sdkconfig(FRAGMENT)]
    assert len(keys) == len(set(keys))


def test_no_value_needs_expansion(project: Project) -> None:
    """The fragments are concatenated as they are: a ${VARIABLE} would reach ESP-IDF."""
    for key, value in project.sdkconfig.items():
        assert not re.search(r"[$@{}\\]", value), f"{key}={value}"
        assert re.fullmatch(r'[yn]?|-?\d+|0x[0-9a-fA-F]+|"[^"]*"', value), f"{key}={value}"


def test_the_partition_tables_path_is_absolute_and_ours(project: Project) -> None:
    assert project.sdkconfig["CONFIG_PARTITION_TABLE_CUSTOM"] == "y"
    path = Path(project.sdkconfig["CONFIG_PARTITION_TABLE_CUSTOM_FILENAME"].strip('"'))
    assert path.is_absolute() and path == BOARD / "partitions.csv"


CHOICES = {
    "flash size": r"CONFIG_ESPTOOLPY_FLASHSIZE_\d+MB",
    "PSRAM's bus": r"CONFIG_SPIRAM_MODE_(QUAD|OCT)",
    "TLS memory": r"CONFIG_MBEDTLS_(DEFAULT|EXTERNAL|INTERNAL)_MEM_ALLOC",
    "clock": r"CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_\d+",
    "flash mode": r"CONFIG_ESPTOOLPY_FLASHMODE_\w+",
    "pthread's core": r"CONFIG_PTHREAD_DEFAULT_CORE_\w+",
}
CHOSEN = {
    "flash size": "CONFIG_ESPTOOLPY_FLASHSIZE_16MB",
    "PSRAM's bus": "CONFIG_SPIRAM_MODE_OCT",
    "TLS memory": "CONFIG_MBEDTLS_EXTERNAL_MEM_ALLOC",
    "clock": "CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_240",
    "flash mode": "CONFIG_ESPTOOLPY_FLASHMODE_QIO",
    "pthread's core": "CONFIG_PTHREAD_DEFAULT_CORE_0",
}


@pytest.mark.parametrize("what", CHOICES)
def test_one_of_each_choice(project: Project, what: str) -> None:
    on = [k for k, v in project.sdkconfig.items() if v == "y" and re.fullmatch(CHOICES[what], k)]
    assert on == [CHOSEN[what]]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CONFIG_SPIRAM", "y"),
        ("CONFIG_SPIRAM_USE_MALLOC", "y"),
        ("CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE", "y"),
        ("CONFIG_BOOTLOADER_WDT_ENABLE", "y"),
        # releases are signed with ECDSA on P-256, and say the version that is in the image
        ("CONFIG_MBEDTLS_ECDSA_C", "y"),
        ("CONFIG_MBEDTLS_ECP_DP_SECP256R1_ENABLED", "y"),
        ("CONFIG_APP_EXCLUDE_PROJECT_VER_VAR", "n"),
        ("CONFIG_APP_PROJECT_VER_FROM_CONFIG", "y"),
        ("CONFIG_APP_PROJECT_VER", f'"{firmware_version()}"'),
        ("CONFIG_ESP_TASK_WDT_PANIC", "y"),
        # the widget's task may be busy until its deadline
        ("CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU0", "n"),
        ("CONFIG_ESP_TASK_WDT_CHECK_IDLE_TASK_CPU1", "n"),
        # MicroPython's threads take the second pointer, pthread the first
        ("CONFIG_FREERTOS_THREAD_LOCAL_STORAGE_POINTERS", "2"),
    ],
)
def test_what_the_firmware_counts_on(project: Project, key: str, value: str) -> None:
    assert project.sdkconfig[key] == value


def test_bluetooth_is_off_in_both_places(project: Project) -> None:
    header = (BOARD / "mpconfigboard.h").read_text()
    assert re.search(r"MICROPY_PY_BLUETOOTH \(0\)", header)
    assert not any(key.startswith("CONFIG_BT_") for key in project.sdkconfig)


def test_a_stack_of_the_engine_is_no_smaller_than_pthread_allows(project: Project) -> None:
    settings = (ROOT / "cmodules" / "wasm3_bridge" / "settings.h").read_text()
    least = re.search(r"WG_NATIVE_STACK_MIN \((\d+) \* 1024\)", settings)
    assert least
    assert int(project.sdkconfig["CONFIG_PTHREAD_STACK_MIN"]) <= int(least[1]) * 1024


# ---- The partition table ----


@pytest.fixture(scope="module")
def table() -> dict[str, partitions.Partition]:
    found = partitions.parse_csv((BOARD / "partitions.csv").read_text())
    partitions.check(found, FLASH)
    return {p.label: p for p in found}


def test_the_table_survives_its_binary_form(table: dict[str, partitions.Partition]) -> None:
    assert partitions.parse_binary(partitions.to_binary(list(table.values()))) == list(table.values())


def test_two_equal_slots_and_the_rest_is_data(table: dict[str, partitions.Partition]) -> None:
    assert table["ota_0"].size == table["ota_1"].size
    assert table["vfs"].end == FLASH and table["vfs"].subtype == partitions.SUBTYPES[1]["littlefs"]
    # makeimg.py puts the application where the first app partition of the table is
    assert [p.label for p in table.values() if p.type == 0] == ["ota_0", "ota_1"]
    # all of the flash is in use but what alignment takes
    gaps = sum(b.offset - a.end for a, b in zip(table.values(), list(table.values())[1:], strict=False))
    assert gaps < partitions.APP_ALIGNMENT


def test_the_flash_size_is_that_of_sdkconfig(
    project: Project, table: dict[str, partitions.Partition]
) -> None:
    size = re.search(r"FLASHSIZE_(\d+)MB", next(k for k in project.sdkconfig if "FLASHSIZE_16MB" in k))
    assert size and int(size[1]) << 20 == max(p.end for p in table.values())


def test_the_simulated_board_has_this_table() -> None:
    header = ROOT / "build" / "sim" / "partition_table.h"
    assert header.exists(), "run `make sim`"
    values = bytes(int(v, 16) for v in re.findall(r"0x([0-9a-f]{2}),", header.read_text()))
    assert partitions.parse_binary(values) == partitions.parse_csv((BOARD / "partitions.csv").read_text())


# ---- Pins ----


def _board_settings() -> dict[str, Any]:
    tree = ast.parse((BOARD / "board.py").read_text())
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def why_not(pin: int) -> str | None:
    """Why a pin can't be used on an S3 with octal PSRAM; None: it can. Source: ESP32-S3 series datasheet, pins."""
    if not 0 <= pin <= 48 or 22 <= pin <= 25:
        return "the chip has no such pin"
    if 26 <= pin <= 32:
        return "the flash is on it"
    if 33 <= pin <= 37:
        return "octal PSRAM is on it"
    if pin in (19, 20):
        return "USB is on it: the prompt"
    if pin in (43, 44):
        return "UART0 is on it: the prompt"
    return None


OUTPUTS = ("sck", "mosi", "cs", "dc", "reset", "backlight")


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_pin_of_the_panel_can_be_used(name: str) -> None:
    pin = _board_settings()["PANEL"][name]
    assert why_not(pin) is None, f"{name}: {why_not(pin)}"
    # strapping pins decide how the chip starts; 0 is the key, 3, 45 and 46 must not be driven by a panel
    assert pin not in (0, 3, 45, 46)


def test_keys_can_be_read_and_share_no_pin() -> None:
    settings = _board_settings()
    keys = {name: pin for name, (pin, level) in settings["BUTTONS"].items() if level in (0, 1)}
    assert keys.keys() == settings["BUTTONS"].keys()
    assert all(why_not(pin) is None for pin in keys.values())
    pins = [*keys.values(), *(settings["PANEL"][name] for name in OUTPUTS)]
    assert len(pins) == len(set(pins))


def pins_of_the_port(*defines: str) -> set[int]:
    """The numbers that machine.Pin() takes: machine_pin.h's conditions, by the C preprocessor."""
    wanted = re.compile(r"#\s*(if|elif|else|endif|define MICROPY_HW_ENABLE_GPIO)")
    lines = [line for line in (PORT / "machine_pin.h").read_text().splitlines() if wanted.match(line)]
    default = re.search(
        r"#define (MICROPY_HW_ESP32S3_EXTENDED_IO) +(\(\d\))", (PORT / "mpconfigport.h").read_text()
    )
    assert default
    text = "\n".join(
        [
            (BOARD / "mpconfigboard.h").read_text(),
            f"#ifndef {default[1]}",
            "#define " + " ".join(default.groups()),
        ]
    )
    command = ["gcc", "-E", "-dM", *(f"-D{name}=1" for name in defines), "-"]
    done = subprocess.run(
        command,
        input=f"{text}\n#endif\n" + "\n".join(lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return {int(n) for n in re.findall(r"define MICROPY_HW_ENABLE_GPIO(\d+) \(1\)", done.stdout)}


def test_the_pins_are_pins_of_the_port(project: Project) -> None:
    """Pins 47 and 48 of the BOX-3 are there by a setting of the port; those of octal PSRAM are not."""
    on = [key for key, value in project.sdkconfig.items() if value == "y"]
    valid = pins_of_the_port("CONFIG_IDF_TARGET_ESP32S3", *on)
    assert 21 in valid and not valid & set(range(22, 38))
    settings = _board_settings()
    used = {settings["PANEL"][name] for name in OUTPUTS} | {pin for pin, _ in settings["BUTTONS"].values()}
    assert used <= valid
    assert valid >= {pin for pin in range(49) if why_not(pin) is None}


def test_the_buses_clock_is_one_that_the_chip_can_make() -> None:
    """80 MHz divided by a whole number (technical reference manual, GP-SPI: clock control)."""
    assert 80_000_000 % _board_settings()["PANEL"]["baudrate"] == 0
