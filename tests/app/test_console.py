"""The console as a person and as a PC's program meet it: prompt, quotas, store, pictures, the own network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pexpect
import pytest
from PIL import Image, ImageChops

from wg import ROOT
from wg.sim.board import SimBoard

sys.path.insert(0, str(ROOT / "tests" / "servers"))
import services

WIDGETS = ROOT / "build" / "widgets"
WG = ROOT / ".venv" / "bin" / "wg"
PROMPT = ">>> "


def value(board: SimBoard, expression: str) -> Any:
    """An expression's value, by JSON."""
    return json.loads(board.exec(f"import wg, json\nprint(json.dumps({expression}))").splitlines()[-1])


def refusal(board: SimBoard, statement: str) -> str:
    """The sentence with which the board refuses."""
    return board.exec(f"import wg\ntry:\n {statement}\nexcept wg.Error as e:\n print(e)").strip()


def wait_for(board: SimBoard, condition: str, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not value(board, f"bool({condition})"):
        assert time.monotonic() < end, f"{condition}\n{board.exec('print(wg.state(), wg.logs())')}"
        time.sleep(0.1)


@pytest.fixture
def store() -> Iterator[str]:
    """Address of the original's store, with the bundled widgets."""
    with services.running(widgets=WIDGETS) as server:
        yield server.url + "/store.json"


class Terminal:
    """A terminal program on the board's port, with somebody at it."""

    def __init__(self, board: SimBoard) -> None:
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "serial.tools.miniterm", "--raw", "--quiet", board.link, "115200"],
            encoding="utf8",
            timeout=20,
            dimensions=(24, 80),
        )
        self.child.delaybeforesend = 0.1
        self.child.send("\r")
        self.child.expect(PROMPT)

    def type(self, line: str) -> str:
        """What a line makes the board say, echo left out."""
        self.child.send(line + "\r")
        self.child.expect_exact(line)
        self.child.expect(PROMPT)
        return str(self.child.before).replace("\r", "").strip("\n")

    def close(self) -> None:
        self.child.close(force=True)


@pytest.fixture
def terminal(sim_board: SimBoard) -> Iterator[Terminal]:
    t = Terminal(sim_board)
    yield t
    t.close()


def test_the_greeting_says_the_next_step(tmp_path: Path, store: str) -> None:
    with SimBoard(flash=tmp_path / "flash.bin", wait=False) as b:
        said = b.wait_for_prompt()
        assert ": no network, 0 widgets." in said and "Next: wg.setup() asks for everything" in said
        b.exec("import wg; wg.wifi('net', 'password1')")
        b.reset()
        assert value(b, "wg.status()['wifi']") in ("connecting", "connected")
        wait_for(b, "wg.status()['wifi'] == 'connected'")
        said = b.exec("wg.greet()")
        assert "connected to net as " in said and "Next: wg.setup() or wg.install(" in said
        b.exec(f"wg.set('store', {store!r}); wg.install('Time')")
        said = b.exec("wg.greet()")
        assert "1 widget." in said and "Next" not in said
        assert all(len(line) <= 80 for line in said.splitlines())


