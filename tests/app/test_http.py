"""The HTTP client against a server that does everything wrong."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hostile import HostileServer, slowly, unused_port

OK = b"HTTP/1.1 200 OK\r\n"
KIB = 1024


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as s:
        yield s


def fetch(
    script: Any, *urls: str, method: str = "GET", body: str | None = None, most: int = 1 << 20, ms: int = 3000
) -> Any:
    return script("fetch", [[method, url, body, most, ms] for url in urls])["answers"]


def test_good_answers(script: Any, server: HostileServer) -> None:
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    chunked += b"4\r\nWiki\r\n6;ext=1\r\npedia \r\n00A\r\nin chunks.\r\n0\r\nX-T: 1\r\n\r\n"
    length = OK + b"Content-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello more than that"
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + length
    cases = {
        server.add("/length", length): "hello",
        server.add("/close", OK + b"\r\n", b"until ", b"the end"): "until the end",
        server.add("/chunked", chunked): "Wikipedia in chunks.",
        server.add("/bytewise", *slowly(chunked), pause=0.001): "Wikipedia in chunks.",
        server.add("/bare-newlines", b"HTTP/1.0 200\nContent-Length: 2\n\nhi"): "hi",
        server.add("/interim", interim): "hello",
        server.add("/empty", OK + b"Content-Length: 0\r\n\r\n"): "",
        server.add("/no-content", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"): "",
        server.add("/same-length-twice", OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"): "hi",
        server.add("/query?a=b&c=d", OK + b"\r\nq"): "q",
    }
    for (url, expected), got in zip(cases.items(), fetch(script, *cases), strict=True):
        assert (got[0], got[1]) == (204 if "no-content" in url else 200, expected), url
    assert fetch(script, server.url + "/length")[0][4]["x-a"] == "1, 2"
    assert fetch(script, server.url + "/missing")[0][0] == 404


def test_what_is_sent(script: Any, server: HostileServer) -> None:
    url = server.add("/a%20b?x=\u00e9", OK + b"\r\n")
    server.answers["/a%20b?x=%C3%A9"] = server.answers["/a%20b?x=\u00e9"]
    for method, body in (("GET", None), ("HEAD", None), ("POST", "b=1"), ("PUT", None), ("DELETE", None)):
        assert fetch(script, url + "#part", method=method, body=body)[0][0] == 200
    assert [a[0] for a in server.asked] == ["GET", "HEAD", "POST", "PUT", "DELETE"]
    for _, path, headers, _ in server.asked:
        assert path == "/a%20b?x=%C3%A9"
        assert headers["host"] == server.url.removeprefix("http://")
        assert "connection" not in headers and headers["accept-encoding"] == "gzip"
    post, put = server.asked[2], server.asked[3]
    assert (post[2]["content-length"], post[3]) == ("3", b"b=1")
    assert put[2]["content-length"] == "0"


def test_head_has_a_length_and_no_body(script: Any, server: HostileServer) -> None:
    url = server.add("/", OK + b"Content-Length: 1000\r\n\r\n")
    (got,) = fetch(script, url, method="HEAD")
    assert got[:3] == [200, "", 0]
    assert got[4]["content-length"] == "1000"


def test_redirects(script: Any, server: HostileServer) -> None:
    def to(path: str, where: str, status: int = 302) -> str:
        return server.add(
            path, f"HTTP/1.1 {status} Moved\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()
        )

    end = server.add("/d/end?x=1", OK + b"\r\nend")
    for where in (end, "/d/end?x=1", "end?x=1", "./e/../end?x=1", "//" + end.removeprefix("http://")):
        (got,) = fetch(script, to("/d/start", where))
        assert got[:2] == [200, "end"] and got[3] == end, where
    for i in range(5):
        to(f"/hop{i}", f"/hop{i + 1}")
    server.add("/hop5", OK + b"\r\nfive")
    assert fetch(script, server.url + "/hop0")[0][1] == "five"
    to("/hop5", "/hop6")
    server.add("/hop6", OK + b"\r\nsix")
    assert fetch(script, server.url + "/hop0")[0][:2] == [None, "more than 5 redirects"]
    assert "more than 5" in fetch(script, to("/loop", "/loop"))[0][1]
    for other in ("file:///etc/passwd", "ftp://host/x"):
        assert fetch(script, to("/file", other))[0][1] == (
            f"a redirect was refused: not an http:// or https:// address: {other}"
        )
    assert fetch(script, server.add("/nowhere", b"HTTP/1.1 302 Found\r\n\r\nbody"))[0][:2] == [302, "body"]
    server.asked.clear()
    fetch(script, to("/see", "/d/end?x=1", 303), to("/keep", "/d/end?x=1", 307), method="POST", body="data")
    assert [(a[0], a[3]) for a in server.asked] == [
        ("POST", b"data"),
        ("GET", b""),
        ("POST", b"data"),
        ("POST", b"data"),
    ]


def test_a_download_is_resumed(script: Any, server: HostileServer) -> None:
    """The rest of a file by Range; a server that has another file now, or knows no ranges, sends it whole."""

    def resume(path: str, *answer: bytes, start: int = 4, etag: str | None = None) -> Any:
        job = [server.add(path, *answer), start, etag]
        return script("resume", job)

    rest = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n456789"
    whole = OK + b'ETag: "b"\r\nContent-Length: 10\r\n\r\n0123456789'
    assert resume("/rest", rest, etag='"a"') == [206, "456789", 10, False, None]
    assert server.asked[-1][2]["range"] == "bytes=4-" and server.asked[-1][2]["if-range"] == '"a"'
    resume("/weak", rest, etag='W/"a"')
    assert "if-range" not in server.asked[-1][2]
    assert resume("/changed", whole, etag='"a"') == [200, "0123456789", 10, True, '"b"']
    assert resume("/first", whole, start=0) == [200, "0123456789", 10, False, '"b"']
    assert "range" not in server.asked[-1][2]
    elsewhere = rest.replace(b"bytes 4-9/10", b"bytes 3-9/10")
    for bad in (elsewhere, rest.replace(b"Content-Range", b"X-Range")):
        assert "another part of the file" in resume("/elsewhere", bad)
    assert "status 206" in resume("/unasked", rest, start=0)
    assert "status 416" in resume("/past", b"HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n")
    assert resume("/cut", rest[:-1]) == "lost: the connection ended before the body did (1 bytes are missing)"
    assert resume("/too-long", OK + b"Content-Length: 999999\r\n\r\n").startswith("the body is larger")


BAD = {
    "nothing": (b"", "ended too early"),
    "not HTTP": (b"SSH-2.0-OpenSSH\r\n", "not HTTP/1.1"),
    "HTTP/2": (b"HTTP/2 200 OK\r\n\r\n", "not HTTP/1.1"),
    "no status": (b"HTTP/1.1 abc OK\r\n\r\n", "not HTTP/1.1"),
    "status of 4 digits": (b"HTTP/1.1 2000 OK\r\n\r\n", "not HTTP/1.1"),
    "cut in the headers": (OK + b"Content-Le", "in the middle of the headers"),
    "no colon": (OK + b"nonsense\r\n\r\n", "malformed header"),
    "folded header": (OK + b"A: b\r\n c\r\n\r\n", "malformed header"),
    "space in a name": (OK + b"A b: c\r\n\r\n", "malformed header"),
    "control in a value": (OK + b"A: b\0c\r\n\r\n", "malformed header"),
    "long line": (OK + b"A: " + b"x" * 5000 + b"\r\n\r\n", "line of more than"),
    "endless line": (b"x" * 100_000, "line of more than"),
    "many headers": (OK + b"A: b\r\n" * 101 + b"\r\n", "too many headers"),
    "big headers": (
        OK + b"".join(b"A%d: %s\r\n" % (i, b"x" * 900) for i in range(20)) + b"\r\n",
        "too many headers",
    ),
    "truncated": (OK + b"Content-Length: 100\r\n\r\nabc", "97 bytes are missing"),
    "negative length": (OK + b"Content-Length: -1\r\n\r\n", "malformed content-length"),
    "plus length": (OK + b"Content-Length: +3\r\n\r\nabc", "malformed content-length"),
    "hex length": (OK + b"Content-Length: 0x3\r\n\r\nabc", "malformed content-length"),
    "huge length": (OK + b"Content-Length: 99999999999999999999\r\n\r\n", "malformed content-length"),
    "too long": (OK + b"Content-Length: 1048577\r\n\r\n", "larger than 1048576"),
    "two lengths": (
        OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "two different content-length",
    ),
    "two lengths in one": (OK + b"Content-Length: 3, 4\r\n\r\nabc", "malformed content-length"),
    "gzip transfer": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "transfer coding"),
    "bad chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "malformed chunk size"),
    "negative chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", "malformed chunk size"),
    "huge chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n", "malformed chunk size"),
    "large chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", "larger than 1048576"),
    "long chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", "chunk that is longer"),
    "cut chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc", "6 bytes are missing"),
    "no last chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "ended too early"),
    "interim for ever": (b"HTTP/1.1 100 Continue\r\n\r\n" * 50, "too many interim"),
    "protocol switch": (b"HTTP/1.1 101 Switching\r\n\r\n", "another protocol"),
    "endless body": (OK + b"\r\n" + b"x" * (1025 * KIB), "larger than 1048576"),
}


def test_bad_answers(script: Any, server: HostileServer) -> None:
    urls = [server.add(f"/{i}", answer) for i, (answer, _) in enumerate(BAD.values())]
    for (name, (_, expected)), got in zip(BAD.items(), fetch(script, *urls), strict=True):
        assert got[0] is None and expected in got[1], (name, got)
        assert "\n" not in got[1]


def test_bad_addresses(script: Any) -> None:
    port = unused_port()
    cases = {
        f"http://127.0.0.1:{port}/": "connection refused",
        "ftp://host/": "not an http:// or https:// address",
        "host/path": "not an http:// or https:// address",
        "http://": "no valid host",
        "http://user:pw@host/": "user name or password",
        "http://host:port/": "malformed port",
        "http://host:0/": "malformed port",
        "http://host:65536/": "malformed port",
        "http://ho st/": "space or a control character",
        "http://host/\r\nX: y": "space or a control character",
        "http://[::1/": "malformed host",
        "http://no-such-host.invalid/": "was not found",
        "http://host/" + "x" * 3000: "longer than 2048",
    }
    for (url, expected), got in zip(cases.items(), fetch(script, *cases), strict=True):
        assert got[0] is None and expected in got[1], (url, got)


def test_deadlines(script: Any, server: HostileServer) -> None:
    urls = [
        server.add("/silent", hold=5),
        server.add("/stalls", OK + b"Content-Length: 9\r\n\r\nabc", hold=5),
        server.add("/drips", OK, *slowly(b"X: " + b"y" * 1000), pause=0.05),
        server.add("/drips-body", OK + b"\r\n", *slowly(b"y" * 1000), pause=0.05),
    ]
    found = script("fetch", ["together", *[["GET", url, None, KIB, 600] for url in urls]])
    for url, got in zip(urls, found["answers"], strict=True):
        assert got[:2] == [None, "no complete answer within 1 s"], url
        assert 550 <= got[5] < 900, url
    # All waited at once, and the loop ran on all the while.
    assert found["elapsed"] < 1000
    assert found["ticks"] > 20


def test_random_answers_end_in_a_result_or_one_error(script: Any, server: HostileServer) -> None:
    chance = random.Random(1)
    good = [
        OK + b"Content-Length: 5\r\nA: b\r\n\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /0\r\nContent-Length: 0\r\n\r\n",
    ]
    urls = []
    for i in range(300):
        data = bytearray(chance.choice(good))
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(data))
            match chance.randrange(4):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    del data[at : at + chance.randrange(1, 9)]
                case 2:
                    data[at:at] = chance.choice([b"\r\n", b"\n", b":", b"0", b"9", b"\xff", b" ", b"ffff"])
                case 3:
                    del data[at:]
            data = data or bytearray(b"\n")
        urls.append(server.add(f"/{i}", *slowly(bytes(data), chance.choice([1, 7, 1000]))))
    answers = fetch(script, *urls, ms=2000)
    assert len(answers) == 300
    assert {got[0] is None for got in answers} == {True, False}
    assert all(got[5] < 2500 for got in answers)
