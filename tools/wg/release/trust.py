"""The frozen module `wgkeys`: the public keys whose releases a firmware installs.

    python -m wg.release.trust OUT [KEYS]

`KEYS` is what the make variable RELEASE_KEYS says: a PEM file of public keys, a folder of `.pub` files, or `none`;
`own`: those of `wg keys`, if there are any. Left out, it is a key that is made for this build folder, OUT/dev.key,
whose releases no other build installs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from wg.process import exclusive
from wg.release import keys

DEV = "dev"


def trusted(out: Path, named: str) -> list[keys.PublicKey]:
    """The keys that a build trusts. Raises KeysError."""
    if named == "own":
        named = str(keys.folder()) if list(keys.folder().glob("*.pub")) else "none"
    if named == "none":
        return []
    if named:
        found = keys.load_public(Path(named))
    else:
        if not (out / f"{DEV}.key").exists():
            keys.new(DEV, out)
        found = [keys.load(out / f"{DEV}.key").public]
    if len(found) > keys.MAX_KEYS:
        raise keys.KeysError(f"a firmware trusts at most {keys.MAX_KEYS} keys, {named} has {len(found)}")
    return found


def write(out: Path, named: str) -> None:
    """Writes OUT/wgkeys/__init__.py, unless it is there already. Raises KeysError."""
    out.mkdir(parents=True, exist_ok=True)
    with exclusive(out / "lock"):  # two builds at a time make one key
        _write(out, named)


def _write(out: Path, named: str) -> None:
    lines = [
        "# The keys whose releases this firmware installs (SubjectPublicKeyInfo, DER). Made by wg.release.trust.",
        "KEYS = (",
        *(f"    {key.der!r},  # {key.id} {key.name}" for key in trusted(out, named)),
        ")",
    ]
    path = out / "wgkeys" / "__init__.py"
    text = "\n".join(lines) + "\n"
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    try:
        write(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
    except keys.KeysError as error:
        sys.exit(f"wg: {error}")
