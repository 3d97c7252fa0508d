"""`python3 -m wg.xtensa tools LINK`: the compiler and its libraries, at LINK (build/xtensa)."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from wg.process import ToolError
from wg.xtensa import toolchain


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Exit code 0, or 1 after one message on standard error."""
    parser = argparse.ArgumentParser(prog="python3 -m wg.xtensa", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    tools = commands.add_parser("tools", help="fetch, unpack and build, unless it is done")
    tools.add_argument("link", type=Path)
    args = parser.parse_args(arguments)
    try:
        toolchain.build(args.link.absolute())
    except ToolError as error:
        print(f"wg: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
