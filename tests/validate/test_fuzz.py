"""The validator under libFuzzer, briefly; `make fuzz-validate SECONDS=n` is the long search."""

import os
import shutil
import subprocess
import sys

import pytest
import validator

CLANG = any(map(shutil.which, ["clang", *(f"clang-{version}" for version in range(14, 20))]))
FUZZ = validator.BUILD / "validate" / "fuzz"


@pytest.mark.timeout(300)
@pytest.mark.skipif(not CLANG, reason="no clang with libFuzzer is installed (Debian: clang, libclang-rt-dev)")
def test_corpus_and_a_short_search() -> None:
    seconds = os.environ.get("WG_FUZZ_SECONDS", "20")
    command = [
        "make",
        "-s",
        "-f",
        "tests/validate/validate.mk",
        f"BUILD={validator.BUILD}",
        f"SECONDS={seconds}",
    ]
    command += [f"PY={sys.executable}", "fuzz-validate"]
    done = subprocess.run(command, cwd=validator.ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    runs = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
    assert runs and int(runs[0].split()[-1]) > 10000, done.stderr[-2000:]
