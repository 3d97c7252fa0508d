"""How deep the native stack gets on Xtensa, and that the ESP32's stacks are larger, by a margin.

A run's stack is the engine's task's; Python's, with loading, the application's thread's. boards/xtensa_qemu/stack.c
measures them apart.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import large
import pytest
import test_differential
import workers
from results import measured, write

from wg import ROOT

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
                for threads in (True, False):
                    asked = {"call": "run", "last": [1, 2], "threads": threads, **case}
                    answer = worker.ask(asked, timeout=240)
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
    assert run + MARGIN <= _of_the_esp32("WG_NATIVE_STACK")
    assert python + INTERRUPT + MARGIN <= _of_the_application()


NESTED = """
import sys
import host, wasm3


def number(n):
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def section(kind, body):
    return bytes([kind]) + number(len(body)) + body


# A br_table over `levels` nested blocks: what a compiler makes of a switch.
def module(levels):
    code = b"\\0" + b"\\x02\\x40" * levels + b"\\x20\\0\\x0e" + number(levels - 1)
    code += b"".join([number(i) for i in range(levels)]) + b"\\x0b" * levels + b"\\x41\\x01\\x0b"
    types, functions, exports = b"\\1\\x60\\1\\x7f\\1\\x7f", b"\\1\\0", b"\\1\\1f\\0\\0"
    body = section(10, b"\\1" + number(len(code)) + code)
    return b"\\0asm\\1\\0\\0\\0" + section(1, types) + section(3, functions) + section(7, exports) + body


instance = wasm3.Module(module(int(sys.argv[1]))).instantiate((), native_stack=int(sys.argv[2]))
host.stack(True)
try:
    print(instance.call("f", 0), end=" ")
except wasm3.TrapError as e:
    print(e.args[1].replace(" ", "-"), end=" ")
print(host.stack()[2])
"""


def _nested(levels: int, xtensa: Path, tmp_path: Path) -> tuple[str, int]:
    """What a function of so many nested blocks gives with the ESP32's limit, and the stack that its run took."""
    script = tmp_path / "nested.py"
    script.write_text(NESTED)
    with measured(f"{levels} nested blocks"):
        done = subprocess.run(
            [xtensa, "--script", script, str(levels), str(_of_the_esp32("WG_NATIVE_STACK"))],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    result, bytes_ = done.stdout.split()
    return result, int(bytes_)


def test_a_switch_of_200_arms_can_be_compiled(xtensa: Path, tmp_path: Path) -> None:
    result, deepest = _nested(200, xtensa, tmp_path)
    assert result == "1" and deepest + MARGIN <= _of_the_esp32("WG_NATIVE_STACK")


def test_what_nests_too_deep_ends_before_the_stack_does(xtensa: Path, tmp_path: Path) -> None:
    """What lies below the engine's limit is enough for the engine's own functions and an interrupt."""
    result, deepest = _nested(400, xtensa, tmp_path)
    assert result == "call-stack-exhausted"
    below = deepest - _of_the_esp32("WG_NATIVE_STACK")
    assert below + INTERRUPT + 1024 <= _of_the_esp32("WG_NATIVE_RESERVE"), f"{below} bytes below the limit"
