"""The bundled widgets on this PC: a cold run, from bytes to text, and a warm one; ours and wasmtime's in turns."""

import json
import os
import sys

from wg import ROOT
from wg.bench import Chart, Table
from wg.bench.workers import board, median, wasmtime
from wg.process import ToolError

ROUNDS = 21

WIDGETS = ROOT / "build" / "widgets"

#: A configuration of each, and the answer that its service would give.
CONFIGS = {
    "time": {"zone": "Europe/Zurich"},
    "aareguru": {"city": "bern"},
    "public_transport": {"from": "Bern", "to": "Zuerich HB"},
}


def answer(widget: str) -> bytes:
    """The body that a widget's service sends, for a fixed time."""
    sys.path.insert(0, os.fspath(ROOT / "tests" / "servers"))
    import services  # type: ignore[import-not-found]  # of the tests, not of this package

    now = 1764000000.0
    if widget == "aareguru":
        return json.dumps(services.current("bern", now)).encode()
    if widget == "public_transport":
        return json.dumps(services.connections("Bern", "Zuerich HB", 4, now)).encode()
    return b""


def measure() -> list[Table]:
    """Medians in milliseconds, and ratios of them."""
    tables = []
    columns = [
        "",
        "ours",
        "wasmtime 42",
        "wasmtime 50",
        "42, artefact",
        "50, artefact",
        "ours / 42",
        "ours / 42, artefact",
    ]
    cold = Table(
        "widgets-cold",
        "This PC: a cold run of each widget, from its bytes to its text, milliseconds (medians)",
        columns,
        notes=[
            f"{ROUNDS} rounds, in each of which every engine runs once. wasmtime compiles the component for Pulley "
            "first; artefact: from what it compiled before, as the original firmware does it.",
            "Ours is MicroPython and the engine, with all quotas, on the simulated board; wasmtime's host is CPython.",
        ],
        chart=Chart(columns[1:6], "milliseconds", "log"),
    )
    warm = Table(
        "widgets-warm",
        "This PC: a warm run of each widget, in a fresh instance, milliseconds (medians)",
        ["", "ours", "wasmtime 42", "wasmtime 50", "ours / 42", "ours / 50"],
        notes=["The widget is loaded and has run before."],
        chart=Chart(["ours", "wasmtime 42", "wasmtime 50"], "milliseconds"),
    )
    ours, old, new = board(), wasmtime(42), wasmtime(50)
    try:
        for path in sorted(WIDGETS.glob("*.wasm")):
            if path.stem not in CONFIGS:
                continue
            common = {
                "file": str(path),
                "config": json.dumps(CONFIGS[path.stem]),
                "answer": answer(path.stem).hex(),
            }
            taken: dict[str, list[float]] = {}
            texts = set()
            for _ in range(ROUNDS):
                for name, worker, what in (
                    ("ours", ours, "cold"),
                    ("42", old, "cold"),
                    ("50", new, "cold"),
                    ("42a", old, "artefact"),
                    ("50a", new, "artefact"),
                    ("ours warm", ours, "warm"),
                    ("42 warm", old, "warm"),
                    ("50 warm", new, "warm"),
                ):
                    told = worker.ask(what=what, **common)
                    texts.add(told["text"])
                    taken.setdefault(name, []).append(told["ns"] / 1e6)
            if len(texts) != 1:
                raise ToolError(f"{path.stem}: the engines do not agree: {texts}")
            ms = {name: median(values) for name, values in taken.items()}
            label = path.stem.replace("_", " ")
            times = [ms[name] for name in ("ours", "42", "50", "42a", "50a")]
            cold.rows.append([label, *times, ms["ours"] / ms["42"], ms["ours"] / ms["42a"]])
            times = [ms[name] for name in ("ours warm", "42 warm", "50 warm")]
            warm.rows.append([label, *times, times[0] / times[1], times[0] / times[2]])
        tables += [cold, warm]
    finally:
        for worker in (ours, old, new):
            worker.close()
    return tables
