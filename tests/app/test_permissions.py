"""Which hosts a request reaches: nothing inside the network that is not listed, whatever the address looks like."""

from __future__ import annotations

import ipaddress
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hostile import HostileServer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as s:
        s.add("/", OK)
        yield s


@pytest.fixture
def other() -> Iterator[HostileServer]:
    with HostileServer() as s:
        s.add("/", OK)
        yield s


def ask(script: Any, requests: list[tuple[list[str], str]], names: dict[str, Any] | None = None) -> Any:
    return script("reach", {"names": names or {}, "requests": requests})


# Ways to write loopback, of the usual lists; {} is the port.
TRICKS = [
    "http://127.0.0.1:{}/",
    "http://127.0.0.1.:{}/",
    "http://127.1:{}/",
    "http://127.0.1:{}/",
    "http://2130706433:{}/",
    "http://0x7f000001:{}/",
    "http://0x7F.0.0.1:{}/",
    "http://0x7f.1:{}/",
    "http://0177.0.0.1:{}/",
    "http://0177.1:{}/",
    "http://017700000001:{}/",
    "http://127.0.0.01:{}/",
    "http://127.0.0.1%00.example.org:{}/",
    "http://0:{}/",
    "http://0.0.0.0:{}/",
    "http://[::1]:{}/",
    "http://[0:0:0:0:0:0:0:1]:{}/",
    "http://[::]:{}/",
    "http://[::ffff:127.0.0.1]:{}/",
    "http://[::ffff:7f00:1]:{}/",
    "http://[0:0:0:0:0:ffff:7f00:0001]:{}/",
    "http://[::127.0.0.1]:{}/",
    "http://[64:ff9b::127.0.0.1]:{}/",
    "http://[2002:7f00:1::]:{}/",
    "http://[::1%25lo]:{}/",
    "http://[fe80::1%25lo]:{}/",
    "http://localhost:{}/",
    "http://LOCALHOST:{}/",
    "http://localhost.:{}/",
    "http://example.org@127.0.0.1:{}/",
    "http://user:pw@127.0.0.1:{}/",
    "http://example.org%40127.0.0.1:{}/",
    "http://example.org\\@127.0.0.1:{}/",
    "http://example.org#@127.0.0.1:{}/",
    "http://127.0.0.1:{}#@example.org/",
    "http://127.0.0.1:{}?@example.org/",
    "http:127.0.0.1:{}/",
    "http:/127.0.0.1:{}/",
    "http:///127.0.0.1:{}/",
    "http://\u2460\u2461\u2466.0.0.1:{}/",
    "http://\uff11\uff12\uff17.0.0.1:{}/",
    "http://127\u30020\u30020\u30021:{}/",
    "http://inside.example:{}/",
    "http://inside6.example:{}/",
    "http://mapped.example:{}/",
    "http://unspecified.example:{}/",
    "http://INSIDE.example.:{}/",
]
NAMES = {
    "inside.example": ["127.0.0.1"],
    "inside6.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "unspecified.example": ["0.0.0.0"],
    "example.org": ["192.0.2.1"],
}


def test_no_spelling_reaches_the_inside(script: Any, server: HostileServer) -> None:
    port = server.url.rsplit(":", 1)[1]
    requests = [
        (hosts, trick.format(port)) for trick in TRICKS for hosts in (["*"], [], ["example.org", "*.example"])
    ]
    found = ask(script, requests, NAMES)["answers"]
    for (hosts, url), (status, said) in zip(requests, found, strict=True):
        assert status in (None, "forbidden") and said and "\n" not in said, (hosts, url, status, said)
    assert server.asked == []
    # The same server is reached as soon as it is listed, so the refusals are not for want of one.
    listed = ask(script, [(["127.0.0.1"], f"http://127.0.0.1:{port}/")])["answers"]
    assert listed == [[200, "hi"]]


def test_what_a_list_allows(script: Any, server: HostileServer) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    names = {
        "nas": ["127.0.0.1"],
        "nas.local": ["127.0.0.1"],
        "home.example.org": ["127.0.0.1"],
        "deep.nas.lan": ["127.0.0.1"],
    }
    cases = [
        (["127.0.0.1"], "127.0.0.1", True),
        ([f"127.0.0.1:{port}"], "127.0.0.1", True),
        ([f"127.0.0.1:{port - 1}"], "127.0.0.1", False),
        (["127.0.0.2"], "127.0.0.1", False),
        (["::1"], "127.0.0.1", False),
        (["nas"], "nas", True),
        (["NAS.local"], "nas.local", True),
        (["nas.local"], "nas", False),
        (["*.nas.lan"], "deep.nas.lan", True),
        (["*.local"], "nas.local", True),
        (["*", "127.0.0.1"], "127.0.0.1", True),
        (["127.0.0.1"], "nas", False),
        # A name that the public can give out needs the address in the list, too.
        (["home.example.org"], "home.example.org", False),
        (["*"], "home.example.org", False),
        (["home.example.org", "127.0.0.1"], "home.example.org", True),
        (["*.example.org", "127.0.0.1"], "home.example.org", True),
        (["example.org", "127.0.0.1"], "home.example.org", False),
    ]
    answers = ask(script, [(hosts, f"http://{host}:{port}/") for hosts, host, _ in cases], names)["answers"]
    for (hosts, host, allowed), got in zip(cases, answers, strict=True):
        assert got[0] == (200 if allowed else "forbidden"), (hosts, host, got)


