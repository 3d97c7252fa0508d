"""wasm3's sources with our patches applied, in a folder for each of its versions."""

import hashlib
import re
import shutil
import tempfile
from pathlib import Path

from wg import ROOT
from wg.process import ToolError, exclusive, progress, run

PATCHES = ROOT / "cmodules" / "wasm3_bridge" / "patches"
PATCHED = ROOT / "build" / "wasm3"

STAMP = ".wg-patched"

#: Where the sources can be: in a checkout, in the source distribution, in a folder that has them itself.
_PLACES = ("source", "wasm3", ".")


def sources_of(folder: Path) -> Path:
    """The folder with wasm3's C files in a checkout or an unpacked source distribution."""
    for place in _PLACES:
        if (folder / place / "m3_env.c").exists():
            return folder / place
    raise ToolError(f"{folder} has no wasm3 sources (m3_env.c): name a checkout of wasm3 with WASM3_DIR.")


def version_of(sources: Path) -> str:
    """The version that wasm3.h states, e.g. "0.5.0"."""
    try:
        text = (sources / "wasm3.h").read_text(errors="replace")
    except OSError as error:
        raise ToolError(f"{sources}/wasm3.h can't be read: {error}") from error
    found = re.search(r'#define\s+M3_VERSION\s+"([\w.+-]+)"', text)
    if not found:
        raise ToolError(f"{sources}/wasm3.h does not state its version (M3_VERSION).")
    return found.group(1)


def patch(wasm3: Path, patches: Path = PATCHES, into: Path = PATCHED) -> Path:
    """Copies the sources to `into`/<version>, applies `patches`/<version>/*.patch; returns the folder.

    Only files whose content differs are written, so a changed patch rebuilds what it touches. `into`/current
    becomes a link to the folder.
    """
    sources = sources_of(wasm3)
    version = version_of(sources)
    wanted = sorted((patches / version).glob("*.patch"))
    target = into / version
    stamp = _stamp(sources, wanted)
    into.mkdir(parents=True, exist_ok=True)
    with exclusive(into / ".lock"):
        if not (target / STAMP).exists() or (target / STAMP).read_text() != stamp:
            progress(f"wasm3 {version}: applying {len(wanted)} patches")
            with tempfile.TemporaryDirectory(dir=into, prefix=".patch-") as name:
                fresh = Path(name, "wasm3")
                _copy(sources, fresh)
                for file in wanted:
                    _apply(file, fresh, version)
                (target / STAMP).unlink(missing_ok=True)
                _synchronise(fresh, target)
            (target / STAMP).write_text(stamp)
        link = into / "current"
        if not link.is_symlink() or link.readlink() != Path(version):
            link.unlink(missing_ok=True)
            link.symlink_to(version)
    return target


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in (".c", ".h", ".S", ".inc"))


def _stamp(sources: Path, patches: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in [*_files(sources), *patches]:
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest() + "\n"


def _copy(sources: Path, to: Path) -> None:
    to.mkdir()
    for file in _files(sources):
        shutil.copy2(file, to / file.name)


def _apply(file: Path, folder: Path, version: str) -> None:
    """Applies one patch to a folder that git must take for no part of a repository.

    `git apply` inside an ignored folder of a repository does nothing and says nothing, so the search for a
    repository is stopped above the folder, and it is checked that every file of the patch was changed.
    """
    outside = {"GIT_CEILING_DIRECTORIES": str(folder.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    touched = re.findall(r"^\+\+\+ b/(\S+)", file.read_text(errors="replace"), re.MULTILINE)
    if not touched:
        raise ToolError(f"the patch {file} names no file (lines with `+++ b/...`).")
    before = {name: _content(folder / name) for name in touched}
    try:
        run(["git", "apply", "-p1", "--whitespace=nowarn", file], cwd=folder, env=outside, timeout=60)
    except ToolError as error:
        raise ToolError(f"the patch {file.name} does not apply to wasm3 {version}: {error}") from error
    same = [name for name in touched if _content(folder / name) == before[name]]
    if same:
        raise ToolError(f"the patch {file.name} changed nothing in {', '.join(same)} of wasm3 {version}.")


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _synchronise(fresh: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for file in _files(target):
        if not (fresh / file.name).exists():
            file.unlink()
    for file in _files(fresh):
        if _content(target / file.name) != file.read_bytes():
            shutil.copyfile(file, target / file.name)
