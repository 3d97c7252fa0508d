"""The system packages that the build needs, and their installation on Debian and its relatives."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wg.process import ToolError, progress, run


@dataclass(frozen=True)
class Need:
    """Something that must be on the machine; `packages` are the Debian packages that bring it.

    What is `optional` is installed where that can be done, and otherwise only some tests are skipped.
    """

    what: str
    packages: tuple[str, ...]
    present: Callable[[], bool]
    optional: bool = False


def _command(*names: str) -> Callable[[], bool]:
    return lambda: all(shutil.which(name) for name in names)


def _links(*flags: str, compiler: str = "gcc") -> bool:
    """True if the C compiler can make a program with a C library and these flags."""
    if not shutil.which(compiler):
        return False
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "t.c")
        source.write_text(
            '#include <stdio.h>\n#include <pthread.h>\nint main(void) { return puts("") < 0; }\n'
        )
        command = [compiler, *flags, str(source), "-o", str(Path(folder, "t"))]
        done = subprocess.run(command, capture_output=True, timeout=60)
    return done.returncode == 0


def _has_libfuzzer() -> bool:
    names = ["clang", *(f"clang-{version}" for version in range(14, 23))]
    return any(_links("-fsanitize=fuzzer-no-link,address", compiler=name) for name in names)


def _has_venv() -> bool:
    probe = "import venv, ensurepip"
    return subprocess.run([sys.executable, "-c", probe], capture_output=True, timeout=60).returncode == 0


NEEDS = (
    Need("a C compiler and make", ("build-essential",), lambda: bool(shutil.which("make")) and _links()),
    Need(
        "the 32-bit C library (for the simulated board with 32-bit words)",
        ("gcc-multilib",),
        lambda: _links("-m32"),
    ),
    Need("git", ("git",), _command("git")),
    Need("clang with its sanitizers (for fuzzing)", ("clang", "libclang-rt-dev"), _has_libfuzzer, True),
    Need("openssl (for the tests of https)", ("openssl",), _command("openssl")),
    Need("Python's venv and pip", ("python3-venv",), _has_venv),
)


def missing(needs: tuple[Need, ...] = NEEDS) -> list[Need]:
    """What is not on this machine yet."""
    return [need for need in needs if not need.present()]


def describe(needs: list[Need]) -> str:
    """One line that names what is missing and how to get it."""
    what = "; ".join(need.what for need in needs)
    packages = " ".join(package for need in needs for package in need.packages)
    how = f"On Debian and its relatives, run as root: apt-get install {packages}"
    return f"missing on this machine: {what}. {how}"


def install_missing(needs: tuple[Need, ...] = NEEDS) -> None:
    """Installs what is missing by apt-get when run as root; else raises ToolError that names it."""
    absent = missing(needs)
    failures = []
    if os.geteuid() == 0 and shutil.which("apt-get"):
        # apart, so that a package that only some tests need keeps none of the others away
        for group in ([n for n in absent if not n.optional], [n for n in absent if n.optional]):
            if group:
                failures += _install([package for need in group for package in need.packages])
        absent = missing(tuple(absent))
    if not absent:
        return
    if not all(need.optional for need in absent):
        raise ToolError("\n".join([describe(absent), *failures]))
    progress(f"{describe(absent)}. Without it some tests are skipped")


def _install(packages: list[str]) -> list[str]:
    """Runs apt-get. Returns why it failed, if it did, or that it was run."""
    progress(f"installing system packages: {' '.join(packages)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        run(["apt-get", "update", "-q"], env=quiet)
        run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages], env=quiet)
    except ToolError as error:
        return [str(error)]
    return [f"This is so after the installation of {' '.join(packages)}."]
