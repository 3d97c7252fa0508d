"""`wg widget preview`: the simulated board shows a widget while its source is edited; a page shows the screen, the log
and the HTTP calls beside each other."""

from __future__ import annotations

import base64
import io
import json
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from wg.process import ToolError
from wg.sim.board import BoardError, SimBoard
from wg.widget.network import FixtureError, Network
from wg.widget.quick import Builder

#: Seconds between two looks at the files, and at the board.
_LOOK_S = 0.1
_ASK_S = 0.5
_PAGE = Path(__file__).with_name("preview.html")

#: Run on the board: widgets' HTTP goes to this program, which answers or passes it on; {proxy} is its address.
_DIVERT = """
def _divert():
    import json
    from binascii import b2a_base64
    import wg
    from wgdisplay.net import gateway, http

    async def answer(self, widget, method, url, body):
        body = None if body is None else b2a_base64(bytes(body)).decode()
        call = json.dumps([http.METHODS[method], url, body])
        r = await http.request("POST", {proxy!r}, call.encode(), max_body=1100000, allocate=self.allocate)
        status = int(r.headers.get("x-status", "0"))
        if not status:
            raise http.HttpError("no answer from " + url)
        return status, len(r.body), r.body

    gateway.Gateway.request = answer
    wg.reload()

_divert()
del _divert
"""

#: Run on the board: puts the widget in the place of the one before; prints what the run gave.
_EXCHANGE = """
def _exchange():
    import json, wg
    for w in wg.list():
        wg.remove(w["name"])
    found = {{"name": None, "text": None, "error": None}}
    try:
        entry = wg.install({url!r})
        found["name"] = entry["name"]
        found["version"], found["schema"] = entry["version"], entry["json_config_schema"]
        if {config!r}:
            wg.configure(entry["name"], {config!r})
        found["text"] = wg.run(entry["name"])
    except wg.Error as error:
        found["error"] = str(error)
    print(json.dumps(found))

try:
    _exchange()
finally:
    del _exchange
"""

_ASK = "import wg, json; print(json.dumps([wg.state(), wg.logs(60)]))"


class Preview:
    """One widget on one simulated board. `source` is a widget's folder or a component's file."""

    def __init__(self, source: Path, config: str, fixture: Path | None, port: int = 0) -> None:
        self.source = source.resolve()
        self.config = config
        self.network = Network(fixture)
        self._folder = tempfile.TemporaryDirectory(prefix="wg-preview-")
        scratch = Path(self._folder.name)
        self._builder = Builder(self.source, scratch) if self.source.is_dir() else None
        self.board = SimBoard(flash=scratch / "flash.bin")
        self.component = b""
        self.state: dict[str, Any] = {"build": "", "log": [], "text": None, "error": None, "generation": 0}
        self._lock = threading.Lock()
        self._seen: dict[Path, float] = {}  # the inputs of the last update, as they were when it began
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"

    # ---- the board ----

    def __enter__(self) -> Preview:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.board.start()
        self.board.exec("import wg; wg.wifi('sim', 'password1')")
        self.board.exec(_DIVERT.format(proxy=self.address + "call"))
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.board.close()
        self._folder.cleanup()

    def inputs(self) -> dict[Path, float]:
        """What a change is looked for in."""
        try:
            files = self._builder.inputs() if self._builder else {self.source: self.source.stat().st_mtime}
            if self.network.fixture is not None:
                files[self.network.fixture] = self.network.fixture.stat().st_mtime
        except OSError:
            return {}  # in the midst of being written
        return files

    def update(self) -> None:
        """Builds, installs and runs the widget; what went wrong is in `state`."""
        began = time.monotonic()
        self._seen = self.inputs() or self._seen
        with self._lock:
            self.state["build"] = "building"
        try:
            self.component = self._builder.build() if self._builder else self.source.read_bytes()
            self.network.answers()
            built = time.monotonic()
            code = _EXCHANGE.format(url=self.address + "widget.wasm", config=self.config)
            found = json.loads(self.board.exec(code, 60).splitlines()[-1])
            ended = time.monotonic()
            with self._lock:
                self.state.update(found)
                self.state["build"] = (
                    f"built in {built - began:.2f} s, {len(self.component):,} bytes; shown after {ended - began:.2f} s"
                )
                self.state["generation"] += 1
        except (ToolError, FixtureError, BoardError, OSError) as error:
            with self._lock:
                self.state["build"] = ""
                self.state["error"] = str(error)
        self.ask()

    def ask(self) -> None:
        """Brings the log and the texts up to date."""
        try:
            state, log = json.loads(self.board.exec(_ASK).splitlines()[-1])
        except (BoardError, ValueError, IndexError):
            return
        with self._lock:
            self.state["log"] = log
            for widget in state["widgets"]:
                self.state["runs"] = widget["runs"]
                self.state["text"] = widget["last_output"]
                if widget["last_error"] or not self.state["error"]:
                    self.state["error"] = widget["last_error"]

    def watch(self, seconds: float | None = None) -> None:
        """Follows the files until Ctrl-C, or for so long. What changed since the last update counts too."""
        end = None if seconds is None else time.monotonic() + seconds
        asked = time.monotonic()
        while end is None or time.monotonic() < end:
            time.sleep(_LOOK_S)
            now = self.inputs()
            if now and now != self._seen:
                self.update()
            elif time.monotonic() - asked > _ASK_S:
                self.ask()
                asked = time.monotonic()

    # ---- the page ----

    def shown(self) -> dict[str, Any]:
        with self._lock:
            state = dict(self.state)
        return {
            **state,
            "calls": self.network.shown(),
            "source": str(self.source),
            "fixture": str(self.network.fixture or ""),
        }

    def picture(self) -> bytes:
        out = io.BytesIO()
        self.board.frame().image().save(out, "PNG")
        return out.getvalue()


def _handler(preview: Preview) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def _send(self, body: bytes, kind: str, **headers: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/":
                self._send(_PAGE.read_bytes(), "text/html; charset=utf-8")
            elif path == "/state.json":
                self._send(json.dumps(preview.shown()).encode(), "application/json")
            elif path == "/screen.png":
                self._send(preview.picture(), "image/png")
            elif path == "/widget.wasm":
                self._send(preview.component, "application/wasm")
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            try:
                length = int(self.headers.get("Content-Length", "0"))
                method, url, body = json.loads(self.rfile.read(length))
                answer = preview.network.request(
                    method, url, base64.b64decode(body) if body is not None else None
                )
            except (ValueError, TypeError):
                self.send_error(400)
                return
            status, data = answer if answer else (0, b"")
            self._send(data, "application/octet-stream", X_Status=str(status))

    return Handler