def test_ports(script: Any) -> None:
    """Ports of mail, shells and the like are not the web: they are reached only if they are listed."""
    names = {"example.org": ["127.0.0.1"]}
    requests = [(["*"], f"http://example.org:{port}/") for port in (22, 25, 110, 143, 993)]
    requests += [(["example.org"], f"https://example.org:{port}/") for port in (22, 25)]
    for status, said in ask(script, requests, names)["answers"]:
        assert status == "forbidden" and "listed" in said


def test_redirects_are_asked_again(script: Any, server: HostileServer, other: HostileServer) -> None:
    port, inside = (s.url.rsplit(":", 1)[1] for s in (server, other))
    targets = [trick.format(inside) for trick in TRICKS if trick.isascii()]
    targets += [f"//127.0.0.1:{inside}/", "file:///etc/passwd", f"ftp://127.0.0.1:{inside}/"]
    for i, target in enumerate(targets):
        server.add(
            f"/{i}",
            f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"),
        )
    requests = [([f"127.0.0.1:{port}", "*"], f"{server.url}/{i}") for i in range(len(targets))]
    for target, (status, said) in zip(targets, ask(script, requests, NAMES)["answers"], strict=True):
        # What is no absolute address is one on the same server, which has nothing there.
        assert status in (None, "forbidden", 404), (target, status, said)
    assert other.asked == []


def test_a_name_is_looked_up_once(script: Any, server: HostileServer) -> None:
    """Rebinding: the address that was checked is the one that is connected to."""
    port = int(server.url.rsplit(":", 1)[1])
    with HostileServer(address="127.0.0.2", port=port) as outside:  # which stands for a public server
        outside.add("/", OK)
        names = {
            "rebinds.example": [["127.0.0.2"], ["127.0.0.1"]],
            "both.example": ["127.0.0.1", "127.0.0.2"],
        }
        requests = [(["*"], f"http://{name}:{port}/") for name in names]
        found = script("reach", {"names": names, "requests": requests, "public": "127.0.0.2"})
        assert [status for status, _ in found["answers"]] == [200, 200]
        assert found["looked up"] == ["rebinds.example", "both.example"]
        assert len(outside.asked) == 2
    assert server.asked == []


def test_a_kept_connection_is_not_lent(script: Any, server: HostileServer) -> None:
    """A connection that one widget may have is no way in for another."""
    port = server.url.rsplit(":", 1)[1]
    names = {"home.example.org": ["127.0.0.1"]}
    url = f"http://home.example.org:{port}/"
    both = ["home.example.org", "127.0.0.1"]
    answers = ask(script, [(both, url), (["home.example.org"], url), (["*"], url), (both, url)], names)
    assert [status for status, _ in answers["answers"]] == [200, "forbidden", "forbidden", 200]


def test_public_addresses_are_the_registries(script: Any) -> None:
    """Against Python's ipaddress: nothing that it calls private, reserved or multicast is public here."""
    chance = random.Random(6)
    texts = [str(ipaddress.IPv4Address(chance.getrandbits(32))) for _ in range(2000)]
    for block in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "198.18.0.0/15",
    ):
        network = ipaddress.ip_network(block)
        texts += [str(network[0]), str(network[-1])]
        texts += [str(network[0] - 1), str(network[-1] + 1)]
    texts += [str(ipaddress.IPv6Address(chance.getrandbits(128))) for _ in range(2000)]
    texts += [str(ipaddress.IPv6Address(0x2001 << 112 | chance.getrandbits(112))) for _ in range(500)]
    texts += [str(ipaddress.IPv6Address(0xFFFF << 32 | chance.getrandbits(32))) for _ in range(500)]
    found = [got for i in range(0, len(texts), 500) for got in script("addresses", texts[i : i + 500])]
    for text, (shown, public) in zip(texts, found, strict=True):
        address = ipaddress.ip_address(text)
        assert ipaddress.ip_address(shown) == address
        assert shown == str(address) or address.version == 6
        plain = getattr(address, "ipv4_mapped", None) or address
        inside = not plain.is_global or plain.is_multicast or plain.is_reserved
        assert not (public and inside), text
        if address.version == 4 and not inside and not text.startswith(("192.0.0.", "192.88.99.")):
            assert public, text


def test_lists_in_their_normal_form(script: Any) -> None:
    good = {
        "API.Example.org.": "api.example.org",
        "*.Example.org": "*.example.org",
        "192.168.1.5:80": "192.168.1.5:80",
        "FD00::0:5": "fd00::5",
        "[fd00::5]:8080": "[fd00::5]:8080",
        "*": "*",
        "nas": "nas",
    }
    bad = [
        "",
        "http://x.org",
        "x.org/path",
        "a b",
        "x.org:0",
        "x.org:port",
        "x:1:2",
        "*.1.2.3.4",
        "0x7f.1",
        "1.2.3",
    ]
    bad += [
        "1.2.3.4.5",
        "[::1",
        "x..y",
        "**",
        "*.*.org",
        "-" * 64 + ".org",
        "user@x.org",
        "\u00e4.org",
        5,
        None,
    ]
    found = script("addresses", {"lists": [[text] for text in good] + [[text] for text in bad]})
    assert found[: len(good)] == [[text] for text in good.values()]
    for text, said in zip(bad, found[len(good) :], strict=True):
        assert isinstance(said, str) and said and "\n" not in said, (text, json.dumps(said))
