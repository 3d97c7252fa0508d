"""The WiFi state machine with a radio that does as it is told, and the clock with a time server that lies."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

NTP_EPOCH = 2208988800
BACK_S, AP_RETRY_S = 60, 60  # as firmware/wgdisplay/net/wifi.py states them


def test_wifi(script: Any) -> None:
    found = script("radio")
    good = found["good"]
    assert [s[1:] for s in good["seen"]] == [["connecting", ""], ["connected", "10.0.0.5"]]
    assert good["seen"][-1][0] <= 2
    assert good["name"] == "wg-display" and good["up"] == [True, False] and good["ap"] is None

    none = found["none known"]
    assert none["seen"] == [[0, "ap", "192.168.4.1"]] and none["tried"] == []
    name, password = none["own"]
    assert name.startswith("WG Display ") and len(password) >= 8
    assert none["ap"] == {"ssid": name, "key": password, "security": 4}

    wrong = found["wrong password"]
    assert [s[1] for s in wrong["seen"]] == ["connecting", "ap"]
    assert len(wrong["tried"]) == 8
    assert 150 < wrong["seen"][-1][0] < 200

    second = found["second network"]
    assert second["tried"] == ["away", "home"] and second["seen"][-1][1] == "connected"

    lost = found["lost"]
    assert [s[1] for s in lost["seen"]] == ["connecting", "connected", "connecting", "connected"]
    assert 80 <= lost["seen"][-1][0] <= 80 + BACK_S and lost["connections"] == 2

    late = found["comes back late"]
    # The own network stays open, and is shown, until the known one is there again.
    assert [s[1] for s in late["seen"]] == ["connecting", "ap", "connected"]
    assert late["seen"][-1][0] < 500 + AP_RETRY_S + BACK_S
    assert late["up"] == [True, False]  # the access point is closed again

    assert found["radio fails"]["seen"][-1][1] == "connected"


def test_every_fault_of_the_radio(script: Any) -> None:
    """The board's own radio (boards/sim) refuses, drops, roams, is slow, gives no address: each is over in time, and
    what is told of it is true in every second."""
    found = script("radio_faults", timeout=120)
    for name, play in found.items():
        assert play["lies"] == [], (name, play)
        if play["well_from"] is not None:
            assert play["state"] == "connected" and play["problem"] == "", (name, play)
            limit = BACK_S + (AP_RETRY_S if "ap" in play["states"] else 0)
            assert play["back_after"] <= limit, (name, play)

    assert found["refuses"]["states"] == ["connecting", "connected"]
    assert found["drops"]["states"] == ["connecting", "connected", "connecting", "connected"]
    assert found["drops for long"]["states"] == ["connecting", "connected", "connecting", "ap", "connected"]
    assert found["roams"]["states"] == ["connecting", "connected"] and found["roams"]["connections"] == 2
    assert found["roams"]["address"] == "192.0.2.77"
    assert found["slow"]["back_after"] <= 14
    assert found["no address"]["states"] == ["connecting", "connected"]
    wrong = found["wrong password"]
    assert wrong["states"] == ["connecting", "ap"] and wrong["problem"] == "home refuses the password"
    assert found["strongest"]["tried"] == ["near"]
    assert found["strongest refuses"]["tried"] == ["near", "home"]
    assert found["hidden"]["tried"] == ["home", "hidden"]
    assert len(found) >= 15  # with the random ones


def ask(script: Any, expected: int, answer: Callable[[bytes], bytes | None]) -> Any:
    """Runs scripts/sntp.py against a server that answers with `answer(request)`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(0.1)
        ended = threading.Event()

        def work() -> None:
            while not ended.is_set():
                try:
                    request, client = s.recvfrom(100)
                except TimeoutError:
                    continue
                data = answer(request)
                if data is not None:
                    s.sendto(data, client)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            return script("sntp", {"port": s.getsockname()[1], "expected": expected})
        finally:
            ended.set()
            thread.join()


