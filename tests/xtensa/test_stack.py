"""How deep the native stack gets on Xtensa, and that the ESP32's stacks are larger, by a margin.

A run's stack is the engine's task's; Python's, with loading, the application's thread's. boards/xtensa_qemu/stack.c
measures them apart.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import large
import pytest
import test_differential
import workers
from results import measured, write

from wg import ROOT

ENGINE = ROOT / "tests" / "engine" / "board"
MODULES = ROOT / "build" / "engine" / "modules"

#: What must be left over, in bytes: for a widget that goes deeper than those here.
MARGIN = 4 * 1024
#: What an interrupt saves on the stack of the task that it interrupts: all registers, the FPU's too.
INTERRUPT = 512


def _of_the_esp32(name: str) -> int:
    """A limit of settings.h, as ESP-IDF's build has it."""
    text = (ROOT / "cmodules" / "wasm3_bridge" / "settings.h").read_text()
    found = re.search(rf"#if defined\(ESP_PLATFORM\)\n#define {name} \((\d+) \* 1024\)", text)
    assert found, f"{name} is not where it was"
    return int(found[1]) * 1024


def _of_the_application() -> int:
    text = (ROOT / "firmware" / "wgdisplay" / "app.py").read_text()
    found = re.search(r"^_STACK = const\((\d+) \* 1024\)", text, re.M)
    assert found, "the application's stack is not where it was"
    return int(found[1]) * 1024


def _deepest(cases: list[dict[str, object]], xtensa: Path, tmp_path: Path) -> list[int]:
    """(Python thread, loading, a run) over some runs of widgets, each of which must end well."""
    results = tmp_path / "results.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WG_XTENSA_RESULTS", str(results))
        worker = workers.board(xtensa, options=("--heap", str(8 << 20)))
        try:
            for case in cases:
                answer = worker.ask({"call": "run", "last": [1, 2], "threads": False, **case}, timeout=240)
                assert "ok" in answer, answer
        finally:
            worker.close()
    return list(json.loads(results.read_text())["stack"])


def _cases(name: str) -> list[dict[str, object]]:
    if name == "large":
        path = str(large.component())
        whats = [("digest", "abc"), ("test", "gcm"), ("test", "mpi"), ("test", "nist_kw"), ("test", "ccm")]
        return [{"board": path, "config": json.dumps({"do": does, "what": what})} for does, what in whats]
    services, now = test_differential._services(), 1_790_000_000
    configs = {
        "time": '{"zone": "America/New_York", "format": "%A %H:%M%n%Z"}',
        "aareguru": '{"city": "thun"}',
        "public_transport": '{"connections": [{"from_station": "Bern", "to_station": "Thun", "num_connections": 3}]}',
    }
    bodies = {
        "aareguru": services.current("bern", now),
        "public_transport": services.connections("Bern", "Thun", 5, now),
    }
    body = json.dumps(bodies.get(name, {})).encode()
    answers = {"http": [[200, len(body), body.hex()]] * 4, "now": [[now, 0]] * 4}
    path = str(ROOT / "build" / "widgets" / f"{name}.wasm")
    return [{"board": path, "config": configs[name], "answers": answers}]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["time", "aareguru", "public_transport", "large"])
def test_a_widget_fits_on_the_esp32s_stacks(name: str, xtensa: Path, tmp_path: Path) -> None:
    python, loading, run = _deepest(_cases(name), xtensa, tmp_path)
    write({"suite": f"widget {name}", "stack": [python, loading, run]})
    # the large one is told why it ends: a native frame for each instruction is too much for it (docs/hardware.md)
    assert name == "large" or run + MARGIN <= _of_the_esp32("WG_NATIVE_STACK")
    assert python + INTERRUPT + MARGIN <= _of_the_application()


RECURSION = """
import check, host, wasm3
from check import equal, instance, raises
deepest = 0
for name, args in (("recursion", ()), ("recursion_with_locals", (1, 2, 3, 4)), ("recursion_by_table", ())):
    i = instance("traps", host=lambda index, args: None, native_stack={limit}, stack=1024 * 1024)
    host.stack(True)
    raises(wasm3.TrapError, i.call, name, *args, kind="call stack exhausted")
    deepest = max(deepest, host.stack()[2])
    i.close()
print(deepest)
"""


def test_endless_recursion_ends_before_the_stack_does(xtensa: Path, tmp_path: Path) -> None:
    """What lies below the engine's limit is enough for the engine's own functions and an interrupt."""
    limit, reserve = _of_the_esp32("WG_NATIVE_STACK"), _of_the_esp32("WG_NATIVE_RESERVE")
    script = tmp_path / "recursion.py"
    script.write_text(RECURSION.format(limit=limit))
    with measured("endless recursion"):
        done = subprocess.run(
            [xtensa, "--script", script, MODULES],
            env={**os.environ, "MICROPYPATH": str(ENGINE)},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    below = int(done.stdout) - limit
    assert below + INTERRUPT + 1024 <= reserve, f"{below} bytes below the limit"
