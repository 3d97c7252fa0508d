"""Memory of a run, with words of 32 bits as on the chip."""

import sys
from pathlib import Path

from wg import ROOT
from wg.bench import FOLDER, Chart, Table
from wg.bench.programs import LIMIT, ZIG, core_module, on_pc
from wg.process import run

WIDGETS = ROOT / "build" / "widgets"

#: A module as large as a Rust widget: so many functions, of which a run calls each third.
FUNCTIONS = 430

_FUNCTION = """
static int f{n}(int a, int b) {{
    unsigned sum = {n};
    for (int i = 0; i < a; i++) {{
        data[(sum ^ {n}u) & 1023] += b * {odd};
        if (data[i & 1023] > {limit}u) {{
            sum += data[(i * {odd}) & 1023] >> {shift};
        }} else {{
            sum = (sum << 3 ^ sum >> 5) + (unsigned)(b * i);
        }}
    }}
    switch (sum & 7) {{
    case 0: return (int)(sum / {odd}u);
    case 1: return a - b + {n};
    case 2: data[b & 1023] = sum; return b;
    case 5: return (int)(sum % {odd}u) + data[a & 1023];
    default: return (int)sum;
    }}
}}
"""


def large() -> Path:
    """Compiles that module."""
    text = "static unsigned data[1024];\n"
    for n in range(FUNCTIONS):
        text += _FUNCTION.format(n=n, odd=2 * n + 3, limit=1000 * n, shift=1 + n % 7)
    names = ", ".join(f"f{n}" for n in range(FUNCTIONS))
    text += f"static int (*const all[])(int, int) = {{{names}}};\n"
    text += '__attribute__((export_name("run"))) int run(int n) {\n    int sum = n;\n'
    text += f"    for (int i = 0; i < {FUNCTIONS}; i += 3) {{\n        sum = all[i](3, sum);\n    }}\n"
    text += "    return sum;\n}\n"
    source, module = FOLDER / "kernels" / "large.c", FOLDER / "kernels" / "large.wasm"
    source.parent.mkdir(parents=True, exist_ok=True)
    if not module.exists() or not source.exists() or source.read_text() != text:
        source.write_text(text)
        run([sys.executable, "-m", "ziglang", "cc", *ZIG, source, "-o", module], timeout=LIMIT)
    return module


def measure() -> list[Table]:
    """Bytes of engine memory: with a widget's run done, and at most."""
    table = Table(
        "memory",
        "Memory of a run, 32-bit words, bytes",
        [
            "",
            "module",
            "linear memory",
            "engine, after",
            "engine, peak",
            "peak and module",
        ],
        notes=[
            "Engine: all that it allocates for an instance beside linear memory: the code of the functions that were "
            "called, the wasm stack as far as it has grown. It keeps the module's bytes, too, once for all instances.",
            f"large: {FUNCTIONS} functions of C, as many as a Rust widget has, each third of them called.",
        ],
        chart=Chart(["module", "engine, peak"], "bytes"),
    )
    program = on_pc(word=32)
    jobs = [(path.stem.replace("_", " "), core_module(path)) for path in sorted(WIDGETS.glob("*.wasm"))]
    try:
        for label, path in [*jobs, ("large", large())]:
            size = path.stat().st_size
            counted = program.count(path, "run", 0)
            table.rows.append(
                [
                    label,
                    size,
                    counted.linear,
                    counted.heap,
                    counted.peak,
                    counted.peak + size,
                ]
            )
    finally:
        program.close()
    return [table]
