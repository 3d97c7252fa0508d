"""The cache: filled from the first place that has the source, verified at every use."""

import dataclasses
import os
import shutil

import pytest
from places_on_disk import Places, git

from wg.cache import cache_folder, sha256_of
from wg.process import ToolError
from wg.thirdparty import download
from wg.thirdparty import places as real_places


def test_the_first_place_is_debian(places: Places) -> None:
    fetched = download.fetch(places.source)
    assert fetched.file is not None
    assert sha256_of(fetched.file) == places.source.sha256
    assert fetched.file.is_relative_to(cache_folder())
    assert "source --download-only --tar-only pkg=1-1" in places.asked()
    # The lists come from the machine's own mirror with the suite swapped, in folders of our own.
    assert (
        cache_folder() / "apt/sources.list"
    ).read_text() == "deb-src http://mirror.example/debian sid main\n"
    assert str(cache_folder()) in (cache_folder() / "apt/apt.conf").read_text()


def test_what_is_cached_is_not_fetched_again(places: Places) -> None:
    download.fetch(places.source)
    asked = places.asked()
    download.fetch(places.source)
    assert places.asked() == asked


def test_a_wrong_checksum_is_refused(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    (places.serves / places.source.file).write_bytes(b"something else")
    shutil.rmtree(places.upstream)
    with pytest.raises(
        ToolError, match="its sha256 is [0-9a-f]{64}, the lock file says " + places.source.sha256
    ):
        download.fetch(places.source)
    assert not list((cache_folder() / "sources").iterdir())


def test_a_wrong_checksum_leads_to_the_second_place(places: Places) -> None:
    (places.serves / places.source.file).write_bytes(b"something else")
    fetched = download.fetch(places.source)
    assert fetched.file is None
    assert fetched.repository is not None
    assert places.source.git.commit in fetched.identity


def test_a_damaged_cache_is_fetched_again(places: Places) -> None:
    fetched = download.fetch(places.source)
    assert fetched.file is not None
    damaged = bytearray(fetched.file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    fetched.file.write_bytes(damaged)
    again = download.fetch(places.source)
    assert again.file is not None
    assert sha256_of(again.file) == places.source.sha256


def test_a_damaged_repository_is_fetched_again(places: Places) -> None:
    (places.serves / places.source.file).unlink()
    fetched = download.fetch(places.source)
    assert fetched.repository is not None
    packs = [
        p
        for p in fetched.repository.rglob("*")
        if p.is_file() and "objects" in p.parts and p.stat().st_size > 40
    ]
    for pack in packs:
        pack.chmod(0o644)
        content = bytearray(pack.read_bytes())
        content[len(content) // 2] ^= 0xFF
        pack.write_bytes(content)
    assert download.cached(places.source) is None
    download.fetch(places.source)
    assert download.cached(places.source) is not None


def test_without_debian_the_second_place_is_used(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real_places, "_os_release", lambda: {"ID": "fedora"})
    fetched = download.fetch(places.source)
    assert fetched.repository is not None
    assert "source" not in places.asked()
    # One commit is enough: no history is brought.
    assert git("rev-list", "--count", places.source.git.commit, cwd=fetched.repository) == "1"


def test_a_moved_tag_is_refused(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tag is only a name for asking; another commit under it is not taken."""
    monkeypatch.setattr(real_places, "_os_release", dict)
    git("tag", "-f", "v1", "HEAD", cwd=places.upstream)
    gone = dataclasses.replace(places.source.git, commit="2" * 40)
    with pytest.raises(ToolError, match="no longer has the commit"):
        download.fetch(dataclasses.replace(places.source, git=gone))


def test_both_places_gone_is_one_error(places: Places) -> None:
    (places.serves / places.source.file).unlink()
    shutil.rmtree(places.upstream)
    with pytest.raises(ToolError) as caught:
        download.fetch(places.source)
    first = str(caught.value).splitlines()[0]
    assert first.startswith("pkg 1 can't be fetched from either place.")
    assert str(cache_folder() / "sources") in first
    assert "Debian source package pkg 1-1" in str(caught.value)
    assert "upstream at v1" in str(caught.value)


def test_the_cache_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WG_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert str(cache_folder()) == "/x/wg-display"
    monkeypatch.setenv("WG_CACHE", "/y/z")
    assert str(cache_folder()) == "/y/z"
    monkeypatch.delenv("WG_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert str(cache_folder()) == os.path.expanduser("~/.cache/wg-display")
