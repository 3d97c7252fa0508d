"""`wg sim run`: the display as a person starts it."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pexpect
import pytest
from PIL import Image

from wg import ROOT
from wg.sim.board import SimBoard
from wg.sim.panel import HEIGHT, WIDTH

WG = (
    [sys.executable, "-m", "wg.cli"]
    if not (ROOT / ".venv" / "bin" / "wg").exists()
    else [str(ROOT / ".venv/bin/wg")]
)
WIDGETS = ROOT / "build" / "widgets"


@pytest.fixture
def out(wgdisplay: Path, tmp_path: Path) -> Path:
    return tmp_path / "out"


def start(out: Path, *options: str) -> pexpect.spawn:
    arguments = [*WG[1:], "sim", "run", "--out", str(out), "--widgets", str(WIDGETS), *options]
    return pexpect.spawn(WG[0], arguments, encoding="utf-8", timeout=60, dimensions=(40, 160))


def test_some_seconds_leave_a_picture_and_the_state(out: Path) -> None:
    for turn in range(2):  # the second time the widgets are there already
        child = start(out, "--seconds", "2")
        child.expect(r"http://127\.0\.0\.1:\d+/")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 0, child.before
        state = json.loads((out / "state.json").read_text())
        assert set(state) == {"widgets", "boot_ms", "frames"}
        assert [w["name"] for w in state["widgets"]] == ["Time", "Public Transport", "Aareguru"], turn
        for widget in state["widgets"]:
            assert set(widget) == {"name", "version", "runs", "last_output", "last_error"}
        assert state["widgets"][0]["runs"] >= 1
        assert re.search(r"\d\d:\d\d:\d\d", state["widgets"][0]["last_output"])
        image = Image.open(out / "screen.png").convert("RGB")
        assert image.size == (WIDTH, HEIGHT)
        assert len(image.getcolors(WIDTH * HEIGHT) or []) > 10


def test_prompt_page_and_leaving(out: Path) -> None:
    child = start(out)
    child.expect(r"(http://127\.0\.0\.1:\d+/)")
    address = child.match.group(1)
    child.expect(">>> ")
    child.send("6 * 7\n")  # as from a paste
    child.expect("42\r\n>>> ")
    child.send("wg.state()['widgets'][0]['name']\r")
    child.expect("'Time'\r\n>>> ")
    page = urllib.request.urlopen(address, timeout=10).read().decode()
    assert "<canvas" in page
    assert urllib.request.urlopen(address + "screen.png", timeout=10).read().startswith(b"\x89PNG")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(address + "widgets/..%2Fsecret.wasm", timeout=10)
    time.sleep(3)  # the bridge has asked for the state meanwhile, unseen
    child.send("1 + 1\r")
    child.expect("2\r\n>>> ")
    assert "raw REPL" not in child.before
    child.send("\x1d")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_without_a_terminal_it_goes_on(out: Path) -> None:
    command = [*WG, "sim", "run", "--out", str(out), "--widgets", str(WIDGETS)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for text in process.stdout:
        if ">>>" in text or "prompt follows" in text:
            break
    time.sleep(1)
    assert process.poll() is None
    process.terminate()
    process.wait(10)
    process.stdout.close()
    # The board does not outlive it.
    time.sleep(0.5)
    with SimBoard(flash=out / "flash.bin", bare=True) as board:
        assert board.eval("1 + 1") == 2


def test_a_widget_that_is_not_built_is_said(out: Path, tmp_path: Path) -> None:
    child = start(out, "--widgets", str(tmp_path), "--seconds", "1")
    child.expect("make widgets")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1


def test_a_flash_in_use_is_said(out: Path, tmp_path: Path) -> None:
    with SimBoard(flash=tmp_path / "flash.bin", bare=True):
        child = start(out, "--flash", str(tmp_path / "flash.bin"), "--seconds", "1")
        child.expect("another board runs with it")
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 1


def test_the_page_shows_the_panel_live(sim_board: SimBoard) -> None:
    from wg.sim.page import Page

    assert sim_board.panel_path is not None
    with Page(sim_board.panel_path, lambda: {"message": "Running"}, WIDGETS) as page:
        with live(page.address) as (_, stream):
            opcode, pixels = frame(stream)
            assert (opcode, len(pixels)) == (2, WIDTH * HEIGHT * 2)
            opcode, status = frame(stream)
            assert opcode == 1
            assert json.loads(status)["message"] == "Running"
            end = time.monotonic() + 10
            while not json.loads(status)["panel"]["on"] and time.monotonic() < end:  # the board still boots
                opcode, data = frame(stream)
                status, pixels = (data, pixels) if opcode == 1 else (status, data)
            assert json.loads(status)["panel"]["on"]
            # A change on the panel arrives by itself.
            sim_board.exec("import wg; wg.background('#ff0000')")
            end = time.monotonic() + 10
            while time.monotonic() < end:
                opcode, data = frame(stream)
                if opcode == 2 and data != pixels:
                    break
            assert opcode == 2 and data != pixels


def test_the_pages_keys_and_touch_reach_the_board(sim_board: SimBoard) -> None:
    from wg.sim.page import Page
    from wg.sim.run import board_keys

    assert board_keys() == {"boot": 0, "mute": 1}
    assert sim_board.panel_path is not None
    level = "__import__('machine').Pin(0, 1).value()"
    finger = "__import__('_simhw').touch()"
    with Page(sim_board.panel_path, lambda: {}, WIDGETS, keys=board_keys()) as page:
        with live(page.address) as (browser, stream):
            while (opcode_and_data := frame(stream))[0] != 1:
                pass
            assert json.loads(opcode_and_data[1])["keys"] == ["boot", "mute"]

            def tell(message: object) -> None:
                data = json.dumps(message).encode()
                # From a browser, masked; a mask of zeros leaves it as it is.
                browser.sendall(bytes((0x81, 0x80 | len(data))) + bytes(4) + data)

            def until(expression: str, wanted: object) -> None:
                end = time.monotonic() + 5
                while (got := sim_board.eval(expression)) != wanted:
                    assert time.monotonic() < end, (expression, got, wanted)

            assert sim_board.eval(level) == 1 and sim_board.eval(finger) is None
            for nonsense in ({"key": "none", "down": True}, {"touch": "x"}, {"touch": [1]}, 5, [], "key", {}):
                tell(nonsense)
            tell({"key": "boot", "down": True})
            until(level, 0)
            tell({"key": "boot", "down": False})
            until(level, 1)
            tell({"touch": [400, -5]})
            until(finger, (319, 0))
            tell({"touch": None})
            until(finger, None)
            tell({"key": "boot", "down": True})
            until(level, 0)
        # Who goes away has let go.
        until(level, 1)


@contextmanager
def live(address: str) -> Iterator[tuple[socket.socket, BinaryIO]]:
    """A browser on the page's WebSocket: its connection, and the stream of frames."""
    port = int(address.rsplit(":", 1)[1].strip("/"))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as browser,
        browser.makefile("rb") as stream,
    ):
        browser.sendall(
            b"GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert b" 101 " in stream.readline()
        while stream.readline() != b"\r\n":
            pass
        yield browser, stream


def frame(stream: BinaryIO) -> tuple[int, bytes]:
    """One frame of a WebSocket from the server: opcode and content (RFC 6455, section 5.2)."""
    first, length = stream.read(2)
    if length >= 126:
        length = int.from_bytes(stream.read(2 if length == 126 else 8), "big")
    return first & 15, stream.read(length)
