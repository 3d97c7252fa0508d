"""The whole firmware on a simulated board: install, list, configure, run, remove, resets, refusals."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile import HostileServer
from prompt import files, refusal, value, wait_for, widget

from wg.sim.board import BoardError, SimBoard

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as s:
        for name in ("time", "public_transport", "aareguru"):
            data = widget(name)
            s.add(f"/{name}.wasm", OK + b"Content-Length: %d\r\n\r\n" % len(data), data)
        yield s


def test_a_widgets_life(sim_board: SimBoard, server: HostileServer) -> None:
    b = sim_board
    said = b.exec(f"import wg; print(wg.install({server.url + '/time.wasm'!r}))")
    assert said.startswith("Installed Time ")
    (entry,) = value(b, "[w for w in wg.list()]")
    assert (
        entry["name"] == "Time"
        and entry["url"].endswith("/time.wasm")
        and entry["size"] == len(widget("time"))
    )
    assert "Time" in b.exec("print(wg.list())").splitlines()[1]
    text = value(b, "wg.run('Time')")
    assert text and text != "-"
    schema = value(b, "{k: v for k, v in wg.schema('Time').items()}")
    assert isinstance(schema, dict) and schema["type"] == "object"
    b.exec("wg.configure('Time', {'zone': 'UTC'})")
    assert value(b, "wg.configure('Time')") == {"zone": "UTC"}
    b.exec("wg.configure('Time', zone='Europe/Zurich')")
    b.reset()
    assert value(b, "wg.configure('Time')") == {"zone": "Europe/Zurich"}
    wait_for(b, "wg.state()['widgets'][0]['runs'] >= 2")
    b.soft_reset()
    wait_for(b, "wg.state()['widgets'][0]['runs'] >= 1 and wg.state()['frames'] >= 1")
    state = value(b, "wg.state()")
    assert set(state) == {"widgets", "boot_ms", "frames"}
    assert set(state["widgets"][0]) == {"name", "version", "runs", "last_output", "last_error"}
    assert state["widgets"][0]["last_error"] is None and state["boot_ms"] > 0
    b.exec("wg.remove('Time')")
    assert value(b, "[w for w in wg.list()]") == []
    assert files(b) == [[], [], []]


def test_what_was_installed_survives_a_kill(wgdisplay: Path, tmp_path: Path, server: HostileServer) -> None:
    flash = tmp_path / "flash.bin"
    with SimBoard(flash=flash) as b:
        for name in ("time", "public_transport", "aareguru"):
            b.exec(f"import wg; wg.install({server.url}/{name}.wasm')".replace("(http", "('http"))
        b.exec("wg.background('#102030')")
        b.kill()
    with SimBoard(flash=flash) as b:
        assert value(b, "[w['name'] for w in wg.list()]") == ["Time", "Public Transport", "Aareguru"]
        assert value(b, "wg.background()") == "#102030"
        wait_for(b, "all(w['runs'] for w in wg.state()['widgets'])")
        assert value(b, "wg.status()['problems']") == []


def test_install_from_a_file(sim_board: SimBoard, tmp_path: Path) -> None:
    b = sim_board
    (tmp_path / "time.wasm").write_bytes(widget("time"))
    mpremote = [Path(sys.executable).with_name("mpremote"), "connect", b.link]

    def remote(*args: str) -> str:
        done = subprocess.run(
            [*mpremote, *args], capture_output=True, text=True, timeout=30, cwd=tmp_path, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    remote("cp", "time.wasm", ":time.wasm")
    assert "Installed Time" in remote("exec", "import wg; print(wg.install('/time.wasm'))")
    remote("exec", "import wg; wg.remove('Time')")
    # The file lies on the PC, behind the line that the prompt uses.
    assert "Installed Time" in remote(
        "mount", ".", "exec", "import wg; print(wg.install('/remote/time.wasm'))"
    )
    assert value(b, "[w['name'] for w in wg.list()]") == ["Time"]


def test_install_by_name_from_the_store(sim_board: SimBoard, server: HostileServer) -> None:
    b = sim_board
    items = [
        {"name": "Time", "description": "The time", "repository": "x", "url": server.url + "/time.wasm"},
        {"name": "Aareguru", "description": "The river", "repository": server.url + "/aare"},
        {"no": "name"},
    ]
    data = widget("aareguru")
    server.add("/aare/releases/latest/download/widget.wasm", OK + b"\r\n", data)
    store = server.add("/store.json", OK + b"\r\n", json.dumps(items).encode())
    assert "no store is set" in refusal(b, "wg.store()")
    b.exec(f"import wg; wg.set('store', {store!r})")
    assert value(b, "[w['name'] for w in wg.store()]") == ["Time", "Aareguru"]
    b.exec("wg.install('time'); wg.install('Aareguru')")
    assert [w["description"] for w in value(b, "[w for w in wg.list()]")] == ["The time", "The river"]
    assert "no widget called" in refusal(b, "wg.install('Weather')")


def test_the_screen_tells_the_truth_of_the_network(sim_board: SimBoard) -> None:
    """The radio loses its network, gets another address, loses that: the header follows within seconds."""
    b = sim_board
    header = "__import__('wgdisplay.console').console._app.view._where()"
    full, joining = "\ue004", "\ue006"  # icons of the header
    b.exec("import wg, _faults; wg.wifi('sim', 'simulated')")
    address = value(b, "wg.status()['address']")
    assert address and value(b, header) == f"{full} {address}"
    frames = value(b, "wg.state()['frames']")
    b.exec("_faults.wifi = 'drop'")
    wait_for(b, f"{header} == '{joining} sim'", 4)
    assert value(b, "wg.status()['wifi_problem']") and not value(b, "wg.status()['address']")
    wait_for(b, f"wg.state()['frames'] > {frames}", 4)
    b.exec("_faults.wifi = None; _faults.wifi_address = '192.0.2.9'")
    wait_for(b, f"{header} == '{full} 192.0.2.9'", 20)
    assert value(b, "wg.status()['wifi_problem']") == ""
    b.exec("_faults.wifi_address = '192.0.2.10'")
    wait_for(b, f"{header} == '{full} 192.0.2.10'", 4)
    assert value(b, "wg.status()['rssi']") == -48


def test_a_refused_host_is_said(sim_board: SimBoard, server: HostileServer) -> None:
    """The bundled widget asks the address that it is configured for: refused in words, and allowed by its owner."""
    b = sim_board
    b.exec(f"import wg; wg.install({server.url + '/aareguru.wasm'!r})")
    server.asked.clear()
    b.exec(f"wg.configure('Aareguru', base_url={server.url!r}); wg.run('Aareguru')")
    assert server.asked == []
    said = [line for line in value(b, "list(wg.logs(50))") if "may not reach" in line]
    assert said and "127.0.0.1 is inside the network and not listed; wg.hosts('Aareguru', [...])" in said[-1]
    b.exec("wg.hosts('Aareguru', ['127.0.0.1']); wg.run('Aareguru')")
    assert server.asked


def test_what_a_widget_may_reach(sim_board: SimBoard, server: HostileServer) -> None:
    """The list of hosts: from the call, else from the store's entry, else any public host; and changed later."""
    b = sim_board
    url = server.url + "/time.wasm"
    said = b.exec(f"import wg; print(wg.install({url!r}))")
    assert "It may reach any public host: wg.hosts('Time', [...]) changes that." in said
    assert value(b, "list(wg.hosts('Time'))") == ["*"]
    b.exec("wg.hosts('Time', ['API.example.org', '192.168.1.5:8123'])")
    assert value(b, "[w['hosts'] for w in wg.list()]") == [["api.example.org", "192.168.1.5:8123"]]
    assert "192.168.1.5:8123 (inside your network)" in b.exec("print(wg.hosts('Time'))")
    b.reset()
    assert value(b, "list(wg.hosts('Time'))") == ["api.example.org", "192.168.1.5:8123"]
    b.exec("import wg; wg.remove('Time')")

    items = [{"name": "Time", "url": url, "hosts": ["time.example.org"]}]
    store = server.add("/hosts.json", OK + b"\r\n", json.dumps(items).encode())
    b.exec(f"wg.set('store', {store!r}); wg.install('Time')")
    assert value(b, "list(wg.hosts('Time'))") == ["time.example.org"]
    b.exec("wg.remove('Time'); wg.install('Time', hosts=[])")
    assert value(b, "list(wg.hosts('Time'))") == []
    before = files(b)
    for wrong in ("'*'", "['http://x.org/']", "['0x7f.1']", "['a b']", "[1]"):
        assert "\n" not in refusal(b, f"wg.install('Time', hosts={wrong})")
        assert refusal(b, f"wg.hosts('Time', {wrong})")
    assert files(b) == before and value(b, "list(wg.hosts('Time'))") == []


