"""docs/writing-a-widget.md: its example is built and run as it stands there."""

from __future__ import annotations

import json
import re
from pathlib import Path

from conftest import Host
from typer.testing import CliRunner

from tests.servers import services
from wg import ROOT
from wg.widget.cli import app

NOW = 1795420680


def blocks(language: str) -> list[str]:
    text = (ROOT / "docs" / "writing-a-widget.md").read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_example(host: Host, tmp_path: Path) -> None:
    (source,), (schema,) = blocks("c"), blocks("json")
    (tmp_path / "widget.c").write_text(source, "utf-8")
    (tmp_path / "schema.json").write_text(schema, "utf-8")
    file = tmp_path / "river.wasm"
    result = CliRunner().invoke(app, ["build", str(tmp_path), "-o", str(file)])
    assert result.exit_code == 0, result.output
    answer = services.current("bern", NOW) or {}
    body = json.dumps(answer).encode().hex()
    assert host.ask(file, now=NOW, answers=[[200, body]])["ok"] == f"bern: {answer['aare']['flow']} m³/s"
    assert host.ask(file, now=NOW, answers=[None])["ok"] == "bern: No network"
    assert host.ask(file, now=NOW, answers=[[200, b"{}".hex()]])["ok"] == "bern: no measurement now"


def test_every_command_is_one_that_exists() -> None:
    """`wg widget` commands; the others are run by their own tests."""
    known = {
        command.name or command.callback.__name__ for command in app.registered_commands if command.callback
    }
    used = set(re.findall(r"^wg widget ([a-z]+)", "\n".join(blocks("sh")), re.MULTILINE))
    assert used <= known and {"new", "build", "run", "check", "catalogue"} <= used
