"""Hostile widgets on the simulated board: the display ticks, the prompt answers, the other widgets go on."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hostile_widgets
import pytest
from hostile import HostileServer
from hostile_widgets import GIVE, LONG, MANY, NOW, REFUSED, URL_BYTES, Hostile, ask, log

from wg import ROOT
from wg.sim.board import SimBoard

pytestmark = pytest.mark.timing

LATE_MS = 50  # that a tick of the display may be late, as the board itself measures it
ANSWER_MS = 200  # that `exec` and Ctrl-C may take, seen from the PC
WINDOW = 3.2  # seconds that a widget is watched: three ticks at least
REPEATS = 5  # windows at most; whoever breaks a promise breaks it in nearly all of them
BROKEN = 3  # windows in which a promise was broken, while it was kept without the hostile widgets
END = 20  # seconds until a run that passes a quota must have ended, however busy the machine is

OK = b"HTTP/1.1 200 OK\r\n"
# An honest widget that uses all that hostile ones abuse.
STEADY = Hostile(
    "Steady", "probe", False, body=f"{NOW} {log(0, 0x2000, 5)} {ask()} {GIVE}", url=b"%URL/small"
)

BURNERS = [w for w in LONG if w.name.startswith(("loops", "grows", "calls"))]
OTHERS = [w for w in LONG if w not in BURNERS]
# Each burner of computing time goes together with one that burns something else.
GROUPS = [[a, b] for a, b in zip(BURNERS, OTHERS, strict=False)] + [OTHERS[len(BURNERS) :]]


@dataclass
class Seen:
    """What a window of time showed."""

    late_ms: int
    answers_ms: list[int]
    runs: dict[str, int]
    texts: dict[str, tuple[str, bool]]

    def complaints(self) -> list[str]:
        """Why the promises were not kept."""
        found = []
        if self.late_ms > LATE_MS:
            found.append(f"a tick was {self.late_ms} ms late")
        if max(self.answers_ms) > ANSWER_MS:
            found.append(f"the prompt took {max(self.answers_ms)} ms")
        for name in ("Time", "Steady"):
            if self.runs[name] < 3:
                found.append(f"{name} ran {self.runs[name]} times in {WINDOW} s")
        return found


class Stage:
    """A board with two honest widgets, and a server with all hostile ones."""

    def __init__(self, board: SimBoard, server: HostileServer, urls: dict[str, str]) -> None:
        self.board = board
        self.server = server
        self.urls = urls

    def install(self, widget: Hostile) -> str:
        """What the prompt says."""
        return self.board.exec(
            f"try:\n print(wg.install({self.urls[widget.name]!r}, hosts=['127.0.0.1']))\n"
            "except wg.Error as e:\n print('refused:', e)"
        ).strip()

    def remove(self, widgets: list[Hostile]) -> None:
        self.board.exec(
            f"for name in {[w.name for w in widgets]!r}:\n"
            " try:\n  wg.remove(name)\n except wg.Error as error:\n  print(error)"
        )

    def window(self, seconds: float = WINDOW) -> Seen:
        """Watches the board; answers of `exec`, of Ctrl-C in a loop and of Ctrl-C in a wait for a widget."""
        answers = []
        with self.board.transport() as transport:

            def execute(code: str) -> str:
                out, error = transport.exec_raw(code, timeout=20)
                assert not error, error
                return bytes(out).decode()

            def interrupt(code: str) -> int:
                transport.exec_raw_no_follow(code)
                time.sleep(0.1)
                began = time.perf_counter()
                transport.serial.write(b"\x03")
                _, error = transport.follow(timeout=20)
                assert b"KeyboardInterrupt" in error, error
                return round((time.perf_counter() - began) * 1000)

            execute("s.late_ms = 0; before = {e.name: e.runs for e in s.entries}")
            end = time.monotonic() + seconds
            answers.append(interrupt("while True: pass"))
            while time.monotonic() < end:
                began = time.perf_counter()
                execute("1 + 1")
                answers.append(round((time.perf_counter() - began) * 1000))
                time.sleep(0.05)
            found = json.loads(
                execute(
                    "print(json.dumps([s.late_ms, {e.name: e.runs - before.get(e.name, 0) for e in s.entries},"
                    " {e.name: (e.text[:100], e.error) for e in s.entries}]))"
                )
            )
            answers.append(interrupt("import time\ntime.sleep(20)"))
        return Seen(found[0], answers, found[1], {name: tuple(text) for name, text in found[2].items()})

    def watch(self, widgets: list[Hostile]) -> Seen:
        """Installs them, watches, removes them. Fails if a promise is not kept.

        If one isn't, the same time without the hostile widgets tells whether it was the machine. Then the window is
        repeated; without such an excuse it counts as broken.
        """
        history = []
        unexcused = 0
        for _ in range(REPEATS):
            try:
                for widget in widgets:
                    said = self.install(widget)
                    assert said.startswith("Installed"), f"{widget.name}: {said}"
                seen = self.window()
                self.check_honest(seen)
                self.wait_for_ends(widgets, seen)
                names = {line[2] for line in self.log()}
            finally:
                self.remove(widgets)
            for widget in widgets:
                self.check_shown(widget, seen, names)
            complaints = seen.complaints()
            if not complaints:
                return seen
            control = self.window().complaints()
            history.append((complaints, control))
            unexcused += not control
            if unexcused == BROKEN:
                break
        pytest.fail(f"{[w.name for w in widgets]}: (with them, without them) {history}")

    def log(self) -> Any:
        return json.loads(self.board.exec("print(json.dumps(console._app.log.lines()))"))

    def check_honest(self, seen: Seen) -> None:
        text, error = seen.texts["Time"]
        assert not error and re.fullmatch(r"\d\d:\d\d:\d\d \d\d\.\d\d\.\d{4}", text), text
        assert seen.texts["Steady"] == ("probe", False)

    def wait_for_ends(self, widgets: list[Hostile], seen: Seen) -> None:
        """Brings `seen` up to the end of the first run of each widget that must come to one."""
        end = time.monotonic() + END
        waiting = [w.name for w in widgets if w.shows != "-" and not seen.runs[w.name]]
        while waiting and time.monotonic() < end:
            time.sleep(0.2)
            for name in list(waiting):
                runs, text, error = self.board.eval(
                    f"[(e.runs, e.text[:100], e.error) for e in s.entries if e.name == {name!r}][0]"
                )
                if runs:
                    seen.runs[name] = runs
                    seen.texts[name] = (text, error)
                    waiting.remove(name)

    def check_shown(self, widget: Hostile, seen: Seen, logged: set[str]) -> None:
        text, error = seen.texts[widget.name]
        ended = widget.ends is not None and error and widget.ends in text
        assert ended or (widget.shows in text and error == widget.error), f"{widget.name} shows {text!r}"
        if widget.error:
            assert widget.name in logged, f"no line in the log names {widget.name}"
        if widget.shows != "-":
            assert seen.runs[widget.name], f"{widget.name} never ended"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("hostile")
    time_widget = ROOT / "build" / "widgets" / "time.wasm"
    assert time_widget.exists(), "run `make widgets`"
    with HostileServer() as server, SimBoard(flash=folder / "flash.bin") as board:
        files = hostile_widgets.build((STEADY, *MANY, *LONG, *REFUSED), folder, server.url.encode())
        urls = {}
        for i, (name, path) in enumerate(files.items()):
            urls[name] = server.add(f"/{i}.wasm", OK + b"\r\n", path.read_bytes())
        _answers(server)
        board.exec("import json, wg, wgdisplay.console as console; s = console._app.scheduler")
        url = server.add("/time.wasm", OK + b"\r\n", time_widget.read_bytes())
        board.exec(f"wg.install({url!r})")
        stage = Stage(board, server, urls)
        assert stage.install(STEADY).startswith("Installed")
        yield stage
        assert board.alive
        assert board.eval("wg.status()['problems']") == []


def _answers(server: HostileServer) -> None:
    def add(path: str, *pieces: bytes, **timing: float) -> None:
        server.add(path.ljust(URL_BYTES - len(server.url), "x"), *pieces, **timing)

    add("/small", OK + b"Content-Length: 2\r\n\r\n", b"ok")
    add("/slow", OK + b"Content-Length: 10000\r\n\r\n", *[b"x"] * 10000, pause=0.05)
    add("/silent", b"", hold=60)
    add("/10MB", OK + b"\r\n", bytes(10 << 20))
    add("/1MB", OK + b"\r\n", bytes((1 << 20) - 2000))


def test_control(stage: Stage) -> None:
    """Without hostile widgets all promises are kept: else the other tests say nothing."""
    assert stage.watch([]).runs["Time"] >= 3


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: ", ".join(w.name for w in group))
def test_one_that_goes_on(stage: Stage, group: list[Hostile]) -> None:
    stage.watch(group)


@pytest.mark.parametrize("first", range(0, len(MANY), 17))
def test_many_that_end_at_once(stage: Stage, first: int) -> None:
    stage.watch(list(MANY[first : first + 17]))


def test_all_that_go_on_together(stage: Stage) -> None:
    """Three times as many as there are places for runs; the honest ones still have theirs."""
    together = list(LONG)
    for widget in together:
        assert stage.install(widget).startswith("Installed")
    time.sleep(10)  # until each had its turn in the place for quick runs
    history = []
    for _ in range(REPEATS):
        seen = stage.window()
        stage.check_honest(seen)
        history.append(seen.complaints())
        if not history[-1]:
            break
    stage.remove(together)
    assert not history[-1], history


@pytest.mark.parametrize("widget", REFUSED, ids=lambda widget: widget.name)
def test_refused(stage: Stage, widget: Hostile) -> None:
    """Within the time for a widget's description, and nothing is left; the display ticks meanwhile."""
    before = stage.board.eval("wg.status()['flash_free']")
    stage.board.exec("s.late_ms = 0")
    began = time.monotonic()
    said = stage.install(widget)
    assert said.startswith("refused:") and widget.shows in said
    assert time.monotonic() - began < 7
    assert stage.board.eval("s.late_ms") <= LATE_MS
    assert stage.board.eval("wg.status()['flash_free']") == before
    assert stage.board.eval("[w['name'] for w in wg.list()]") == ["Time", "Steady"]