def test_refusals_leave_nothing(sim_board: SimBoard, server: HostileServer) -> None:
    b = sim_board
    good = widget("time")
    b.exec(f"import wg; wg.install({server.url + '/time.wasm'!r})")
    before = files(b)
    bad = {
        "empty": b"",
        "text": b"<!DOCTYPE html><title>Not Found</title>",
        "elf": b"\x7fELF" + bytes(200),
        "truncated": good[: len(good) // 2],
        "module": b"\0asm\1\0\0\0",
        "garbage": b"\0asm\x0d\0\1\0" + bytes(range(256)),
    }
    said = {}
    for name, data in bad.items():
        url = server.add("/" + name, OK + b"Content-Length: %d\r\n\r\n" % len(data), data)
        said[name] = refusal(b, f"wg.install({url!r})")
    cut = server.add("/cut", OK + b"Content-Length: %d\r\n\r\n" % len(good), good[:5000])
    said["cut off"] = refusal(b, f"wg.install({cut!r})")
    big = server.add("/big", OK + b"Content-Length: 99999999\r\n\r\n")
    said["too large"] = refusal(b, f"wg.install({big!r})")
    endless = server.add("/endless", OK + b"\r\n", bytes(1100 * 1024))
    said["endless"] = refusal(b, f"wg.install({endless!r})")
    said["missing"] = refusal(b, f"wg.install({server.url + '/nothing'!r})")
    said["twice"] = refusal(b, f"wg.install({server.url + '/time.wasm'!r})")
    said["no server"] = refusal(b, "wg.install('http://127.0.0.1:9/x.wasm')")
    said["no file"] = refusal(b, "wg.install('/no/such.wasm')")
    said["no source"] = refusal(b, "wg.install('')")
    said["not a text"] = refusal(b, "wg.install(3)")
    said["configuration"] = refusal(b, "wg.configure('Time', '[1]')")
    said["nobody"] = refusal(b, "wg.run('Nobody')")
    said["colour"] = refusal(b, "wg.background('red')")
    for name, sentence in said.items():
        assert sentence and "\n" not in sentence and "internal error" not in sentence, (name, sentence)
    assert len({said[n] for n in bad}) == len(bad), said
    assert "already installed" in said["twice"]
    assert files(b) == before
    assert value(b, "wg.run('Time')")
    assert value(b, "wg.status()['problems']") == []


def test_interrupted_install_leaves_nothing(sim_board: SimBoard, server: HostileServer) -> None:
    b = sim_board
    data = widget("time")
    url = server.add(
        "/slow", OK + b"Content-Length: %d\r\n\r\n" % len(data), data[:4000], data[4000:], pause=1.5
    )
    code = f"import wg\nfrom wgdisplay import console\njob = console._app.submit(console._app.install, {url!r})\n"
    code += "import time\ntime.sleep(0.5)\njob.cancelled = True\ntime.sleep(0.5)\nprint(job.done, job.error)"
    assert b.exec(code).strip() == "True abandoned"
    assert files(b) == [[], [], []]
    b.exec(f"wg.install({server.url + '/time.wasm'!r})")


def test_slow_servers_hold_up_nobody(sim_board: SimBoard, server: HostileServer) -> None:
    b = sim_board
    b.exec("import wg")
    for name in ("time", "public_transport", "aareguru"):
        b.exec(f"wg.install({server.url + f'/{name}.wasm'!r}, hosts=['127.0.0.1'])")
    # A server that accepts and never answers.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        b.exec(f"wg.configure('Aareguru', base_url={url!r})")
        stops = [{"from_station": "Bern", "to_station": "Thun"}]
        b.exec(f"wg.configure('Public Transport', connections={stops!r}, base_url={url!r})")
        b.exec("from wgdisplay import console; console._app.scheduler.late_ms = 0")
        before = value(b, "wg.state()['widgets'][0]['runs']")
        slowest = 0.0
        end = time.monotonic() + 4
        while time.monotonic() < end:
            begun = time.monotonic()
            b.exec("1")
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.05)
        assert value(b, "wg.state()['widgets'][0]['runs']") - before >= 3
        assert value(b, "len([t for t in console._app.scheduler._tasks if not t.done()])") == 2
        assert value(b, "wg.status()['late_ms']") <= 50
        assert slowest < 0.2


