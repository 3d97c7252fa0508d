"""Where downloads are kept between clones, and how they are checked."""

import hashlib
import os
from pathlib import Path


def cache_folder() -> Path:
    """The user's cache: `WG_CACHE`, else `wg-display` in `XDG_CACHE_HOME` or `~/.cache`."""
    named = os.environ.get("WG_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "wg-display"


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
