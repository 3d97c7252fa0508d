"""The bundled widgets on the simulated board, fetching from the local services over real sockets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import WIDGETS

from tests.servers import services
from wg import ROOT
from wg.sim.board import SimBoard


@pytest.fixture(scope="module")
def server(components: Callable[[str], Path]) -> Iterator[services.Server]:
    with services.running(widgets=components("time").parent) as running:
        yield running


@pytest.fixture(scope="module", params=[64, 32], ids=["64-bit", "32-bit"])
def board(
    request: pytest.FixtureRequest, server: services.Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimBoard]:
    """A board with the three widgets, configured for the local services."""
    program = ROOT / "build" / ("sim" if request.param == 64 else "sim32") / "wgdisplay"
    if not program.exists():
        pytest.fail("the simulated board is not built: run `make sim sim32`", pytrace=False)
    folder = tmp_path_factory.mktemp("board")
    with SimBoard(flash=folder / "flash.bin", word_size=request.param) as board:
        for name in WIDGETS:
            board.exec(
                f"import wg; wg.install({server.url + '/widgets/' + name + '.wasm'!r}, hosts=['127.0.0.1'])"
            )
        yield board


def run(board: SimBoard, name: str, config: dict[str, Any]) -> str:
    board.exec(f"import wg; wg.configure({name!r}, {config!r})")
    return str(board.eval(f"wg.run({name!r})"))


def test_time(board: SimBoard) -> None:
    assert re.fullmatch(r"\d\d:\d\d:\d\d \d\d\.\d\d\.\d{4}", run(board, "Time", {}))
    assert run(board, "Time", {"zone": "Asia/Tokyo", "format": "%Z"}) == "JST"


def test_public_transport(board: SimBoard, server: services.Server) -> None:
    connections = [{"from_station": "Bern", "to_station": "Zürich HB", "num_connections": 2}]
    text = run(board, "Public Transport", {"base_url": server.url, "connections": connections})
    header, *lines = text.split("\n")
    assert header == "Bern -> Zürich HB" and len(lines) == 2
    assert all(re.fullmatch(r"\d\d:\d\d  (now|in \d+ min)  Gl\. \d+(  \+\d')?", line) for line in lines), (
        lines
    )


def test_aareguru(board: SimBoard, server: services.Server) -> None:
    text = run(board, "Aareguru", {"base_url": server.url, "city": "olten"})
    assert re.fullmatch(r"Olten: \d+\.\d°C \([a-z ]+\)\n\d+ m³/s, in 2 h \d+\.\d°C", text), text


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("500", "bern: Service is down (500)"),
        ("404", "Unknown city bern"),
        ("close", "bern: No network"),
        ("huge", "bern: No network"),
        ("loop", "bern: No network"),
        ("garbage", "bern: can't read the answer"),
        ("truncated", "bern: can't read the answer"),
        ("html", "bern: can't read the answer"),
    ],
)
def test_broken_services(board: SimBoard, server: services.Server, fault: str, text: str) -> None:
    assert run(board, "Aareguru", {"base_url": f"{server.url}/fault/{fault}"}) == text


def test_a_redirected_service(board: SimBoard, server: services.Server) -> None:
    text = run(board, "Aareguru", {"base_url": f"{server.url}/fault/redirect"})
    assert text.startswith("Bern: ")
