"""https: only a certificate of a known root, for this host, valid now, is accepted."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"hello" * 10000


class Authority:
    """A certificate authority made with openssl's command, and certificates of it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.key, self.pem, self.der = (folder / f"{name}.{kind}" for kind in ("key", "pem", "der"))
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)
        subject = ["-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE"]
        self._openssl("req", "-x509", "-new", "-key", self.key, "-days", "30", "-out", self.pem, *subject)
        self._openssl("x509", "-in", self.pem, "-outform", "DER", "-out", self.der)

    def certificate(self, name: str, names: str, *options: str) -> tuple[Path, Path]:
        """-> (chain, key) of a server; `names` as in subjectAltName."""
        key, request, pem, extra = (self.folder / f"{name}.{kind}" for kind in ("key", "csr", "pem", "ext"))
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key)
        self._openssl("req", "-new", "-key", key, "-subj", "/CN=server", "-out", request)
        extra.write_text(f"subjectAltName={names}\n")
        signed = ["-CA", self.pem, "-CAkey", self.key, "-CAcreateserial", "-extfile", extra]
        self._openssl("x509", "-req", "-in", request, "-out", pem, *signed, *(options or ("-days", "30")))
        return pem, key

    def _openssl(self, *args: str | Path) -> None:
        subprocess.run(["openssl", *args], check=True, capture_output=True, timeout=30)


@contextmanager
def serve(pair: tuple[Path, Path], answer: bytes = HELLO) -> Iterator[int]:
    """A TLS 1.2 server on loopback that answers everything alike; -> its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(*pair)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)

        def work() -> None:
            while not ended.is_set():
                try:
                    plain, _ = listener.accept()
                except TimeoutError:
                    continue
                plain.settimeout(5)
                try:
                    with context.wrap_socket(plain, server_side=True) as s:
                        s.recv(4096)
                        s.sendall(answer)
                except OSError:
                    pass  # refused by the client

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        ended.set()
        thread.join()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("known"), "Known root")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("unknown"), "Unknown root")


def fetch(script: Any, authority: Authority, url: str) -> Any:
    (got,) = script("fetch", [{"roots": str(authority.folder)}, ["GET", url, None, 1 << 20, 5000]])["answers"]
    return got


def test_a_good_certificate_is_accepted(script: Any, authority: Authority) -> None:
    with serve(authority.certificate("good", "DNS:localhost,IP:127.0.0.1")) as port:
        for host in ("localhost", "127.0.0.1"):
            got = fetch(script, authority, f"https://{host}:{port}/")
            assert got[0] == 200 and got[2] == 50000, (host, got)


def test_others_are_refused(script: Any, authority: Authority, stranger: Authority) -> None:
    local = "DNS:localhost"
    cases = {
        "wrong host": (authority.certificate("other", "DNS:example.org"), "certificate was refused"),
        "unknown root": (stranger.certificate("unknown", local), "certificate was refused"),
        "expired": (authority.certificate("expired", local, "-days", "-1"), "certificate was refused"),
        "a root as a server": ((stranger.pem, stranger.key), "certificate was refused"),
    }
    said = {}
    for name, (pair, expected) in cases.items():
        with serve(pair) as port:
            status, text, *_ = fetch(script, authority, f"https://localhost:{port}/")
        assert status is None and expected in text and "\n" not in text, (name, text)
        said[name] = text
    assert len({said["wrong host"], said["unknown root"], said["expired"]}) == 3, said


def test_a_server_without_tls_is_refused(script: Any, authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def work() -> None:
            plain, _ = listener.accept()
            with plain:
                plain.recv(4096)
                plain.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        status, text, *_ = fetch(script, authority, f"https://localhost:{port}/")
        thread.join(5)
    assert status is None and "no secure connection" in text, text


def test_without_roots_nothing_is_trusted(script: Any, authority: Authority, tmp_path: Path) -> None:
    with serve(authority.certificate("rootless", "DNS:localhost")) as port:
        request = ["GET", f"https://localhost:{port}/", None, 1 << 20, 5000]
        (got,) = script("fetch", [{"roots": str(tmp_path), "rootless": True}, request])["answers"]
    assert got[0] is None and got[1].startswith("no root certificates installed: ")


def test_no_redirect_from_https_to_http(script: Any, authority: Authority) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://localhost:1/\r\nContent-Length: 0\r\n\r\n"
    with serve(authority.certificate("moved", "DNS:localhost"), answer=answer) as port:
        got = fetch(script, authority, f"https://localhost:{port}/")
    assert got[:2] == [None, "a redirect from https to http was refused"]
