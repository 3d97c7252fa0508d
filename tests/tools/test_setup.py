"""The steps of the set-up that install: from the cache, without a network, mended when the cache is damaged."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from wg.cache import cache_folder
from wg.process import ToolError
from wg.setup import python


def wheel(folder: Path, name: str = "tiny") -> Path:
    """A wheel with one module."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", "WORD = 'tiny'\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pinned file; pip's index is a folder on the disk, and there is no other."""
    index = tmp_path / "index"
    index.mkdir()
    digest = hashlib.sha256(wheel(index).read_bytes()).hexdigest()
    pinned = tmp_path / "pinned.txt"
    pinned.write_text(f"tiny==1.0 --hash=sha256:{digest}\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("WG_CACHE", str(tmp_path / "cache"))
    return pinned


def word(target: Path) -> str:
    code = "import tiny; print(tiny.WORD)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=target, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def install(requirements: Path, target: Path) -> None:
    python.install(requirements, Path(sys.executable), "--target", target)


def test_a_wheel_is_installed(requirements: Path, tmp_path: Path) -> None:
    install(requirements, tmp_path / "target")
    assert word(tmp_path / "target") == "tiny"


def test_the_second_time_nothing_is_asked(
    requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(requirements, tmp_path / "one")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    install(requirements, tmp_path / "two")
    assert word(tmp_path / "two") == "tiny"


def test_a_damaged_wheel_is_fetched_again(requirements: Path, tmp_path: Path) -> None:
    install(requirements, tmp_path / "one")
    (cached,) = (cache_folder() / "wheels").glob("*.whl")
    content = cached.read_bytes()
    cached.write_bytes(content[:-10])
    install(requirements, tmp_path / "two")
    assert word(tmp_path / "two") == "tiny"
    assert cached.read_bytes() == content


def test_a_wrong_hash_is_refused(requirements: Path, tmp_path: Path) -> None:
    requirements.write_text("tiny==1.0 --hash=sha256:" + "0" * 64 + "\n")
    with pytest.raises(ToolError, match="(?i)hashes"):
        install(requirements, tmp_path / "one")
    assert not (tmp_path / "one" / "tiny.py").exists()
