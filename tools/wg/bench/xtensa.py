"""Instructions on the ESP32-S3's instruction set, under QEMU, which counts them exactly; and the native stack."""

from wg import ROOT
from wg.bench import Chart, Table
from wg.bench.programs import core_module, kernels, on_xtensa
from wg.process import ToolError

#: What each kernel is asked for: a size that takes stock wasm3 some millions of instructions.
ARGUMENTS = {"fib": 24, "crc32": 20, "sieve": 20000, "mix": 10, "f32": 24, "f64": 12, "i64": 3000}

#: What people call them.
LABELS = {"fib": "fib(24)", "crc32": "CRC-32", "mix": "mix (CoreMark-like)", "f32": "f32 loop", "f64": "f64 loop",
          "i64": "i64 loop"}  # fmt: skip

#: Of the bundled widgets, the one that needs no network: its run is the same wherever it is.
WIDGET = ROOT / "build" / "widgets" / "time.wasm"

STOCK, OURS, FREE, S3 = "wasm3 0.5.0", "ours", "no quotas", "ours, S3"


def measure() -> list[Table]:
    """Kernels and a widget's run: wasm3 as released; ours with all quotas, without any, and as built for an S3."""
    programs = {
        STOCK: on_xtensa(stock=True),
        OURS: on_xtensa(),
        FREE: on_xtensa(flags=("-DWG_NO_QUOTAS=1", "-Dd_m3Interruptible=0"), name="no-quotas"),
        S3: on_xtensa(flags=("-Dd_m3UnalignedAccess=1",), name="s3"),
    }
    table = Table(
        "xtensa",
        "Xtensa: thousands of instructions (QEMU, core de233_fpu, windowed ABI)",
        ["", STOCK, OURS, "ratio", FREE, "quotas cost", S3, "ratio, S3", "stack, stock", "stack, ours"],
        notes=[
            "The second call of each function, counted exactly. Instructions, not cycles: nothing is known of caches "
            "and memory on the chip.",
            "Stack: the deepest native stack of that call, in bytes. S3: loads and stores as for a core that accesses "
            "unaligned words itself; its handlers ran on the other core, on aligned data.",
        ],
        chart=Chart((STOCK, OURS), "thousands of instructions", "log"),
    )
    jobs = [(LABELS.get(name, name), path, "run", ARGUMENTS[name]) for name, path in kernels().items()]
    if WIDGET.exists():
        jobs.append(("widget: Time", core_module(WIDGET), "run", 0))
    try:
        for label, path, function, argument in jobs:
            # a widget's accesses are not all aligned: what is built for an S3 can't run it here
            aligned = not label.startswith("widget")
            found = {
                name: program.count(path, function, argument)
                for name, program in programs.items()
                if aligned or name != S3
            }
            results = {counted.result for counted in found.values()}
            if len(results) != 1 and aligned:
                raise ToolError(f"{label}: the engines do not agree: {results}")
            warm = {name: counted.warm / 1000 for name, counted in found.items()}
            s3 = warm.get(S3)
            table.rows.append(
                [label, warm[STOCK], warm[OURS], warm[OURS] / warm[STOCK], warm[FREE], warm[OURS] / warm[FREE] - 1,
                 s3, s3 / warm[STOCK] if s3 else None, found[STOCK].stack, found[OURS].stack]
            )  # fmt: skip
    finally:
        for program in programs.values():
            program.close()
    return [table]
