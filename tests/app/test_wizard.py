"""The wizard as a new user meets it: from an empty flash to three configured widgets, by its questions alone."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from local_store import local_store

from wg import ROOT
from wg.sim.board import SimBoard

PROMPT = ">>> "
DOCS = ROOT / "docs" / "console.md"

TERMINALS = {
    "miniterm": ["-m", "serial.tools.miniterm", "--raw", "--quiet", "LINK", "115200"],
    "mpremote": ["-m", "mpremote", "connect", "LINK", "resume", "repl"],
}


def value(board: SimBoard, expression: str) -> Any:
    return json.loads(board.exec(f"import wg, json\nprint(json.dumps({expression}))").splitlines()[-1])


class Person:
    """Somebody at a terminal program."""

    def __init__(self, board: SimBoard, terminal: str = "miniterm") -> None:
        arguments = [board.link if word == "LINK" else word for word in TERMINALS[terminal]]
        self.child = pexpect.spawn(
            sys.executable, arguments, encoding="utf8", timeout=30, dimensions=(40, 80), echo=False
        )
        self.child.delaybeforesend = 0.02
        self.said: list[str] = []
        if terminal == "mpremote":
            self.child.expect_exact("to exit this shell")
            time.sleep(0.5)
        self.child.send("\r")
        self.child.expect_exact(PROMPT)

    def types(self, line: str, before: str = PROMPT) -> None:
        self.child.send(line + "\r")
        self.said.append(before)

    def answers(self, question: str, answer: str) -> None:
        """Waits for a question, whose end is given, and types."""
        self.child.expect_exact(question)
        self.said += [self.child.before, self.child.after]
        self.child.send(answer + "\r")

    def until(self, text: str) -> str:
        self.child.expect_exact(text)
        self.said += [self.child.before, self.child.after]
        return str(self.child.before)

    def transcript(self) -> str:
        text = "".join(self.said).replace("\r", "")
        return "\n".join(line.rstrip() for line in text.split("\n"))

    def close(self) -> None:
        self.child.close(force=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[str]:
    with local_store(tmp_path / "store") as address:
        yield address


def set_up(person: Person, store: str) -> None:
    """All answers of the transcript in docs/console.md."""
    person.types("wg.setup()")
    person.answers("none for now): ", "1")
    person.answers("it has none): ", "correct horse")
    person.answers("(Enter: no clock): ", "zurich")
    person.answers("(Enter: none): ", store)
    person.answers("or a name (Enter: none): ", "1 2 3")
    person.answers("Install it? [yes] ", "")
    person.answers("city [bern]: ", "thun")
    person.answers("base_url [https://aareguru.existenz.ch]: ", "")
    person.answers("Install it? [yes] ", "")
    person.answers("Keep that? [yes] ", "no")
    person.answers("Add connections[0]? [yes] ", "")
    person.answers("connections[0].from_station: ", "Z\u00fcrich HB")
    person.answers("connections[0].to_station: ", "Bern")
    person.answers("from 1 to 6 [3]: ", "9")
    person.answers("from 1 to 6 [3]: ", "2")
    person.answers("One more: connections[1]? [no] ", "")
    person.answers("base_url [https://transport.opendata.ch]: ", "")
    person.answers("Install it? [yes] ", "yes")
    person.answers("zone [Europe/Zurich]: ", "")
    person.answers("format [%H:%M:%S %d.%m.%Y]: ", "%H:%M")
    person.answers("Change those of (Enter: none): ", "")
    person.until(PROMPT)


@pytest.mark.parametrize("terminal", TERMINALS)
def test_from_an_empty_flash_to_three_widgets(terminal: str, tmp_path: Path, store: str) -> None:
    with SimBoard(flash=tmp_path / "flash.bin") as b:
        person = Person(b, terminal)
        try:
            set_up(person, store)
        finally:
            person.close()
        said = person.transcript()
        assert "correct horse" not in said
        assert all(len(line) <= 80 for line in said.split("\n"))
        widgets = value(b, "[w['name'] for w in wg.list()]")
        assert widgets == ["Aareguru", "Public Transport", "Time"]
        assert value(b, "wg.configure('Aareguru')") == {"city": "thun"}
        assert value(b, "wg.configure('Time')") == {"format": "%H:%M"}
        assert value(b, "wg.configure('Public Transport')") == {
            "connections": [{"from_station": "Z\u00fcrich HB", "to_station": "Bern", "num_connections": 2}]
        }
        assert value(b, "wg.status()['ssid']") == "sim"
        assert value(b, "wg._console.setting('zone')") == "Europe/Zurich"
        b.reset()
        assert [w["name"] for w in value(b, "wg.list()")] == widgets and value(
            b, "wg.status()['problems']"
        ) == []
    if terminal == "miniterm":
        shown = re.sub(r"http://127\.0\.0\.1:\d+", "http://store.example", said)
        shown = re.sub(r"(\w+ )\d+\.\d+\.\d+( is installed)", r"\g<1>1.1.0\2", shown)
        shown = shown[shown.index(">>> wg.setup()") if ">>> wg.setup()" in shown else 0 :].strip()
        (tmp_path / "transcript").write_text(shown)
        documented = DOCS.read_text("utf-8")
        missing = [line for line in shown.split("\n") if line.strip() and line not in documented]
        missing = [line for line in missing if not line.startswith("The store does not say what it wants")]
        assert not missing, (
            f"docs/console.md shows another dialogue; this one is in {tmp_path}/transcript: {missing}"
        )


def test_leaving_at_every_question_leaves_nothing_half_set(tmp_path: Path, store: str) -> None:
    """Ctrl-C, Ctrl-D or "quit" at each question in turn; what a question belongs to is not stored."""
    answers = [
        ("none for now): ", "1"),
        ("it has none): ", "correct horse"),
        ("(Enter: no clock): ", ""),
        ("(Enter: none): ", store),
        ("or a name (Enter: none): ", "2"),
        ("Install it? [yes] ", ""),
        ("Keep that? [yes] ", "no"),
        ("Add connections[0]? [yes] ", ""),
        ("connections[0].from_station: ", "Bern"),
        ("connections[0].to_station: ", "Thun"),
    ]
    leave = ["\x03", "\x04", "quit\r"]
    with SimBoard(flash=tmp_path / "flash.bin") as b:
        for left_at in range(len(answers)):
            person = Person(b)
            try:
                person.types("wg.setup()")
                connected = left_at >= 2
                for question, answer in answers[:left_at]:
                    person.answers(question, answer)
                person.child.expect_exact(answers[left_at][0])
                person.child.send(leave[left_at % 3])
                assert "Left. What was finished is kept" in person.until(PROMPT)
            finally:
                person.close()
            assert value(b, "wg.list()") == []
            assert b.exec("import os; print(os.listdir('/data/widgets'))").strip() == "[]"
            known = value(b, "[n[0] for n in wg._console._app.storage.networks()]")
            assert known == (["sim"] if connected else []), left_at
            assert value(b, "wg.status()['problems']") == []
            if known:
                b.exec("wg.forget('sim')")
            b.exec("wg.set('store')")


def test_a_wrong_password_is_said_and_not_kept(tmp_path: Path) -> None:
    with SimBoard(flash=tmp_path / "flash.bin", faults="wifi = 'wrong_password'") as b:
        person = Person(b)
        try:
            person.types("wg.setup()")
            person.answers("none for now): ", "1")
            person.answers("it has none): ", "short")
            assert "A WiFi password has 8 to 63 characters." in person.until("it has none): ")
            person.child.send("wrong password\r")
            assert "No connection: sim refuses the password." in person.until("none for now): ")
            person.child.send("\r")
            person.answers("(Enter: no clock): ", "atlantis")
            assert 'There is no zone "atlantis"' in person.until("(Enter: no clock): ")
            person.child.send("back\r")
            person.answers("none for now): ", "quit")
            person.until(PROMPT)
        finally:
            person.close()
        assert value(b, "wg._console._app.storage.networks()") == []


def test_it_can_be_run_again(tmp_path: Path, store: str) -> None:
    with SimBoard(flash=tmp_path / "flash.bin") as b:
        b.exec(f"import wg; wg.wifi('sim', 'password1'); wg.set('store', {store!r}); wg.install('Time')")
        person = Person(b)
        try:
            person.types("wg.setup()")
            person.answers("Join another network? [no] ", "")
            person.answers("(Enter: no clock): ", "Europe")
            assert "type more of it" in person.until("(Enter: no clock): ")
            person.child.send("new york\r")
            assert "The zone is America/New_York." in person.until("(Enter: none): ")
            assert "3  Time (installed): Time and date at a place" in person.transcript()
            person.child.send("Time\r")
            person.answers("Change those of (Enter: none): ", "1")
            person.answers("zone [Europe/Zurich]: ", "UTC")
            person.answers("]: ", "back")
            person.answers("zone [UTC]: ", "Asia/Tokyo")
            person.answers("]: ", "")
            person.answers("Change those of (Enter: none): ", "")
            person.until(PROMPT)
            person.types('wg.setup("Time")')
            person.until("zone [Asia/Tokyo]: ")
            person.child.send("\x03")
            assert "Nothing was changed." in person.until(PROMPT)
            person.types('wg.setup("Nope")')
            assert "no widget is called 'Nope'" in person.until(PROMPT)
        finally:
            person.close()
        assert value(b, "wg.configure('Time')") == {"zone": "Asia/Tokyo"}
