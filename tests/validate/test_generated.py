"""Generated modules: all accepted, and run on the board with wasmtime's results, traps and host calls."""

import fcntl
import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import generated
import pytest
import validator
from wasm_bytes import mutate

#: How many; each takes 20 ms of one core to make the first time, and 10 ms in wasmtime.
COUNT = int(os.environ.get("WG_GENERATED", "1000"))
HERE = Path(__file__).parent
#: Host calls that are compared; board/generated_worker.py keeps no more.
LOGGED = 500


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


def differ(ours: dict[str, object], theirs: dict[str, object]) -> bool:
    """True if two answers differ, other than by an endless loop or by the depth of the stack.

    wasmtime has one name for two traps of tables.
    """
    if "gave up" in theirs or any(
        limit in json.dumps(ours) for limit in ("QuotaError: deadline", "exhausted")
    ):
        return False
    ours = json.loads(json.dumps(ours).replace("out of bounds table access", "undefined element"))
    ours.pop("resets", None)
    theirs = {**theirs, "log": theirs["log"][:LOGGED]}
    return ours != theirs


@pytest.mark.timeout(300)
@pytest.mark.parametrize("word_size", [64, 32])
def test_mutated_modules_that_are_still_valid(
    word_size: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Stranger code than a generator makes: what the validator accepts of mutated modules, run in both."""
    source = random.Random(int(os.environ.get("WG_SEED", "2026")) + word_size)
    pool = [path.read_bytes() for path in generated.modules(60)]
    mutated = [
        mutate(source.choice(pool), source) for _ in range(int(os.environ.get("WG_MUTATIONS", "6000")) // 4)
    ]
    validator.build()
    paths = []
    for number, (data, verdict) in enumerate(zip(mutated, validator.validate(mutated), strict=True)):
        if verdict.status == "ok":
            paths.append(tmp_path / f"{number}.wasm")
            paths[-1].write_bytes(data)
    assert len(paths) > 50
    ours, theirs = run_both(paths, word_size, request)
    # A mutated module may show a NaN's bits, which are anybody's guess; there has been none yet.
    wrong = {path.name: pair for path, *pair in zip(paths, ours, theirs, strict=True) if differ(*pair)}
    print(f"\n{len(paths)} mutated modules, {word_size}-bit")
    assert wrong == {}


def run_both(
    paths: list[Path], word_size: int, request: pytest.FixtureRequest
) -> list[list[dict[str, object]]]:
    """The answers of the board, and of wasmtime."""
    program = request.getfixturevalue("wgdisplay" if word_size == 64 else "wgdisplay32")
    board = [str(program), "--script", str(HERE / "board" / "generated_worker.py")]
    oracle = [sys.executable, str(HERE / "generated_oracle.py")]
    folder = validator.BUILD / "oracle" / validator.ORACLES[0]
    sources = [HERE / "generated_oracle.py", *sorted(folder.glob("wasmtime-*/METADATA")), *paths]
    asked = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in sources))
    kept = generated.KEEP / f"answers-{asked.hexdigest()[:16]}.json"
    with (generated.KEEP / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other word size asks the same
        if not kept.exists():
            kept.write_text(json.dumps(answers(oracle, paths, str(folder))))
    return [answers(board, paths), json.loads(kept.read_text())]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("word_size", [64, 32])
def test_results_are_wasmtimes(paths: list[Path], word_size: int, request: pytest.FixtureRequest) -> None:
    ours, theirs = run_both(paths, word_size, request)
    wrong = {path.name: pair for path, *pair in zip(paths, ours, theirs, strict=True) if differ(*pair)}
    calls = sum(len(answer.get("answers", [])) for answer in ours)  # type: ignore[arg-type]
    traps = sum(isinstance(said, str) for answer in ours for _, said in answer.get("answers", []))  # type: ignore
    logged = sum(len(answer.get("log", [])) for answer in ours)  # type: ignore[arg-type]
    resets = sum(answer.get("resets", 0) for answer in ours)  # type: ignore[misc]
    print(
        f"\n{len(paths)} generated modules, {word_size}-bit: {calls} calls, {traps} traps, {logged} host calls,"
        f" {resets} resets"
    )
    assert wrong == {}
    assert calls > 2 * len(paths) and 0 < traps < calls and logged > 0
    assert resets > len(paths)
