"""Where a source can be had. Every function raises ToolError with one sentence if it can't be had there."""

import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from wg import ROOT
from wg.process import Command, ToolError, run
from wg.thirdparty import index
from wg.thirdparty.lock import Debian, Git, Source

#: Seconds for a question to apt or git that needs no large download.
_QUICK = 300.0


def debian_mirror() -> str:
    """The address of the Debian mirror that this machine's own apt is set to."""
    codename = _os_release().get("VERSION_CODENAME", "")
    if _os_release().get("ID") != "debian" or not shutil.which("apt-get"):
        raise ToolError("this machine is not a Debian system")
    known = {codename, "stable", "testing", "unstable", "sid"} - {""}
    # apt's own reading of its sources lists; it needs neither root nor downloaded package lists.
    printed = run(["apt-get", "update", "--print-uris"], timeout=_QUICK)
    for uri, suite in re.findall(r"^'(\S+)/dists/([^/]+)/InRelease'", printed, re.MULTILINE):
        if suite in known:
            return str(uri)
    raise ToolError("this machine's apt has no Debian mirror in its sources list")


def _os_release() -> dict[str, str]:
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key: value.strip().strip('"') for key, _, value in pairs}


def from_debian(package: Debian, file: str, folder: Path, apt: Path) -> None:
    """Downloads the upstream archive of a Debian source package into `folder`.

    It uses an apt configuration of its own, with its own lists and cache below `apt`: the machine's package
    lists stay as they are.
    """
    mirror = debian_mirror()
    for part in ("state/lists/partial", "cache/archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "sources.list").write_text("".join(f"deb-src {mirror} {suite} main\n" for suite in package.suites))
    (apt / "apt.conf").write_text(
        f'Dir::State "{apt}/state"; Dir::Cache "{apt}/cache"; Dir::Etc::sourcelist "{apt}/sources.list";\n'
        'Dir::Etc::sourceparts "-"; Acquire::Languages "none"; Acquire::Retries "2";\n'
        'APT::Sandbox::User "root";\n'
        # A mirror that stands still is good enough: the lock file's checksum decides what is taken.
        'Acquire::Check-Valid-Until "false";\n'
    )
    apt_get: Command = ["apt-get", "-q", "-c", apt / "apt.conf"]
    run([*apt_get, "update"], timeout=_QUICK)
    run(
        [*apt_get, "source", "--download-only", "--tar-only", f"{package.package}={package.version}"],
        cwd=folder,
    )
    if not (folder / file).exists():
        raise ToolError(f"Debian's {package.package} {package.version} has no file {file}")


def from_pypi(requirement: str, file: str, folder: Path) -> None:
    """Downloads a source distribution from the index that pip is set to."""
    venv = ROOT / ".venv" / "bin" / "python"
    index.download(
        venv if venv.exists() else Path(sys.executable), requirement.partition("==")[0], file, folder
    )


def from_git(git: Git, bare: Path) -> None:
    """Brings the commit into the bare repository `bare`, which is made if it is not there.

    The one commit is asked for first; servers that do not give a commit by its name are asked for the tag.
    """
    if has_commit(git, bare):
        return
    # What is there is damaged or of another version; git can't fetch over damaged objects.
    shutil.rmtree(bare, ignore_errors=True)
    run(["git", "init", "--quiet", "--bare", bare], timeout=_QUICK)
    fetch: Command = [
        "git",
        "--git-dir",
        bare,
        "-c",
        "gc.auto=0",
        "fetch",
        "--quiet",
        "--depth=1",
        git.repository,
    ]
    try:
        run([*fetch, git.commit], env={"GIT_TERMINAL_PROMPT": "0"})
    except ToolError:
        run([*fetch, f"refs/tags/{git.tag}"], env={"GIT_TERMINAL_PROMPT": "0"})
    if not has_commit(git, bare):
        raise ToolError(f"{git.repository} no longer has the commit {git.commit} under the tag {git.tag}")
    # A reference keeps the commit from being collected as garbage.
    run(["git", "--git-dir", bare, "update-ref", f"refs/locked/{git.commit}", git.commit], timeout=_QUICK)


def has_commit(git: Git, bare: Path) -> bool:
    """True if the bare repository has the commit with everything below it, undamaged."""
    if not (bare / "HEAD").exists():
        return False
    try:
        run(["git", "--git-dir", bare, "fsck", "--strict", "--no-dangling", git.commit], timeout=_QUICK)
    except ToolError:
        return False
    return True


def archive(git: Git, bare: Path, to: Path, keep: Iterable[str]) -> None:
    """Writes the files of the commit as an uncompressed tar archive with one top folder."""
    there = [_upstream(path, git) for path in keep]
    command: Command = [
        "git",
        "--git-dir",
        bare,
        "archive",
        "--format=tar",
        "--prefix=source/",
        "-o",
        to,
        git.commit,
    ]
    run([*command, *there], timeout=_QUICK)


def _upstream(path: str, git: Git) -> str:
    for there, here in git.rename:
        if path == here or path.startswith(here + "/"):
            return there + path[len(here) :]
    return path


def first_place(source: Source) -> str:
    """The first place in words."""
    if source.debian:
        return f"Debian source package {source.debian.package} {source.debian.version}"
    return f"PyPI source distribution {source.pypi}"


def second_place(source: Source) -> str:
    """The second place in words."""
    return f"{source.git.repository} at {source.git.tag} ({source.git.commit[:12]})"
