"""From a widget's folder to a component: compile, optimise, embed the world, wrap.

A widget's folder holds `*.c` and `schema.json`. The steps' order matters: stripping or optimising after
`embed` would throw away the section that `embed` adds.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from wg import ROOT
from wg.process import Command, ToolError, run

SDK = ROOT / "widgets" / "sdk"
WIT = ROOT / "widgets" / "wit"
NODE_MODULES = ROOT / "build" / "node" / "node_modules"
JCO = NODE_MODULES / "@bytecodealliance" / "jco" / "src" / "jco.js"

#: node is the virtual environment's, activated or not.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

#: Bytes of the shadow stack, at the bottom of linear memory: an overflow traps instead of reaching the data.
STACK_BYTES = 16384
#: No step of a build takes longer, in seconds; the first one fills zig's cache.
STEP_TIMEOUT = 300.0

COMPILE_FLAGS = (
    "-target wasm32-freestanding -mcpu=mvp -std=c11 -Oz -flto -fno-inline-functions -ffreestanding "
    "-fno-builtin -nostdlib -fvisibility=hidden -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror "
    f"-Wl,--no-entry -Wl,--gc-sections -Wl,-z,stack-size={STACK_BYTES} -s"
).split()
OPTIMISE_FLAGS = "--mvp-features -Oz --converge --strip-debug --strip-producers".split()


def compact_schema(folder: Path) -> str:
    """The folder's schema.json without white space. Raises ToolError if it is not a JSON object."""
    path = folder / "schema.json"
    try:
        schema = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ToolError(
            f"{path} is missing: write the JSON schema of the widget's configuration there."
        ) from error
    except ValueError as error:
        raise ToolError(f"{path} is not JSON: {error}.") from error
    if not isinstance(schema, dict):
        raise ToolError(f"{path} is not a JSON object.")
    return json.dumps(schema, separators=(",", ":"), ensure_ascii=False)


def c_literal(text: str) -> str:
    """A C string literal of a text."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _require_tools() -> None:
    if not shutil.which("node", path=PATH) or not JCO.exists():
        raise ToolError("The component tools are not installed: run `make setup` in the repository first.")


def _run_node(command: Command) -> None:
    run(command, env={"PATH": PATH}, timeout=STEP_TIMEOUT)


def compile_core(folder: Path, output: Path, scratch: Path) -> None:
    """Compiles a widget's folder with the SDK to an optimised core module."""
    sources = sorted(folder.glob("*.c"))
    if not sources:
        raise ToolError(f"{folder} has no C source (*.c).")
    _require_tools()
    schema = scratch / "wg_schema.h"
    schema.write_text(f"#define WG_SCHEMA {c_literal(compact_schema(folder))}\n", "utf-8")
    raw = scratch / "raw.wasm"
    compiler: Command = [sys.executable, "-m", "ziglang", "cc"]
    files = [*sources, *sorted(SDK.glob("*.c"))]
    run(
        [*compiler, *COMPILE_FLAGS, "-I", SDK, "-include", schema, *files, "-o", raw],
        timeout=STEP_TIMEOUT,
    )
    _run_node([NODE_MODULES / ".bin" / "wasm-opt", raw, *OPTIMISE_FLAGS, "-o", output])


def wrap(core: Path, output: Path, scratch: Path) -> None:
    """Makes a component of a core module that exports the world's functions, in any language."""
    _require_tools()
    embedded = scratch / "embedded.wasm"
    component = scratch / "component.wasm"
    embed: Command = ["node", JCO, "embed", "--wit", WIT, "--world-name", "widget"]
    _run_node([*embed, core.resolve(), "-o", embedded])
    _run_node(["node", JCO, "new", embedded, "-o", component])
    output.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(component, output)


def build(folder: Path, output: Path, core_output: Path | None = None) -> int:
    """Builds the widget in `folder` and returns the component's size in bytes."""
    if not folder.is_dir():
        raise ToolError(f"{folder} is not a folder.")
    with tempfile.TemporaryDirectory(prefix="wg-widget-") as name:
        scratch = Path(name)
        core = scratch / "core.wasm"
        compile_core(folder.resolve(), core, scratch)
        wrap(core, output, scratch)
        if core_output is not None:
            core_output.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(core, core_output)
    return output.stat().st_size
