"""tests/servers/services.py: what the other tests rely on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.servers import services
from wg import ROOT


def get(url: str, timeout: float = 5) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_answers_follow_from_the_request_and_the_clock() -> None:
    with services.running(now=lambda: 1795420680.0) as server:
        url = f"{server.url}/v1/connections?from=Bern&to=Gen%C3%A8ve&limit=16"
        first = get(url)
        assert get(url) == first
        answer = json.loads(first[1])
        assert len(answer["connections"]) == 16 and answer["to"]["name"] == "Genève"
        start = answer["connections"][0]["from"]
        assert start["departure"] == "2026-11-23T08:47:00+0100" and start["departureTimestamp"] == 1795420020
        assert json.loads(get(f"{server.url}/v1/connections?from=x&to=Bern")[1])["from"] is None
        assert get(f"{server.url}/v1/connections?from=Bern")[0] == 400
        assert get(f"{server.url}/v2018/current?city=x")[0] == 404
        assert len(server.requests) == 5


def test_the_store_redirects_to_files(tmp_path: Path) -> None:
    (tmp_path / "some_thing.wasm").write_bytes(b"\0asm")
    with services.running(widgets=tmp_path) as server:
        (item,) = json.loads(get(server.url + "/store.json")[1])
        assert item["name"] == "Some Thing"
        assert get(item["repository"] + "/releases/latest/download/widget.wasm") == (200, b"\0asm")
        assert get(server.url + "/widgets/some_thing.wasm") == (200, b"\0asm")
        assert get(server.url + "/widgets/..%2F..%2Fetc%2Fpasswd")[0] == 404


def test_faults() -> None:
    with services.running(slow_seconds=0.3) as server:
        path = "/v2018/current?city=bern"
        whole = get(server.url + path)[1]
        assert get(f"{server.url}/fault/503{path}")[0] == 503
        assert get(f"{server.url}/fault/truncated{path}")[1] == whole[: len(whole) // 2]
        assert get(f"{server.url}/fault/empty{path}") == (200, b"")
        assert get(f"{server.url}/fault/redirect{path}")[0] == 200
        assert len(get(f"{server.url}/fault/huge{path}")[1]) > 10_000_000
        started = time.monotonic()
        assert get(f"{server.url}/fault/slow{path}")[0] == 200 and time.monotonic() - started >= 0.3
        for fault in ("close", "loop"):
            with pytest.raises(OSError):
                if get(f"{server.url}/fault/{fault}{path}")[0] == 302:
                    raise OSError("redirected too often")
        with pytest.raises(TimeoutError):
            get(f"{server.url}/fault/trickle{path}", timeout=0.5)
        assert get(f"{server.url}/fault/nonsense{path}")[0] == 404


def test_as_a_program() -> None:
    command = [sys.executable, "-m", "tests.servers.services", "--port", "0", "--now", "1795420680"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            assert get(url + "/v2018/current?city=bern")[0] == 200
        finally:
            process.kill()
