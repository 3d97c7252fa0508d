"""A widget's build for the preview: after the first one only what was edited is compiled, and the component is made by
exchanging the core module in the one from before. The code is not optimised for size: publish what `build` makes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wg.process import Command, ToolError, run
from wg.widget.build import (
    COMPILE_FLAGS,
    SDK,
    STEP_TIMEOUT,
    _require_tools,
    c_literal,
    compact_schema,
    wrap,
)
from wg.widget.report import inspect

_FLAGS = [
    flag for flag in COMPILE_FLAGS if flag not in ("-Oz", "-flto", "-Werror") and not flag.startswith("-Wl,")
]
_LINK = [flag for flag in COMPILE_FLAGS if flag.startswith("-Wl,")]
_CORE_MODULE = 1  # a section of a component


class Builder:
    """Builds the widget in `folder` again and again; what is kept between builds is in `scratch`."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder = folder.resolve()
        self._scratch = scratch
        self._compiled: dict[Path, tuple[float, Path]] = {}
        self._schema = ""
        self._core = b""
        self._component = b""

    def inputs(self) -> dict[Path, float]:
        """The files that the widget is made of with the times of their last change."""
        files = [path for pattern in ("*.c", "*.h", "schema.json") for path in self.folder.glob(pattern)]
        return {path: path.stat().st_mtime for path in files}

    def build(self) -> bytes:
        """The component. Raises ToolError with what the compiler said."""
        sources = sorted(self.folder.glob("*.c"))
        if not sources:
            raise ToolError(f"{self.folder} has no C source (*.c).")
        _require_tools()
        schema = f"#define WG_SCHEMA {c_literal(compact_schema(self.folder))}\n"
        if schema != self._schema:
            (self._scratch / "wg_schema.h").write_text(schema, "utf-8")
            self._schema = schema
            self._compiled.clear()
        newest_header = max((path.stat().st_mtime for path in self.folder.glob("*.h")), default=0.0)
        objects = [self._compile(source, newest_header) for source in [*sources, *sorted(SDK.glob("*.c"))]]
        output = self._scratch / "core.wasm"
        run([*_zig(), *_FLAGS, *_LINK, *objects, "-o", output], timeout=STEP_TIMEOUT)
        core = output.read_bytes()
        exchanged = self._exchanged(core)
        if exchanged is None:
            wrapped = self._scratch / "wrapped.wasm"
            wrap(output, wrapped, self._scratch)
            exchanged = wrapped.read_bytes()
        self._core, self._component = core, exchanged
        return exchanged

    def _compile(self, source: Path, newest_header: float) -> Path:
        stamp = max(source.stat().st_mtime, newest_header)
        known = self._compiled.get(source)
        if known is not None and known[0] == stamp:
            return known[1]
        output = self._scratch / f"{source.parent.name}-{source.stem}.o"
        include: Command = ["-I", SDK, "-include", self._scratch / "wg_schema.h"]
        run([*_zig(), *_FLAGS, "-O1", *include, "-c", source, "-o", output], timeout=STEP_TIMEOUT)
        self._compiled[source] = (stamp, output)
        return output

    def _exchanged(self, core: bytes) -> bytes | None:
        """The last component with another core module in it; None if their imports or exports differ."""
        at = self._component.find(self._core) if self._core else -1
        if at < 0:
            return None
        head = bytes([_CORE_MODULE]) + _leb(len(self._core))
        if self._component[at - len(head) : at] != head:
            return None
        old, new = inspect(self._core), inspect(core)
        if (old.imports, old.exports) != (new.imports, new.exports):
            return None
        before, after = self._component[: at - len(head)], self._component[at + len(self._core) :]
        return before + bytes([_CORE_MODULE]) + _leb(len(core)) + core + after


def _zig() -> Command:
    return [sys.executable, "-m", "ziglang", "cc"]


def _leb(number: int) -> bytes:
    out = bytearray()
    while True:
        byte = number & 0x7F
        number >>= 7
        if not number:
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)
