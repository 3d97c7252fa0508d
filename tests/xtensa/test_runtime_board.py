"""The runtime on the Xtensa board against Wasmtime 42 and 50: the cases of tests/runtime, and a large widget."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import large
import pytest
import test_differential
import workers
from reference import files, oracles  # noqa: F401
from results import measured

# The same cases; only the board is another.
from test_differential import peers, test_programs  # noqa: F401

from wg import ROOT

pytestmark = pytest.mark.timeout(600)

test_configuration = pytest.mark.slow(test_differential.test_configuration)
test_variants = pytest.mark.slow(test_differential.test_variants)


@pytest.fixture(scope="session")
def boards(xtensa: Path) -> Iterator[list[workers.Worker]]:
    """The one board: widgets in threads, and inline."""
    with measured("runtime"):
        running = workers.board(xtensa, options=("--heap", str(8 * 1024 * 1024)))
    yield [running]
    running.close()


# ---- The bundled widgets ----

NOW = 1_790_000_000

CONFIGURATIONS = {
    "time": ["", '{"zone": "America/New_York", "format": "%A %H:%M%n%Z"}', '{"zone": "Nowhere"}'],
    "aareguru": ["", '{"city": "thun"}', "[1"],
    "public_transport": [
        '{"connections": [{"from_station": "Bern", "to_station": "Z\u00fcrich HB", "num_connections": 2},'
        ' {"from_station": "Thun", "to_station": "Spiez"}]}',
        '{"connections": [{"from_station": 7}]}',
    ],
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_bundled_widget(name: str, peers: test_differential.Peers) -> None:  # noqa: F811
    """The same texts and requests as with the reference hosts, without a network and with the service's answers."""
    peers.files[f"{name}.259"] = ROOT / "build" / "widgets" / f"{name}.wasm"
    for call in ("name", "version", "schema", "cycle"):
        assert "ok" in peers.agree(name, "259", call)
    services = test_differential._services()
    bodies = {
        "aareguru": services.current("bern", NOW),
        "public_transport": services.connections("Bern", "Thun", 3, NOW),
    }
    body = json.dumps(bodies.get(name, {})).encode()
    asked = 0
    for config in CONFIGURATIONS[name]:
        for http in (None, [503, 2, "7b7d"], [200, len(body), body.hex()]):
            answers = {"http": [http] * 4, "now": [[NOW + i, 0] for i in range(4)]}
            found = peers.agree(name, "259", "run", config=config, answers=answers, last=[NOW - 60, 5])
            assert "ok" in found
            asked += sum(call[0] == "http" for call in found["calls"])
    assert asked >= (0 if name == "time" else 3)


# ---- A widget of more than 100 KB with 17 pages, as Rust makes them ----


@pytest.fixture(scope="session")
def big(peers: test_differential.Peers) -> Path:  # noqa: F811
    path = large.component()
    assert path.stat().st_size > 100_000 and large.pages(path) == 17
    peers.files["large.259"] = path
    return path


def _run(peers: test_differential.Peers, does: str, what: str) -> str:  # noqa: F811
    config = json.dumps({"do": does, "what": what}, ensure_ascii=False)
    answer = peers.agree("large", "259", "run", config=config)
    return str(answer["ok"])


@pytest.mark.parametrize("text", ["", "abc", "Zürich " * 100])
def test_the_large_widget_hashes(big: Path, peers: test_differential.Peers, text: str) -> None:  # noqa: F811
    digests = _run(peers, "digest", text).split()
    assert digests == [hashlib.new(name, text.encode()).hexdigest() for name in ("sha1", "sha256", "sha512")]


def test_the_large_widget_signs(big: Path, peers: test_differential.Peers) -> None:  # noqa: F811
    """A signature over P-256 is made, verified, and refused with another hash; Wasmtime makes the same."""
    assert bytes.fromhex(_run(peers, "sign", "a text to be signed"))[0] == 0x30


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in large.SHORT_SELF_TESTS else pytest.mark.slow)
        for name in large.SELF_TESTS
    ],
)
def test_the_large_widget_tests_itself(big: Path, peers: test_differential.Peers, name: str) -> None:  # noqa: F811
    assert _run(peers, "test", name) == f"{name} passed\n"


def test_the_large_widget_describes_itself(big: Path, peers: test_differential.Peers) -> None:  # noqa: F811
    found: list[Any] = [peers.agree("large", "259", call)["ok"] for call in ("name", "version", "cycle")]
    assert found == ["Large", "1.0.0", 60]
