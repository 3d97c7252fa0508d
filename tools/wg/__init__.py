"""The tools of WG Display: third-party sources, set-up, boards over serial, the simulated board, widgets.

`wg.thirdparty` and `wg.setup` need nothing but Python's standard library (3.11 or later), because they
run before the virtual environment exists.
"""

from pathlib import Path

#: The repository that this package stands in.
ROOT = Path(__file__).resolve().parents[2]
