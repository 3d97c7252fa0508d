"""Updates on a running board: the boot loader really starts what is in the slots, and goes back to what worked."""

from __future__ import annotations

import contextlib
import json
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from firmwares import TRIAL, Releases, patched
from servers import ShakyServer

from wg.release.serve import ReleaseServer
from wg.release.simulated import firmware_version
from wg.sim.board import BoardError, SimBoard

OLD = firmware_version()
NEW = "9.8.7"
OTADATA = 0xF000
#: Seconds for an update with its restart and the proof of the new firmware, on a busy machine.
PATIENCE = 60.0
SHORT = patched(TRIAL, ("TRIAL_MS = const(180_000)", "TRIAL_MS = const(4_000)"))
QUICK = patched("wgtrial.py", ("HANG_MS = const(30_000)", "HANG_MS = const(3_000)"))


@pytest.fixture
def releases(tmp_path: Path, wgdisplay: Path) -> Releases:
    return Releases(tmp_path / "release", wgdisplay)


@pytest.fixture
def server(releases: Releases, tmp_path: Path) -> Iterator[str]:
    releases.folder.mkdir()
    with ReleaseServer(releases.folder) as server:
        yield f"http://127.0.0.1:{server.port}/"


@pytest.fixture
def board(sim_board: SimBoard) -> SimBoard:
    sim_board.exec("import wg; wg.wifi('sim', 'simulated'); wg.background('#102030')")
    return sim_board


def value(board: SimBoard, expression: str) -> Any:
    return json.loads(board.exec(f"import wg, json\nprint(json.dumps({expression}))").splitlines()[-1])


def state(board: SimBoard) -> dict[str, Any]:
    code = "import wg, json\ns = wg.ota_state()\nprint(json.dumps({k: s[k] for k in s}))"
    # The board may restart at any moment: then there is no answer.
    found: dict[str, Any] = json.loads(board.exec(code, timeout=5).splitlines()[-1])
    return found


def refusal(board: SimBoard, statement: str) -> str:
    return board.exec(f"import wg\ntry:\n {statement}\nexcept wg.Error as e:\n print(e)").splitlines()[-1]


def records(board: SimBoard) -> list[tuple[int, int] | None]:
    """otadata as it lies on the flash: (slot, state) of each valid record."""
    with board.flash.open("rb") as file:
        file.seek(OTADATA)
        raw = file.read(0x2000)
    found: list[tuple[int, int] | None] = []
    for at in (0, 0x1000):
        sequence, ota_state, crc = struct.unpack_from("<I20xII", raw, at)
        own = crc32(struct.pack("<I", sequence), 0xFFFFFFFF)
        found.append(((sequence - 1) % 2, ota_state) if sequence != 0xFFFFFFFF and crc == own else None)
    return found