@contextmanager
def time_server(offset: float | None) -> Iterator[int]:
    """A time server that is so many seconds off, or silent; -> its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.settimeout(0.1)
        ended = threading.Event()

        def work() -> None:
            while not ended.is_set():
                try:
                    request, client = s.recvfrom(100)
                except TimeoutError:
                    continue
                if offset is not None:
                    s.sendto(packet(request, time.time() + offset), client)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield int(s.getsockname()[1])
        ended.set()
        thread.join()


def packet(request: bytes, unix: float, first: int = 0x24, stratum: int = 2) -> bytes:
    stamp = int((unix + NTP_EPOCH) * 2**32) & (2**64 - 1)
    return (
        struct.pack(">BBBb11I", first, stratum, 6, -20, *[0] * 11)[:24]
        + request[40:48]
        + struct.pack(">QQ", stamp, stamp)
    )


@pytest.mark.parametrize("ahead", [0, 3600, 86400 * 365 * 5, 86400 * 365 * 12, -86400 * 200])
def test_the_clock_is_set(script: Any, ahead: int) -> None:
    # Ahead by twelve years is after 2036, where the NTP era changes.
    expected = int(time.time()) + ahead
    start = time.time()
    seen = ask(script, expected, lambda request: packet(request, expected + time.time() - start))
    assert seen["synced"] and seen["flag"] and seen["known"]
    assert 0 <= seen["off_ms"] < 400


BAD: dict[str, Callable[[bytes], bytes | None]] = {
    "silence": lambda request: None,
    "short": lambda request: b"\x24\x02",
    "not a server": lambda request: packet(request, time.time() + 9999, first=0x23),
    "not synchronised": lambda request: packet(request, time.time() + 9999, first=0xE4),
    "kiss of death": lambda request: packet(request, time.time() + 9999, stratum=0),
    "not asked for": lambda request: packet(bytes(48), time.time() + 9999),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_does_not_move_the_clock(script: Any, name: str) -> None:
    seen = ask(script, int(time.time()), BAD[name])
    assert not seen["synced"] and not seen["flag"]
    assert abs(seen["moved"]) < 3
    assert len(seen["said"]) == 1 and seen["said"][0].startswith("no time from")


def test_time_servers_that_disagree(script: Any) -> None:
    """Two that agree are believed, a lone one only if it does not move a set clock far, or says so again."""
    with ExitStack() as stack:
        right, also_right = (stack.enter_context(time_server(2.0 + i / 10)) for i in range(2))
        ahead, behind = (stack.enter_context(time_server(offset)) for offset in (86400.0, -50_000.0))
        silent = stack.enter_context(time_server(None))
        cases: list[tuple[list[list[int]], list[tuple[bool, int]]]] = [
            ([[ahead, right, also_right]], [(True, 2)]),
            ([[right, ahead]], [(False, 0)]),
            ([[silent, right]], [(True, 2)]),
            ([[ahead, behind, silent]], [(False, 0)]),
            ([[right], [ahead]], [(True, 2), (False, 2)]),
            ([[right], [ahead], [ahead]], [(True, 2), (False, 2), (True, 86400)]),
            ([[right], [right]], [(True, 2), (True, 2)]),
        ]
        for syncs, expected in cases:
            found = script("ntp_servers", {"syncs": syncs})
            for (done, off), (wanted, about) in zip(found, expected, strict=True):
                assert done == wanted and abs(off - about) <= 1, (syncs, found)


def test_the_clock_does_not_drift(script: Any) -> None:
    found = script("drift")
    noons = found["noons"]
    assert 3000 < noons[0] < 4000  # half a day with a clock that loses seven seconds a day
    assert all(abs(ms) <= 20 for ms in noons[1:]), noons
    short, longer, longest, day = found["waits"]
    assert 12 <= short <= 16 and 24 <= longer <= 32 and 48 <= longest <= 64
    assert 17 * 3600 < day <= 24 * 3600
    good = {text: seconds for text, seconds in found["dates"].items() if seconds is not None}
    assert good == {
        text: int(parsedate_to_datetime(text).timestamp())
        for text in list(found["dates"])
        if text.endswith("GMT") and text[:3] in ("Sun", "Thu", "Wed") and text in good
    }
    assert len(good) == 3
