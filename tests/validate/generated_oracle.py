"""Runs every exported function of generated modules in wasmtime: a path on each line in, a JSON line out for each.

board/generated_worker.py does the same on a board. Run with a wasmtime on PYTHONPATH.
"""

import json
import struct
import sys
from pathlib import Path
from typing import Any

import wasmtime

PAGES = 64
FUEL = 20_000_000  # an endless loop is left out of the comparison
LOGGED = 500  # host calls that are compared
ARGUMENTS = {"i32": 7, "i64": 11, "f32": 3.0, "f64": 5.0}
#: wasmtime's traps by the specification's names, which are the engine's.
TRAPS = {
    "MEMORY_OUT_OF_BOUNDS": "memory access out of bounds",
    "TABLE_OUT_OF_BOUNDS": "undefined element",  # of an element segment too
    "INDIRECT_CALL_TO_NULL": "uninitialized element",
    "BAD_SIGNATURE": "indirect call type mismatch",
    "INTEGER_OVERFLOW": "integer overflow",
    "INTEGER_DIVISION_BY_ZERO": "integer divide by zero",
    "BAD_CONVERSION_TO_INTEGER": "invalid conversion to integer",
    "UNREACHABLE": "unreachable",
    "STACK_OVERFLOW": "call stack exhausted",
}


def shown(kind: str, value: Any) -> int | str:
    if kind[0] == "i":
        return int(value) % (1 << int(kind[1:]))
    if value != value:
        return "nan"
    floating, whole = ("<f", "<I") if kind == "f32" else ("<d", "<Q")
    bits: int = struct.unpack(whole, struct.pack(floating, value))[0]
    return bits


class Run:
    def __init__(self, engine: wasmtime.Engine, data: bytes) -> None:
        self.engine = engine
        self.module = wasmtime.Module(engine, data)
        self.log: list[list[Any]] = []
        self.store: wasmtime.Store

    def host(self, name: str, kind: wasmtime.FuncType) -> wasmtime.Func:
        params = [str(param) for param in kind.params]

        def call(*values: Any) -> Any:
            self.log.append(
                [name, *(shown(param, value) for param, value in zip(params, values, strict=True))]
            )
            return 0 if kind.results else None

        return wasmtime.Func(self.store, kind, call)

    def instance(self) -> wasmtime.Instance:
        self.store = wasmtime.Store(self.engine)
        self.store.set_fuel(FUEL)
        self.store.set_limits(memory_size=PAGES * 65536)
        imports = []
        for wanted in self.module.imports:
            assert isinstance(wanted.type, wasmtime.FuncType) and wanted.name
            imports.append(self.host(wanted.name, wanted.type))
        return wasmtime.Instance(self.store, self.module, imports)

    def all(self) -> dict[str, Any]:
        answers: list[list[Any]] = []
        if not all(isinstance(wanted.type, wasmtime.FuncType) for wanted in self.module.imports):
            return {"gave up": True}  # the engine imports functions only
        instance = None
        for export in self.module.exports:
            kind = export.type
            if not isinstance(kind, wasmtime.FuncType):
                continue
            try:
                instance = instance or self.instance()
                function = instance.exports(self.store)[export.name]
                assert isinstance(function, wasmtime.Func)
                value = function(self.store, *(ARGUMENTS[str(param)] for param in kind.params))
                values = [] if value is None else value if isinstance(value, list) else [value]
                results = [
                    shown(str(result), item) for result, item in zip(kind.results, values, strict=True)
                ]
                answers.append([export.name, results])
            except wasmtime.Trap as trap:
                if trap.message.rstrip().endswith("all fuel consumed by WebAssembly"):
                    return {"gave up": True}
                answers.append(
                    [export.name, "TrapError: " + TRAPS.get(trap.trap_code.name, trap.trap_code.name)]
                )
                instance = None
            except wasmtime.WasmtimeError:  # beyond the limit of memory
                return {"gave up": True}
        return {"answers": answers, "log": self.log}


def main() -> None:
    config = wasmtime.Config()
    config.consume_fuel = True
    engine = wasmtime.Engine(config)
    while line := sys.stdin.readline().strip():
        print(json.dumps(Run(engine, Path(line).read_bytes()).all()))


if __name__ == "__main__":
    main()
