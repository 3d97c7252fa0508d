"""The folder that is put on a web server: firmware, checksums, and a page that installs it over USB.

The page is ESP Web Tools (npm, by the lock file beside this one) with files of ours around it. Nothing is loaded from
anywhere else; a content security policy in the page holds it to that.
"""

import hashlib
import json
import re
import shutil
from pathlib import Path

from wg import ROOT
from wg.process import ToolError
from wg.setup.node import make_node

HERE = Path(__file__).parent

#: What of ESP-IDF's build goes out: the whole flash from address 0, and the application alone for updates.
IMAGES = ("firmware.bin", "app.bin")

#: The first byte of an image that the chip's ROM, or its boot loader, takes for one.
_IMAGE_MAGIC = 0xE9


def version() -> str:
    """The firmware's version. Raises ToolError if it says none."""
    text = (ROOT / "firmware" / "wgdisplay" / "__init__.py").read_text()
    found = re.search(r'^VERSION = "([^"]+)"', text, re.M)
    if not found:
        raise ToolError("firmware/wgdisplay/__init__.py has no line VERSION")
    return found[1]


def build(images: Path, tools: Path, out: Path) -> None:
    """Makes the folder `out` of `images`/firmware.bin and app.bin; npm's packages go to `tools`. Raises ToolError."""
    for name in IMAGES:
        path = images / name
        if not path.exists():
            raise ToolError(f"{path} is not there: run `make firmware` first")
        with path.open("rb") as file:
            if file.read(1) != bytes([_IMAGE_MAGIC]):
                raise ToolError(f"{path} is no image for an ESP32: run `make firmware` again")
    make_node(tools, HERE)
    package = tools / "node_modules" / "esp-web-tools"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(package / "dist" / "web", out / "esp-web-tools")
    shutil.copy(package / "LICENSE", out / "esp-web-tools" / "LICENSE")
    for name in IMAGES:
        shutil.copy(images / name, out / name)
    shutil.copy(HERE / "page.css", out / "page.css")
    page = (HERE / "index.html").read_text().replace("@VERSION@", version())
    (out / "index.html").write_text(page)
    (out / "manifest.json").write_text(json.dumps(_manifest(), indent=2) + "\n")
    sums = "".join(f"{hashlib.sha256((out / name).read_bytes()).hexdigest()}  {name}\n" for name in IMAGES)
    (out / "SHA256SUMS").write_text(sums)


def _manifest() -> dict[str, object]:
    return {
        "name": "WG Display",
        "version": version(),
        "new_install_prompt_erase": True,
        "new_install_improv_wait_time": 0,  # the board sets up its WiFi by its own screen
        "builds": [{"chipFamily": "ESP32-S3", "parts": [{"path": "firmware.bin", "offset": 0}]}],
    }