def test_at_the_prompt(terminal: Terminal, store: str) -> None:
    t = terminal
    t.child.send("wg.ins\t()\r")
    t.child.expect_exact("wg.install()")
    t.child.expect(PROMPT)
    assert 'it is wg.install("name") or wg.install("http://...")' in str(t.child.before)
    t.child.send("wg.\t")
    t.child.expect("configure.*wg\\.")
    t.child.send("\x03")
    t.child.expect(PROMPT)
    assert t.type('wg.help("install")').splitlines()[0] == 'wg.install("name")'
    assert t.type("wg.help(wg.run)") == t.type("wg.run")
    assert t.type('wg.logs("Time")') == "Nothing yet."
    assert t.type("wg.list()") == "No widget is installed: wg.install(...)"
    t.type(f"wg.set('store', {store!r})")
    assert t.type("wg.install('time')").startswith("Installed Time 1.")
    misuse = {
        'wg.run("Nope")': "no widget is called 'Nope'; installed: Time",
        'wg.configure("Time", {"zone": 5})': "zone: must be string",
        'wg.install("nothing")': "the store has no widget called 'nothing'; wg.store() lists them",
        'wg.install("/missing.wasm")': "there is no file /missing.wasm",
        "wg.run(1)": 'say which widget by its name in quotes, as in wg.list(): "Time"',
        "wg.remove()": 'that call does not fit; it is wg.remove("name")',
        'wg.help("x")': "there is no command 'x'; wg.help() lists them",
        "wg.screen(5)": 'say where the picture goes: wg.screen("/shot.png")',
        'wg.screen("/no/x.png")': "the picture was not written to /no/x.png: [Errno 2] ENOENT",
        'wg.set("zone", "Atlantis")': "'Atlantis' is no time zone: give a name like Europe/Zurich, or a rule like "
        "CET-1CEST,M3.5.0,M10.5.0/3",
    }
    for line, sentence in misuse.items():
        assert t.type(line) == sentence, line
    t.type("wg.debug(True)")
    said = t.type('wg.run("Nope")')
    assert said.startswith("Traceback (most recent call last):\n") and len(said.splitlines()) > 4
    t.type("wg.debug(False)")
    assert len(t.type('wg.run("Nope")').splitlines()) == 1
    assert t.type("1/0").startswith("Traceback")
    for line in (
        "wg.list()",
        "wg.help()",
        "wg.status()",
        "wg.schema('Time')",
        "wg.limits('Time')",
        "wg.store()",
    ):
        for row in t.type(line).splitlines():
            assert len(row) <= 80, (line, row)


def test_results_are_data_and_print_well(terminal: Terminal, sim_board: SimBoard, store: str) -> None:
    t, b = terminal, sim_board
    t.type("import json")
    assert t.type("wg.status()").startswith("WG Display ")
    assert t.type('_["widgets"]') == "0"
    assert t.type("x = wg.status(); x").startswith("WG Display ")
    assert t.type("[wg.list()]") == "[[]]"
    assert t.type('json.dumps(wg.status()["problems"])') == "'[]'"
    t.close()
    b.exec(f"import wg; wg.set('store', {store!r}); wg.install('Time')")
    status = value(b, "wg.status()")
    assert status["widgets"] == 1 and status["problems"] == []
    assert [w["name"] for w in value(b, "wg.list()")] == ["Time"]
    assert value(b, "wg.schema('Time')")["type"] == "object"
    assert [row["name"] for row in value(b, "wg.store()")] == ["Aareguru", "Public Transport", "Time"]
    assert value(b, "wg.logs()")[-1].endswith("installed Time 1.1.0")
    assert b.exec("print(wg.list())").splitlines()[0].startswith("Name")


def test_the_log_can_be_followed_and_left(terminal: Terminal, store: str) -> None:
    t = terminal
    t.type(f"wg.set('store', {store!r})")
    t.type("from wgdisplay import console")
    t.child.send("wg.logs(follow=True)\r")
    t.child.expect("wifi: no network is known")
    # Somebody else's line, from the application's thread.
    with pytest.raises(pexpect.TIMEOUT):
        t.child.expect(PROMPT, timeout=1)
    t.child.send("\x03")
    t.child.expect(PROMPT)
    assert "Traceback" not in str(t.child.before)
    t.type("import _thread, time")
    t.type("f = lambda: (time.sleep(1), console._app.log.warn('Zo\\xeb', 'news'))")
    t.type("_ = _thread.start_new_thread(f, ())")
    t.child.send("wg.logs(0, 'Zo\\xeb', follow=True)\r")
    t.child.expect("warn  Zoë: news")
    t.child.send("\x03")
    t.child.expect(PROMPT)
    assert t.type("wg.logs(1)").endswith("warn  Zoë: news")


