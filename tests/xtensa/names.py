"""Adds the names (qstrs) that sources use to a list that MicroPython's build made without them.

    names.py GENHDR INTO SOURCE...

The board's build does not see the names in what only the ESP32's compiles; to compile that, not to run it, any number
for them will do.
"""

import re
import shutil
import sys
from pathlib import Path


def main() -> None:
    """Copies the list with the names added; untouched if nothing has changed."""
    genhdr, into, *sources = map(Path, sys.argv[1:])
    known = (genhdr / "qstrdefs.generated.h").read_text()
    have = set(re.findall(r"^QDEF[01]\(MP_QSTR_(\w+),", known, re.M))
    used = {name for source in sources for name in re.findall(r"\bMP_QSTR_(\w+)", source.read_text())}
    extra = "".join(f'QDEF1(MP_QSTR_{name}, 0, {len(name)}, "{name}")\n' for name in sorted(used - have))
    for file in genhdr.glob("*.h"):
        shutil.copy(file, into / file.name)
    (into / "qstrdefs.generated.h").write_text(known + extra)


if __name__ == "__main__":
    main()
