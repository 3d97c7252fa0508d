"""https: only a certificate of a known root, for this host, valid now, is accepted."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + b"hello" * 10000


class Authority:
    """A certificate authority made with openssl's command, a root or one that `issuer` vouches for."""

    def __init__(self, folder: Path, name: str, issuer: Authority | None = None) -> None:
        self.folder = folder
        self.key, self.pem, self.der = (folder / f"{name}.{kind}" for kind in ("key", "pem", "der"))
        subject = ["-subj", f"/CN={name}"]
        constraint = "basicConstraints=critical,CA:TRUE"
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)
        if issuer is None:
            root = ["-x509", "-new", "-days", "30", *subject, "-addext", constraint]
            _openssl("req", *root, "-key", self.key, "-out", self.pem)
            _openssl("x509", "-in", self.pem, "-outform", "DER", "-out", self.der)
        else:
            issuer.sign(self.key, self.pem, subject, constraint)

    def certificate(
        self,
        name: str,
        names: str = "DNS:localhost",
        *,
        key: tuple[str, ...] = ("ecparam", "-name", "prime256v1", "-genkey", "-noout"),
        begins: int = -1,
        ends: int = 30,
        digest: str = "sha256",
        with_chain: bool = True,
    ) -> tuple[Path, Path]:
        """-> (chain, key) of a server; `names` as in subjectAltName, valid from and to so many days from now."""
        key_path, pem = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        _openssl(*key, "-out", key_path, *(("1024",) if key[0] == "genrsa" else ()))
        self.sign(key_path, pem, ["-subj", "/CN=server"], f"subjectAltName={names}", begins, ends, digest)
        if with_chain:
            pem.write_text(pem.read_text() + self.pem.read_text())
        return pem, key_path

    def sign(
        self,
        key: Path,
        out: Path,
        subject: list[str],
        extension: str,
        begins: int = -1,
        ends: int = 30,
        digest: str = "sha256",
    ) -> None:
        request, extra, settings = (out.with_suffix(f".{kind}") for kind in ("csr", "ext", "cnf"))
        _openssl("req", "-new", "-key", key, *subject, "-out", request)
        extra.write_text(extension + "\n")
        for file in ("index.txt", "index.txt.attr"):
            (self.folder / file).write_text("")
        settings.write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/index.txt\nnew_certs_dir={self.folder}\n"
            "rand_serial=yes\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
        )
        now = datetime.now(UTC)
        dates = [(now + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ") for days in (begins, ends)]
        _openssl(
            *(
                "ca",
                "-batch",
                "-notext",
                "-config",
                settings,
                "-md",
                digest,
                "-cert",
                self.pem,
                "-keyfile",
                self.key,
            ),
            *("-in", request, "-out", out, "-extfile", extra, "-startdate", dates[0], "-enddate", dates[1]),
        )


def _openssl(*args: str | Path) -> None:
    subprocess.run(["openssl", *args], check=True, capture_output=True, timeout=30)


@contextmanager
def serve(
    pair: tuple[Path, Path],
    answer: bytes = HELLO,
    versions: tuple[ssl.TLSVersion, ssl.TLSVersion] = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
) -> Iterator[int]:
    """A TLS server on loopback that answers everything alike; -> its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = versions
    context.set_ciphers("ALL:@SECLEVEL=0")  # it has what a careless server has
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


def test_an_intermediate_is_accepted(script: Any, authority: Authority) -> None:
    middle = Authority(authority.folder, "Middle", authority)
    with serve(middle.certificate("with-middle")) as port:
        got = fetch(script, authority, f"https://localhost:{port}/")
    assert got[0] == 200 and got[2] == 50000, got


@pytest.fixture(scope="module")
def faults(authority: Authority, stranger: Authority) -> dict[str, tuple[tuple[Path, Path], str]]:
    """Certificates that must be refused, each with a part of its sentence."""
    middle = Authority(authority.folder, "Middle of the faults", authority)
    self_signed = Authority(stranger.folder, "localhost")
    rsa = ("genrsa",)
    return {
        "expired": (authority.certificate("expired", begins=-20, ends=-2), "it expired on 20"),
        "not yet valid": (authority.certificate("early", begins=5, ends=20), "it is not valid before 20"),
        "wrong host": (authority.certificate("other", "DNS:example.org"), "it was issued for another host"),
        "self-signed": ((self_signed.pem, self_signed.key), "it is signed by itself"),
        "unknown root": (stranger.certificate("unknown"), "its root, Unknown root, is not one of those"),
        "weak key": (authority.certificate("weak", key=rsa), "its key is too weak"),
        "weak signature": (
            authority.certificate("sha1", digest="sha1"),
            "its signature is of a kind that is too weak",
        ),
        "missing intermediate": (
            middle.certificate("lone", with_chain=False),
            "the certificate of its issuer, Middle of the faults, was not sent along",
        ),
        "expired and for another host": (
            authority.certificate("both", "DNS:example.org", begins=-20, ends=-2),
            "it was issued for another host and it expired on",
        ),
    }


def test_others_are_refused(
    script: Any, authority: Authority, faults: dict[str, tuple[tuple[Path, Path], str]]
) -> None:
    said = {}
    for name, (pair, expected) in faults.items():
        with serve(pair) as port:
            status, text, *_ = fetch(script, authority, f"https://localhost:{port}/")
        assert status is None and expected in text and "\n" not in text, (name, text)
        assert text.startswith(f"the certificate of localhost:{port} was refused: "), text
        said[name] = text.partition("refused")[2]
    assert len(set(said.values())) == len(faults), said


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(script: Any, authority: Authority, version: ssl.TLSVersion) -> None:
    with serve(authority.certificate(version.name), versions=(version, version)) as port:
        status, text, *_ = fetch(script, authority, f"https://localhost:{port}/")
    assert status is None, text
    assert text == f"no secure connection to localhost:{port}: it offers only versions of TLS before 1.2"


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
    assert got[0] is None and got[1].startswith("no root certificates are installed: ")


def test_the_owners_own_roots(script: Any, authority: Authority, stranger: Authority, tmp_path: Path) -> None:
    """Added as DER or PEM, kept as files, trusted at once, and no longer when they are removed."""
    folder = tmp_path / "roots"
    steps = [
        ["add", str(authority.pem)],
        ["add", str(stranger.der)],
        ["add", str(stranger.pem)],
        ["add", str(authority.key)],
        ["remove", "Nobody"],
        ["remove", "Known root"],
    ]
    found = script("trusts", {"folder": str(folder), "steps": steps})
    assert found[0] == ["Known root"]
    assert sorted(found[1]) == sorted(found[2]) == ["Known root", "Unknown root"]
    assert found[3] == "this is no certificate in DER or PEM form"
    assert found[4] == "there is no root called 'Nobody'; wg.trust() lists them"
    assert found[5] == ["Unknown root"]
    for made, status in ((stranger, 200), (authority, None)):
        with serve(made.certificate("own")) as port:
            request = ["GET", f"https://localhost:{port}/", None, 1 << 20, 5000]
            (got,) = script("fetch", [{"roots": str(folder)}, request])["answers"]
        assert got[0] == status, got


def test_only_the_roots_that_a_chain_asks_for_are_loaded(
    script: Any, authority: Authority, tmp_path: Path
) -> None:
    """Of the frozen roots; so the first connection to a host is made twice, and the next ones are not."""
    with serve(authority.certificate("frozen")) as port:
        request = ["GET", f"https://localhost:{port}/", None, 1 << 20, 5000]
        found = script(
            "fetch", [{"roots": str(tmp_path / "none"), "frozen": str(authority.der)}, request, request]
        )
    assert [got[0] for got in found["answers"]] == [200, 200]
    assert found["loaded"] == [0, 1]  # in each of the two contexts


def test_no_redirect_from_https_to_http(script: Any, authority: Authority) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://localhost:1/\r\nContent-Length: 0\r\n\r\n"
    with serve(authority.certificate("moved", "DNS:localhost"), answer=answer) as port:
        got = fetch(script, authority, f"https://localhost:{port}/")
    assert got[:2] == [None, "a redirect from https to http was refused"]
