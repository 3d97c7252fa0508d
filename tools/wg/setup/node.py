"""The npm packages, by their lock file, kept in the cache."""

import hashlib
import shutil
from pathlib import Path

from wg import ROOT
from wg.cache import cache_folder
from wg.process import Command, ToolError, progress, run

MANIFEST = ROOT / "tools" / "node"


def make_node(folder: Path, manifest: Path = MANIFEST) -> None:
    """Installs the packages that `manifest` locks into `folder`/node_modules; runs none of their scripts."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(manifest / name, folder / name)
        digest.update((manifest / name).read_bytes())
    if (manifest / "absent").exists():
        shutil.copytree(manifest / "absent", folder / "absent", dirs_exist_ok=True)
    cache = cache_folder() / "npm"
    marker = cache / f".complete-{digest.hexdigest()[:16]}"
    install: Command = [
        "npm",
        "ci",
        "--omit=optional",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--cache",
        cache,
    ]
    if marker.exists():
        progress(f"installing npm packages into {folder} from the cache")
        try:
            run([*install, "--offline"], cwd=folder)
            return
        except ToolError:
            progress("the npm packages in the cache are not usable: fetching them again")
            marker.unlink()
    progress(f"installing npm packages into {folder}")
    run([*install, "--prefer-offline"], cwd=folder)
    marker.touch()
