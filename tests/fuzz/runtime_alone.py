"""The widget runtime's parser, ABI and host interfaces on CPython: the package without its engine and without threads.

What only a board has stands here as small doubles: the module `wasm3` (its errors), `micropython.const` and the ticks.
"""

from __future__ import annotations

import importlib
import sys
import time
import types
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_NAME = "wg_runtime_fuzzed"


class Ticks(types.ModuleType):
    """The functions of MicroPython's `time` that the runtime uses."""

    ticks_ms = staticmethod(lambda: int(time.monotonic() * 1000))
    ticks_add = staticmethod(lambda a, b: a + b)
    ticks_diff = staticmethod(lambda a, b: a - b)


def _engine() -> types.ModuleType:
    engine: Any = types.ModuleType("wasm3")
    engine.Error = type("Error", (Exception,), {})
    for name in ("Malformed", "Invalid", "Unsupported", "Link", "Trap", "Quota", "Host"):
        setattr(engine, name + "Error", type(name + "Error", (engine.Error,), {}))
    engine.THREADS = False
    return engine  # type: ignore[no-any-return]


def load() -> types.SimpleNamespace:
    """The modules of the runtime, by name. Those that are loaded already keep their instrumentation."""
    package = types.ModuleType(_NAME)
    package.__path__ = [str(ROOT / "firmware" / "wgdisplay" / "runtime")]
    micropython: Any = types.ModuleType("micropython")
    micropython.const = lambda value: value
    doubles = {"wasm3": _engine(), "micropython": micropython}
    before = {name: sys.modules.get(name) for name in doubles}
    sys.modules.setdefault(_NAME, package)
    sys.modules.update(doubles)
    names = ("utf8", "errors", "limits", "component", "abi", "hosts", "execution")
    try:
        modules = {name: importlib.import_module(f"{_NAME}.{name}") for name in names}
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    modules["execution"].time = Ticks("time")  # type: ignore[attr-defined]
    return types.SimpleNamespace(**modules)
