"""Stands for the places on the network: a git repository, and an `apt-get` that serves a folder."""

import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wg.thirdparty.lock import Debian, Git, Source

FILES = {"src/a.c": b"int a;\n", "src/b.c": b"int b;\n", "doc/readme": b"hello\n"}

#: Behaves as apt-get does as far as it is used: prints its sources, or copies an archive from $APT_SERVES.
APT_GET = """#!/bin/sh
echo "$@" >> "$APT_LOG"
case "$*" in
*--print-uris*) echo "'http://mirror.example/debian/dists/$APT_SUITE/InRelease' mirror 0" ;;
*update*) ;;
*source*) cp "$APT_SERVES"/* . 2>/dev/null || { echo "E: Unable to find a source package" >&2; exit 100; } ;;
esac
"""


def tarball(files: Mapping[str, bytes], top: str = "pkg-1") -> bytes:
    """A gzip'd archive with one top folder; the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size, member.mtime, member.mode = len(content), 1_600_000_000, 0o644
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def git(*arguments: str | Path, cwd: Path) -> str:
    """Runs git on a test's own repository."""
    who = {
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@t",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@t",
    }
    command = ["git", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **who}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass
class Places:
    """The first place serves what is in `serves`; the second is the repository `upstream`."""

    serves: Path
    upstream: Path
    log: Path
    source: Source

    def asked(self) -> str:
        """The words of all calls of apt-get."""
        return self.log.read_text() if self.log.exists() else ""


def make_places(folder: Path) -> Places:
    """Both places, with the same files in them, and the lock file's entry for them."""
    serves, upstream = folder / "serves", folder / "upstream"
    serves.mkdir()
    packed = tarball(FILES)
    (serves / "pkg_1.orig.tar.gz").write_bytes(packed)
    upstream.mkdir()
    git("init", "-q", cwd=upstream)
    for name, content in FILES.items():
        (upstream / name).parent.mkdir(exist_ok=True)
        (upstream / name).write_bytes(content)
    git("add", ".", cwd=upstream)
    git("commit", "-q", "-m", "first", cwd=upstream)
    git("tag", "v1", cwd=upstream)
    commit = git("rev-parse", "HEAD", cwd=upstream)
    (upstream / "later").write_text("x")
    git("add", ".", cwd=upstream)
    git("commit", "-q", "-m", "second", cwd=upstream)
    source = Source(
        name="pkg",
        version="1",
        licence="MIT",
        file="pkg_1.orig.tar.gz",
        sha256=hashlib.sha256(packed).hexdigest(),
        git=Git(upstream.as_uri(), commit, "v1"),
        debian=Debian("pkg", "1-1", ("sid",)),
    )
    return Places(serves, upstream, folder / "apt.log", source)
