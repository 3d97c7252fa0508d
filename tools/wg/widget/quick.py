"""A widget's build for the preview: after the first one only what was edited is compiled, and the component is made by
exchanging the core module in the one from before. The code is not optimised for size: publish what `build` makes.
"""

from __future__ import annotations

import importlib.util
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
from wg.widget.report import MODULE, inspect, sections

_FLAGS = [
    flag for flag in COMPILE_FLAGS if flag not in ("-Oz", "-flto", "-Werror") and not flag.startswith("-Wl,")
]
_LINK = [
    word for flag in COMPILE_FLAGS if flag.startswith("-Wl,") for word in flag.removeprefix("-Wl,").split(",")
] + ["-s"]


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
        run([_zig(), "wasm-ld", *_LINK, *objects, "-o", output], timeout=STEP_TIMEOUT)
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
        run([_zig(), "cc", *_FLAGS, "-O1", *include, "-c", source, "-o", output], timeout=STEP_TIMEOUT)
        self._compiled[source] = (stamp, output)
        return output

    def _exchanged(self, core: bytes) -> bytes | None:
        """The last component with another core module in it; None if their imports or exports differ."""
        if not self._core:
            return None
        old, new = inspect(self._core), inspect(core)
        if (old.imports, old.exports) != (new.imports, new.exports):
            return None
        for kind, head, start, end in sections(self._component):
            if kind == MODULE and self._component.startswith(self._core, start):
                # What the wrapper added behind it (its own name, as a custom section) stays.
                body = core + self._component[start + len(self._core) : end]
                before, after = self._component[:head], self._component[end:]
                return before + bytes([MODULE]) + _leb(len(body)) + body + after
        return None


def _zig() -> Path:
    """The program itself: starting it by Python's module costs as much as the linking."""
    found = importlib.util.find_spec("ziglang")
    if found is None or not found.submodule_search_locations:
        raise ToolError("The compiler is not installed: run `make setup` in the repository first.")
    return Path(found.submodule_search_locations[0]) / ("zig.exe" if sys.platform == "win32" else "zig")


def _leb(number: int) -> bytes:
    out = bytearray()
    while True:
        byte = number & 0x7F
        number >>= 7
        if not number:
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)
