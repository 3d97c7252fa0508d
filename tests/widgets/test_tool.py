"""`wg widget`: build, new, check, wrap."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import WIDGETS, Host
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.servers import services
from wg import ROOT
from wg.widget.build import JCO, NODE_MODULES
from wg.widget.cli import app
from wg.widget.report import WORLD_EXPORTS, NotAWidget, inspect

LARGEST = 16 * 1024
runner = CliRunner()


def wg(*words: str | Path, code: int = 0) -> str:
    result = runner.invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A component of the template."""
    file = tmp_path_factory.mktemp("hello") / "hello.wasm"
    wg("build", ROOT / "widgets" / "hello", "-o", file)
    return file


def test_the_template_runs(host: Host, hello: Path) -> None:
    assert host.ask(hello, now=1795420680)["ok"] == "Good morning, world\nIt is 07:58 UTC on Monday"
    assert host.ask(hello, config='{"name":"B\\u00e4rn"}', now=1795420680 + 43200)["ok"].startswith(
        "Good day, Bärn\n"
    )


def test_a_new_widget_builds_and_runs(host: Host, tmp_path: Path) -> None:
    assert "Made " in wg("new", 'Coffee "Price"', "--in", tmp_path)
    folder = tmp_path / "coffee_price"
    assert json.loads((folder / "schema.json").read_text())["title"] == 'Coffee "Price"'
    wg("build", folder)
    file = folder / "coffee_price.wasm"
    assert host.ask(file, call="get-name")["ok"] == 'Coffee "Price"'
    assert "is there already" in wg("new", 'Coffee "Price"', "--in", tmp_path, code=1)
    (folder / "schema.json").write_text("{")
    assert "is not JSON" in wg("build", folder, code=1)
    (folder / "schema.json").unlink()
    assert "is missing" in wg("build", folder, code=1)


@pytest.mark.parametrize("name", ["", "...", "x" * 41, "a\nb"])
def test_names_that_can_not_be(tmp_path: Path, name: str) -> None:
    assert "1 to 40 printable characters" in wg("new", name, "--in", tmp_path, code=1)


def test_compiler_errors_are_shown(tmp_path: Path) -> None:
    wg("new", "Broken", "--in", tmp_path)
    source = tmp_path / "broken" / "widget.c"
    source.write_text(source.read_text().replace("wg_put(out,", "wg_puts(out,"))
    assert "wg_puts" in wg("build", tmp_path / "broken", code=1)


@pytest.mark.parametrize("widget", WIDGETS)
def test_builds_are_small_and_reproducible(components: Any, tmp_path: Path, widget: str) -> None:
    """A second build, from a copy of the folder elsewhere, gives the same bytes."""
    built = components(widget)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for file in (ROOT / "widgets" / widget).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    wg("build", folder, "-o", tmp_path / "again.wasm", "--core", tmp_path / "core.wasm")
    assert (tmp_path / "again.wasm").read_bytes() == built.read_bytes()
    core = (tmp_path / "core.wasm").stat().st_size
    print(f"{widget}: component {built.stat().st_size:,} bytes, core module {core:,} bytes")
    assert built.stat().st_size < LARGEST


@pytest.mark.parametrize("widget", WIDGETS)
def test_check_reports_the_world(components: Any, widget: str) -> None:
    text = wg("check", components(widget))
    assert "component" in text and ", ".join(WORLD_EXPORTS) in text and "problem" not in text
    imports = set(inspect(components(widget).read_bytes()).imports)
    used = {"time": {"clocks"}, "public_transport": {"clocks", "http"}, "aareguru": {"http"}}[widget]
    assert imports == {"widget:widget/types"} | {f"widget:widget/{name}" for name in used}


