"""Fetched sources unpacked under build/third_party, each with a stamp that says what it is."""

import os
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from wg import ROOT
from wg.process import ToolError, exclusive, progress
from wg.thirdparty import places
from wg.thirdparty.download import Fetched, fetch
from wg.thirdparty.lock import Source

THIRD_PARTY = ROOT / "build" / "third_party"

#: Names the content of a tree; written last, so a tree without it is not whole.
STAMP = ".wg-source"


def unpack(source: Source, sources: dict[str, Source], into: Path = THIRD_PARTY) -> Path:
    """Unpacks a source to `into`/<name> unless it is there already, replacing an older one in one step."""
    tree = into / source.name
    parts = [fetch(source), *(fetch(sources[overlay.source]) for overlay in source.overlay)]
    stamp = _stamp(source, parts)
    into.mkdir(parents=True, exist_ok=True)
    with exclusive(into / ".lock"):
        if _read(tree / STAMP) == stamp:
            return tree
        progress(f"unpacking {source.name} {source.version} to {tree}")
        with tempfile.TemporaryDirectory(dir=into, prefix=f".{source.name}-") as name:
            fresh = Path(name, "new")
            extract(parts[0], fresh, source.keep)
            for overlay, part in zip(source.overlay, parts[1:], strict=True):
                extract(part, fresh / overlay.into, overlay.folders)
            (fresh / STAMP).write_text(stamp)
            if tree.exists():
                tree.rename(Path(name, "old"))
            fresh.rename(tree)
    return tree


def is_current(source: Source, sources: dict[str, Source], into: Path = THIRD_PARTY) -> bool:
    """True if the tree is what the lock file says, from either place."""
    stamp = _read(into / source.name / STAMP)
    if stamp is None:
        return False
    names = [source, *(sources[overlay.source] for overlay in source.overlay)]
    lines = stamp.splitlines()[1:]
    return len(lines) == len(names) and all(
        line in (Fetched(s, Path(), None).identity, Fetched(s, None, Path()).identity)
        for s, line in zip(names, lines, strict=True)
    )


def _stamp(source: Source, parts: list[Fetched]) -> str:
    layout = f"keep {' '.join(source.keep)} overlay {source.overlay!r}"
    return "\n".join([layout, *(part.identity for part in parts)]) + "\n"


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None


def extract(fetched: Fetched, to: Path, keep: tuple[str, ...]) -> None:
    """Extracts an archive without its top folder; `keep` are the paths to take, all if empty.

    Only plain files, folders and links that stay inside are made; anything else raises ToolError.
    """
    to.mkdir(parents=True, exist_ok=True)
    if fetched.file:
        _extract(fetched.file, to, keep, ())
        return
    assert fetched.repository is not None
    with tempfile.TemporaryDirectory() as name:
        packed = Path(name, "source.tar")
        places.archive(fetched.source.git, fetched.repository, packed, keep)
        _extract(packed, to, keep, fetched.source.git.rename)


def _extract(packed: Path, to: Path, keep: tuple[str, ...], rename: tuple[tuple[str, str], ...]) -> None:
    count = 0
    try:
        with tarfile.open(packed) as archive:
            for member in archive:
                parts = PurePosixPath(member.name).parts
                if ".." in parts or member.name.startswith("/"):
                    raise ToolError(f"{packed.name} was refused: {member.name} leads out of it")
                path = _renamed("/".join(parts[1:]), rename)
                if path and _kept(path, keep):
                    _write(archive, member, to, path)
                    count += 1
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ToolError(f"{packed} can't be unpacked: {error}") from error
    if count == 0:
        raise ToolError(f"{packed} has none of: {', '.join(keep) or 'any file'}")


def _renamed(path: str, rename: tuple[tuple[str, str], ...]) -> str:
    for there, here in rename:
        if path == there or path.startswith(there + "/"):
            return here + path[len(there) :]
    return path


def _kept(path: str, keep: tuple[str, ...]) -> bool:
    return not keep or any(path == wanted or path.startswith(wanted + "/") for wanted in keep)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, to: Path, path: str) -> None:
    target = to / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        target.mkdir(exist_ok=True)
    elif member.isfile():
        content = archive.extractfile(member)
        assert content is not None
        with content, target.open("wb") as file:
            shutil.copyfileobj(content, file)
        target.chmod(0o755 if member.mode & 0o100 else 0o644)
        # The archive's times, so that an unchanged file of a new tree does not rebuild anything.
        os.utime(target, (member.mtime, member.mtime))
    elif member.issym():
        end = os.path.normpath(os.path.join(os.path.dirname(path), member.linkname))
        if member.linkname.startswith("/") or end.startswith(".."):
            raise ToolError(f"the archive was refused: the link {path} leads out of it")
        target.symlink_to(member.linkname)
    else:
        raise ToolError(f"the archive was refused: {path} is neither a file, a folder nor a link")
