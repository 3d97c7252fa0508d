"""The bundled widgets: natively under the sanitizers, and as components under wasmtime 42 and 50."""

from __future__ import annotations

import json
import struct
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import WIDGETS, Host
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sdk import Harness

from tests.servers import services

#: 2026-11-23T07:58:00Z
NOW = 1795420680
COLUMNS = 36

Answer = tuple[int, bytes] | None
Run = Callable[..., tuple[str, list[str]]]


def native(harness: Harness, config: str, answers: list[Answer], now: int = NOW) -> tuple[str, list[str]]:
    """A widget's text and its requests."""
    packed = [b"" if a is None else struct.pack("<H", a[0]) + a[1] for a in answers]
    text, _, log = harness.ask("r", config, now, *packed).partition(b"\0")
    return text.decode("utf-8", "replace"), [
        line.partition(" ")[2] for line in log.decode().split("\n") if line
    ]


def fetch(url: str) -> Answer:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return None


@pytest.fixture(scope="module")
def server() -> Iterator[services.Server]:
    with services.running(now=lambda: NOW, slow_seconds=0.1) as running:
        yield running


@pytest.fixture
def run(harnesses: dict[str, Harness], host: Host, components: Callable[[str], Path], server: Any) -> Run:
    """Runs a widget against the local server, natively and as a component; both must say the same."""

    def run(widget: str, config: Any, fault: str = "", now: int = NOW) -> tuple[str, list[str]]:
        if isinstance(config, dict) and widget != "time":
            config = {"base_url": server.url + fault, **config}
        text = config if isinstance(config, str) else json.dumps(config)
        urls = native(harnesses[widget], text, [], now)[1]
        answers = [fetch(url) for url in urls]
        result = native(harnesses[widget], text, answers, now)
        encoded = [None if a is None else [a[0], a[1].hex()] for a in answers]
        component = host.ask(components(widget), config=text, now=now, answers=encoded)
        assert (component.get("ok", component), component["requests"]) == result
        assert result[1] == urls
        return result

    return run


def fits(text: str) -> bool:
    return all(len(line) <= COLUMNS for line in text.split("\n")) and "\0" not in text


# ---- time ----


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({}, "08:58:00 23.11.2026"),
        ("", "08:58:00 23.11.2026"),
        ("not JSON", "08:58:00 23.11.2026"),
        ("[]", "08:58:00 23.11.2026"),
        ({"zone": 5, "format": None}, "08:58:00 23.11.2026"),
        ({"zone": "America/New_York"}, "02:58:00 23.11.2026"),
        ({"zone": "asia/kathmandu", "format": "%A %H:%M %Z"}, "Monday 13:43 +0545"),
        ({"zone": "NST3:30NDT,M3.2.0,M11.1.0", "format": "%R %Z"}, "04:28 NST"),
        ({"zone": "Mars/Olympus Mons"}, "07:58:00 23.11.2026 UTC\nUnknown zone Mars/Olympus Mons"),
        ({"format": "%d. %B%n%H:%M"}, "23. November\n08:58"),
        ({"format": "x" * 200}, "08:58:00 23.11.2026"),
    ],
)
def test_time(run: Run, config: Any, text: str) -> None:
    assert run("time", config) == (text, [])


@pytest.mark.parametrize(
    ("now", "text"),
    [
        (0, "01:00:00 01.01.1970"),
        (1774745999, "01:59:59 29.03.2026"),
        (1774746000, "03:00:00 29.03.2026"),
        (1792889999, "02:59:59 25.10.2026"),
        (1792890000, "02:00:00 25.10.2026"),
        (2**64 - 1, "23:59:59 31.12.9999"),
    ],
)
def test_time_over_the_years(run: Run, now: int, text: str) -> None:
    assert run("time", {}, now=now)[0] == text


# ---- public transport ----

BERN_THUN = {"connections": [{"from_station": "Bern", "to_station": "Thun", "num_connections": 3}]}


def test_departures(run: Run) -> None:
    text, urls = run("public_transport", BERN_THUN)
    header, *lines = text.split("\n")
    assert header == "Bern -> Thun" and len(lines) == 3
    data = services.connections("Bern", "Thun", 6, NOW)
    expected = []
    for connection in data["connections"]:
        start = connection["from"]
        real = start["departureTimestamp"] + 60 * start["delay"]
        if real > NOW:
            wait = "now" if real - NOW < 60 else f"in {(real - NOW) // 60} min"
            late = f"  +{start['delay']}'" if start["delay"] else ""
            expected.append(f"{start['departure'][11:16]}  {wait}  Gl. {start['platform']}{late}")
    assert lines == expected[:3]
    assert urls[0].endswith("/v1/connections?from=Bern&to=Thun&limit=6")


def test_every_quarter_of_a_day(run: Run, server: services.Server) -> None:
    seen = set()
    for hour in range(24):
        server.now = lambda now=NOW + hour * 3600: now  # type: ignore[misc]
        text, _ = run("public_transport", BERN_THUN, now=NOW + hour * 3600)
        assert fits(text) and text.count("\n") == 3
        seen.update(text.split("\n"))
    server.now = lambda: NOW
    assert any("+" in line for line in seen), "the server has delays"


