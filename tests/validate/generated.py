"""Valid modules made by binaryen's fuzzer (`wasm-opt -ttf`) from numbers, within our features."""

import random
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import validator

WASM_OPT = validator.BUILD / "node" / "node_modules" / "binaryen" / "bin" / "wasm-opt"
KEEP = validator.BUILD / "validate" / "generated"
FEATURES = ("sign-ext", "nontrapping-float-to-int", "multivalue", "bulk-memory", "mutable-globals")


def modules(count: int) -> list[Path]:
    """The files of the first `count` modules; they are kept in build/ for the next time.

    No NaN's bits can be seen in their results, since the specification leaves these open (--denan); loops and
    recursion end by themselves.
    """
    KEEP.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(_module, range(count)))


def _module(number: int) -> Path:
    path = KEEP / f"{number}.wasm"
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=KEEP) as folder:
            source, made = Path(folder, "random"), Path(folder, "made.wasm")
            source.write_bytes(random.Random(number).randbytes(500 + 700 * (number % 9)))
            # wasm-opt is a large wasm module itself: these flags halve its start.
            command = [
                "node",
                "--liftoff-only",
                "--wasm-lazy-compilation",
                str(WASM_OPT),
                str(source),
                "-ttf",
            ]
            command += ["--mvp-features", *(f"--enable-{feature}" for feature in FEATURES), "--denan"]
            subprocess.run([*command, "-o", str(made)], check=True, timeout=60, capture_output=True)
            made.replace(path)
    return path