@pytest.mark.parametrize("widget", WIDGETS)
def test_jco_reads_the_exact_world(components: Any, widget: str) -> None:
    done = subprocess.run(
        ["node", JCO, "wit", components(widget)], capture_output=True, text=True, timeout=60, check=True
    )
    shown = re.sub(r"///?[^\n]*\n|\s+", " ", done.stdout)
    for export in ("get-name: func() -> string", "run: func(context: widget-context) -> widget-result"):
        assert f"export {export};" in shown
    shown = subprocess.run(
        ["node", JCO, "print", components(widget)], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert shown.startswith("(component")
    names = {"time": ["now"], "public_transport": ["now", "request"], "aareguru": ["request"]}[widget]
    assert [
        name
        for name in ("now", "get-random", "log", "request")
        if '(import "widget:widget/' in shown and f'"{name}" (func' in shown
    ] == names


def test_core_modules_and_strangers(tmp_path: Path, hello: Path) -> None:
    core = tmp_path / "core.wasm"
    wg("build", ROOT / "widgets" / "hello", "-o", tmp_path / "x.wasm", "--core", core)
    assert "core module" in wg("check", core)
    wg("wrap", core, "-o", tmp_path / "wrapped.wasm")
    assert (tmp_path / "wrapped.wasm").read_bytes() == hello.read_bytes()

    def check(data: bytes) -> str:
        (tmp_path / "file").write_bytes(data)
        return wg("check", tmp_path / "file", code=1)

    assert "is not WebAssembly" in check(b"")
    assert "is not WebAssembly" in check(b"<html>")
    assert "precompiled" in check(b"\x7fELF\x02\x01\x01\x00")
    assert "unknown version" in check(b"\0asm\x02\0\0\0")
    assert "does not export run" in check(b"\0asm\x01\0\0\0")
    assert "cut off" in check(hello.read_bytes()[:-40])
    wat = tmp_path / "wasi.wat"
    wat.write_text('(module (import "wasi:cli/environment@0.2.0" "get-environment" (func (param i32))))')
    subprocess.run(
        [NODE_MODULES / ".bin" / "wat2wasm", wat, "-o", tmp_path / "wasi.wasm"], check=True, timeout=30
    )
    assert "needs WASI" in wg("check", tmp_path / "wasi.wasm", code=1)
    assert "can't be read" in wg("check", tmp_path / "nothing", code=1)


@settings(max_examples=400)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=4), st.integers(0, 4))
def test_damaged_files_end_in_a_report_or_one_error(hello: Path, place: int, new: bytes, cut: int) -> None:
    data = bytearray(hello.read_bytes())
    place %= len(data)
    data[place : place + cut] = new
    try:
        inspect(bytes(data))
    except NotAWidget as error:
        assert str(error).endswith(".")


EXAMPLES = {
    "zig": "Hello from Zig",
    "assemblyscript": "Hello from AssemblyScript",
}


@pytest.mark.parametrize("language", EXAMPLES)
def test_examples_in_other_languages(host: Host, tmp_path: Path, language: str) -> None:
    """Each example's own build script, as docs/writing-a-widget.md names it."""
    script = ROOT / "widgets" / "examples" / language / "build.sh"
    done = subprocess.run(
        ["sh", script, tmp_path / "out.wasm"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.ask(tmp_path / "out.wasm", call="get-name")["ok"] == EXAMPLES[language]
    answer = host.ask(tmp_path / "out.wasm", config='{"a":"é"}', now=1795420680)
    assert answer["ok"] == f'{EXAMPLES[language]}\nUnix time 1795420680\nConfiguration {{"a":"é"}}'
    print(f"{language}: {(tmp_path / 'out.wasm').stat().st_size:,} bytes")


def test_a_preview_with_real_http(components: Any, capfd: pytest.CaptureFixture[str]) -> None:
    with services.running() as server:
        config = json.dumps({"base_url": server.url, "city": "thun"})
        for version in ("42", "50"):
            text = wg("run", components("aareguru"), "--config", config, "--wasmtime", version)
            assert text.startswith("Thun: ") and "m³/s" in text
        config = json.dumps({"base_url": server.url + "/fault/404", "city": "thun"})
        assert wg("run", components("aareguru"), "--config", config) == "Unknown city thun\n"
    assert "is not JSON" in wg("run", components("time"), "--config", "{", code=1)


def test_a_trap_in_the_preview(hello: Path, tmp_path: Path) -> None:
    wg("new", "Trap", "--in", tmp_path)
    source = tmp_path / "trap" / "widget.c"
    source.write_text(source.read_text().replace("wg_put(out,", "__builtin_trap();\n    wg_put(out,"))
    wg("build", tmp_path / "trap")
    assert "unreachable" in wg("run", tmp_path / "trap" / "trap.wasm", code=1)


def test_catalogue(tmp_path: Path) -> None:
    folders = [ROOT / "widgets" / name for name in WIDGETS]
    wg("catalogue", *folders, "--address", "https://host/w/", "-o", tmp_path / "store.json")
    items = json.loads((tmp_path / "store.json").read_text())
    assert [item["name"] for item in items] == ["Time", "Public Transport", "Aareguru"]
    assert items[1]["url"] == "https://host/w/public_transport.wasm"
