"""The runtime's component and errors modules on CPython, without the package around them, which needs the engine."""

from __future__ import annotations

import importlib
import sys
import types
from typing import Any

from probes import ROOT


def _import_component() -> tuple[Any, Any]:
    package = types.ModuleType("wg_runtime_alone")
    package.__path__ = [str(ROOT / "firmware" / "wgdisplay" / "runtime")]
    sys.modules["wg_runtime_alone"] = package
    return (
        importlib.import_module("wg_runtime_alone.component"),
        importlib.import_module("wg_runtime_alone.errors"),
    )


component, errors = _import_component()
