"""`python -m wg.installer IMAGES TOOLS OUT`: see the package."""

import sys
from pathlib import Path

from wg.installer import build
from wg.process import ToolError


def main() -> int:
    """Exit code 0, or 1 after one message on standard error."""
    images, tools, out = map(Path, sys.argv[1:])
    try:
        build(images, tools, out)
    except ToolError as error:
        print(f"wg: {error}", file=sys.stderr)
        return 1
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
