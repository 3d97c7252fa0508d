"""`wg thirdparty`, also `python3 -m wg.thirdparty`: the commands over the third-party sources."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from wg.process import ToolError
from wg.thirdparty import download, patch, places, tree
from wg.thirdparty.lock import LOCK_FILE, Source, read_lock


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wg thirdparty",
        description="Fetches, verifies, unpacks and patches the sources that tools/third_party.lock names.",
    )
    parser.add_argument("--lock", type=Path, default=LOCK_FILE, help="another lock file")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what is locked, where it comes from, and what is here")
    commands.add_parser("verify", help="check the cache and the unpacked trees against the lock file")
    command = commands.add_parser("fetch", help="bring sources into the user's cache")
    command.add_argument("names", nargs="*", metavar="NAME", help="all, if none is named")
    command = commands.add_parser("unpack", help="fetch, and unpack under build/third_party")
    command.add_argument("names", nargs="*", metavar="NAME", help="all, if none is named")
    command.add_argument("--into", type=Path, default=tree.THIRD_PARTY, metavar="FOLDER")
    command = commands.add_parser("patch", help="make build/wasm3/<version>: wasm3 with our patches")
    command.add_argument(
        "--wasm3", type=Path, default=tree.THIRD_PARTY / "wasm3", help="checkout or unpacked source"
    )
    command.add_argument("--patches", type=Path, default=patch.PATCHES, metavar="FOLDER")
    command.add_argument("--into", type=Path, default=patch.PATCHED, metavar="FOLDER")
    return parser


def _chosen(sources: dict[str, Source], names: Sequence[str]) -> list[Source]:
    unknown = [name for name in names if name not in sources]
    if unknown:
        raise ToolError(f"the lock file has no {', '.join(unknown)}: it has {', '.join(sources)}.")
    return [sources[name] for name in names or sources]


def _list(sources: dict[str, Source]) -> None:
    for source in sources.values():
        found = download.cached(source)
        print(f"{source.name} {source.version} ({source.licence})")
        print(f"  first place   {places.first_place(source)}, {source.file}")
        print(f"  second place  {places.second_place(source)}")
        print(f"  in the cache  {found.where() if found else 'no'}")
        print(f"  unpacked      {'yes' if tree.is_current(source, sources) else 'no'}")


def _verify(sources: dict[str, Source]) -> None:
    bad = []
    for source in sources.values():
        found = download.cached(source)
        unpacked = tree.is_current(source, sources)
        print(f"{source.name} {source.version}: {found.identity if found else 'not in the cache'}")
        if (tree.THIRD_PARTY / source.name).exists() and not unpacked:
            bad.append(source.name)
    if bad:
        raise ToolError(
            f"not what the lock file says: {', '.join(bad)}. Run `wg thirdparty unpack {' '.join(bad)}`."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Exit code 0, or 1 after one message on standard error."""
    args = _parser().parse_args(arguments)
    try:
        if args.command == "patch":
            print(patch.patch(args.wasm3, args.patches, args.into))
            return 0
        sources = read_lock(args.lock)
        if args.command == "list":
            _list(sources)
        elif args.command == "verify":
            _verify(sources)
        elif args.command == "fetch":
            for source in _chosen(sources, args.names):
                print(download.fetch(source).where())
        else:
            for source in _chosen(sources, args.names):
                print(tree.unpack(source, sources, args.into))
    except ToolError as error:
        print(f"wg: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
