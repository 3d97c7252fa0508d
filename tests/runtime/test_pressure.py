"""Where memory is short, what waits for its next run makes room for what runs now."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import probes
import pytest

LIMIT = 96 << 20  # of the process's address space, of which a 32-bit board needs a third


@pytest.mark.parametrize("mode", ["threads", "inline"])
def test_idle_instances_make_room(wgdisplay32: Path, files: dict[str, Path], mode: str) -> None:
    """Thirty widgets of 3.75 MiB of memory each would need more than there is."""
    done = subprocess.run(
        [
            "prlimit",
            f"--as={LIMIT}",
            str(wgdisplay32),
            "--script",
            str(probes.HERE / "board_pressure.py"),
            str(files["wide.259"]),
            mode,
        ],
        env={**os.environ, "MICROPYPATH": str(probes.ROOT / "firmware")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["seen"] == ["probe"] * 60
    assert 8 << 20 < found["most"] < LIMIT
    assert found["buffers"] == [1 << 20] * 3
