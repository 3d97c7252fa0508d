"""Places on the disk instead of the network, and a cache of the test's own."""

from pathlib import Path

import pytest
from places_on_disk import APT_GET, Places, make_places

from wg.thirdparty import places as real_places


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """An `apt-get` in front of the PATH, a git repository, an empty cache, on a machine with Debian."""
    made = make_places(tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "apt-get").write_text(APT_GET)
    (programs / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setenv("APT_LOG", str(made.log))
    monkeypatch.setenv("APT_SERVES", str(made.serves))
    monkeypatch.setenv("APT_SUITE", "bookworm")
    monkeypatch.setenv("WG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(real_places, "_os_release", lambda: {"ID": "debian", "VERSION_CODENAME": "bookworm"})
    return made
