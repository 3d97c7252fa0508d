"""Writes the fuzzer's first corpus: the modules of the specification's tests, valid and not, one file each.

python tests/validate/fuzz_corpus.py FOLDER
"""

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "spec"))

import wast

#: Longer modules slow the fuzzer down more than they show it.
LONGEST = 2048


def write(folder: Path) -> int:
    """Writes the corpus; returns how many files it has."""
    folder.mkdir(parents=True, exist_ok=True)
    modules = {
        command.module
        for script in wast.scripts()
        for command in script.commands
        if command.module is not None and len(command.module) <= LONGEST
    }
    for module in modules:
        (folder / hashlib.sha256(module).hexdigest()[:16]).write_bytes(module)
    return len(modules)


if __name__ == "__main__":
    print(f"wg: {write(Path(sys.argv[1]))} modules in {sys.argv[1]}")