def wait_for(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def started(board: SimBoard) -> None:
    """Waits for the prompt, so that nothing that boots is interrupted."""
    with contextlib.suppress(BoardError):  # on a slow machine it may be there already
        board.wait_for_prompt(10)


def settled(board: SimBoard, version: str) -> dict[str, Any]:
    """The state, once the update to `version` has an outcome."""
    end = time.monotonic() + PATIENCE
    seen: object = None
    while True:
        try:
            seen = found = state(board)
            if not found["on_trial"] and found["last"] and found["last"]["version"] == version:
                return found
        except (BoardError, IndexError, ValueError) as error:
            assert board.alive, board.errors()
            seen = error
        assert time.monotonic() < end, f"{version} has no outcome: {seen} {board.errors()}"
        time.sleep(0.3)


def test_updates_into_one_slot_and_the_other(board: SimBoard, releases: Releases, server: str) -> None:
    assert state(board)["slot"] == "ota_0" and state(board)["state"] == "valid"
    releases.make(NEW, {TRIAL: patched(TRIAL)}, notes="Better.")  # with the product's own trial
    found = value(board, f"dict((k, v) for k, v in wg.ota({server!r}, check=True).items())")
    assert (found["action"], found["version"], found["notes"]) == ("available", NEW, "Better.")
    assert value(board, "wg.status()['version']") == OLD, "looking changes nothing"
    said = board.exec(f"import wg; print(wg.ota({server!r}))")
    assert "100 % of" in said and f"{NEW} is installed; the board restarts." in said and "Better." in said
    found = settled(board, NEW)
    assert (found["version"], found["slot"], found["state"]) == (NEW, "ota_1", "valid")
    assert found["last"] == {"version": NEW, "from": OLD, "outcome": "installed", "why": ""}
    assert records(board) == [(0, 2), (1, 2)]
    assert value(board, "wg.status()['background']") == "#102030"
    assert value(board, "wg.status()['problems']") == []
    # From there into the first slot, and it stays after the power was off.
    releases.make("9.9.0")
    board.exec(f"import wg; wg.ota({server!r})")
    assert settled(board, "9.9.0")["slot"] == "ota_0"
    board.kill()
    board.start()
    found = state(board)
    assert (found["version"], found["slot"], found["state"]) == ("9.9.0", "ota_0", "valid")
    # What is older is refused, unless it is asked for.
    releases.make(NEW)
    assert f"{NEW} is older than 9.9.0" in refusal(board, f"wg.ota({server!r})")
    board.exec(f"import wg; wg.set('ota', {server!r}); wg.ota(downgrade=True)")
    assert settled(board, NEW)["version"] == NEW
    assert value(board, "dict((k, v) for k, v in wg.ota().items())")["action"] == "current"


BROKEN = {
    # Which files are others, and what the old firmware says about it.
    "crash at import": (
        {"wg.py": "import nothing_like_this\n"},
        "ImportError: no module named 'nothing_like_this'",
    ),
    "crash in the application": (
        {"wgdisplay/scheduler.py": "raise ValueError('no scheduler')\n"},
        "ValueError: no scheduler",
    ),
    "hang": (
        {"wg.py": "while True:\n    pass\n", "wgtrial.py": QUICK},
        "it hung, and the watchdog restarted the board",
    ),
    "hang of the application": (
        {
            "wgtrial.py": QUICK,
            "wgdisplay/scheduler.py": patched(
                "wgdisplay/scheduler.py",
                (
                    "    async def loop(self):",
                    "    async def loop(self):\n        while True:\n            pass\n",
                ),
            ),
        },
        "it hung, and the watchdog restarted the board",
    ),
    "reset loop": (
        {"main.py": "import machine\nmachine.reset()\n"},
        "it crashed or restarted before it had proved itself",
    ),
    "soft reset loop": ({"wg.py": "raise SystemExit\n"}, "it was started 5 times without proving itself"),
    "native crash": (
        {"main.py": "import uctypes\nuctypes.bytes_at(8, 1)\n"},
        "it crashed or restarted before it had proved itself",
    ),
    "no display": (
        {
            "wgdisplay/display/screen.py": "class Screen:\n    @staticmethod\n    def from_board():\n"
            "        raise OSError('no panel')\n",
            TRIAL: SHORT,
        },
        "after 4 s the display failed: no panel",
    ),
    "no network": (
        {
            "wgdisplay/net/wifi.py": patched(
                "wgdisplay/net/wifi.py",
                ("    def step(self):", "    def step(self):\n        return\n\n    def _(self):"),
            ),
            TRIAL: SHORT,
        },
        "after 4 s the network was not reached",
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_broken_firmware_is_rolled_back_by_itself(
    board: SimBoard, releases: Releases, server: str, how: str, tmp_path: Path
) -> None:
    changed, why = BROKEN[how]
    releases.make(NEW, changed)
    board.exec(f"import wg; wg.ota({server!r})")
    wait_for(lambda: records(board) == [(0, 2), (1, 4)], f"the update is not rolled back: {records(board)}")
    started(board)
    found = settled(board, NEW)
    assert (found["version"], found["slot"], found["state"]) == (OLD, "ota_0", "valid")
    assert found["last"] == {"version": NEW, "from": OLD, "outcome": "rolled back", "why": why}
    [problem] = value(board, "wg.status()['problems']")
    assert problem.startswith(f"update undone: Version {NEW} did not work: {why}")
    assert f"Update   {NEW} rolled back" in board.exec("import wg; print(wg.ota_state())")
    assert value(board, "wg.status()['background']") == "#102030"
    shown = board.exec("import wg; from wgdisplay import console; print(console._app.view._notice)")
    assert "'Update undone'" in shown
    board.screenshot(tmp_path / "screen.png")
    # It can be told to try again, or something better.
    releases.make("9.9.9")
    board.exec(f"import wg; wg.ota({server!r})")
    assert settled(board, "9.9.9")["version"] == "9.9.9"


def test_the_screen_shows_progress_and_ctrl_c_ends_it(
    board: SimBoard, releases: Releases, server: str
) -> None:
    releases.make(NEW)
    files = {
        "/" + path.relative_to(releases.folder).as_posix(): path.read_bytes()
        for path in (releases.folder / "sim").iterdir()
    }
    size = max(map(len, files.values()))
    with ShakyServer(files, cut=size // 2, after="stall") as slow:
        code = f"""
import wg
from wgdisplay import console
def half(done, total):
    if done * 2 >= total - 4096:
        print(console._app.view._notice)
        raise KeyboardInterrupt
try: wg.ota({slow.url + "/"!r}, progress=half)
except KeyboardInterrupt: print("ended")
"""
        shown = board.exec(code)
        assert (
            "'Update'" in shown and f"Version {NEW} is being downloaded" in shown and ", 50, None)" in shown
        )
        assert shown.endswith("ended\n")
    wait_for(lambda: value(board, "wg._console._app.view._notice is None"), "the notice stays")
    assert records(board) == [(0, 2), None]
    # Nothing is left over: the next one is taken.
    board.exec(f"import wg; wg.ota({server!r})")
    assert settled(board, NEW)["version"] == NEW


def test_a_power_cut_in_the_middle(board: SimBoard, releases: Releases, server: str) -> None:
    releases.make(NEW)
    with pytest.raises(BoardError):
        board.exec(f"import wg, _faults; _faults.cut_power_after(700); wg.ota({server!r})")
    assert board.process is not None and board.process.wait(10) == 86
    board.kill()
    board.start()
    found = state(board)
    assert (found["version"], found["slot"], found["last"]) == (OLD, "ota_0", None)
    assert value(board, "wg.status()['background']") == "#102030"
    board.exec(f"import wg; wg.ota({server!r})")
    assert settled(board, NEW)["version"] == NEW


def test_from_the_pc(board: SimBoard, releases: Releases, server: str) -> None:
    """`wg ota --port` looks, installs, waits for the outcome and says it, by its exit code too."""

    def wg(*arguments: str) -> tuple[int, dict[str, Any]]:
        command = [sys.executable, "-m", "wg.cli", "ota", server, "--port", board.link, "--json", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else {"said": done.stderr}

    code, found = wg()
    assert code == 1 and "there is no release at" in found["said"]
    releases.make(NEW, {"wg.py": "import nothing_like_this\n"}, notes="Z\u00fcri")
    code, found = wg("--check")
    assert (code, found["action"], found["version"], found["notes"]) == (0, "available", NEW, "Z\u00fcri")
    code, found = wg()
    assert (code, found["action"]) == (1, "installed")
    assert found["outcome"]["why"] == "ImportError: no module named 'nothing_like_this'"
    releases.make("9.9.9")
    code, found = wg()
    assert (code, found["outcome"]["outcome"]) == (0, "installed")
    assert wg()[1]["action"] == "current"


def test_a_broken_image_in_the_slot_is_passed_over(board: SimBoard, releases: Releases, server: str) -> None:
    """Rot in the slot that runs: the boot loader starts the other one."""
    releases.make(NEW)
    board.exec(f"import wg; wg.ota({server!r})")
    settled(board, NEW)
    board.kill()
    with board.flash.open("r+b") as file:
        file.seek(0x420000 + 100_000)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 4]))
    board.start()
    assert state(board)["version"] == OLD and state(board)["slot"] == "ota_0"
    # It is put right by an update, and if that is broken, there still is the old one.
    releases.make(NEW, {"wg.py": "import nothing\n"})
    board.exec(f"import wg; wg.ota({server!r})")
    wait_for(lambda: (1, 4) in records(board), "the update is not rolled back")
    started(board)
    found = settled(board, NEW)
    assert (found["version"], found["slot"], found["state"]) == (OLD, "ota_0", "valid")
    releases.make("9.9.9")
    board.exec(f"import wg; wg.ota({server!r}, restart=False)")
    assert state(board)["version"] == OLD
    releases.make("9.9.10")  # another one while the first waits for the restart
    board.exec(f"import wg; wg.ota({server!r})")
    assert settled(board, "9.9.10")["version"] == "9.9.10"


def test_the_nightly_check(board: SimBoard, releases: Releases, server: str) -> None:
    """Newer firmware is installed by itself; what was rolled back is not tried again."""
    check = """
import wg
from wgdisplay import console
async def now(job):
    await console._app.updates.check_tonight()
console._wait(console._app.submit(now))
print(wg.logs(source="ota"))
"""
    board.exec(f"import wg; wg.set('ota', {server!r}); wg.set('ota_nightly', True)")
    releases.make(NEW, {"wg.py": "import nothing\n"})
    assert f"installing {NEW}" in board.exec(check)
    wait_for(lambda: records(board) == [(0, 2), (1, 4)], "it is not rolled back")
    started(board)
    settled(board, NEW)
    assert f"{NEW} is not tried again" in board.exec(check)
    releases.make("9.9.9")
    board.exec(check)
    assert settled(board, "9.9.9")["version"] == "9.9.9"
