"""The store: read as the original's, kept on flash, its checksums and hosts obeyed, and updates."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from prompt import files, refusal, value, wait_for, widget

from wg.sim.board import SimBoard


class Shop(ThreadingHTTPServer):
    """A web server with files that a test changes, each with its ETag; `asked` has (path, status)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, int]] = []
        self.headers: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def list(self, *items: Any) -> str:
        """Makes the catalogue; -> its address."""
        self.files["/store.json"] = json.dumps(items).encode()
        return self.url + "/store.json"


class _Handler(BaseHTTPRequestHandler):
    server: Shop
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        data = self.server.files.get(self.path)
        tag = '"' + hashlib.sha256(data or b"").hexdigest()[:16] + '"'
        status = 404 if data is None else 304 if self.headers.get("If-None-Match") == tag else 200
        self.server.asked.append((self.path, status))
        self.send_response(status)
        if data is not None:
            self.send_header("ETag", tag)
        for name, text in self.server.headers.items():
            self.send_header(name, text)
        body = data if status == 200 and data else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET


@contextmanager
def opened() -> Iterator[Shop]:
    shop = Shop()
    thread = threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        shop.shutdown()
        shop.server_close()
        thread.join(5)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with opened() as found:
        yield found


def newer(data: bytes) -> bytes:
    """The Time widget in another version."""
    assert data.count(b"\x001.1.0\x00") == 1
    return data.replace(b"\x001.1.0\x00", b"\x001.2.7\x00")


def names(b: SimBoard) -> Any:
    return value(b, "[w['name'] for w in wg.store()]")


def test_the_catalogue_is_kept(sim_board: SimBoard, shop: Shop) -> None:
    b = sim_board
    url = shop.list({"name": "Time", "description": "The time", "repository": shop.url + "/r"})
    b.exec(f"import wg; wg.set('store', {url!r})")
    assert names(b) == ["Time"]
    assert names(b) == ["Time"]
    b.exec("wg.store(again=True)")
    assert shop.asked == [("/store.json", 200), ("/store.json", 304)]
    b.reset()
    wait_for(b, "wg.status()['wifi'] != 'connecting'")
    assert names(b) == ["Time"]
    assert shop.asked[2:] == [("/store.json", 304)]
    # Something else is there now, and then nothing.
    shop.list({"name": "Other", "repository": shop.url})
    b.exec("wg.store(again=True)")
    assert names(b) == ["Other"]
    del shop.files["/store.json"]
    b.reset()
    assert names(b) == ["Other"]
    assert "status 404" in refusal(b, "wg.store(again=True)")
    assert any("kept from before" in line for line in value(b, "list(wg.logs())"))
    # Of another store nothing is known.
    b.exec(f"wg.set('store', {shop.url + '/elsewhere.json'!r})")
    assert "status 404" in refusal(b, "wg.store()")


def test_what_is_not_right_is_passed_over(sim_board: SimBoard, shop: Shop) -> None:
    b = sim_board
    good = {"name": "Good", "repository": "https://github.com/someone/widget/"}
    bad: list[Any] = [
        {"no": "name"},
        {"name": 5, "repository": "https://x.org"},
        {"name": "No address"},
        {"name": "Bad address", "url": "file:///etc/passwd"},
        {"name": "Bad repository", "repository": "git@github.com:x/y"},
        {"name": "Bad sum", "repository": "https://x.org", "sha256": "12"},
        {"name": "Bad sum 2", "repository": "https://x.org", "sha256": 12},
        {"name": "Bad hosts", "repository": "https://x.org", "hosts": "x.org"},
        {"name": "Bad hosts 2", "repository": "https://x.org", "hosts": ["0x7f.1"]},
        {"name": "Line\nbreak", "repository": "https://x.org"},
        {"name": "GOOD", "repository": "https://x.org"},
        "text",
        None,
        [],
    ]
    b.exec(f"import wg; wg.set('store', {shop.list(*bad[:5], good, *bad[5:])!r})")
    (item,) = value(b, "[w for w in wg.store()]")
    assert item == {
        "name": "Good",
        "description": "",
        "repository": good["repository"],
        "url": "https://github.com/someone/widget/releases/latest/download/widget.wasm",
        "version": None,
        "sha256": None,
        "hosts": None,
    }
    assert any(f"{len(bad)} entries" in line for line in value(b, "list(wg.logs())"))
    for text, said in (
        (b"{}", "not a list"),
        (b"[", "not JSON"),
        (b"\xff\xfe[]", "not JSON"),
        (b" " * 70_000, "larger than 65536"),
    ):
        shop.files["/store.json"] = text
        assert said in refusal(b, "wg.store(again=True)")
    assert names(b) == ["Good"]


def test_a_wrong_checksum_is_refused(sim_board: SimBoard, shop: Shop) -> None:
    b = sim_board
    data = widget("time")
    shop.files["/time.wasm"] = data
    item = {"name": "Time", "url": shop.url + "/time.wasm", "sha256": hashlib.sha256(data).hexdigest()}
    b.exec(f"import wg; wg.set('store', {shop.list({**item, 'sha256': '0' * 64})!r})")
    assert "checksum" in refusal(b, "wg.install('Time')")
    assert not [name for name in files(b)[2] if name.endswith(".wasm")]
    shop.list({**item, "sha256": item["sha256"].upper()})
    b.exec("wg.store(again=True); wg.install('Time')")
    assert value(b, "[w['name'] for w in wg.list()]") == ["Time"]


