"""`wg ota-serve`: a static web server for a release folder, with ranges and ETags as a CDN has them."""

from __future__ import annotations

import hashlib
import http.server
import re
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_CHUNK = 64 * 1024


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer(True)

    def do_HEAD(self) -> None:
        self._answer(False)

    def _answer(self, with_body: bool) -> None:
        path = self._file()
        if path is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        data = path.read_bytes()
        tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        start, end = 0, len(data)
        status = HTTPStatus.OK
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        if asked and self.headers.get("If-Range", tag) == tag:
            start = int(asked[1])
            end = min(int(asked[2]) + 1, len(data)) if asked[2] else len(data)
            status = HTTPStatus.PARTIAL_CONTENT
            if start >= end:
                self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
                self.send_header("Content-Range", f"bytes */{len(data)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(end - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", tag)
        self.send_header("Cache-Control", "no-cache")
        if status == HTTPStatus.PARTIAL_CONTENT:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        self.end_headers()
        if with_body:
            for at in range(start, end, _CHUNK):
                self.wfile.write(data[at : min(at + _CHUNK, end)])

    def _file(self) -> Path | None:
        path = (self.server.folder / self.path.partition("?")[0].lstrip("/")).resolve()
        inside = path.is_relative_to(self.server.folder.resolve())
        return path if inside and path.is_file() else None

    def log_message(self, format: str, *args: object) -> None:
        self.server.tell(f"{self.client_address[0]} {format % args}")


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    address_family = socket.AF_INET

    def __init__(self, folder: Path, host: str, port: int, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.tell = tell
        super().__init__((host, port), _Handler)


class ReleaseServer:
    """Serves a folder until the end of the `with` block."""

    def __init__(
        self, folder: Path, host: str = "127.0.0.1", port: int = 0, tell: Callable[[str], None] | None = None
    ) -> None:
        self._server = _Server(folder, host, port, tell or (lambda line: None))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def own_address() -> str:
    """The address under which boards in the network find this PC."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
