"""What the sections run: the kernels as modules, wasm3 as released, and programs that run modules and count."""

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from wg import ROOT
from wg.bench import FOLDER
from wg.process import Command, ToolError, run
from wg.thirdparty.patch import PATCHED, sources_of
from wg.widget.report import MODULE, sections
from wg.xtensa.toolchain import ABI

KERNELS = ROOT / "tests" / "bench" / "kernels"
PROGRAM = ROOT / "tests" / "bench" / "c" / "run_kernels.c"
ENGINE = ROOT / "cmodules" / "wasm3_bridge"
BOARD = ROOT / "boards" / "xtensa_qemu"
XTENSA = ROOT / "build" / "xtensa"
STOCK = ROOT / "build" / "third_party" / "wasm3"

#: The kernels' compiler: plain WebAssembly 1.0, the C library absent. fib stays as it is written, two calls each.
ZIG = (
    "-target wasm32-freestanding -mcpu=mvp -O2 -fno-optimize-sibling-calls -ffreestanding -fno-builtin -nostdlib "
    "-fvisibility=hidden -Wall -Wextra -Werror -Wl,--no-entry -Wl,--gc-sections -Wl,-z,stack-size=4096 -s"
).split()

#: As cmodules/wasm3_bridge/flags.mk has them.
WASM3_FLAGS = (
    "-std=gnu11 -O3 -foptimize-sibling-calls -fomit-frame-pointer -fno-strict-aliasing -fwrapv -fno-math-errno "
    "-ffunction-sections -fdata-sections -w"
).split()
DEFINES = (
    "-Dd_m3MaxFunctionStackHeight=2000 -Dd_m3MaxConstantTableSize=120 "
    "-Dd_m3VerboseErrorMessages=0 -Dd_m3CodePageAlignSize=4096 -Dd_m3MaxNativeStack=0"
).split()
ALIGNED = ["-falign-functions=64"]
CALL0 = [
    "-mabi=call0",
    "-Wa,--abi-windowed",
    "-mno-longcalls",
    "-include",
    str(ENGINE / "xtensa" / "handlers.h"),
]

#: Calls and iterations between two looks at the quotas: as on the ESP32, and as on a PC.
SLICE = {"xtensa": 2000, "pc": 20000}

#: Seconds for one line of a program's work.
LIMIT = 300.0


def kernels() -> dict[str, Path]:
    """The kernels' modules by name, compiled if they aren't."""
    made = {}
    for source in sorted(KERNELS.glob("*.c")):
        module = FOLDER / "kernels" / f"{source.stem}.wasm"
        if not module.exists() or module.stat().st_mtime < max(
            source.stat().st_mtime, Path(__file__).stat().st_mtime
        ):
            module.parent.mkdir(parents=True, exist_ok=True)
            run([sys.executable, "-m", "ziglang", "cc", *ZIG, source, "-o", module], timeout=LIMIT)
        made[source.stem] = module
    return made


def core_module(component: Path) -> Path:
    """The largest core module of a component, as a file of its own."""
    data = component.read_bytes()
    found = max((data[s.start : s.end] for s in sections(data) if s.kind == MODULE), key=len)
    path = FOLDER / "kernels" / f"{component.stem}.core.wasm"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(found)
    return path


@dataclass(frozen=True)
class Counted:
    """One line of a program's output; see run_kernels.c."""

    result: int
    cold: int
    warm: int
    stack: int
    heap: int
    peak: int
    linear: int


class Program:
    """A program that runs modules, as a process that waits for the next."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def count(self, module: Path, function: str, argument: int, times: int = 2) -> Counted:
        """Makes an instance and calls the function so many times. Raises ToolError with what went wrong."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{module} {function} {argument} {times}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        while line == "\n":
            line = self._process.stdout.readline()
        try:
            return Counted(*(int(word) for word in line.split()))
        except (ValueError, TypeError) as error:
            self._process.kill()
            raise ToolError(f"{module.name} could not be run: {line.strip() or 'no answer'}") from error

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(LIMIT)


def _sources(stock: bool) -> list[Path]:
    folder = sources_of(STOCK) if stock else PATCHED / "current"
    return sorted(folder.glob("m3_*.c"))


