"""The folder for a web server: whole, checksummed, and loading nothing from anywhere else."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from wg import ROOT, installer
from wg.process import ToolError

IMAGE = b"\xe9" + bytes(range(256)) * 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    images = tmp_path_factory.mktemp("images")
    for name in installer.IMAGES:
        (images / name).write_bytes(IMAGE + name.encode())
    out = images / "release"
    installer.build(images, images / "npm", out)
    return out


def test_every_file_that_the_page_names_is_there(folder: Path) -> None:
    page = (folder / "index.html").read_text()
    named = re.findall(r'(?:src|href|manifest)="([^"]+)"', page)
    assert {"manifest.json", "page.css", "esp-web-tools/install-button.js"} <= set(named)
    for name in named:
        assert "://" not in name and not name.startswith("/") and (folder / name).is_file(), name
    assert "@VERSION@" not in page and installer.version() in page


def test_scripts_import_only_what_lies_beside_them(folder: Path) -> None:
    scripts = folder / "esp-web-tools"
    assert (scripts / "LICENSE").is_file()
    imported = set()
    for path in scripts.glob("*.js"):
        for quoted in re.findall(r'(?:from|import)\s*\(?\s*["\']([^"\']+)["\']', path.read_text()):
            assert quoted.startswith("./") and (scripts / quoted).is_file(), f"{path.name}: {quoted}"
            imported.add(quoted)
    assert any("esp32s3" in name for name in imported)


def test_the_browser_is_told_to_load_nothing_else(folder: Path) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', (folder / "index.html").read_text())
    assert policy
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == "'self'"
    assert "http" not in policy[1]


def test_the_manifest_is_for_this_chip_and_the_whole_flash(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (build,) = manifest["builds"]
    assert build["chipFamily"] == "ESP32-S3"
    assert build["parts"] == [{"path": "firmware.bin", "offset": 0}]
    assert (folder / "firmware.bin").read_bytes() == IMAGE + b"firmware.bin"
    assert manifest["version"] == installer.version()


def test_the_checksums_are_those_of_the_files(folder: Path) -> None:
    lines = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in lines} == set(installer.IMAGES)
    assert all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == said for said, name in lines)


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="run `make firmware` first"):
        installer.build(tmp_path, tmp_path / "npm", tmp_path / "out")
    for name in installer.IMAGES:
        (tmp_path / name).write_bytes(b"not an image")
    with pytest.raises(ToolError, match="no image for an ESP32"):
        installer.build(tmp_path, tmp_path / "npm", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_packages_are_locked() -> None:
    lock = json.loads((ROOT / "tools" / "wg" / "installer" / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert "node_modules/esp-web-tools" in packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "resolved" not in json.dumps(lock)
