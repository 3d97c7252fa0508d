"""The hostile widgets are made of tests/runtime's probe."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "runtime", HERE.parent / "app"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
