"""A package index's files are downloaded from where pip is told to look, and nothing is built."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from wg.process import ToolError
from wg.thirdparty import index

FILE = "Some_Thing-1.0.tar.gz"
PAGE = f'<!DOCTYPE html><a href="../../files/{FILE}#sha256=00">{FILE}</a><a href="x">other-1.0.tar.gz</a>'
PYTHON = Path(sys.executable)


class Index(ThreadingHTTPServer):
    """`answers`: bodies by path; what is not there gives 404. `fails`: so many answers are 503 first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, bytes] = {}
        self.fails = 0
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/simple"


class _Handler(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        body = self.server.answers.get(self.path)
        if self.server.fails:
            self.server.fails -= 1
            self.send_error(503)
        elif body is None:
            self.send_error(404)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Index]:
    monkeypatch.setattr(index, "_PAUSE", 0.01)
    # Not the machine's own settings.
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for name in ("FIND_LINKS", "EXTRA_INDEX_URL", "CERT", "NO_INDEX"):
        monkeypatch.delenv(f"PIP_{name}", raising=False)
    with Index() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_INDEX_URL", made.address)
        yield made
        made.shutdown()


def test_a_file_of_an_index(server: Index, tmp_path: Path) -> None:
    server.answers = {"/simple/some-thing/": PAGE.encode(), f"/files/{FILE}": b"content"}
    index.download(PYTHON, "Some_Thing", FILE, tmp_path)
    assert (tmp_path / FILE).read_bytes() == b"content"
    assert server.asked == ["/simple/some-thing/", f"/files/{FILE}"]


def test_a_server_that_fails_is_asked_again(server: Index, tmp_path: Path) -> None:
    server.answers = {"/simple/some-thing/": PAGE.encode(), f"/files/{FILE}": b"content"}
    server.fails = 2
    index.download(PYTHON, "Some_Thing", FILE, tmp_path)
    assert (tmp_path / FILE).read_bytes() == b"content"


def test_another_index_on_the_disk(server: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "pypi" / "simple" / "some-thing"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text(f'<a href="{FILE}">{FILE}</a>')
    (folder / FILE).write_bytes(b"content")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", (tmp_path / "pypi" / "simple").as_uri())
    index.download(PYTHON, "some.thing", FILE, tmp_path)
    assert (tmp_path / FILE).read_bytes() == b"content"
    assert server.asked == ["/simple/some-thing/"]


def test_a_folder_of_files_comes_first(
    server: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / FILE).write_bytes(b"content")
    monkeypatch.setenv("PIP_FIND_LINKS", f"/nowhere {tmp_path / 'wheels'}")
    index.download(PYTHON, "some-thing", FILE, tmp_path)
    assert (tmp_path / FILE).read_bytes() == b"content"
    assert not server.asked


def test_what_is_nowhere_is_said(server: Index, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="404"):
        index.download(PYTHON, "some-thing", FILE, tmp_path)
    server.answers = {"/simple/some-thing/": b"<a href='x'>other-1.0.tar.gz</a>"}
    with pytest.raises(ToolError, match=f"has no file {FILE}"):
        index.download(PYTHON, "some-thing", FILE, tmp_path)


def test_pips_own_index_is_known(server: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_INDEX_URL")
    assert index._default_index(PYTHON).startswith("https://")