def test_the_pc_follows_the_log(sim_board: SimBoard) -> None:
    env = {**os.environ, "WG_PORT": sim_board.link}
    with subprocess.Popen(
        [WG, "logs", "-f"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as tool:
        assert tool.stdout is not None
        assert b"no network is known" in tool.stdout.readline()
        tool.send_signal(signal.SIGINT)
        assert tool.wait(10) == 0
    assert value(sim_board, "wg.state()['widgets']") == []


def differs(one: Path, other: Path) -> Any:
    a, b = (Image.open(path).convert("RGB") for path in (one, other))
    assert a.size == b.size == (320, 240)
    return ImageChops.difference(a, b).getbbox()


def test_the_picture_is_the_panels(sim_board: SimBoard, store: str, tmp_path: Path) -> None:
    b = sim_board
    b.exec(f"import wg; wg.set('store', {store!r}); wg.background('#203040')")
    for name in ("Aareguru", "Public Transport"):
        b.exec(f"wg.install({name!r})")
    wait_for(b, "all(w['runs'] for w in wg.state()['widgets'])")
    wait_for(b, "wg.state()['frames'] >= 2")
    time.sleep(1.2)  # the last texts' tick
    panel = b.screenshot(tmp_path / "panel.png")
    done = subprocess.run(
        [WG, "screenshot", tmp_path / "pc.png", "--port", b.link],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert differs(panel, tmp_path / "pc.png") is None
    # As a file, as bytes, in pieces: the same bytes; the pieces are small.
    b.exec("wg.screen('/shot.png')")
    assert value(b, "open('/shot.png', 'rb').read() == bytes(wg.screen())")
    sizes = value(b, "(lambda s: [wg.screen(lambda p: s.append(len(p))), s][1])([])")
    assert max(sizes) <= 16 * 1024 and sum(sizes) == (tmp_path / "pc.png").stat().st_size
    assert "\n" not in b.exec("print(str(wg.screen()))").strip()
    b.exec("import gc\nused = []\ngc.collect()\nbefore = gc.mem_alloc()\n")
    b.exec("wg.screen(lambda piece: used.append(gc.mem_alloc() - before))")
    assert value(b, "max(used)") < 24 * 1024
    # Another text is another picture.
    b.exec("wg.background('#000000')")
    time.sleep(1.2)
    assert differs(b.screenshot(tmp_path / "later.png"), panel) is not None


def test_a_picture_that_fails_does_not_stop_the_screen(sim_board: SimBoard) -> None:
    b = sim_board
    b.exec("import wg")
    # The writer fails, or is interrupted: it is said, and the screen is drawn again.
    assert "invalid syntax for integer" in refusal(b, "wg.screen(lambda p: int('x'))")
    b.exec(
        "try:\n wg.screen(lambda p: (_ for _ in ()).throw(KeyboardInterrupt()))\nexcept KeyboardInterrupt:\n pass"
    )
    frames = value(b, "wg.state()['frames']")
    b.exec("wg.background('#605040')")
    wait_for(b, f"wg.state()['frames'] > {frames}", 3)
    assert value(b, "len(wg.screen())") > 100


def test_quotas_are_the_owners(sim_board: SimBoard, store: str) -> None:
    b = sim_board
    b.exec(f"import wg; wg.set('store', {store!r}); wg.install('Time')")
    rows = {row["name"]: row for row in value(b, "[r for r in wg.limits('Time')]")}
    assert rows["deadline_ms"]["value"] == 30_000 and rows["memory_pages"]["value"] == 64
    assert rows["fuel"]["value"] is None and not any(row["set"] for row in rows.values())
    assert value(b, "wg.run('Time')")

    b.exec("wg.configure('Time', zone='Pacific/Tahiti')")  # the last one of its table
    b.exec("wg.limits('Time', deadline_ms=5000, memory_pages=4, fuel=1000)")
    assert "used up its computing time" in refusal(b, "wg.run('Time')")
    b.reset()
    assert value(b, "wg.list()[0]['limits']") == {"deadline_ms": 5000, "memory_pages": 4, "fuel": 1000}
    assert "used up its computing time" in refusal(b, "wg.run('Time')")
    b.exec("wg.limits('Time', fuel=None)")
    assert value(b, "wg.run('Time')")
    b.exec("wg.limits('Time', host_calls=0)")
    assert "host calls (0 in one run)" in refusal(b, "wg.run('Time')")
    b.exec("wg.limits('Time', host_calls=None, memory_pages=1, wasm_stack_bytes=4096)")
    rows = {row["name"]: row for row in value(b, "[r for r in wg.limits('Time')]")}
    assert rows["memory_pages"]["value"] == 1 and rows["memory_pages"]["set"]
    assert rows["host_calls"]["value"] == 20_000 and not rows["host_calls"]["set"]

    before = value(b, "wg.list()[0]['limits']")
    for call, sentence in {
        "wg.limits('Time', deadline=5)": "there is no limit 'deadline'; there are: deadline_ms, fuel",
        "wg.limits('Time', deadline_ms=5)": "deadline_ms is a whole number from 100 to 30000",
        "wg.limits('Time', deadline_ms=99999)": "deadline_ms is a whole number from 100 to 30000",
        "wg.limits('Time', deadline_ms='5000')": "deadline_ms is a whole number",
        "wg.limits('Time', log_lines=True)": "log_lines is a whole number",
        "wg.limits('Time', memory_pages=2.5)": "memory_pages is a whole number from 1 to",
        "wg.limits('Time', memory_pages=2, fuel=1)": "fuel is a whole number",
        "wg.limits('Nope')": "no widget is called 'Nope'",
        "wg.limits('Nope', fuel=5000)": "no widget is called 'Nope'",
        "wg.limits()": "that call does not fit; it is wg.limits(",
    }.items():
        said = refusal(b, call)
        assert said.startswith(sentence) and "\n" not in said, (call, said)
    assert value(b, "wg.list()[0]['limits']") == before


def test_quotas_from_the_pc(sim_board: SimBoard, store: str) -> None:
    b = sim_board

    def tool(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [WG, *words, "--port", b.link], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr

    tool("set", "store", store)
    assert "Aareguru" in tool("store")
    tool("install", "Time")
    tool("limits", "Time", "deadline_ms=5000", "fuel=1000")
    assert "5000" in tool("limits", "Time")
    tool("limits", "Time", "fuel=")
    assert value(b, "wg.list()[0]['limits']") == {"deadline_ms": 5000}
    assert "there is no limit 'x'" in tool("limits", "Time", "x=5", code=1)
    assert "is not KEY=NUMBER" in tool("limits", "Time", "fuel=many", code=2)


def test_the_own_network_has_a_password_of_its_own(tmp_path: Path) -> None:
    passwords = []
    for board in ("a", "b"):
        with SimBoard(flash=tmp_path / board) as b:
            password = value(b, "wg.status()['access_password']")
            assert len(password) == 10 and password in b.exec("print(wg.status())")
            assert password not in b.exec("print(wg.logs())")
            b.reset()
            assert value(b, "wg.status()['access_password']") == password
            passwords.append(password)
            shown = value(b, "__import__('wgdisplay').console._app.view._first_steps()")
            assert any(password in line for line in shown)
            before = b.screenshot(tmp_path / "before.png")
            b.exec("wg.wifi('net', 'password1')")
            wait_for(b, "wg.status()['wifi'] == 'connected'")
            assert value(b, "wg.status()['access_password']") is None
            time.sleep(1.2)
            assert differs(b.screenshot(tmp_path / "after.png"), before) is not None
    assert passwords[0] != passwords[1]


def test_the_header_has_a_clock_with_a_zone(sim_board: SimBoard) -> None:
    b = sim_board
    b.exec("import wg\nfrom wgdisplay import console")
    assert value(b, "console._app.view.time_text()") == ""
    b.exec("wg.set('zone', 'CET-1CEST,M3.5.0,M10.5.0/3')")

    def now() -> str:
        return datetime.now(UTC).astimezone(ZoneInfo("Europe/Zurich")).strftime("%H:%M")

    before = now()
    assert value(b, "console._app.view.time_text()") in (before, now())
    b.reset()
    b.exec("import wg\nfrom wgdisplay import console")
    before = now()
    assert value(b, "console._app.view.time_text()") in (before, now())
    b.exec("console._app.clock.now = lambda: (946684800 + 5, 0)")
    b.exec("type(console._app.clock).known = property(lambda self: self.now()[0] > 1704067200)")
    assert value(b, "console._app.view.time_text()") == "--:--"
    b.exec("wg.set('zone')")
    assert value(b, "console._app.view.time_text()") == ""


def test_install_by_name_as_the_readme_says(sim_board: SimBoard, store: str) -> None:
    b = sim_board
    assert "no store is set" in refusal(b, "wg.install('Aareguru')")
    b.exec(f"import wg; wg.set('store', {store!r})")
    listed = b.exec("print(wg.store())").splitlines()
    assert listed[0].split() == ["Name", "Description"]
    assert [line.split("  ")[0] for line in listed[1:]] == ["Aareguru", "Public Transport", "Time"]
    for name in ("Aareguru", "public transport", "TIME"):
        assert b.exec(f"print(wg.install({name!r}))").startswith("Installed ")
    service = store.removesuffix("/store.json")
    b.exec(f"wg.configure('Aareguru', base_url={service!r})")
    b.exec(
        f"wg.configure('Public Transport', base_url={service!r}, "
        "connections=[{'from_station': 'Bern', 'to_station': 'Thun', 'num_connections': 2}])"
    )
    assert "°" in value(b, "wg.run('Aareguru')")
    assert ":" in value(b, "wg.run('Public Transport')")
    b.reset()
    assert [w["name"] for w in value(b, "[w for w in wg.list()]")] == ["Aareguru", "Public Transport", "Time"]
    wait_for(b, "all(w['last_output'] and not w['last_error'] for w in wg.state()['widgets'])")


def test_asyncio_at_the_prompt_is_refused(sim_board: SimBoard) -> None:
    b = sim_board
    code = """
import asyncio
async def five():
    return 5
for call in (asyncio.run, asyncio.get_event_loop().run_until_complete):
    try:
        print(call(five()))
    except RuntimeError as e:
        print(e)
try:
    asyncio.new_event_loop()
except RuntimeError as e:
    print(e)
"""
    said = b.exec(code).splitlines()
    assert len(said) == 3 and all(line.startswith("asyncio belongs to the display's") for line in said)
    assert value(b, "wg.state()['boot_ms']") > 0
    b.exec("wg.stop()")
    assert b.exec("asyncio.new_event_loop(); print(asyncio.run(five()))").strip() == "5"
    b.exec("wg.reload()")
    assert value(b, "wg.status()['problems']") == []
    assert "asyncio belongs" in b.exec(code)


def test_a_boot_file_of_the_owner_runs_after_ours(sim_board: SimBoard) -> None:
    b = sim_board
    boot = "import asyncio\nkept = wg.state()['boot_ms']\nasyncio.run(asyncio.sleep(0))\nlost = 1\n"
    b.exec(f"f = open('/boot.py', 'w'); f.write({boot!r}); f.close()")
    for reset in (b.reset, b.soft_reset):
        reset()
        assert b.exec("print(kept > 0, 'lost' in globals())").strip() == "True False"
        assert value(b, "wg.status()['problems']") == []
    b.exec("f = open('/boot.py', 'w'); f.write('no (python'); f.close()")
    b.reset()
    assert value(b, "wg.status()['problems']") == []