def test_a_store_outside_opens_nothing_inside(script: Any) -> None:
    """Hosts inside the network that a public store lists are left out; a store inside may list them."""
    entry = {
        "name": "W",
        "repository": "https://x.org/w",
        "hosts": ["api.example.org", "192.168.1.1", "nas.local", "[::1]:80", "*"],
    }
    found = script("store_items", [["https://store.example.org/s.json", [entry]]])
    assert found == [[["api.example.org", "*"]]]
    for inside in ("http://192.168.1.9/s.json", "http://nas.local/s.json"):
        ((hosts,),) = script("store_items", [[inside, [entry]]])
        assert hosts == ["api.example.org", "192.168.1.1", "nas.local", "[::1]:80", "*"]


def test_a_store_s_address_can_not_point_inside(sim_board: SimBoard, shop: Shop) -> None:
    """An entry, or a redirect, that names another host within the network is not fetched."""
    b = sim_board
    with opened() as other:
        other.files["/time.wasm"] = widget("time")
        inside = other.url.replace("127.0.0.1", "127.0.0.3") + "/time.wasm"
        b.exec(f"import wg; wg.set('store', {shop.list({'name': 'Time', 'url': inside})!r})")
        assert "inside the network" in refusal(b, "wg.install('Time')")
        assert other.asked == []


def test_updates(sim_board: SimBoard, shop: Shop) -> None:
    b = sim_board
    old, new = widget("time"), newer(widget("time"))
    shop.files.update({"/time.wasm": old, "/aareguru.wasm": widget("aareguru")})
    river = {"name": "Aareguru", "url": shop.url + "/aareguru.wasm"}
    time = {"name": "Time", "url": shop.url + "/time.wasm", "version": "1.1.0", "hosts": ["time.example.org"]}
    b.exec(f"import wg; wg.set('store', {shop.list(time, river)!r})")
    b.exec("wg.install('Time'); wg.install('Aareguru'); wg.configure('Time', zone='UTC')")
    b.exec("wg.limits('Time', deadline_ms=4000)")
    assert [w["result"] for w in value(b, "[w for w in wg.update()]")] == ["up to date"] * 2
    # By its version the first is known to be current without a download; of the other the file is compared.
    assert [path for path, _ in shop.asked].count("/time.wasm") == 1

    shop.files["/time.wasm"] = new
    shop.list({**time, "version": "1.2.7", "hosts": ["time.example.org", "more.example.org"]}, river)
    said = b.exec("print(wg.update('Time'))")
    assert "1.1.0" in said and "1.2.7" in said and "it also asks for more.example.org" in said
    (entry, _) = value(b, "[w for w in wg.list()]")
    assert entry["version"] == "1.2.7" and entry["hosts"] == ["time.example.org"]
    assert entry["limits"] == {"deadline_ms": 4000}
    assert value(b, "wg.configure('Time')") == {"zone": "UTC"}
    assert value(b, "wg.run('Time')")
    assert len([name for name in files(b)[2] if name.endswith(".wasm")]) == 2

    # What is wrong with one is said of it, and the others have their turn.
    shop.files["/time.wasm"] = new[:1000]
    shop.files["/aareguru.wasm"] = b"nothing"
    shop.list({**time, "version": "1.3.0"}, river)
    rows = value(b, "[w for w in wg.update()]")
    assert [row["version"] for row in rows] == ["1.2.7", "1.0.0"] or len({r["result"] for r in rows}) == 2
    assert all(row["was"] == row["version"] and "\n" not in row["result"] for row in rows)
    b.reset()
    assert value(b, "wg.run('Time')")
    assert "no widget is called" in refusal(b, "wg.update('Nobody')")


def test_time_of_a_web_server(wgdisplay: Path, tmp_path: Path, shop: Shop) -> None:
    """Where no time server answers, the store's Date sets the clock; the screen shows no time before."""
    start = "_simhw.clock_set(946684800 * 10**9)"  # what a chip has that was never told the time
    with SimBoard(flash=tmp_path / "flash.bin", faults=start) as b:
        b.exec("import wg; wg.set('ntp', '127.0.0.1:1'); wg.set('zone', 'Europe/Zurich')")
        b.reset()
        assert value(b, "wg.status()['time']") is None
        assert value(b, "__import__('wgdisplay.console').console._app.view.time_text()") == "--:--"
        said = refusal(b, "wg.set('store', 'https://127.0.0.1:1/s.json'); wg.store()")
        assert said == "the time is not known yet, and without it no certificate can be checked"
        b.exec(f"wg.set('store', {shop.list()!r}); wg.wifi('sim', 'simulated')")
        b.reset()
        wait_for(b, "wg.status()['time']", 30)
        assert abs(value(b, "wg.status()['time']") - int(__import__("time").time())) < 5
        assert value(b, "wg.status()['time_synced']") is False
        assert value(b, "__import__('wgdisplay.console').console._app.view.time_text()") != "--:--"
