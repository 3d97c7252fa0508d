"""The network of a previewed widget: each HTTP call comes here first, is noted, and is answered by a fixture file or by
the real server.

A fixture file is JSON, a list of answers; the first that fits a call is taken:

    [{"url": "https://api.example.org/now*", "method": "GET", "status": 200, "json": {"t": 20}, "delay_ms": 300},
     {"url": "*/image", "file": "image.bin"}, {"url": "*", "status": 503, "text": "closed"}]

`url` is a pattern with `*` and `?`. The body is one of `json`, `text`, `file` (beside the fixture file);
`"error": true` answers nothing, as a server that is away does.
"""

from __future__ import annotations

import fnmatch
import json
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

HTTP_TIMEOUT = 30.0
MAX_BODY = 1 << 20
#: Calls that are kept for the page.
MAX_CALLS = 50


class FixtureError(ValueError):
    """A fixture file that can't be used; one sentence."""


@dataclass
class Call:
    """One HTTP call of the widget."""

    method: str
    url: str
    status: int | None
    size: int
    ms: int
    source: str
    preview: str


class Network:
    """Answers calls and notes them. Without a fixture file all calls go to the real servers."""

    def __init__(self, fixture: Path | None) -> None:
        self.fixture = fixture
        self.calls: list[Call] = []
        self._lock = Lock()

    def answers(self) -> list[dict[str, Any]] | None:
        """The fixture file's answers, read anew: it may have been edited. Raises FixtureError."""
        if self.fixture is None:
            return None
        try:
            found = json.loads(self.fixture.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise FixtureError(f"{self.fixture} can't be read: {error}.") from error
        if not isinstance(found, list) or not all(
            isinstance(a, dict) and isinstance(a.get("url"), str) for a in found
        ):
            raise FixtureError(
                f'{self.fixture} is not a list of answers: [{{"url": "https://...", "json": ...}}].'
            )
        return found

    def request(self, method: str, url: str, body: bytes | None) -> tuple[int, bytes] | None:
        """-> status and body; None where no answer came."""
        began = time.monotonic()
        try:
            answers = self.answers()
            answer, source = (
                (_real(method, url, body), "network") if answers is None else self._from(answers, method, url)
            )
        except FixtureError as error:
            answer, source = None, str(error)
        shown = answer[1][:200].decode("utf-8", "replace") if answer else ""
        call = Call(
            method,
            url,
            answer[0] if answer else None,
            len(answer[1]) if answer else 0,
            round((time.monotonic() - began) * 1000),
            source,
            shown,
        )
        with self._lock:
            self.calls = [*self.calls, call][-MAX_CALLS:]
        return answer

    def _from(
        self, answers: list[dict[str, Any]], method: str, url: str
    ) -> tuple[tuple[int, bytes] | None, str]:
        for at, one in enumerate(answers):
            if fnmatch.fnmatchcase(url, one["url"]) and one.get("method", method).upper() == method:
                time.sleep(min(float(one.get("delay_ms", 0)) / 1000, HTTP_TIMEOUT))
                where = f"fixture {at + 1}"
                if one.get("error"):
                    return None, where
                return (int(one.get("status", 200)), self._body(one)), where
        return None, "no fixture fits"

    def _body(self, one: dict[str, Any]) -> bytes:
        if "json" in one:
            return json.dumps(one["json"], ensure_ascii=False).encode()
        if "file" in one and self.fixture is not None:
            try:
                return (self.fixture.parent / str(one["file"])).read_bytes()
            except OSError as error:
                raise FixtureError(f"{one['file']} can't be read: {error.strerror}.") from error
        return str(one.get("text", "")).encode()

    def shown(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(call) for call in self.calls]


def _real(method: str, url: str, body: bytes | None) -> tuple[int, bytes] | None:
    try:
        request = urllib.request.Request(url, body, method=method)
        try:
            response = urllib.request.urlopen(request, timeout=HTTP_TIMEOUT)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            data = response.read(MAX_BODY + 1)
    except (OSError, ValueError):
        return None
    return (response.status, data) if len(data) <= MAX_BODY else None