def test_umlauts_and_spaces(run: Run) -> None:
    config = {
        "connections": [
            {"from_station": "Zürich HB", "to_station": "La Chaux-de-Fonds", "num_connections": 1}
        ]
    }
    text, urls = run("public_transport", config)
    assert text.startswith("Zürich HB -> La Chaux-de-...\n")
    assert "from=Z%C3%BCrich%20HB&to=La%20Chaux-de-Fonds" in urls[0]


def test_two_connections_and_an_unknown_station(run: Run) -> None:
    connections = [*BERN_THUN["connections"], {"from_station": "Bern", "to_station": "Atlantis"}]
    text, urls = run("public_transport", {"connections": connections})
    assert text.endswith("\nBern -> Atlantis\nUnknown station Atlantis") and text.startswith("Bern -> Thun\n")
    assert len(urls) == 2


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({}, "No connection configured\nSet from_station and to_station"),
        ("{}", "No connection configured\nSet from_station and to_station"),
        ({"connections": {}}, "No connection configured\nSet from_station and to_station"),
        (
            {"connections": [1, {"from_station": "Bern"}]},
            "Set from_station and to_station\nSet from_station and to_station",
        ),
        ({"connections": [{"from_station": "x" * 121, "to_station": "y"}]}, "Station name is too long"),
    ],
)
def test_configurations_that_ask_for_more(run: Run, config: Any, text: str) -> None:
    assert run("public_transport", config) == (text, [])


def test_at_most_four_connections(run: Run) -> None:
    assert len(run("public_transport", {"connections": BERN_THUN["connections"] * 9})[1]) == 4


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("close", "No network"),
        ("500", "Service is down (500)"),
        ("503", "Service is down (503)"),
        ("404", "Service refused (404)"),
        ("429", "Too many requests, try later"),
        ("garbage", "Can't read the answer"),
        ("truncated", "Can't read the answer"),
        ("empty", "Can't read the answer"),
        ("html", "Can't read the answer"),
        ("null", "Can't read the answer"),
    ],
)
def test_broken_service(run: Run, fault: str, text: str) -> None:
    assert run("public_transport", BERN_THUN, "/fault/" + fault)[0] == "Bern -> Thun\n" + text


def test_no_departures(harnesses: dict[str, Harness]) -> None:
    answer = services.connections("Bern", "Thun", 6, NOW - 86400)
    text, _ = native(
        harnesses["public_transport"], json.dumps(BERN_THUN), [(200, json.dumps(answer).encode())]
    )
    assert text == "Bern -> Thun\nNo departures"


# ---- aareguru ----


def test_current(run: Run) -> None:
    aare = (services.current("thun", NOW) or {})["aare"]
    text, urls = run("aareguru", {"city": "thun"})
    first = f"Thun: {aare['temperature']}°C ({aare['temperature_text_short']})"
    assert text == f"{first}\n{aare['flow']} m³/s, in 2 h {aare['forecast2h']}°C"
    assert urls[0].endswith("/v2018/current?city=thun&app=wg-display&version=1")
    assert fits(text)


@pytest.mark.parametrize(
    ("config", "fault", "text"),
    [
        ({"city": "atlantis"}, "", "Unknown city atlantis"),
        ({"city": ""}, "", "Set a city, for instance bern"),
        ({"city": "x" * 61}, "", "Set a city, for instance bern"),
        ({}, "/fault/close", "bern: No network"),
        ({}, "/fault/500", "bern: Service is down (500)"),
        ({}, "/fault/garbage", "bern: can't read the answer"),
        ({}, "/fault/truncated", "bern: can't read the answer"),
        ({}, "/fault/null", "bern: can't read the answer"),
        ({}, "/fault/html", "bern: can't read the answer"),
    ],
)
def test_aareguru_in_trouble(run: Run, config: Any, fault: str, text: str) -> None:
    assert run("aareguru", config, fault)[0] == text


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ({"aare": {}}, "bern: no measurement now"),
        ({"aare": {"temperature": None}}, "bern: no measurement now"),
        ({"aare": {"temperature": -0.04}}, "bern: 0.0°C"),
        ({"aare": {"temperature": 17.55, "forecast2h": 18}}, "bern: 17.6°C\nIn 2 h 18.0°C"),
        ({"aare": {"temperature": 1e300, "flow": -1e300, "location": "Bärn"}}, "Bärn: --°C\n-- m³/s"),
        (
            {"aare": {"temperature": 1, "temperature_text_short": "a\nb\u0007" + "c" * 90}},
            "bern: 1.0°C (a b " + "c" * 13 + "...)",
        ),
    ],
)
def test_aareguru_answers(harnesses: dict[str, Harness], answer: Any, text: str) -> None:
    assert native(harnesses["aareguru"], "{}", [(200, json.dumps(answer).encode())])[0] == text


