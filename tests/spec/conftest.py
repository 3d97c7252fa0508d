"""Makes what stands beside the specification's tests, and the validator's driver, importable by name."""

import sys
from pathlib import Path

for folder in (Path(__file__).parent, Path(__file__).parents[1] / "validate"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
