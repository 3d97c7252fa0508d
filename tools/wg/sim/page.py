"""The simulated board's local page: the live panel, and the state of the widgets beside it.

The page gets the panel's pixels over a WebSocket, as they are (RGB565), whenever they change. The same server hands
out the widgets' files, so that a board can install them over HTTP.
"""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from microdot import Microdot, Request, Response
from microdot.websocket import WebSocket, with_websocket

from wg.sim.panel import HEIGHT, WIDTH, Frame, Panel

#: Seconds between two looks at the panel: 60 frames a second.
_FRAME_S = 1 / 60
#: Seconds between two status messages while the picture stands still.
_STATUS_S = 0.5

_HTML = Path(__file__).with_name("page.html")

#: What the page shows beside the panel: link, flash, message, and what `wg.state()` returns.
Status = Callable[[], dict[str, Any]]


class Page:
    """A server on 127.0.0.1 in a thread of its own. A context manager; `address` is known inside of it."""

    def __init__(
        self, panel: Path, status: Status, widgets: Path, port: int = 0, keys: dict[str, int] | None = None
    ) -> None:
        self._panel = panel
        #: The pins of the board's keys, which are low while pressed.
        self._keys = keys or {}
        self._status = status
        self._widgets = widgets
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    def __enter__(self) -> Page:
        self._thread.start()
        self._ready.wait(10)
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        if self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        app = self._app()
        serving = asyncio.create_task(app.start_server("127.0.0.1", self._port))
        while app.server is None and not serving.done():
            await asyncio.sleep(0.01)
        if serving.done():
            await serving  # raises the reason
        self._port = app.server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        await asyncio.sleep(3 * _FRAME_S)  # the live streams see it and end
        app.shutdown()
        await asyncio.wait([serving], timeout=1)

    def _app(self) -> Any:
        app = Microdot()

        async def index(request: Request) -> Response:
            return Response(_HTML.read_text(), headers={"Content-Type": "text/html; charset=utf-8"})

        async def widget(request: Request, name: str) -> Response:
            path = self._widgets / name
            if "/" in name or not name.endswith(".wasm") or not path.is_file():
                return Response("no such widget", 404)
            return Response(path.read_bytes(), headers={"Content-Type": "application/wasm"})

        async def screen(request: Request) -> Response:
            out = io.BytesIO()
            with Panel(self._panel) as panel:
                panel.read().image().save(out, "PNG")
            return Response(
                out.getvalue(), headers={"Content-Type": "image/png", "Cache-Control": "no-store"}
            )

        async def live(request: Request, socket: WebSocket) -> None:
            await self._stream(socket)

        app.route("/")(index)
        app.route("/widgets/<name>")(widget)
        app.route("/screen.png")(screen)
        app.route("/live")(with_websocket(live))
        return app

    async def _stream(self, socket: WebSocket) -> None:
        with Panel(self._panel) as panel:
            sender = asyncio.create_task(self._send(socket, panel))
            receiver = asyncio.create_task(self._receive(socket, panel))
            try:
                await asyncio.wait((sender, receiver), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (sender, receiver):
                    task.cancel()
                await asyncio.gather(sender, receiver, return_exceptions=True)
                # Who holds a key and closes the page has let it go.
                for pin in self._keys.values():
                    panel.pull_low(pin, False)
                panel.lift()

    async def _send(self, socket: WebSocket, panel: Panel) -> None:
        sequence = -1
        wait = 0.0
        while self._stop is not None and not self._stop.is_set():
            if panel.sequence() != sequence:
                frame = panel.read()
                sequence = frame.sequence
                await socket.send(frame.pixels)
                wait = 0
            if wait <= 0:
                await socket.send(json.dumps(self._message(panel.read())))
                wait = _STATUS_S
            await asyncio.sleep(_FRAME_S)
            wait -= _FRAME_S

    async def _receive(self, socket: WebSocket, panel: Panel) -> None:
        """Keys and touch: {"key": name, "down": bool}, {"touch": [x, y]} or {"touch": null}. What is no such message
        is left out.
        """
        while True:
            try:
                message = json.loads(await socket.receive())
                if "key" in message:
                    panel.pull_low(self._keys[message["key"]], bool(message["down"]))
                elif message["touch"] is None:
                    panel.lift()
                else:
                    x, y = message["touch"]
                    panel.touch(min(max(int(x), 0), WIDTH - 1), min(max(int(y), 0), HEIGHT - 1))
            except (KeyError, TypeError, ValueError):
                continue

    def _message(self, frame: Frame) -> dict[str, Any]:
        panel = {
            "on": frame.on,
            "backlight": frame.backlight / 65535,
            "bytes": frame.spi_bytes,
            "transfers": frame.transfers,
            "faults": frame.faults,
        }
        return {**self._status(), "panel": panel, "keys": list(self._keys)}
