"""`wg widget preview`: an edit is on the board's screen in a second, with its log and HTTP calls; fixtures answer."""

from __future__ import annotations

import json
import shutil
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wg import ROOT
from wg.widget.live import Preview
from wg.widget.network import FixtureError, Network

FETCHING = """#include "wg_widget.h"
WG_WIDGET("Fetch", "0.1.0", 1, WG_SCHEMA);
void wg_run(const wg_context *context, wg_text *out) {
    (void)context;
    wg_response r = wg_http_get(WG_STR("https://api.example.org/now?x=1"));
    wg_log(WG_INFO, WG_STR("net"), WG_STR("asked"));
    if (r.status == 200) {
        wg_put(out, "GOT ");
        wg_put_str(out, r.body);
    } else if (!wg_put_http_error(out, &r)) {
        wg_put(out, "odd");
    }
}
"""


def state(preview: Preview) -> Any:
    with urllib.request.urlopen(preview.address + "state.json", timeout=10) as answer:
        return json.load(answer)


def wait(preview: Preview, condition: Any, seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not condition(found := state(preview)):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "widgets" / "hello", tmp_path / "hello", ignore=shutil.ignore_patterns("*.wasm"))
    return tmp_path / "hello"


@pytest.fixture
def watched(folder: Path, wgdisplay: Any) -> Iterator[Preview]:
    with Preview(folder, '{"name": "Bern"}', None) as preview:
        preview.update()
        done = threading.Thread(target=preview.watch, args=(60,), daemon=True)
        done.start()
        yield preview


def test_an_edit_is_on_the_screen(watched: Preview, folder: Path) -> None:
    found = wait(watched, lambda s: s["text"] and "Bern" in s["text"])
    assert found["name"] == "Hello" and found["error"] is None
    before = watched.picture()
    source = folder / "widget.c"
    text = source.read_text()
    source.write_text(text.replace('"Good day, "', '"Salut, "').replace('"Good morning, "', '"Salut, "'))
    began = time.monotonic()
    found = wait(watched, lambda s: s["text"] and s["text"].startswith("Salut, Bern"))
    print(f"{time.monotonic() - began:.2f} s from the edit to the text; {found['build']}")
    end = time.monotonic() + 5
    while watched.picture() == before:
        assert time.monotonic() < end
        time.sleep(0.05)
    # What does not compile is said, and the next edit is taken.
    source.write_text(text.replace("wg_put(out", "wg_putt(out"))
    found = wait(watched, lambda s: s["error"] and "wg_putt" in s["error"])
    source.write_text(text)
    wait(watched, lambda s: s["error"] is None and "Good" in s["text"])


def test_an_edit_before_the_watch_begins(folder: Path, wgdisplay: Any) -> None:
    with Preview(folder, '{"name": "Bern"}', None) as preview:
        preview.update()
        source = folder / "widget.c"
        source.write_text(source.read_text().replace('"Good ', '"Early '))
        preview.watch(2)
        assert preview.shown()["text"].startswith("Early ")


@pytest.mark.timing
def test_an_edit_takes_a_second(watched: Preview, folder: Path) -> None:
    wait(watched, lambda s: s["text"])
    source = folder / "widget.c"
    text = source.read_text()
    took = []
    for word in ("Eins", "Zwei", "Drei"):
        source.write_text(
            text.replace('"Good day, "', f'"{word}, "').replace('"Good morning, "', f'"{word}, "')
        )
        began = time.monotonic()
        wait(watched, lambda s, word=word: s["text"] and s["text"].startswith(word))
        took.append(time.monotonic() - began)
    print("seconds from an edit to the text: " + ", ".join(f"{t:.2f}" for t in took))
    assert min(took) < 1.5


def test_calls_and_fixtures(folder: Path, tmp_path: Path, wgdisplay: Any) -> None:
    (folder / "widget.c").write_text(FETCHING)
    fixture = tmp_path / "network.json"
    fixture.write_text(json.dumps([{"url": "https://api.example.org/now*", "text": "from the fixture"}]))
    with Preview(folder, "", fixture) as preview:
        preview.update()
        found = state(preview)
        assert found["text"] == "GOT from the fixture", found
        call = found["calls"][-1]
        assert (call["method"], call["url"], call["status"], call["source"]) == (
            "GET",
            "https://api.example.org/now?x=1",
            200,
            "fixture 1",
        )
        assert any("net: asked" in line for line in found["log"])
        fixture.write_text(json.dumps([{"url": "*", "status": 503, "json": {"closed": True}}]))
        preview.update()
        found = state(preview)
        assert "GOT" not in (found["text"] or "") and found["calls"][-1]["status"] == 503
        fixture.write_text(json.dumps([{"url": "https://other/*", "text": "x"}]))
        preview.update()
        assert state(preview)["calls"][-1]["source"] == "no fixture fits"
        fixture.write_text("no json")
        preview.update()
        assert "can't be read" in state(preview)["error"]
        page = urllib.request.urlopen(preview.address, timeout=10).read().decode()
        assert "HTTP calls" in page


def test_a_component_is_watched_too(tmp_path: Path, wgdisplay: Any) -> None:
    file = tmp_path / "w.wasm"
    shutil.copy(ROOT / "build" / "widgets" / "time.wasm", file)
    with Preview(file, '{"zone": "UTC"}', None) as preview:
        preview.update()
        assert state(preview)["name"] == "Time"
        file.write_bytes(b"\0asm garbage")
        preview.update()
        assert state(preview)["error"]


def test_fixture_answers(tmp_path: Path) -> None:
    (tmp_path / "body.bin").write_bytes(b"\x00\xff")
    file = tmp_path / "f.json"
    file.write_text(
        json.dumps(
            [
                {"url": "http://h/a", "method": "POST", "json": [1]},
                {"url": "http://h/a", "file": "body.bin", "status": 201},
                {"url": "http://h/?", "error": True},
            ]
        )
    )
    network = Network(file)
    assert network.request("POST", "http://h/a", b"x") == (200, b"[1]")
    assert network.request("GET", "http://h/a", None) == (201, b"\x00\xff")
    assert network.request("GET", "http://h/b", None) is None
    assert network.request("GET", "http://other/", None) is None
    assert [call["source"] for call in network.shown()] == [
        "fixture 1",
        "fixture 2",
        "fixture 3",
        "no fixture fits",
    ]
    file.write_text("{}")
    with pytest.raises(FixtureError, match="is not a list of answers"):
        network.answers()
