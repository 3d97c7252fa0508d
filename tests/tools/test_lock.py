"""The lock file: the real one is complete, a wrong one is refused."""

from pathlib import Path

import pytest

from wg.process import ToolError
from wg.thirdparty.lock import read_lock

GOOD = """
[[source]]
name = "a"
version = "1"
licence = "MIT"
file = "a.tar.gz"
sha256 = "{sha256}"
debian = {{ package = "a", version = "1-1", suites = ["sid"] }}
git = {{ repository = "file:///nowhere", commit = "{commit}", tag = "v1" }}
"""


def written(folder: Path, sha256: str = "0" * 64, commit: str = "1" * 40, more: str = "") -> Path:
    path = folder / "lock"
    path.write_text(GOOD.format(sha256=sha256, commit=commit) + more)
    return path


def test_the_lock_file_has_what_the_build_needs() -> None:
    sources = read_lock()
    assert {"micropython", "mbedtls", "wasm3", "spec-tests"} <= sources.keys()
    assert sources["micropython"].version == "1.26.1"
    assert sources["wasm3"].version == "0.5.0"


def test_a_good_entry_is_read(tmp_path: Path) -> None:
    source = read_lock(written(tmp_path))["a"]
    assert source.debian is not None and source.debian.suites == ("sid",)
    assert source.git.commit == "1" * 40


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sha256": "0" * 63}, "sha256"),
        ({"sha256": "Z" * 64}, "sha256"),
        ({"commit": "main"}, "commit"),
        ({"more": 'pypi = { requirement = "a==1" }\n'}, "either debian or pypi"),
        ({"more": 'overlay = [{ source = "b", folders = ["x"], into = "y" }]\n'}, "lays over b"),
        ({"more": "name = 1\n"}, "can't be used"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, change: dict[str, str], reason: str) -> None:
    with pytest.raises(ToolError, match=reason):
        read_lock(written(tmp_path, **change))


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace('licence = "MIT"\n', ""))
    with pytest.raises(ToolError, match="licence"):
        read_lock(path)
