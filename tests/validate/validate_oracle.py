"""Says of modules whether wasmtime finds them valid; run with a wasmtime on PYTHONPATH.

Standard input: for each module its size (4 bytes, little endian) and its bytes. Standard output: for each a
line of two signs: 1 where it is valid with our features and reference types (whose encoding of the table
index in call_indirect we take), 1 where it is valid without these. The second is - for a wasmtime that can't
be without reference types.
"""

import struct
import sys

import wasmtime

SWITCHED_OFF = (
    "wasm_threads",
    "wasm_tail_call",
    "wasm_simd",
    "wasm_relaxed_simd",
    "wasm_memory64",
    "wasm_multi_memory",
    "wasm_exceptions",
    "wasm_gc",
    "wasm_function_references",
    "wasm_stack_switching",
    "wasm_wide_arithmetic",
    "wasm_custom_page_sizes",
    "wasm_component_model",
    "shared_memory",
)


def engine(reference_types: bool) -> wasmtime.Engine:
    config = wasmtime.Config()
    for name in SWITCHED_OFF:
        if isinstance(getattr(wasmtime.Config, name, None), property):
            setattr(config, name, False)
    config.wasm_bulk_memory = True
    config.wasm_multi_value = True
    config.wasm_reference_types = reference_types
    return wasmtime.Engine(config)


def valid(within: wasmtime.Engine, module: bytes) -> bool:
    try:
        wasmtime.Module.validate(within, module)
    except wasmtime.WasmtimeError:
        return False
    return True


def main() -> None:
    wider = engine(True)
    # Newer ones take the process down when reference types are switched off: the component model needs them.
    strict = None if hasattr(wasmtime.Config, "wasm_component_model") else engine(False)
    while head := sys.stdin.buffer.read(4):
        module = sys.stdin.buffer.read(struct.unpack("<I", head)[0])
        print(f"{valid(wider, module):d}", "-" if strict is None else f"{valid(strict, module):d}", sep="")


if __name__ == "__main__":
    main()
