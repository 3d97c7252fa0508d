"""What a widget's file is: kind, imports, exports, sizes. It reads names only; the board validates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

CORE = b"\0asm\x01\0\0\0"
COMPONENT = b"\0asm\x0d\0\x01\0"
ELF = b"\x7fELF"

#: Exports of the world widget:widget/widget (widgets/wit/widget.wit).
WORLD_EXPORTS = ("get-name", "get-version", "get-config-schema", "get-run-update-cycle-seconds", "run")
WORLD_INTERFACES = ("types", "http", "random", "clocks", "logging")

_CORE_IMPORT, _CORE_MEMORY, _CORE_EXPORT = 2, 5, 7
#: The section of a component that is a core module.
MODULE = 1
_IMPORT, _EXPORT = 10, 11
_TYPE = 3


class NotAWidget(Exception):
    """The bytes can't be read as a widget. The message says why."""


@dataclass
class Report:
    """What was found in a file. Sizes in bytes, memory in pages of 64 KB."""

    kind: str
    size: int
    imports: list[str] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)
    core_sizes: list[int] = field(default_factory=list)
    memory_pages: tuple[int, int | None] | None = None
    problems: list[str] = field(default_factory=list)


class _Reader:
    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> memoryview:
        if count > len(self.data) - self.at:
            raise NotAWidget("It ends in the middle: the file is cut off or damaged.")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise NotAWidget("A number in it is longer than WebAssembly allows: the file is damaged.")

    def name(self) -> str:
        try:
            return str(self.take(self.number()), "utf-8")
        except UnicodeDecodeError as error:
            raise NotAWidget("A name in it is not UTF-8: the file is damaged.") from error

    def limits(self) -> tuple[int, int | None]:
        flags = self.byte()
        return self.number(), self.number() if flags & 1 else None


class Section(NamedTuple):
    """A section of a module or a component. Offsets: of its first byte, and of its body's begin and end."""

    kind: int
    head: int
    start: int
    end: int


def sections(data: bytes | memoryview) -> Iterator[Section]:
    """The sections of a module or a component. Raises NotAWidget if one is cut off."""
    reader = _Reader(memoryview(data))
    reader.take(8)
    while reader.at < len(data):
        head = reader.at
        kind = reader.byte()
        size = reader.number()
        start = reader.at
        reader.take(size)
        yield Section(kind, head, start, reader.at)


def _read_core(data: memoryview, report: Report, *, names: bool) -> None:
    for identifier, _, start, end in sections(data):
        body = data[start:end]
        reader = _Reader(body)
        if identifier == _CORE_IMPORT and names:
            for _ in range(reader.number()):
                module, name, kind = reader.name(), reader.name(), reader.byte()
                report.imports.append(f"{module} {name}")
                if kind == 0:
                    reader.number()
                elif kind == 1:
                    reader.byte()
                    reader.limits()
                elif kind == 2:
                    reader.limits()
                elif kind == 3:
                    reader.take(2)
                else:
                    raise NotAWidget(f"It has an import of unknown kind {kind}.")
        elif identifier == _CORE_MEMORY and report.memory_pages is None and reader.number() > 0:
            report.memory_pages = reader.limits()
        elif identifier == _CORE_EXPORT and names:
            for _ in range(reader.number()):
                report.exports.append(reader.name())
                reader.byte()
                reader.number()


def _extern_name(reader: _Reader) -> str:
    if reader.byte() > 1:
        raise NotAWidget("It has a name of a kind newer than this tool.")
    return reader.name()


def _read_component(data: memoryview, report: Report) -> None:
    for identifier, _, start, end in sections(data):
        body = data[start:end]
        reader = _Reader(body)
        if identifier == MODULE:
            report.core_sizes.append(len(body))
            _read_core(body, report, names=False)
        elif identifier == _IMPORT:
            for _ in range(reader.number()):
                name = _extern_name(reader)
                if _skip_extern_description(reader) != _TYPE:
                    report.imports.append(name)
        elif identifier == _EXPORT:
            for _ in range(reader.number()):
                report.exports.append(_extern_name(reader))
                sort = reader.byte()
                if sort == 0:
                    reader.byte()
                reader.number()
                if reader.byte() == 1:
                    _skip_extern_description(reader)


def _skip_extern_description(reader: _Reader) -> int:
    kind = reader.byte()
    if kind == 0:
        reader.byte()
        reader.number()
    elif kind in (1, 4, 5):
        reader.number()
    elif kind == _TYPE:
        if reader.byte() == 0:
            reader.number()
    else:
        raise NotAWidget(f"It imports or exports something of kind {kind}, which no widget does.")
    return kind


def inspect(data: bytes) -> Report:
    """Reads a widget's file. Raises NotAWidget; a file that can be read but not run has `problems`."""
    if data[:4] == ELF:
        raise NotAWidget("It is precompiled for one Wasmtime version: take the .wasm component instead.")
    if len(data) < 8 or data[:4] != CORE[:4]:
        raise NotAWidget("It is not WebAssembly.")
    view = memoryview(data)
    if data[:8] == COMPONENT:
        report = Report("component", len(data))
        _read_component(view, report)
        functions = report.exports
    elif data[:8] == CORE:
        report = Report("core module", len(data), core_sizes=[len(data)])
        _read_core(view, report, names=True)
        functions = [name.removeprefix("cm32p2||") for name in report.exports]
    else:
        raise NotAWidget("It is WebAssembly of an unknown version.")
    report.problems += [f"It does not export {name}." for name in WORLD_EXPORTS if name not in functions]
    for name in report.imports:
        interface = name.split(" ")[0].removeprefix("cm32p2|").split("@")[0]
        if interface.startswith("wasi:"):
            report.problems.append(f"It needs WASI ({name}), which the board does not have.")
        elif interface not in {f"widget:widget/{known}" for known in WORLD_INTERFACES}:
            report.problems.append(f"It imports {name}, which the board does not have.")
    return report
