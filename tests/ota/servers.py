"""A web server with ranges whose connections break, stall or crawl."""

from __future__ import annotations

import http.server
import re
import threading
import time
from types import TracebackType
from typing import Self


class ShakyServer:
    """Serves `files`. Each answer with a body ends after `cut` bytes, or goes on as `after` says once those are sent.

    `after`: "cut" (the connection is closed), "stall" (nothing more comes), "crawl" (a byte now and then for ever).
    Only paths that end in `which` are treated so, `times` times. `asked` keeps (path, Range, If-Range).
    """

    def __init__(
        self,
        files: dict[str, bytes],
        cut: int | None = None,
        after: str = "cut",
        which: str = ".bin",
        times: int = 1 << 30,
        ranges: bool = True,
    ) -> None:
        self.files = files
        self.cut, self.after, self.which, self.times, self.ranges = cut, after, which, times, ranges
        self.asked: list[tuple[str, str | None, str | None]] = []
        self.ended = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        self.asked.append((request.path, request.headers.get("Range"), request.headers.get("If-Range")))
        data = self.files.get(request.path)
        if data is None:
            request.send_error(404)
            return
        tag = f'"{len(data)}-{sum(data) & 0xFFFF}"'
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if asked and self.ranges and request.headers.get("If-Range", tag) == tag:
            start = int(asked[1])
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            request.send_response(200)
        request.send_header("ETag", tag)
        request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        body = data[start:]
        if self.cut is None or not request.path.endswith(self.which) or self.times <= 0:
            request.wfile.write(body)
            return
        self.times -= 1
        request.wfile.write(body[: self.cut])
        request.wfile.flush()
        if self.after == "stall":
            self.ended.wait(60)
        elif self.after == "crawl":
            try:
                for i in range(self.cut, len(body)):
                    request.wfile.write(body[i : i + 1])
                    if self.ended.wait(0.05):
                        break
            except OSError:
                pass  # the board went away, as it should
        request.close_connection = True


def wait_until(condition: object, seconds: float) -> None:
    """Waits for a callable to be true."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.1)
