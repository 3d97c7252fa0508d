"""Valid modules made by binaryen's fuzzer (`wasm-opt -ttf`) from numbers, within our features."""

import fcntl
import json
import random
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import validator

HERE = Path(__file__).parent
WASM_OPT = validator.BUILD / "node" / "node_modules" / "binaryen" / "bin" / "wasm-opt"
KEEP = validator.BUILD / "validate" / "generated"
FEATURES = ("sign-ext", "nontrapping-float-to-int", "multivalue", "bulk-memory", "mutable-globals")


def modules(count: int) -> list[Path]:
    """The files of the first `count` modules; they are kept in build/ for the next time.

    No NaN's bits can be seen in their results, since the specification leaves these open (--denan); loops and
    recursion end by themselves.
    """
    KEEP.mkdir(parents=True, exist_ok=True)
    paths = [KEEP / f"{number}.wasm" for number in range(count)]
    with (KEEP / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of tests that run at the same time, one makes them
        missing = [number for number, path in enumerate(paths) if not path.exists()]
        if missing:
            with tempfile.TemporaryDirectory(dir=KEEP) as folder, ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda some: _make(some, Path(folder)), (missing[::2], missing[1::2])))
    return paths


def _make(numbers: list[int], folder: Path) -> None:
    jobs = []
    for number in numbers:
        source = folder / f"{number}.random"
        source.write_bytes(random.Random(number).randbytes(500 + 700 * (number % 9)))
        features = [f"--enable-{feature}" for feature in FEATURES]
        made = str(folder / f"{number}.wasm")
        jobs.append([str(source), "-ttf", "--mvp-features", *features, "--denan", "-o", made])
    done = subprocess.run(
        ["node", "--liftoff-only", str(HERE / "generate.mjs"), str(WASM_OPT)],
        input="".join(json.dumps(job) + "\n" for job in jobs),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.stdout.split() != ["0"] * len(jobs):
        raise RuntimeError(f"wasm-opt: {done.stdout[-200:]}{done.stderr[-2000:]}")
    for number in numbers:
        (folder / f"{number}.wasm").replace(KEEP / f"{number}.wasm")
