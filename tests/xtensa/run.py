"""Runs MicroPython's tests and the engine's board tests on the Xtensa board under QEMU.

Usage: run.py FIRMWARE MICROPYTHON_TESTS ENGINE_MODULES. Ends in "N passed, M failed"; exit code 1 if any failed.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BOARD_TESTS = HERE.parent / "engine" / "board"

#: QEMU; the firmware's path follows. It must have no character device, or simcalls write to that.
QEMU = (
    "qemu-system-xtensa -M sim -cpu de233_fpu -m 128M -display none -serial none -monitor none "
    "-semihosting -icount shift=0 -kernel"
).split()

#: Seconds for one start of QEMU, and for all of MicroPython's tests.
LIMIT = 120
SUITE_LIMIT = 1200

SUITES = ("basics", "float")


#: Of the engine's tests: they say that the board has threads, use one in their second half without asking, or
#: measure the process that the board is on a PC.
SKIPPED = ("test_version", "test_start_function", "test_no_growth_over_1000_instances")

# In place of check.main: a line for each test, the engine's memory freed between them. A test that needs the
# instance's own thread is told by what is not there without threads.
MAIN = """
import sys
sys.path.insert(0, {folder!r})
sys.argv[:] = ["-", {modules!r}]
import check, gc
def main(names):
    for name in sorted(names):
        if name.startswith("test_"):
            gc.collect()
            try:
                if name in {skipped!r}:
                    print("skip", name)
                    continue
                names[name]()
                print("pass", name)
            except Exception as e:
                text = str(e)
                if type(e) is AttributeError and text in {threads!r}:
                    print("skip", name)
                else:
                    print("FAIL", name)
                    sys.print_exception(e)
    import host
    print("stack", host.stack_used())
check.main = main
"""

THREADS = tuple(
    f"'Instance' object has no attribute '{name}'" for name in ("start", "poll", "reply", "fail", "run_start")
)


def engine(firmware: Path, modules: Path) -> tuple[int, int, int]:
    """The engine's tests that run without threads: how many passed, failed, were skipped."""
    passed = failed = skipped = 0
    for script in ("values.py", "runs.py"):
        head = MAIN.format(folder=str(BOARD_TESTS), modules=str(modules), skipped=SKIPPED, threads=THREADS)
        code = head + (BOARD_TESTS / script).read_text()
        try:
            done = subprocess.run(
                [*QEMU, str(firmware)],
                input=b"\x01" + code.encode() + b"\x04",
                capture_output=True,
                timeout=LIMIT,
            )
        except subprocess.TimeoutExpired:
            failed += 1
            print(f"{script}: no end after {LIMIT} s", flush=True)
            continue
        output = done.stdout.decode(errors="replace").replace("\r\n", "\n").partition(">OK")[2]
        passed += len(re.findall(r"^pass ", output, re.M))
        failed += len(re.findall(r"^FAIL ", output, re.M))
        skipped += len(re.findall(r"^skip ", output, re.M))
        told, _, trouble = output.partition("\x04")
        for line in told.splitlines():
            if not line.startswith(("pass ", "skip ")):
                print(f"{script}: {line}")
        # Nothing may be missing: the script came to its end, without an exception of its own.
        error = trouble.partition("\x04")[0].strip()
        if "\nstack " not in told or error or done.returncode != 0:
            failed += 1
            print(f"{script}: did not come to its end, exit code {done.returncode}: {error}")
    return passed, failed, skipped


def suite(firmware: Path, tests: Path) -> tuple[int, int, int]:
    """MicroPython's own tests: how many passed, failed, were skipped."""
    with tempfile.TemporaryDirectory() as results:
        command = [sys.executable, "run-tests.py", "-t", f"exec:{' '.join(QEMU)} {firmware}"]
        folders = ["--result-dir", results, "-d", *SUITES]
        try:
            done = subprocess.run(
                [*command, *folders],
                cwd=tests,
                capture_output=True,
                text=True,
                timeout=SUITE_LIMIT,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            )
        except subprocess.TimeoutExpired:
            print(f"MicroPython's tests: no end after {SUITE_LIMIT} s", flush=True)
            return 0, 1, 0
    found = {what: int(n) for n, what in re.findall(r"^(\d+) tests (\w+)", done.stdout, re.M)}
    if not found.get("passed"):
        print(done.stdout[-2000:], done.stderr[-2000:])
        return 0, 1, 0
    for line in done.stdout.splitlines():
        if re.match(r"FAIL |\d+ tests failed", line):
            print(line)
    performed, passed = found["performed"], found["passed"]
    return passed, performed - passed, found.get("skipped", 0)


def main() -> int:
    """Runs all of it."""
    firmware, tests, modules = (Path(argument).absolute() for argument in sys.argv[1:])
    totals = [0, 0, 0]
    for name, counts in (("engine", engine(firmware, modules)), ("MicroPython", suite(firmware, tests))):
        print(f"{name}: {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped", flush=True)
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
    print(f"{totals[0]} passed, {totals[1]} failed")
    return 1 if totals[1] or not totals[0] else 0


if __name__ == "__main__":
    sys.exit(main())
