"""Sequences of changes, restarts, power cuts and rot that hypothesis chooses, against a plain model.

One process of the simulated board plays all of them; before each, its flash is that of a first boot.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from wg import ROOT

#: Of each word size: many as on the ESP32, fewer with the PC's.
SEQUENCES = {32: 500, 64: 50}
STEPS = 16
NAMES = ("Time", "Müll")
SCHEMAS = ("{}", '{"type": "object", "required": ["key"]}')
CONFIGS = ('{"key": 1}', '{"key": "%s"}' % ("x" * 900), '{"zone": "Bern"}', "{}")
KEPT = ("fuel", "deadline_ms")


class Board:
    """scripts/model.py in a process."""

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen(
            [program, "--chip", "8", "--script", Path(__file__).parent / "scripts" / "model.py"],
            env={**os.environ, "MICROPYPATH": str(ROOT / "firmware")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, do: str, *arguments: Any, cut: Any = None) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout and self.process.stderr
        print(json.dumps({"do": do, "with": arguments, "cut": cut}), file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            if line.startswith("{"):  # what the garbage collector closes after a cut complains on other lines
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise AssertionError(f"{do} {arguments}: the board ended: {self.process.stderr.read()}")

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def content(name: str, version: int, schema: str, size: int) -> bytes:
    """A widget's file: its description in 256 bytes, and filling."""
    head = json.dumps({"name": name, "version": str(version), "schema": schema, "cycle": 5}).encode()
    block = hashlib.sha256(head).digest()
    return head.ljust(256) + (block * (size // 32 + 1))[:size]


def accepts(schema: str, config: str) -> bool:
    return schema == "{}" or "key" in json.loads(config)


class Kept:
    """A record: its value and that of the generation before; None: there is none."""

    def __init__(self, value: Any = None) -> None:
        self.value = value
        self.before: Any = None

    def save(self, value: Any) -> None:
        if value != self.value:
            self.before, self.value = self.value, value

    def rot(self) -> None:
        """The newest is gone; what was before becomes both generations again."""
        self.value = self.before


class Model:
    """What is on flash, in plain Python. An entry is (version, config, limits, schema, sum of its file, order)."""

    def __init__(self) -> None:
        self.entries: dict[str, Kept] = {}
        self.files: dict[str, str | None] = {}  # widget: sum of its file; None: damaged or gone
        self.system = Kept({"background": "#000000", "settings": {}})
        self.wifi = Kept([])

    def state(self) -> dict[str, Any]:
        ordered = sorted(self.entries.items(), key=lambda item: (item[1].value["order"], item[0]))
        return {
            "widgets": [
                [name, self.files[name], e.value["version"], e.value["config"], e.value["limits"]]
                for name, e in ordered
            ],
            "background": self.system.value["background"],
            "settings": self.system.value["settings"],
            "networks": self.wifi.value,
        }

    def last(self) -> int:
        orders = [kept.value["order"] for kept in self.entries.values()]
        # The last one on the list, as Storage._entry() sees it.
        return max(orders) + 1 if orders else 0

    def entry(self, data: bytes) -> dict[str, Any]:
        head = json.loads(data[:256])
        return {
            "version": head["version"],
            "schema": head["schema"],
            "sum": hashlib.sha256(data).hexdigest(),
            "config": "{}",
            "limits": {},
            "order": self.last(),
        }

    # Each returns whether it is to succeed.

    def install(self, data: bytes) -> bool:
        name = json.loads(data[:256])["name"]
        if name in self.entries:
            return self.files[name] is None and self.replace(name, data)
        self.entries[name] = Kept(self.entry(data))
        self.files[name] = self.entries[name].value["sum"]
        return True

    def replace(self, name: str, data: bytes) -> bool:
        if name not in self.entries:
            return False
        kept = self.entries[name]
        entry = self._kept(kept.value, self.entry(data))
        if self.files[name] is None:
            # Written in any case: the file is what changes.
            kept.before, kept.value = kept.value, entry
        else:
            kept.save(entry)
        self.files[name] = entry["sum"]
        return True

    def _kept(self, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        entry = {**old, **{key: new[key] for key in ("version", "schema", "sum")}}
        if not accepts(new["schema"], old["config"]):
            entry["config"] = "{}"
        return entry

    def remove(self, name: str) -> bool:
        self.files.pop(name, None)
        return self.entries.pop(name, None) is not None

    def configure(self, name: str, config: str) -> bool:
        if name not in self.entries or not accepts(self.entries[name].value["schema"], config):
            return False
        self.entries[name].save({**self.entries[name].value, "config": config})
        return True

    def limits(self, name: str, key: str, value: int | None) -> bool:
        if name not in self.entries:
            return False
        limits = {**self.entries[name].value["limits"], key: value}
        limits = {k: v for k, v in limits.items() if v is not None}
        self.entries[name].save({**self.entries[name].value, "limits": limits})
        return True

    def background(self, color: str) -> bool:
        self.system.save({**self.system.value, "background": color})
        return True

    def set(self, key: str, value: str) -> bool:
        self.system.save({**self.system.value, "settings": {**self.system.value["settings"], key: value}})
        return True

    def add_network(self, ssid: str, password: str) -> bool:
        self.wifi.save([[ssid, password]] + [n for n in self.wifi.value if n[0] != ssid])
        return True

    def forget_network(self, ssid: str) -> bool:
        changed = [n for n in self.wifi.value if n[0] != ssid]
        if changed == self.wifi.value:
            return False
        self.wifi.save(changed)
        self.wifi.before = changed  # written twice: it is in no generation any more
        return True

    def rot(self, what: str, name: str | None) -> None:
        """The bit has been changed, and the board was started again."""
        if what == "file":
            assert name
            self.files[name] = None
        elif what == "system":
            self.system.rot()
            self.system.value = self.system.value or {"background": "#000000", "settings": {}}
        elif what == "wifi":
            self.wifi.rot()
            self.wifi.value = self.wifi.value or []
        else:
            assert name
            self._rot_entry(name)

    def _rot_entry(self, name: str) -> None:
        kept = self.entries[name]
        file, lost = self.files[name], kept.value
        kept.rot()
        found = {key: lost[key] for key in ("version", "schema", "sum")}
        if kept.value is None:
            # The file is asked for its name; a damaged one is given up.
            del self.entries[name]
            del self.files[name]
            if file is not None:
                self.entries[name] = Kept({**found, "config": "{}", "limits": {}, "order": self.last()})
                self.files[name] = file
        elif kept.value["sum"] == lost["sum"]:
            return
        elif file is not None:
            # The generation before names a file that is gone: the one that is there takes its place.
            kept.save(self._kept(kept.value, found))
            self.files[name] = file
        else:
            self.files[name] = None


names = st.sampled_from(NAMES)
a_cut = st.tuples(st.one_of(st.integers(1, 8), st.integers(1, 60)), st.integers(0, 4)) | st.none()
contents = st.builds(
    content, names, st.integers(1, 4), st.sampled_from(SCHEMAS), st.sampled_from((100, 900, 5000, 9000))
)


class Storage(RuleBasedStateMachine):
    """Each rule does the same to the board and to the model and compares what can be seen."""

    board: Board
    sequences = 0
    cuts = 0
    rotten = 0
    steps = 0

    @initialize(data=contents)
    def begin(self, data: bytes) -> None:
        Storage.sequences += 1
        self.model = Model()
        self.full = False
        assert self.board("begin")["state"] == self.model.state()
        model = Model()
        self.change("install", data.hex(), model=model, fits=model.install(data))

    def change(self, do: str, *arguments: Any, model: Model, fits: bool, cut: Any = None) -> None:
        """`model` is the one after the change, if it succeeds; `fits`: whether it must."""
        Storage.steps += 1
        answer = self.board(do, *arguments, cut=cut)
        old, new = self.model.state(), model.state()
        if answer["cut"]:
            Storage.cuts += 1
            assert answer["state"] in (old, new)
            if answer["state"] == new:
                self.model = model
            return
        if answer["error"] is None:
            assert fits
            self.model = model
        else:
            assert not fits or (self.full and "flash" in answer["error"]), answer["error"]
        assert answer["state"] == self.model.state()

    def both(self, do: str, *arguments: Any, cut: Any = None, call: Any = None) -> None:
        model = copy.deepcopy(self.model)
        fits = (call or getattr(model, do.replace(" ", "_")))(*arguments)
        self.change(do, *arguments, cut=cut, model=model, fits=fits)

    @rule(data=contents, cut=a_cut)
    def install(self, data: bytes, cut: Any) -> None:
        model = copy.deepcopy(self.model)
        self.change("install", data.hex(), cut=cut, model=model, fits=model.install(data))

    @rule(data=contents, cut=a_cut)
    def replace(self, data: bytes, cut: Any) -> None:
        model = copy.deepcopy(self.model)
        name = json.loads(data[:256])["name"]
        self.change("replace", name, data.hex(), cut=cut, model=model, fits=model.replace(name, data))

    @rule(name=names, cut=a_cut)
    def remove(self, name: str, cut: Any) -> None:
        full, self.full = self.full, False  # a removal must work on a full flash
        self.both("remove", name, cut=cut)
        self.full = full

    @rule(name=names, config=st.sampled_from(CONFIGS), cut=a_cut)
    def configure(self, name: str, config: str, cut: Any) -> None:
        self.both("configure", name, config, cut=cut)

    @rule(name=names, key=st.sampled_from(KEPT), value=st.sampled_from((1000, 5000, None)), cut=a_cut)
    def limits(self, name: str, key: str, value: int | None, cut: Any) -> None:
        model = copy.deepcopy(self.model)
        fits = model.limits(name, key, value)
        self.change("limits", name, {key: value}, cut=cut, model=model, fits=fits)

    @rule(color=st.sampled_from(("#102030", "#ffffff")), cut=a_cut)
    def background(self, color: str, cut: Any) -> None:
        self.both("background", color, cut=cut)

    @rule(key=st.sampled_from(("ntp", "store")), value=st.sampled_from(("http://a", "b" * 300)), cut=a_cut)
    def set(self, key: str, value: str, cut: Any) -> None:
        self.both("set", key, value, cut=cut)

    @rule(ssid=st.sampled_from(("home", "work")), password=st.sampled_from(("12345678", "p" * 63)), cut=a_cut)
    def add_network(self, ssid: str, password: str, cut: Any) -> None:
        self.both("add network", ssid, password, cut=cut)

    @rule(ssid=st.sampled_from(("home", "work")))
    def forget_network(self, ssid: str) -> None:
        self.both("forget network", ssid)

    @rule(cut=a_cut)
    def restart(self, cut: Any) -> None:
        self.change("restart", cut=cut, model=self.model, fits=True)

    @rule(what=st.sampled_from(("file", "entry", "entry", "system", "wifi")), name=names)
    def rot(self, what: str, name: str) -> None:
        if self.full and what == "entry":  # see scripts/storage.py: it is found again when there is space
            return
        known = what in ("system", "wifi")
        if not known and name not in self.model.entries:
            if not self.model.entries:
                return
            name = min(self.model.entries)
        answer = self.board("rot", what, *([] if known else [name]))
        if answer["error"] is None:
            Storage.rotten += 1
            self.model.rot(what, None if known else name)
        assert answer["state"] == self.model.state()

    @precondition(lambda self: not self.full)
    @rule()
    def fill(self) -> None:
        self.full = True
        assert self.board("fill")["state"] == self.model.state()

    @precondition(lambda self: self.full)
    @rule()
    def clear(self) -> None:
        self.full = False
        assert self.board("clear")["state"] == self.model.state()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("word_size", [64, 32])
def test_sequences(
    word_size: int, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    Storage.board = Board(request.getfixturevalue("wgdisplay" if word_size == 64 else "wgdisplay32"))
    Storage.sequences = Storage.cuts = Storage.rotten = Storage.steps = 0
    sequences = SEQUENCES[word_size]
    if settings.default.max_examples > max(SEQUENCES.values()):  # --hypothesis-profile=search
        sequences = settings.default.max_examples
    try:
        run_state_machine_as_test(
            Storage,
            settings=settings(
                max_examples=sequences,
                stateful_step_count=STEPS,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        Storage.board.close()
    with capsys.disabled():
        print(
            f"\n{Storage.sequences} sequences of the storage: {Storage.steps} changes, {Storage.cuts} power cuts, "
            f"{Storage.rotten} rotten files"
        )
    assert (
        Storage.sequences >= sequences and Storage.cuts > sequences // 2 and Storage.rotten > sequences // 5
    )
