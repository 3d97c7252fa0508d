"""The display as the panel shows it: driver, drawing, pictures, damage, costs."""

import json
import os
import struct
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from .conftest import ROOT, SCRIPTS, environment, run_on

GOLDEN = Path(__file__).resolve().parent / "golden"
DIFFERENCES = ROOT / "build" / "display"
FULL_FRAME = 320 * 240 * 2


def test_every_mounting_puts_pixels_where_a_person_expects_them(run_script: Callable[..., str]) -> None:
    assert run_script("mounting.py").strip() == "OK 64"


@pytest.mark.parametrize("binary", ["wgdisplay", "wgdisplay32"])
def test_drawing_equals_its_references(request: pytest.FixtureRequest, binary: str) -> None:
    assert run_on(request.getfixturevalue(binary), "drawing.py").strip() == "OK"


@dataclass(frozen=True)
class Shown:
    """What the simulated board's panel shows; boards/sim/panel_file.h has the layout."""

    picture: Image.Image
    lit: bool
    faults: int

    @classmethod
    def read(cls, path: Path) -> "Shown":
        data = path.read_bytes()
        magic, width, height, _, flags, light = struct.unpack_from("<8sHHIII", data)
        assert magic == b"WGPANEL1"
        (faults,) = struct.unpack_from("<I", data, 44)
        rgb = bytearray()
        for value in struct.unpack_from(f"<{width * height}H", data, 64):
            r, g, b = value >> 11, value >> 5 & 63, value & 31
            rgb += bytes((r << 3 | r >> 2, g << 2 | g >> 4, b << 3 | b >> 2))
        return cls(
            Image.frombytes("RGB", (width, height), bytes(rgb)), flags == 0b101 and light == 65535, faults
        )


def test_golden_pictures(run_script: Callable[..., str], tmp_path: Path) -> None:
    """Each state's picture is exactly the committed one. After a wanted change: WG_GOLDEN=write, and look."""
    panel = tmp_path / "panel"
    names = run_script("states.py", str(tmp_path), str(panel), panel=panel).split("\n")[:-1]
    changed = []
    for name in names:
        shown = Shown.read(tmp_path / f"{name}.panel")
        assert shown.lit and shown.faults == 0, name
        got = shown.picture
        own = tmp_path / f"{name}.png"
        assert Image.open(own).tobytes() == got.tobytes(), f"{name}: write_png"
        assert own.stat().st_size < 80_000, name
        path = GOLDEN / f"{name.replace(' ', '-')}.png"
        if os.environ.get("WG_GOLDEN") == "write":
            got.save(path, optimize=True)
            continue
        wanted = Image.open(path).convert("RGB") if path.exists() else Image.new("RGB", got.size)
        if ImageChops.difference(got, wanted).getbbox():
            DIFFERENCES.mkdir(parents=True, exist_ok=True)
            side = Image.new("RGB", (640 + 8, 240), (255, 0, 255))
            side.paste(wanted, (0, 0))
            side.paste(got, (328, 0))
            side.save(DIFFERENCES / path.name)
            changed.append(name)
    assert not changed, f"changed: {changed}; expected and got side by side in {DIFFERENCES}"
    assert {name.replace(" ", "-") for name in names} == {path.stem for path in GOLDEN.glob("*.png")}


def wire_share(transfers: list[int]) -> float:
    """The share of the time that bits are on the wire at 40 MHz, for transfers of so many bytes.

    machine.SPI of the esp32 port cuts a transfer into pieces of 4092 bytes, one queued while the other is on the wire
    (MicroPython 1.26, ports/esp32/machine_hw_spi.c). From piece to piece at most what ESP-IDF tells for a whole
    transaction by interrupt: 26 us (ESP-IDF 5.4, SPI master, "Transaction Duration", ESP32-S3).
    """
    wire = sum(transfers) * 8 / 40e6
    gaps = sum(-(-size // 4092) for size in transfers) * 26e-6
    return wire / (wire + gaps)


def test_costs(run_script: Callable[..., str]) -> None:
    costs = json.loads(run_script("costs.py", "10000"))
    print(costs)
    assert costs["nothing"] == 0
    assert 0 < costs["minute"] < 0.03 * FULL_FRAME
    assert 0 < costs["widget"] < 0.10 * FULL_FRAME
    assert FULL_FRAME < costs["full frame"] < FULL_FRAME + 20
    assert costs["page"] <= FULL_FRAME + 20
    # One window: two ranges of address with their commands, the write command, all pixels in one piece.
    assert costs["full frame sizes"] == [1, 4, 1, 4, 1, FULL_FRAME]
    assert wire_share(costs["full frame sizes"]) >= 0.9
    assert costs["long text ms"] < 500
    assert costs["frames"] == 10000
    assert costs["growth"] < 2000  # a byte a frame would be 10,000


class Board:
    """The long-lived process that plays sequences."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self._binary), "--script", str(SCRIPTS / "sequences.py")],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def play(self, operations: list[Any]) -> dict[str, Any]:
        if self._process.poll() is not None:
            self.close()
            self._process = self._start()
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"operations": operations}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line.startswith("{"):
            line += self._process.stdout.read()
            self._process.wait(timeout=10)
            raise AssertionError(line)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def player(wgdisplay: Path) -> Iterator[Board]:
    board = Board(wgdisplay)
    yield board
    board.close()


# Few values, so that neighbours in a sequence differ in a little as often as in everything.
LINES = st.sampled_from(
    ["", "-", "12:00", "12:01", "Grüezi mitenand", "word " * 12, "a\nb", "°C → 漢 ☀\t3", "x" * 90]
)
TEXT = st.one_of(LINES, st.lists(LINES, max_size=5).map("\n".join), st.text(max_size=30))
AGE = st.sampled_from([None, None, 0, 59, 61, 119, 7200])
ITEM = st.tuples(LINES, TEXT, st.booleans(), AGE, st.sampled_from(["", "", "no network"]))
BACKGROUND = st.sampled_from(["#000000", "#000000", "#f0ead8", "#102030", "", "#zzzzzz"])
DRAW = st.tuples(
    st.just("draw"),
    st.one_of(LINES, st.tuples(LINES, LINES)),
    st.lists(ITEM, max_size=6),
    BACKGROUND,
    st.integers(0, 3),
    st.sampled_from(["auto", "auto", "small", "normal", "large", "huge"]),
)
MESSAGE = st.tuples(
    st.just("message"),
    LINES,
    st.lists(TEXT, max_size=4),
    BACKGROUND,
    st.sampled_from([None, None, 0, 1, 50, 100, 1000, -5]),
    st.sampled_from([None, None, "", "wg", "x" * 100, "é" * 400]),
)
SHOWN = st.one_of(DRAW, DRAW, DRAW, MESSAGE)
FAILURE = st.tuples(st.just("fail"), st.integers(0, 12))
SEQUENCE = st.tuples(st.lists(st.one_of(SHOWN, SHOWN, SHOWN, FAILURE), max_size=6), SHOWN)


@pytest.mark.timeout(300)
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SEQUENCE)
def test_after_any_sequence_the_panel_shows_a_full_redraw(
    player: Board, sequence: tuple[list[Any], Any]
) -> None:
    answer = player.play([*sequence[0], sequence[1]])
    assert answer["picture"], "the panel differs from a full redraw"
    assert answer["clean"], "drawing the same again sent pixels"
