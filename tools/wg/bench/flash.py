"""Flash: what a widget takes as it is stored here, and as the original firmware stores it."""

from wg import ROOT
from wg.bench import Chart, Table
from wg.bench.workers import wasmtime

WIDGETS = ROOT / "build" / "widgets"

#: Pulley with this PC's words; the original's are for words of 32 bits, which wasmtime's Python API does not make.
TARGET = "pulley64"


def measure() -> list[Table]:
    """Bytes of each bundled widget."""
    table = Table(
        "flash",
        "Flash: bytes of each widget as it is stored",
        ["", "here (component)", "original (artefact of wasmtime 42)", "ratio"],
        notes=[
            "The component as its author gives it out, against what wasmtime 42 makes of it for Pulley, ahead of time."
        ],
        chart=Chart(["here (component)", "original (artefact of wasmtime 42)"], "bytes"),
    )
    worker = wasmtime(42)
    try:
        for path in sorted(WIDGETS.glob("*.wasm")):
            sizes = worker.ask(what="sizes", file=str(path), target=TARGET)
            here, there = sizes["component"], sizes["artefact"]
            table.rows.append([path.stem.replace("_", " "), here, there, here / there])
    finally:
        worker.close()
    return [table]
