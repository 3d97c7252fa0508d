"""MicroPython's esp32 port with our board, configured by CMake against a stand-in for ESP-IDF (tests/esp32s3/idf)."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from wg import ROOT

BOARD = ROOT / "boards" / "esp32s3"
MICROPYTHON = Path(os.environ.get("MICROPYTHON_DIR") or ROOT / "build" / "third_party" / "micropython")
PORT = MICROPYTHON / "ports" / "esp32"
_DEFAULTS = re.compile(r"^(CONFIG_[A-Z0-9_]+)=(.*)$")


def read_sdkconfig(path: Path) -> list[tuple[str, str]]:
    """The assignments of a fragment, in order. A line that is neither one nor a comment fails the test."""
    found = []
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            match = _DEFAULTS.match(line)
            assert match, f"{path.name}: {line!r} is no assignment"
            found.append((match[1], match[2]))
    return found


@dataclass
class Project:
    """The configured project: `commands` maps a source's path to its compile command. `objects` are the object files
    that are made of a source, for in a project with a fault there can be more than one."""

    folder: Path
    output: str
    commands: dict[Path, str]
    objects: dict[Path, list[str]]

    def command(self, *end: str) -> str:
        """The compile command of the one source whose path ends so."""
        found = [self.commands[path] for path in self.commands if path.parts[-len(end) :] == end]
        assert len(found) == 1, f"{'/'.join(end)} is compiled {len(found)} times"
        return found[0]

    @property
    def qstr_command(self) -> str:
        """The command that preprocesses the sources in which MicroPython looks for names."""
        # the same for the component and for the frozen code
        found = {
            line
            for path in self.folder.rglob("build.make")
            for line in path.read_text().splitlines()
            if "makeqstrdefs.py pp " in line
        }
        assert len(found) == 1
        return found.pop()

    @property
    def sdkconfig(self) -> dict[str, str]:
        return dict(read_sdkconfig(self.folder / "sdkconfig.combined"))


# The PC's compiler, which says of itself that it is Espressif's: what CMake asks decides over the handlers' options.
_COMPILER = """\
#!/bin/sh
[ "$1" = -dumpmachine ] && echo xtensa-esp-elf && exit
exec cc "$@"
"""


def configure(folder: Path, board: Path = BOARD) -> subprocess.CompletedProcess[str]:
    folder.mkdir(parents=True, exist_ok=True)
    compiler = folder / "xtensa-esp32s3-elf-gcc"
    compiler.write_text(_COMPILER)
    compiler.chmod(0o755)
    options = [f"-DMICROPY_BOARD_DIR={board}", "-DMICROPY_BOARD=WG_DISPLAY"]
    return subprocess.run(
        ["cmake", "-G", "Unix Makefiles", "-S", PORT, "-B", folder, *options],
        env={
            **os.environ,
            "IDF_PATH": str(Path(__file__).parent / "idf"),
            "MICROPY_MPYCROSS": "mpy-cross",
            "CC": str(compiler),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )


def read_project(folder: Path) -> Project:
    done = configure(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    commands: dict[Path, str] = {}
    objects: dict[Path, list[str]] = {}
    for entry in json.loads((folder / "compile_commands.json").read_text()):
        source = Path(os.path.normpath(entry["file"]))
        commands[source] = entry["command"]
        made = re.search(r" -o (\S+)", entry["command"])
        assert made, entry["command"]
        objects.setdefault(source, []).append(made[1])
    return Project(folder, done.stdout + done.stderr, commands, objects)
