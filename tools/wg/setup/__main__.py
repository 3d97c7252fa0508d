"""`python3 -m wg.setup system | venv FOLDER | node FOLDER [MANIFEST] | oracle MAJOR FOLDER PYTHON |
esptool FOLDER PYTHON`."""

import argparse
import sys
from pathlib import Path

from wg.process import ToolError
from wg.setup import node, python, system


def main() -> int:
    """Runs one step. Exit code 0, or 1 after one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="python3 -m wg.setup", description="Sets up a fresh machine.")
    steps = parser.add_subparsers(dest="step", required=True)
    steps.add_parser("system", help="install the system packages, or name what is missing")
    step = steps.add_parser("venv", help="make the virtual environment")
    step.add_argument("folder", type=Path)
    step = steps.add_parser("node", help="install the npm packages")
    step.add_argument("folder", type=Path)
    step.add_argument(
        "manifest", type=Path, nargs="?", default=node.MANIFEST, help="folder of package-lock.json"
    )
    step = steps.add_parser("oracle", help="install a release of the reference host")
    step.add_argument("major", choices=("42", "50"))
    step.add_argument("folder", type=Path)
    step.add_argument("python", type=Path)
    step = steps.add_parser("esptool", help="install esptool")
    step.add_argument("folder", type=Path)
    step.add_argument("python", type=Path)
    args = parser.parse_args()
    try:
        if args.step == "system":
            system.install_missing()
        elif args.step == "venv":
            python.make_venv(args.folder.absolute())
        elif args.step == "node":
            node.make_node(args.folder.absolute(), args.manifest)
        elif args.step == "esptool":
            python.make_esptool(args.folder.absolute(), args.python.absolute())
        else:
            python.make_oracle(args.major, args.folder.absolute(), args.python.absolute())
    except ToolError as error:
        print(f"wg: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
