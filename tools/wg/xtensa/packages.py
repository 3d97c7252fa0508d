"""The Debian packages of xtensa.lock: fetched into the user's cache, checked at every use, unpacked."""

import shutil
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from wg.cache import cache_folder, sha256_of
from wg.process import ToolError, exclusive, progress, run
from wg.thirdparty.places import debian_mirror

LOCK_FILE = Path(__file__).with_name("xtensa.lock")

#: Seconds for one download.
_LIMIT = 900.0


@dataclass(frozen=True)
class Package:
    """One entry of the lock file; see the file's head for the fields."""

    name: str
    version: str
    licence: str
    use: str
    suite: str
    file: str
    sha256: str
    keep: tuple[str, ...] = ()


def read_lock(path: Path = LOCK_FILE) -> tuple[list[Package], list[str]]:
    """The packages, and the tools from PyPI in pip's notation. Raises ToolError if the file can't be used."""
    try:
        content = tomllib.loads(path.read_text())
        packages = [
            Package(**{**entry, "keep": tuple(entry.get("keep", ()))}) for entry in content["package"]
        ]
        wheels = [str(line) for line in content["wheels"]["requirements"]]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ToolError(f"the lock file {path} can't be used: {error}") from error
    return packages, wheels


def fetch(packages: list[Package]) -> dict[str, Path]:
    """The packages' files in the cache, by name; what is missing or damaged is fetched from Debian."""
    folder = cache_folder() / "xtensa"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / "lock"):
        absent = [p for p in packages if not _is_whole(folder / p.file, p.sha256)]
        if absent:
            progress(f"fetching {len(absent)} Debian packages: {' '.join(p.name for p in absent)}")
            _from_debian(absent, folder)
    return {p.name: folder / p.file for p in packages}


def _is_whole(file: Path, sha256: str) -> bool:
    return file.exists() and sha256_of(file) == sha256


def _from_debian(packages: list[Package], folder: Path) -> None:
    apt = cache_folder() / "xtensa" / "apt"
    for part in ("state/lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    mirror = debian_mirror()
    suites = sorted({p.suite for p in packages})
    lines = [f"{kind} {mirror} {suite} main\n" for suite in suites for kind in ("deb", "deb-src")]
    (apt / "sources.list").write_text("".join(lines))
    # Its own lists and an empty list of installed packages: the machine's apt stays as it is.
    (apt / "apt.conf").write_text(
        f'Dir::State "{apt}/state"; Dir::State::status "/dev/null"; Dir::Cache "{apt}/cache";\n'
        f'Dir::Etc::sourcelist "{apt}/sources.list"; Dir::Etc::sourceparts "-";\n'
        'APT::Architecture "amd64"; APT::Sandbox::User "root"; Acquire::Languages "none";\n'
        'Acquire::Retries "2"; Acquire::Check-Valid-Until "false";\n'
    )
    apt_get = ["apt-get", "-q", "-c", str(apt / "apt.conf")]
    run([*apt_get, "update"], timeout=_LIMIT)
    for package in packages:
        named = f"{package.name}={package.version}"
        source = ["source", "--download-only", "--tar-only", named]
        with tempfile.TemporaryDirectory(dir=folder) as name:
            try:
                run([*apt_get, *(["download", named] if package.file.endswith(".deb") else source)],
                    cwd=Path(name), timeout=_LIMIT)  # fmt: skip
            except ToolError as error:
                raise ToolError(
                    f"Debian's {package.suite} does not give {named}: put {package.file} into {folder}, "
                    f"or bring {LOCK_FILE.name} up to date.\n{error}"
                ) from error
            if not _is_whole(Path(name, package.file), package.sha256):
                raise ToolError(f"{package.file} was refused: its sha256 is not that of {LOCK_FILE.name}")
            shutil.move(Path(name, package.file), folder / package.file)


def unpack_archive(archive: Path, into: Path, keep: tuple[str, ...] = ()) -> None:
    """Unpacks a tar archive without its top folder; `keep` are tar's wildcards of what to take."""
    into.mkdir(parents=True, exist_ok=True)
    wanted = ["--wildcards", *keep] if keep else []
    run(
        ["tar", "-xf", archive, "-C", into, "--strip-components=1", "--no-same-owner", *wanted],
        timeout=_LIMIT,
    )
