"""An HTTP server on loopback whose answers are bytes chosen by the test, sent in pieces with pauses."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field


@dataclass
class Answer:
    """`pieces` are sent in turn, `pause` seconds between them; `hold` seconds later the connection is closed."""

    pieces: list[bytes]
    pause: float = 0.0
    hold: float = 0.0


@dataclass
class HostileServer:
    """Answers by path; keeps what it was asked (method, path, headers, body).

    `turns` has for a path the answers to the first request, the second..., the last one for all later ones.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    turns: dict[str, list[bytes]] = field(default_factory=dict)
    address: str = "127.0.0.1"
    port: int = 0

    def __enter__(self) -> HostileServer:
        self._socket = socket.create_server((self.address, self.port))
        self._socket.settimeout(0.2)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self._socket.getsockname()[1]}"

    def add(self, path: str, *pieces: bytes, pause: float = 0.0, hold: float = 0.0) -> str:
        self.answers[path] = Answer(list(pieces), pause, hold)
        return self.url + path

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                path = self._read(connection)
                if path in self.turns:
                    turns = self.turns[path]
                    self.add(path, turns.pop(0) if len(turns) > 1 else turns[0])
                answer = self.answers.get(
                    path, Answer([b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"])
                )
                for i, piece in enumerate(answer.pieces):
                    if i and answer.pause:
                        if self._ended.wait(answer.pause):
                            return
                    connection.sendall(piece)
                self._ended.wait(answer.hold)
            except OSError:
                pass  # the client went away, as it should

    def _read(self, connection: socket.socket) -> str:
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(4096)
            if not more:
                raise OSError("no request")
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", "0")):
            body += connection.recv(4096)
        self.asked.append((method, path, headers, body))
        return path


def slowly(data: bytes, size: int = 1) -> list[bytes]:
    """The data in pieces of `size` bytes."""
    return [data[i : i + size] for i in range(0, len(data), size)]


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as s:
        port: int = s.getsockname()[1]
    return port
