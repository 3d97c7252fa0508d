"""Fair use: what a server lets be kept is not asked for again (RFC 9111), within a small budget and for one widget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hostile import HostileServer

OK = b"HTTP/1.1 200 OK\r\n"
HERE = ["127.0.0.1"]


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as s:
        yield s


def answer(*headers: str, body: bytes = b"hi") -> bytes:
    lines = b"".join(header.encode() + b"\r\n" for header in headers)
    return OK + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_what_is_fresh_is_not_asked_for_again(script: Any, server: HostileServer) -> None:
    cases = {
        "max-age": (["Cache-Control: public, max-age=60"], 1),
        "none": ([], 2),
        "no-store": (["Cache-Control: no-store, max-age=60"], 2),
        "no-cache": (["Cache-Control: no-cache, max-age=60", 'ETag: "1"'], 2),
        "over": (["Cache-Control: max-age=60", "Age: 61"], 2),
        "varies": (["Cache-Control: max-age=60", "Vary: *"], 2),
        "odd": (["Cache-Control: max-age=-5"], 2),
        "etag": (['ETag: "1"'], 2),
        "big": (["Cache-Control: max-age=60"], 2),
        "redirected": (["Cache-Control: max-age=60"], 2),
        "stale": (["Cache-Control: max-age=1"], 2),
    }
    for name, (headers, _) in cases.items():
        server.add("/" + name, answer(*headers, body=bytes(20_000) if name == "big" else b"hi"))
    server.add("/moved", b"HTTP/1.1 302 Found\r\nLocation: /redirected\r\nContent-Length: 0\r\n\r\n")
    paths = [name if name != "redirected" else "moved" for name in cases]
    requests = [["w", HERE, f"{server.url}/{path}", 0] for path in paths]
    found = script("polite", requests + [[*r[:3], 1100 if r[2].endswith("stale") else 0] for r in requests])
    assert all(status == 200 for status, _ in found["answers"])
    asked = [path for _, path, _, _ in server.asked]
    assert {name: asked.count("/" + name) for name in cases} == {n: count for n, (_, count) in cases.items()}


def test_what_is_stale_is_asked_for_with_its_tag(script: Any, server: HostileServer) -> None:
    url = server.add("/", answer('ETag: "a1"', "Cache-Control: max-age=0"))
    dated = server.add("/dated", answer("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"))
    script("polite", [["w", HERE, u, 0] for u in (url, url, dated, dated)])
    asked = [headers for _, _, headers, _ in server.asked]
    assert "if-none-match" not in asked[0] and asked[1]["if-none-match"] == '"a1"'
    assert asked[3]["if-modified-since"] == "Sun, 06 Nov 1994 08:49:37 GMT"
    # 304: the kept body is the answer.
    server.add("/kept", answer('ETag: "k"', body=b"kept"))
    first = script("polite", [["w", HERE, server.url + "/kept", 0]] * 1)["answers"]
    assert first == [[200, "kept"]]


def test_not_modified_gives_what_is_kept(script: Any, server: HostileServer) -> None:
    server.turns["/"] = [answer('ETag: "k"', body=b"kept"), b'HTTP/1.1 304 Not Modified\r\nETag: "k"\r\n\r\n']
    found = script("polite", [["w", HERE, server.url + "/", 0]] * 3)
    assert found["answers"] == [[200, "kept"]] * 3
    assert len(server.asked) == 3


def test_a_widget_sees_nothing_of_another_one(script: Any, server: HostileServer) -> None:
    url = server.add("/", answer("Cache-Control: max-age=60"))
    found = script(
        "polite", [["a", HERE, url, 0], ["b", HERE, url, 0], ["a", ["x.org"], url, 0], ["a", HERE, url, 0]]
    )
    assert len(server.asked) == 2
    assert found["answers"][2] == "127.0.0.1 is not listed"
    assert any("wg.hosts('a', [...])" in line for line in found["log"])


def test_the_budget(script: Any, server: HostileServer) -> None:
    urls = [server.add(f"/{i}", answer("Cache-Control: max-age=60", body=bytes(9000))) for i in range(12)]
    found = script("polite", [["w", HERE, url, 0] for url in [*urls, urls[-1], urls[0]]])
    assert 30_000 < found["kept"] <= 48 * 1024
    assert len(server.asked) == 13  # the last one was kept, the first one was not
