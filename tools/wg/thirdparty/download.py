"""The user's cache of sources, filled from the first place that has them, checked at every use."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from wg.cache import cache_folder, sha256_of
from wg.process import ToolError, exclusive, progress
from wg.thirdparty import places
from wg.thirdparty.lock import Source


class Fetched:
    """A source in the cache: either the first place's file, or a repository that has the commit."""

    def __init__(self, source: Source, file: Path | None, repository: Path | None) -> None:
        self.source = source
        self.file = file
        self.repository = repository

    @property
    def identity(self) -> str:
        """What the content is, by checksum: trees and builds are stamped with it."""
        which = f"sha256 {self.source.sha256}" if self.file else f"commit {self.source.git.commit}"
        return f"{self.source.name} {self.source.version} {which}"

    def where(self) -> Path:
        """The file or the repository."""
        found = self.file or self.repository
        assert found is not None
        return found


def cached(source: Source) -> Fetched | None:
    """The source as the cache has it, verified; None if it has to be fetched (again)."""
    file = _file(source)
    if file.exists():
        if sha256_of(file) == source.sha256:
            return Fetched(source, file, None)
        progress(f"{file} is damaged: its sha256 is not the lock file's; it is fetched again")
        file.unlink()
    if places.has_commit(source.git, _repository(source)):
        return Fetched(source, None, _repository(source))
    return None


def fetch(source: Source) -> Fetched:
    """Brings a source into the cache, unless it is there. Raises one ToolError if no place has it."""
    with exclusive(cache_folder() / "lock"):
        found = cached(source)
        if found:
            return found
        failures = []
        ways: list[tuple[str, Callable[[Source], Fetched]]] = [
            (places.first_place(source), _from_registry),
            (places.second_place(source), _from_repository),
        ]
        for place, way in ways:
            progress(f"fetching {source.name} {source.version} from {place}")
            try:
                return way(source)
            except ToolError as error:
                failures.append(f"{place}: {error}")
                progress(f"not to be had there: {str(error).splitlines()[-1]}")
    raise ToolError(
        f"{source.name} {source.version} can't be fetched from either place. "
        f"Check the network, or put {source.file} into {_file(source).parent}.\n" + "\n".join(failures)
    )


def _file(source: Source) -> Path:
    return cache_folder() / "sources" / source.file


def _repository(source: Source) -> Path:
    return cache_folder() / "git" / f"{source.name}.git"


def _from_registry(source: Source) -> Fetched:
    target = _file(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        if source.debian:
            places.from_debian(source.debian, source.file, folder, cache_folder() / "apt")
        else:
            assert source.pypi is not None
            places.from_pypi(source.pypi, source.file, folder)
        found = sha256_of(folder / source.file)
        if found != source.sha256:
            raise ToolError(
                f"{source.file} was refused: its sha256 is {found}, the lock file says {source.sha256}"
            )
        (folder / source.file).replace(target)
    return Fetched(source, target, None)


def _from_repository(source: Source) -> Fetched:
    bare = _repository(source)
    bare.parent.mkdir(parents=True, exist_ok=True)
    try:
        places.from_git(source.git, bare)
    except ToolError:
        shutil.rmtree(bare, ignore_errors=True)
        raise
    return Fetched(source, None, bare)