def test_a_failed_call_fails_the_program(sim_board: SimBoard) -> None:
    with pytest.raises(BoardError) as failed:
        sim_board.exec("import wg; wg.run('Nobody')")
    assert "Error: no widget is called 'Nobody'; none is installed" in str(failed.value)


def test_a_board_without_an_application_still_has_a_prompt(sim_board: SimBoard) -> None:
    b = sim_board
    # Settings of a panel that does not exist: found on flash before the frozen ones.
    b.exec("f = open('/board.py', 'w'); f.write('PANEL = {}'); f.close()")
    b.reset()
    problems = value(b, "wg.status()['problems']")
    assert len(problems) == 1 and problems[0].startswith("the display failed")
    assert value(b, "wg.state()['frames']") == 0
    # An application that can't even be imported.
    b.exec("import os; os.remove('/board.py'); os.mkdir('/wgdisplay')")
    b.reset()
    assert b.exec("print(1 + 1)").strip() == "2"
    b.exec("import os; os.rmdir('/wgdisplay')")
    b.reset()
    assert value(b, "wg.status()['problems']") == []


def test_a_lost_configuration_costs_only_itself(sim_board: SimBoard, server: HostileServer) -> None:
    b = sim_board
    b.exec("import wg")
    for name in ("time", "aareguru"):
        b.exec(f"wg.install({server.url + f'/{name}.wasm'!r})")
    b.exec("wg.configure('Aareguru', city='Thun')")
    # Both generations of the entry of Time, and one of Aareguru's.
    b.exec("""
from wgdisplay.storage.catalogue import _id
for name in ('0/' + _id('Time'), '1/' + _id('Time'), '0/' + _id('Aareguru')):
    try: f = open('/data/' + name, 'r+b')
    except OSError: continue
    f.seek(100); f.write(b'rot'); f.close()
""")
    b.reset()
    assert sorted(value(b, "[w['name'] for w in wg.list()]")) == ["Aareguru", "Time"]
    problems = value(b, "wg.status()['problems']")
    assert len([p for p in problems if "set aside" in p]) == 2
    assert [p for p in problems if p.startswith("Time was found again")]
    assert value(b, "len(wg._console._app.storage.read('Time'))") > 0
    b.reset()
    assert value(b, "wg.status()['problems']") == []