def _build(
    folder: Path, compiler: list[str], stock: bool, flags: list[str], more: list[Path], link: list[str]
) -> Path:
    """Compiles wasm3 and the program, as released or with the engine; everything anew if anything is newer."""
    wasm3 = _sources(stock)
    engine = [] if stock else [ENGINE / f"{name}.c" for name in ("engine", "module", "heap", "validate")]
    program = folder / "program"
    looked_at = [*wasm3, *wasm3[0].parent.glob("*.h"), *ENGINE.glob("*.[ch]"), *(ENGINE / "xtensa").iterdir(), PROGRAM,
                 *more]  # fmt: skip
    said = folder / "flags"
    words = shlex.join([*compiler, *flags, *link])
    if program.exists() and said.exists() and said.read_text() == words:
        if program.stat().st_mtime > max(path.stat().st_mtime for path in looked_at):
            return program
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    include = [f"-isystem{wasm3[0].parent}", f"-I{ENGINE}"]
    for source in wasm3:
        handlers = (
            [] if stock or source.stem != "m3_exec" else CALL0 if "-mabi=windowed" in compiler else ALIGNED
        )
        _compile([*compiler, *WASM3_FLAGS, *DEFINES, *flags, *handlers, f"-I{source.parent}"], source, folder)
    own = [
        *compiler,
        "-std=gnu11",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-DWG_HAVE_VALIDATE=1",
        "-DWG_THREADS=0",
    ]
    for source in [*engine, PROGRAM, *more]:
        _compile([*own, *DEFINES, *flags, *(["-DWG_STOCK"] if stock else []), *include], source, folder)
    if "-mabi=windowed" in compiler and not stock:
        _compile(compiler, ENGINE / "xtensa" / "ways.S", folder)
    run([*compiler, "-o", program, *sorted(folder.glob("*.o")), *link], timeout=LIMIT)
    said.write_text(words)
    return program


def _compile(command: list[str], source: Path, folder: Path) -> None:
    words: Command = [*command, "-c", source, "-o", folder / f"{source.stem}.o"]
    run(words, timeout=LIMIT)


def on_xtensa(stock: bool = False, flags: tuple[str, ...] = (), name: str = "") -> Program:
    """A program for the Xtensa board under QEMU, for wasm3 as released or for the engine."""
    gcc = XTENSA / "root" / "usr" / "bin" / "xtensa-lx106-elf-gcc"
    if not gcc.exists():
        raise ToolError("there is no Xtensa compiler: run `make xtensa-tools` first")
    os.environ["XTENSA_GNU_CONFIG"] = str(XTENSA / "dynconfig.so")
    compiler = [str(gcc), *ABI, f"-isystem{XTENSA / 'libc/include'}", f"-isystem{XTENSA / 'include'}",
                "-D_POSIX_MONOTONIC_CLOCK=200112L", "-D_POSIX_TIMERS=1", "-D_Thread_local="]  # fmt: skip
    libraries = [str(XTENSA / part) for part in ("libc/lib/libc.a", "libc/lib/libm.a", "libgcc.a")]
    link = [
        "-nostdlib",
        f"-T{BOARD / 'link.ld'}",
        "-Wl,--gc-sections",
        "-Wl,--no-warn-rwx-segments",
        *libraries,
    ]
    own = [f"-DWG_SLICE={SLICE['xtensa']}", f"-I{BOARD}", *flags]
    folder = FOLDER / f"xtensa-{name or ('stock' if stock else 'ours')}"
    program = _build(folder, compiler, stock, own, [BOARD / "console.c", BOARD / "start.S"], link)
    qemu = shutil.which("qemu-system-xtensa")
    if not qemu:
        raise ToolError("there is no qemu-system-xtensa: run `make xtensa-tools` first")
    machine = (
        "-M sim -cpu de233_fpu -m 256M -display none -serial none -monitor none -semihosting -icount shift=0"
    )
    return Program([qemu, *machine.split(), "-kernel", str(program)])


def on_pc(stock: bool = False, word: int = 64) -> Program:
    """A program for this machine, with words of 64 or 32 bits."""
    compiler = ["gcc", *(["-m32", "-msse2", "-mfpmath=sse"] if word == 32 else [])]
    folder = FOLDER / f"pc{word}-{'stock' if stock else 'ours'}"
    flags = [f"-DWG_SLICE={SLICE['pc']}"]
    return Program([str(_build(folder, compiler, stock, flags, [], ["-lm"]))])
