"""Kernels on this PC: ours with all quotas, wasm3 as released, and wasmtime's Pulley interpreter, run in turns."""

from wg.bench import Chart, Table
from wg.bench.programs import kernels, on_pc
from wg.bench.workers import median, wasmtime
from wg.bench.xtensa import LABELS
from wg.process import ToolError

#: What each is asked for: some milliseconds for the slowest.
ARGUMENTS = {"fib": 24, "crc32": 100, "sieve": 65536, "mix": 40, "f32": 80, "f64": 80, "i64": 50000}

#: Rounds, in each of which every engine runs once.
ROUNDS = 11

OURS, STOCK, PULLEY42, PULLEY50 = "ours", "wasm3 0.5.0", "wasmtime 42 Pulley", "wasmtime 50 Pulley"


def measure() -> list[Table]:
    """Medians in milliseconds, and ratios of them."""
    table = Table(
        "kernels",
        "This PC: kernels, milliseconds (medians)",
        ["", OURS, STOCK, PULLEY42, PULLEY50, "ours / wasm3", "ours / Pulley 42", "ours / Pulley 50"],
        notes=[f"{ROUNDS} rounds, in each of which every engine runs once. Ours with fuel and deadline on."],
        chart=Chart((OURS, STOCK, PULLEY42, PULLEY50), "milliseconds"),
    )
    programs = {OURS: on_pc(), STOCK: on_pc(stock=True)}
    workers = {PULLEY42: wasmtime(42), PULLEY50: wasmtime(50)}
    try:
        for name, path in kernels().items():
            argument = ARGUMENTS[name]
            taken: dict[str, list[float]] = {engine: [] for engine in (*programs, *workers)}
            results = set()
            for _ in range(ROUNDS):
                for engine, program in programs.items():
                    counted = program.count(path, "run", argument)
                    results.add(counted.result)
                    taken[engine].append(counted.warm / 1e6)
                for engine, worker in workers.items():
                    answer = worker.ask(what="kernel", file=str(path), argument=argument)
                    results.add(answer["result"])
                    taken[engine].append(answer["ns"] / 1e6)
            if len(results) != 1:
                raise ToolError(f"{name}: the engines do not agree: {results}")
            ms = {engine: median(values) for engine, values in taken.items()}
            ratios = [ms[OURS] / ms[other] for other in (STOCK, PULLEY42, PULLEY50)]
            table.rows.append([LABELS.get(name, name), *ms.values(), *ratios])
    finally:
        for program in programs.values():
            program.close()
        for worker in workers.values():
            worker.close()
    return [table]
