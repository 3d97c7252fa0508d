"""Generated modules: all accepted, and run on the board with wasmtime's results, traps and host calls."""

import json
import os
import subprocess
import sys
from pathlib import Path

import generated
import pytest
import validator

#: How many; each takes a quarter of a second of one core the first time. WG_GENERATED=1000 is the long run.
COUNT = int(os.environ.get("WG_GENERATED", "250"))
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def paths() -> list[Path]:
    validator.build()
    return generated.modules(COUNT)


@pytest.mark.timeout(900)
def test_generated_modules_are_accepted(paths: list[Path]) -> None:
    verdicts = validator.validate([path.read_bytes() for path in paths])
    wrong = {
        path.name: verdict for path, verdict in zip(paths, verdicts, strict=True) if verdict.status != "ok"
    }
    assert wrong == {}


def answers(command: list[str], paths: list[Path], pythonpath: str = "") -> list[dict[str, object]]:
    """What a worker says of all modules."""
    done = subprocess.run(
        command,
        input="".join(f"{path}\n" for path in paths) + "\n",
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": pythonpath},
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if len(lines) != len(paths):
        raise AssertionError(
            f"{command[0]} ended ({done.returncode}) at {paths[len(lines)].name}\n{done.stderr[-2000:]}"
        )
    assert done.returncode == 0, done.stderr[-2000:]
    return lines


@pytest.mark.timeout(900)
@pytest.mark.parametrize("word_size", [64, 32])
def test_results_are_wasmtimes(paths: list[Path], word_size: int, request: pytest.FixtureRequest) -> None:
    program = request.getfixturevalue("wgdisplay" if word_size == 64 else "wgdisplay32")
    ours = answers([str(program), "--script", str(HERE / "board" / "generated_worker.py")], paths)
    folder = str(validator.BUILD / "oracle" / validator.ORACLES[0])
    theirs = answers([sys.executable, str(HERE / "generated_oracle.py")], paths, folder)
    wrong = {path.name: pair for path, *pair in zip(paths, ours, theirs, strict=True) if pair[0] != pair[1]}
    calls = sum(len(answer.get("answers", [])) for answer in ours)  # type: ignore[arg-type]
    traps = sum(isinstance(said, str) for answer in ours for _, said in answer.get("answers", []))  # type: ignore
    logged = sum(len(answer.get("log", [])) for answer in ours)  # type: ignore[arg-type]
    print(
        f"\n{len(paths)} generated modules, {word_size}-bit: {calls} calls, {traps} traps, {logged} host calls"
    )
    assert wrong == {}
    assert calls > 2 * len(paths) and 0 < traps < calls and logged > 0