# ---- all of them ----

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**66), 2**66) | st.floats() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
NAMES = [
    "from",
    "to",
    "name",
    "connections",
    "departure",
    "delay",
    "platform",
    "aare",
    "temperature",
    "flow",
    "location",
]
shaped = st.recursive(
    json_values | st.sampled_from(["2026-11-23T09:02:00+0100", "2026-11-23T09:02:00", "Bern", 5, -3, 17.5]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An answer of a real service with a few bytes or values changed."""
    answer = draw(
        st.sampled_from([services.connections("Bern", "Thun", 2, NOW), services.current("bern", NOW)])
        | shaped
    )
    body = bytearray(json.dumps(answer, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(body)))
        new = draw(
            st.binary(max_size=4)
            | st.sampled_from([b"null", b"[", b"}", b'"', b"1e999", b"\xff", b"\\ud800"])
        )
        body[start : start + draw(st.integers(0, 6))] = new
    return bytes(body)


configs = st.text(max_size=30) | st.fixed_dictionaries(
    {},
    optional={
        "zone": json_values,
        "format": st.text("%YmdHMSyejIpaAbBuFTRzZn ", max_size=30) | json_values,
        "connections": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "from_station": st.text(max_size=30) | json_values,
                    "to_station": st.text(max_size=30) | json_values,
                    "num_connections": json_values,
                },
            ),
            max_size=6,
        )
        | json_values,
        "city": st.text(max_size=20) | json_values,
        "base_url": st.text(max_size=40) | json_values,
    },
).map(json.dumps)
answers = st.lists(
    st.none()
    | st.tuples(
        st.sampled_from([200, 200, 200, 200, 0, 404, 500, 65535]), damaged() | st.binary(max_size=50)
    ),
    max_size=4,
)
times = st.integers(0, 2**64 - 1) | st.integers(NOW - 10**6, NOW + 10**6)


@pytest.mark.parametrize("widget", WIDGETS)
@settings(max_examples=400)
@given(config=configs, answers=answers, now=times)
def test_hostile_answers_natively(
    harnesses: dict[str, Harness], widget: str, config: str, answers: Any, now: int
) -> None:
    config = config.encode("utf-8", "replace").decode()
    text, _ = native(harnesses[widget], config, answers, now)
    assert len(text) < 2000


@pytest.mark.parametrize("widget", WIDGETS)
@settings(max_examples=100)
@example(config='{"base_url": "\\u0085"}', answers=[], now=0)  # a line's end to Python, none to the log
@given(config=configs, answers=answers, now=times)
def test_hostile_answers_never_trap(
    harnesses: dict[str, Harness],
    host: Host,
    components: Any,
    widget: str,
    config: str,
    answers: Any,
    now: int,
) -> None:
    config = config.encode("utf-8", "replace").decode()
    encoded = [None if a is None else [a[0], a[1].hex()] for a in answers]
    component = host.ask(components(widget), config=config, now=now, answers=encoded)
    text, urls = native(harnesses[widget], config, answers, now)
    assert component.get("ok", component).encode("utf-8", "replace").decode() == text
    assert component["requests"] == urls


@pytest.mark.parametrize("widget", ["public_transport", "aareguru"])
def test_an_answer_of_one_megabyte(host: Host, components: Any, widget: str) -> None:
    config = json.dumps({**BERN_THUN, "connections": BERN_THUN["connections"] * 4})
    filler = '"' + "x" * 1_000_000 + '"'
    data = {**services.connections("Bern", "Thun", 6, NOW), **(services.current("bern", NOW) or {})}
    body = ('{"filler":' + filler + "," + json.dumps(data)[1:]).encode().hex()
    answer = host.ask(components(widget), config=config, now=NOW, answers=[[200, body]] * 4)
    assert "Bern" in answer["ok"] and "read" not in answer["ok"]


@pytest.mark.parametrize("widget", WIDGETS)
def test_an_instance_can_run_again_and_again(host: Host, components: Any, widget: str) -> None:
    body = json.dumps(services.connections("Bern", "Thun", 6, NOW)).encode().hex()
    config = json.dumps(BERN_THUN)
    answer = host.ask(components(widget), config=config, now=NOW, answers=[[200, body]] * 60, repeat=60)
    assert answer["ok"] == host.ask(components(widget), config=config, now=NOW, answers=[[200, body]])["ok"]


@pytest.mark.parametrize(
    ("widget", "name", "cycle"),
    [("time", "Time", 1), ("public_transport", "Public Transport", 90), ("aareguru", "Aareguru", 300)],
)
def test_metadata(host: Host, components: Any, widget: str, name: str, cycle: int) -> None:
    path = components(widget)
    assert host.ask(path, call="get-name")["ok"] == name
    assert host.ask(path, call="get-run-update-cycle-seconds")["ok"] == cycle
    assert host.ask(path, call="get-version")["ok"].count(".") == 2
    schema = json.loads(host.ask(path, call="get-config-schema")["ok"])
    jsonschema.Draft7Validator.check_schema(schema)
    defaults = {key: value["default"] for key, value in schema["properties"].items()}
    jsonschema.validate(defaults, schema)
    assert all({"title", "description", "default"} <= set(value) for value in schema["properties"].values())
