"""Coverage-guided fuzzing of one target: fuzz.py TARGET SECONDS. `make fuzz` runs all of them.

Atheris is libFuzzer over the bytecode of the runtime's modules. What it finds stays in build/fuzz/TARGET for the
next time; the input that breaks a promise is kept as build/fuzz/TARGET-crash-*, and test_fuzz_runtime.py runs it again.
Where Python or the machine has no atheris, inputs are mutated without a guide.
"""

from __future__ import annotations

import random
import sys
import time

import corpora
import runtime_alone
from targets import LIMIT_S, Targets


def _unguided(target: str, seconds: float) -> None:
    targets = Targets(runtime_alone.load())
    ends = time.monotonic() + seconds
    runs = 0
    while time.monotonic() < ends:
        for data in corpora.mutations(target, 1000, seed=time.time_ns()):
            runs += 1
            try:
                targets.run(target, data)
            except BaseException:
                crash = corpora.FOLDER / f"{target}-crash-{runs}"
                crash.write_bytes(data)
                print(f"wg: the input is {crash}", file=sys.stderr)
                raise
    print(f"stat::number_of_executed_units: {runs}", file=sys.stderr)


def main(target: str, seconds: str) -> None:
    corpus = corpora.write(target)
    try:
        import atheris
    except ImportError:
        return _unguided(target, float(seconds))
    with atheris.instrument_imports():
        runtime = runtime_alone.load()
    targets = Targets(runtime)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        # Half of the time inside a section, whose length is then right again.
        chance = random.Random(seed)
        try:
            parts = corpora.sections(data) if chance.random() < 0.5 else []
        except ValueError:
            parts = []
        if not parts:
            return bytes(atheris.Mutate(data, max_size))
        at = chance.randrange(len(parts))
        number, body = parts[at]
        if chance.random() < 0.1:
            parts[at : at + 1] = chance.choice(([], [parts[at]] * 2, [parts[at], chance.choice(parts)]))
        else:
            parts[at] = (number, bytes(atheris.Mutate(body, len(body) + 64)))
        return corpora.joined(parts)[:max_size]

    options = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-timeout={2 * LIMIT_S:.0f}",
        "-rss_limit_mb=2048",
        "-max_len=8192",
        "-verbosity=0",
        "-print_final_stats=1",
        f"-artifact_prefix={corpora.FOLDER}/{target}-",
        str(corpus),
    ]
    more = {"custom_mutator": mutate} if target == "component" else {}
    atheris.Setup(options, lambda data: targets.run(target, data), **more)
    atheris.Fuzz()
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