CHANGES = {"install": "wg.install({aareguru!r})", "remove": "wg.remove('Time')"}


@pytest.mark.parametrize("change", CHANGES)
def test_power_cuts(change: str, tmp_path: Path, server: HostileServer) -> None:
    """The power fails in the middle of a write or erase: the board comes back with the old or the new state.

    A sample of the cuts; tests/flash/test_cuts.py makes all of them, for every change.
    """
    base, flash = tmp_path / "base.bin", tmp_path / "flash.bin"
    statement = CHANGES[change].format(aareguru=server.url + "/aareguru.wasm")
    look = "[[w['name'], w['size'], wg.configure(w['name'])] for w in wg.list()]"
    prepare = "import wg\nfrom wgdisplay import console"
    with SimBoard(flash=base) as b:
        b.exec(f"import wg; wg.install({server.url + '/time.wasm'!r}); wg.configure('Time', zone='UTC')")
        b.exec(prepare)
        states = [value(b, look)]
    shutil.copy(base, flash)
    with SimBoard(flash=flash) as b:
        b.exec(prepare)
        b.exec(statement)
        states.append(value(b, look))
    assert states[0] != states[1]
    cut, seen = 1, []
    while True:
        shutil.copy(base, flash)
        with SimBoard(flash=flash) as b:
            b.exec("import wg, _faults\nwg.status()")
            try:
                b.exec(f"_faults.cut_power_after({cut})\n{statement}\n_faults.cut_power_after(0)")
                break
            except BoardError as error:
                assert not b.alive, error
        with SimBoard(flash=flash) as b:
            b.exec(prepare)
            found = value(b, look)
            assert found in states, (cut, found)
            assert value(b, "wg.status()['problems']") == [], cut
            assert len(files(b)[2]) == len(found), cut
            for name, _, _ in found:
                assert value(b, f"len(console._app.storage.read({name!r}))") > 0
        seen.append(states.index(found))
        cut += 1 if cut < 9 else 1 + cut // 3
    print(f"{len(seen)} cuts of {cut} operations of {change}: {seen}")
    assert len(seen) >= 4 and seen[0] == 0 and seen == sorted(seen)


def test_the_heap_stays_whole(sim_board: SimBoard) -> None:
    """What lives long lies among what doesn't; when the garbage is gone, there is room for a large block."""
    sim_board.exec("kept = []\nfor i in range(8000):\n kept.append(bytes(24)); bytes(1000)")
    free = sim_board.eval("(__import__('gc').collect(), __import__('gc').mem_free())[1]")
    assert free > 2_000_000
    assert sim_board.eval(f"len(bytearray({free // 2}))") == free // 2


def test_stop_and_reload(sim_board: SimBoard, server: HostileServer) -> None:
    b = sim_board
    b.exec(f"import wg; wg.install({server.url + '/time.wasm'!r})")
    for _ in range(5):
        b.exec("wg.stop()")
        assert "was stopped" in refusal(b, "wg.run('Time')")
        assert "was stopped" in b.exec("print(wg.status())")
        b.exec("wg.stop(); wg.reload()")
        assert value(b, "wg.run('Time')")
        assert value(b, "wg.status()['problems']") == []
    wait_for(b, "wg.state()['frames'] >= 2")


def test_help_fits_the_prompt(sim_board: SimBoard) -> None:
    b = sim_board
    lines = b.exec("import wg; print(wg.help())").splitlines()
    assert all(len(line) <= 100 for line in lines)
    public = set(
        value(b, "[n for n in dir(wg) if n[0] != '_' and n not in ('Error', 'start', 'greet', 'help')]")
    )
    assert public == {line.split()[0].removeprefix("wg.") for line in lines[:-1]}
    assert "install" in b.exec("print(wg.help('install'))")
    assert "no command" in refusal(b, "wg.help('nothing')")
