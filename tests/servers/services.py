"""A local server that answers as the services of the bundled widgets do, for tests and demonstrations.

    python -m tests.servers.services --port 8000 --widgets build/widgets

| path | answers as |
|---|---|
| `/v1/connections?from=&to=&limit=` | transport.opendata.ch |
| `/v2018/current?city=` | aareguru.existenz.ch |
| `/fault/<kind>/...` | the same paths, broken: see FAULTS |
| `/widgets/<file>.wasm` | a web server with a folder's widgets |
| `/store.json`, `/store/<file>/releases/latest/download/widget.wasm` | the original's store and its repositories |

A widget is pointed here by `base_url` in its configuration: `http://127.0.0.1:8000`, or for a broken service
`http://127.0.0.1:8000/fault/500`. Answers follow from the request and the clock alone;
the clock can be fixed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

ZURICH = ZoneInfo("Europe/Zurich")

#: Stations that the timetable knows: identifier, name, coordinates, minutes from Bern.
STATIONS: dict[str, tuple[str, str, float, float, int]] = {
    "bern": ("8507000", "Bern", 46.948825, 7.439122, 0),
    "thun": ("8507100", "Thun", 46.754846, 7.629606, 18),
    "zürich hb": ("8503000", "Zürich HB", 47.377847, 8.540502, 56),
    "basel sbb": ("8500010", "Basel SBB", 47.547412, 7.589556, 55),
    "genève": ("8501008", "Genève", 46.210217, 6.142422, 104),
    "interlaken ost": ("8507492", "Interlaken Ost", 46.690504, 7.869003, 52),
    "biel/bienne": ("8504300", "Biel/Bienne", 47.132886, 7.242918, 26),
    "la chaux-de-fonds": ("8504314", "La Chaux-de-Fonds", 47.098204, 6.825485, 64),
}

#: Places that Aareguru knows: name, long name, mean temperature in °C, mean flow in m³/s.
CITIES: dict[str, tuple[str, str, float, float]] = {
    "bern": ("Bern", "Bern, Schönau", 12.4, 122.0),
    "thun": ("Thun", "Thun", 12.1, 111.0),
    "brienz": ("Brienz", "Brienzwiler", 8.3, 35.0),
    "interlaken": ("Interlaken", "Ringgenberg", 11.0, 62.0),
    "biel": ("Biel", "Biel", 13.2, 240.0),
    "hagneck": ("Hagneck", "Hagneck", 12.6, 178.0),
    "olten": ("Olten", "Olten", 13.0, 285.0),
    "brugg": ("Brugg", "Brugg", 13.4, 315.0),
}

#: What `/fault/<kind>` does; a number is an HTTP status with a JSON error.
FAULTS = {
    "slow": "answers after 60 s",
    "trickle": "sends one byte a second",
    "garbage": "200 with bytes that are no JSON and no UTF-8",
    "truncated": "200 with the first half of the answer",
    "empty": "200 with no body",
    "html": "200 with a web page, as a captive portal does",
    "huge": "200 with 10 MB of JSON",
    "close": "closes the connection without an answer",
    "null": "200 with the JSON value null",
    "redirect": "302 to the same path without the fault",
    "loop": "302 to itself",
}

#: How long "slow" waits, in seconds.
SLOW_SECONDS = 60.0

_TEXTS = ((6, "arschchaut"), (10, "zimli chaut"), (14, "chli chaut"), (18, "geit scho"), (99, "geil"))


def _draw(*parts: object) -> float:
    """A number in [0, 1) that follows from the parts."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S%z")


def _location(key: str) -> dict[str, Any]:
    identifier, name, latitude, longitude, _ = STATIONS[key]
    coordinate = {"type": "WGS84", "x": latitude, "y": longitude}
    return {"id": identifier, "name": name, "score": None, "coordinate": coordinate, "distance": None}


def _checkpoint(key: str, instant: datetime, *, arriving: bool, platform: str, delay: int) -> dict[str, Any]:
    when, other = ("arrival", "departure") if arriving else ("departure", "arrival")
    expected = _stamp(instant + timedelta(minutes=delay)) if delay else None
    return {
        "station": _location(key),
        when: _stamp(instant),
        f"{when}Timestamp": int(instant.timestamp()),
        other: None,
        f"{other}Timestamp": None,
        "delay": delay,
        "platform": platform,
        "prognosis": {
            "platform": None,
            "arrival": expected if arriving else None,
            "departure": None if arriving else expected,
            "capacity1st": None,
            "capacity2nd": None,
        },
        "realtimeAvailability": None,
        "location": _location(key),
    }


