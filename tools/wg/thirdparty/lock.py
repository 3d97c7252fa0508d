"""The lock file of third-party sources, read and checked."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wg import ROOT
from wg.process import ToolError

LOCK_FILE = ROOT / "tools" / "third_party.lock"


@dataclass(frozen=True)
class Debian:
    """A Debian source package: its name, its version and the suites that have carried it."""

    package: str
    version: str
    suites: tuple[str, ...]


@dataclass(frozen=True)
class Git:
    """An upstream repository at a commit. `rename` maps folders there to their names in our tree."""

    repository: str
    commit: str
    tag: str
    rename: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Overlay:
    """Folders of another source that are laid into a tree."""

    source: str
    folders: tuple[str, ...]
    into: str


@dataclass(frozen=True)
class Source:
    """One entry of the lock file; see the file's head for the fields."""

    name: str
    version: str
    licence: str
    file: str
    sha256: str
    git: Git
    debian: Debian | None = None
    pypi: str | None = None
    keep: tuple[str, ...] = ()
    overlay: tuple[Overlay, ...] = ()


def read_lock(path: Path = LOCK_FILE) -> dict[str, Source]:
    """The sources by name. Raises ToolError if the file can't be read or an entry is not complete."""
    try:
        entries = tomllib.loads(path.read_text())["source"]
        sources = [_source(entry) for entry in entries]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ToolError(f"the lock file {path} can't be used: {error}") from error
    named = {source.name: source for source in sources}
    for source in sources:
        for overlay in source.overlay:
            if overlay.source not in named:
                raise ToolError(
                    f"the lock file {path}: {source.name} lays over {overlay.source}, which is not in it"
                )
    return named


def _source(entry: Mapping[str, Any]) -> Source:
    sha256, git = entry["sha256"], entry["git"]
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError(f"{entry['name']}: sha256 is not 64 hex digits")
    if not re.fullmatch("[0-9a-f]{40}", git["commit"]):
        raise ValueError(f"{entry['name']}: the commit is not 40 hex digits")
    if Path(entry["file"]).name != entry["file"]:
        raise ValueError(f"{entry['name']}: file is not a plain file name")
    if ("debian" in entry) == ("pypi" in entry):
        raise ValueError(f"{entry['name']}: needs either debian or pypi as its first place")
    debian = entry.get("debian")
    return Source(
        name=entry["name"],
        version=entry["version"],
        licence=entry["licence"],
        file=entry["file"],
        sha256=sha256,
        git=Git(git["repository"], git["commit"], git["tag"], tuple(git.get("rename", {}).items())),
        debian=Debian(debian["package"], debian["version"], tuple(debian["suites"])) if debian else None,
        pypi=entry["pypi"]["requirement"] if "pypi" in entry else None,
        keep=tuple(entry.get("keep", ())),
        overlay=tuple(Overlay(o["source"], tuple(o["folders"]), o["into"]) for o in entry.get("overlay", ())),
    )
