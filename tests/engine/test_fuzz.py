"""The engine with modules as they come: the specification's, and, under libFuzzer, any bytes.

`make fuzz-engine SECONDS=n` is the long search.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from wg import ROOT

CLANG = any(map(shutil.which, ["clang", *(f"clang-{version}" for version in range(14, 20))]))


ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")}


@pytest.mark.timeout(300)
def test_runs_that_are_reset_and_suspended(tmp_path: Path) -> None:
    """All modules of the specification's tests, sanitized: after a reset, and suspended between its operations, a
    run ends as in a new instance and in one go: results, errors, every byte of memory, fuel."""
    spec = importlib.util.spec_from_file_location(
        "fuzz_corpus", ROOT / "tests" / "validate" / "fuzz_corpus.py"
    )
    assert spec and spec.loader
    fuzz_corpus = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz_corpus)
    count = fuzz_corpus.write(tmp_path)
    subprocess.run(
        ["make", "-s", "engine-run"], cwd=ROOT, env=ENVIRONMENT, capture_output=True, check=True, timeout=280
    )
    program = ROOT / "build" / "engine" / "run_modules"
    done = subprocess.run([program, *sorted(tmp_path.iterdir())], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-4000:]
    numbers = [int(number) for number in re.findall(r"\d+", done.stdout)]
    files, loaded, linked, _compiled, calls, returned, compared, pauses = numbers
    assert files == count > 2000 and loaded > 600 and linked > 450 and calls > 1500 and returned > 1400
    assert compared > 550 and pauses > 4_000


@pytest.mark.timeout(300)
@pytest.mark.skipif(not CLANG, reason="no clang with libFuzzer is installed (Debian: clang, libclang-rt-dev)")
def test_corpus_and_a_short_search() -> None:
    seconds = os.environ.get("WG_FUZZ_SECONDS", "20")
    done = subprocess.run(
        ["make", "-s", f"SECONDS={seconds}", "fuzz-engine"],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    runs = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
    assert runs and int(runs[0].split()[-1]) > 1000, done.stderr[-2000:]
