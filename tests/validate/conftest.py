"""Makes the reader of the specification's scripts importable by name."""

import sys
from pathlib import Path

for folder in (Path(__file__).parent, Path(__file__).parents[1] / "spec"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
