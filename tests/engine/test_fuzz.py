"""The engine under libFuzzer, briefly; `make fuzz-engine SECONDS=n` is the long search."""

import os
import shutil
import subprocess

import pytest

from wg import ROOT

CLANG = any(map(shutil.which, ["clang", *(f"clang-{version}" for version in range(14, 20))]))


@pytest.mark.timeout(300)
@pytest.mark.skipif(not CLANG, reason="no clang with libFuzzer is installed (Debian: clang, libclang-rt-dev)")
def test_corpus_and_a_short_search() -> None:
    seconds = os.environ.get("WG_FUZZ_SECONDS", "20")
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS")}
    done = subprocess.run(
        ["make", "-s", f"SECONDS={seconds}", "fuzz-engine"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    runs = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
    assert runs and int(runs[0].split()[-1]) > 1000, done.stderr[-2000:]
