"""The WiFi state machine with a radio that does as it is told, and the clock with a time server that lies."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

NTP_EPOCH = 2208988800


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
    assert 100 < wrong["seen"][-1][0] < 160

    second = found["second network"]
    assert second["tried"] == ["away", "home"] and second["seen"][-1][1] == "connected"

    lost = found["lost"]
    assert [s[1] for s in lost["seen"]] == ["connecting", "connected", "connecting", "connected"]
    assert 80 <= lost["seen"][-1][0] <= 100 and lost["connections"] == 2

    late = found["comes back late"]
    assert late["seen"][-1][1] == "connected" and late["seen"][-1][0] < 500 + 330
    assert late["up"] == [True, False]  # the access point is closed again

    assert found["radio fails"]["seen"][-1][1] == "connected"


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
