"""`wg store`: catalogues are made of files and checked, a sentence for each fault."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from wg import ROOT
from wg.store import catalogue

WIDGETS = ROOT / "build" / "widgets"
ABOUT = ROOT / "widgets" / "about.json"


def wg(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [ROOT / ".venv" / "bin" / "wg", "store", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("store")
    for name in ("time", "aareguru", "public_transport"):
        path = WIDGETS / f"{name}.wasm"
        assert path.exists(), "run `make widgets`"
        shutil.copy(path, found)
    return found


@pytest.fixture(scope="module")
def built(folder: Path) -> list[dict[str, Any]]:
    done = wg("build", folder, "--base", "http://127.0.0.1:8000/", "--about", ABOUT)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads((folder / "widget_store.json").read_text())
    return found


def test_a_catalogue_of_files(folder: Path, built: list[dict[str, Any]]) -> None:
    assert [item["name"] for item in built] == ["Aareguru", "Public Transport", "Time"]
    assert built[0]["hosts"] == ["aareguru.existenz.ch"] and built[2]["hosts"] == []
    for item in built:
        data = (folder / item["url"].rpartition("/")[2]).read_bytes()
        assert item["sha256"] == hashlib.sha256(data).hexdigest()
        assert item["version"].encode() in data
    done = wg("check", folder / "widget_store.json")
    assert (done.returncode, done.stdout) == (0, "3 widgets, nothing is wrong.\n")


def test_files_are_compared(folder: Path, built: list[dict[str, Any]], tmp_path: Path) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = [{**item, "url": item["url"].replace(":8000", f":{server.server_port}")} for item in built]
        path = tmp_path / "store.json"
        path.write_text(json.dumps(here))
        assert wg("check", path, "--files").stdout == "3 widgets, nothing is wrong.\n"
        here[0].update(sha256="0" * 64, name="River")
        here[1].update(version="9")
        here[2].update(url=here[2]["url"] + ".gone")
        path.write_text(json.dumps(here))
        done = wg("check", path, "--files")
        server.shutdown()
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert "SHA-256 is another one" in lines[0] and "calls itself 'Aareguru'" in lines[1]
    assert "the entry says 9" in lines[2] and "can't be fetched" in lines[3]


def test_the_original_s_catalogue_is_right() -> None:
    original = [
        {"name": "Time", "description": "The time", "repository": "https://github.com/someone/widget/"}
    ]
    assert list(catalogue.faults(original)) == []
    assert (
        catalogue.address(original[0])
        == "https://github.com/someone/widget/releases/latest/download/widget.wasm"
    )


FAULTS: dict[str, tuple[Any, str]] = {
    "no list": ({}, "The catalogue is not a list."),
    "no object": ([5], "Entry 1: it is not an object."),
    "no name": ([{"repository": "https://x.org"}], "it needs a name"),
    "long name": ([{"name": "x" * 65, "repository": "https://x.org"}], "it needs a name"),
    "nowhere": ([{"name": "W"}], "neither a repository nor a url"),
    "a file": ([{"name": "W", "url": "file:///w.wasm"}], "no http:// or https://"),
    "a password": ([{"name": "W", "url": "https://u:p@x.org/w.wasm"}], "a password"),
    "odd host": ([{"name": "W", "url": "https://0x7f.1/w.wasm"}], "no IPv4 address"),
    "odd port": ([{"name": "W", "url": "https://x.org:99999/w.wasm"}], "no valid port"),
    "sum": ([{"name": "W", "repository": "https://x.org", "sha256": "12"}], "64 hexadecimal digits"),
    "hosts": ([{"name": "W", "repository": "https://x.org", "hosts": "*"}], "not a list"),
    "host": ([{"name": "W", "repository": "https://x.org", "hosts": ["http://x.org"]}], "has no valid port"),
    "key": ([{"name": "W", "repository": "https://x.org", "sha265": ""}], "'sha265' means nothing"),
    "twice": ([{"name": n, "repository": "https://x.org"} for n in ("W", "w")], "the same name"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_its_sentence(name: str) -> None:
    entries, expected = FAULTS[name]
    (said,) = catalogue.faults(entries)
    assert expected in said and said.endswith(".")


def test_what_can_not_be_built(folder: Path, tmp_path: Path) -> None:
    base = ("--base", "https://x.org")
    shutil.copy(folder / "time.wasm", tmp_path)
    (tmp_path / "about.json").write_text('{"other": {}}')
    (tmp_path / "broken.json").write_text("[")
    empty = tmp_path / "empty"
    empty.mkdir()
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "page.wasm").write_text("<!doctype html>")
    cases = {
        ("build", empty, *base): "There is no .wasm file in",
        ("build", bad, *base): "It is not WebAssembly.",
        ("build", tmp_path, "--base", "x.org"): "no http:// or https:// address",
        ("build", tmp_path, *base, "--about", tmp_path / "about.json"): "There is no file other.wasm.",
        ("build", tmp_path, *base, "--about", tmp_path / "broken.json"): "can't be read",
        ("check", tmp_path / "none.json"): "can't be read",
        ("check", tmp_path / "broken.json"): "is not JSON",
    }
    for arguments, expected in cases.items():
        done = wg(*arguments)
        (line,) = done.stderr.splitlines()
        assert done.returncode == 1 and line.startswith("wg: ") and expected in line, arguments