def connections(start: str, end: str, limit: int, now: float) -> dict[str, Any]:
    """The answer of /v1/connections: a train every 15 minutes, delayed and on platforms as the day draws."""
    from_key, to_key = start.strip().lower(), end.strip().lower()
    found = [key if key in STATIONS else None for key in (from_key, to_key)]
    answer: dict[str, Any] = {
        "connections": [],
        "from": _location(from_key) if found[0] else None,
        "to": _location(to_key) if found[1] else None,
        "stations": {
            "from": [_location(from_key)] if found[0] else [],
            "to": [_location(to_key)] if found[1] else [],
        },
    }
    if None in found or from_key == to_key:
        return answer
    minutes = max(4, abs(STATIONS[from_key][4] - STATIONS[to_key][4]))
    first = int(now // 900) * 900
    for number in range(max(0, min(limit, 16))):
        departure = datetime.fromtimestamp(first + number * 900 + 2 * 60, ZURICH)
        arrival = datetime.fromtimestamp(departure.timestamp() + minutes * 60, ZURICH)
        draw = _draw("delay", from_key, to_key, int(departure.timestamp()))
        delay = int(draw * 40) - 34 if draw > 0.85 else 0
        platform = str(1 + int(_draw("platform", from_key, departure.hour, number) * 12))
        begin = _checkpoint(from_key, departure, arriving=False, platform=platform, delay=delay)
        finish = _checkpoint(to_key, arrival, arriving=True, platform="2", delay=delay)
        train = f"IC {6 + number % 3}"
        journey = {
            "name": f"{800 + number:06d}",
            "category": "IC",
            "number": train[3:],
            "operator": "SBB",
            "to": STATIONS[to_key][1],
            "passList": [begin, finish],
        }
        answer["connections"].append(
            {
                "from": begin,
                "to": finish,
                "duration": f"00d{minutes // 60:02d}:{minutes % 60:02d}:00",
                "transfers": 0,
                "service": None,
                "products": [train],
                "capacity1st": 1,
                "capacity2nd": 2,
                "sections": [{"journey": journey, "walk": None, "departure": begin, "arrival": finish}],
            }
        )
    return answer


def current(city: str, now: float) -> dict[str, Any] | None:
    """The answer of /v2018/current, None if the city is unknown: measured every ten minutes."""
    key = city.strip().lower()
    if key not in CITIES:
        return None
    name, long_name, mean, flow = CITIES[key]

    def measured(instant: float) -> tuple[float, int]:
        local = datetime.fromtimestamp(instant, ZURICH)
        season = -6.5 * math.cos(2 * math.pi * (local.timetuple().tm_yday - 20) / 365)
        day = 0.8 * math.sin(2 * math.pi * (local.hour + local.minute / 60 - 10) / 24)
        noise = _draw("water", key, int(instant // 600)) * 0.2
        return mean + season + day + noise, round(
            flow * (0.9 + 0.2 * _draw("flow", key, int(instant // 3600)))
        )

    taken = int(now // 600) * 600
    temperature, cubic = measured(taken)
    soon, _ = measured(taken + 7200)
    short = next(text for bound, text in _TEXTS if temperature < bound)
    past = [{"timestamp": taken - 600 * i, "flow": measured(taken - 600 * i)[1]} for i in range(144)]
    for entry in past:
        entry["temperature"] = round(measured(entry["timestamp"])[0], 2)  # type: ignore[assignment]
    return {
        "status": "200 OK",
        "aare": {
            "location": name,
            "location_long": long_name,
            "coordinates": {"lat": 46.93, "lon": 7.45},
            "forecast": True,
            "timestamp": taken,
            "timestring": datetime.fromtimestamp(taken, ZURICH).strftime("%H:%M"),
            "temperature": round(temperature, 1),
            "temperature_prec": round(temperature, 2),
            "temperature_text": short,
            "temperature_text_short": short,
            "flow": cubic,
            "flow_text": "moderat",
            "flow_gefahrenstufe": 1,
            "forecast2h": round(soon, 1),
            "forecast2h_text": "blibt öppe glich",
            "historical_temp_max": round(mean + 9.2, 1),
        },
        "aarepast": past,
        "weather": {"current": {"tt": round(temperature - 4, 1), "timestamp": taken, "rr": 0}},
        "weatherprognosis": [],
        "sun": {"total": "2:41", "sunlocations": []},
        "bueber": {"state": "zue", "state_open_flag": 0},
    }


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 90

    def log_message(self, format: str, *args: Any) -> None:
        self.server.log(f"{self.command} {self.path}: {format % args}")

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.server.requests.append(self.path)
        path, fault = parts.path, None
        if path.startswith("/fault/"):
            fault, _, rest = path.removeprefix("/fault/").partition("/")
            path = "/" + rest
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        try:
            if fault is not None:
                self._answer_broken(fault, path, parts.query, query)
            else:
                self._send(*self._answer(path, query))
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True

    do_HEAD = do_GET

    def _answer(self, path: str, query: dict[str, str]) -> tuple[int, str, bytes]:
        """Status, type (of a redirection: where to) and body."""
        if path == "/v1/connections":
            if "from" not in query or "to" not in query:
                return self._json(400, {"errors": [{"message": "The parameters from and to are required."}]})
            limit = query.get("limit", "4")
            number = int(limit) if limit.isdigit() else 4
            return self._json(200, connections(query["from"], query["to"], number, self.server.now()))
        if path == "/v2018/current":
            answer = current(query.get("city", ""), self.server.now())
            return self._json(404, {"error": "unknown city"}) if answer is None else self._json(200, answer)
        if path == "/store.json":
            return self._json(200, self._store())
        if path.startswith("/store/") and path.endswith("/releases/latest/download/widget.wasm"):
            return 302, f"/widgets/{path.split('/')[2]}.wasm", b""
        if path.startswith("/widgets/") and self.server.widgets is not None:
            file = self.server.widgets / Path(unquote(path)).name
            if file.suffix == ".wasm" and file.is_file():
                return 200, "application/wasm", file.read_bytes()
        return self._json(404, {"error": f"nothing at {path}"})

    def _store(self) -> list[dict[str, Any]]:
        folder = self.server.widgets
        files = sorted(folder.glob("*.wasm")) if folder is not None else []
        host = self.headers.get("Host", f"127.0.0.1:{self.server.server_port}")
        return [
            {
                "name": file.stem.replace("_", " ").title(),
                "description": f"{file.name}, {file.stat().st_size:,} bytes",
                "repository": f"http://{host}/store/{file.stem}",
                "hosts": ["*", host.rpartition(":")[0]],
            }
            for file in files
        ]

    def _json(self, status: int, value: object) -> tuple[int, str, bytes]:
        return status, "application/json", json.dumps(value).encode()

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Location" if status in (301, 302) else "Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _answer_broken(self, fault: str, path: str, raw_query: str, query: dict[str, str]) -> None:
        if fault.isdigit():
            self._send(*self._json(int(fault), {"errors": [{"message": "as asked for"}]}))
            return
        status, kind, body = self._answer(path, query)
        if fault == "slow":
            time.sleep(self.server.slow_seconds)
            self._send(status, kind, body)
        elif fault == "trickle":
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(1)
        elif fault == "garbage":
            self._send(200, kind, hashlib.sha512(body).digest() * 16)
        elif fault == "truncated":
            self._send(200, kind, body[: len(body) // 2])
        elif fault == "empty":
            self._send(200, kind, b"")
        elif fault == "html":
            self._send(200, "text/html", b"<!doctype html><title>Welcome</title><p>Please accept our terms.")
        elif fault == "huge":
            self._send(200, kind, b'{"connections":["' + b"x" * 10_000_000 + b'"]}')
        elif fault == "close":
            self.close_connection = True
            self.connection.close()
        elif fault == "null":
            self._send(200, kind, b"null")
        elif fault in ("redirect", "loop"):
            target = path if fault == "redirect" else self.path.partition("?")[0]
            self.send_response(302)
            self.send_header("Location", f"{target}?{raw_query}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(*self._json(404, {"error": f"no fault is called {fault}"}))


class Server(ThreadingHTTPServer):
    """The services on one port. `requests` are the paths that were asked for, in order."""

    daemon_threads = True

    def __init__(
        self,
        port: int = 0,
        *,
        address: str = "127.0.0.1",
        now: Callable[[], float] = time.time,
        widgets: Path | None = None,
        slow_seconds: float = SLOW_SECONDS,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        super().__init__((address, port), _Handler)
        self.now = now
        self.widgets = widgets
        self.slow_seconds = slow_seconds
        self.log = log
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        """What goes into a widget's `base_url`."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def running(**settings: Any) -> Iterator[Server]:
    """A server in a thread of its own, for tests; `settings` are those of Server."""
    server = Server(**settings)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Answers as transport.opendata.ch and aareguru.existenz.ch do."
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--address", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--now", type=float, help="fixed time in seconds since 1970; default: the time")
    parser.add_argument("--widgets", type=Path, help="folder of .wasm files to offer under /widgets/")
    arguments = parser.parse_args()
    fixed = arguments.now
    server = Server(
        arguments.port,
        address=arguments.address,
        now=time.time if fixed is None else lambda: fixed,
        widgets=arguments.widgets,
        log=lambda line: print(line, flush=True),
    )
    print(f"Listening on {server.url}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
