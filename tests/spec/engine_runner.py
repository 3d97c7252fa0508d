"""The specification's scripts through the engine on a simulated board, each assertion judged."""

import base64
import json
import queue
import subprocess
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wast import Command, Script

WORKER = Path(__file__).with_name("board") / "spec_worker.py"
#: The longest that one command may take, in seconds.
PATIENCE = 60
ASSERTIONS = ("return", "trap", "exhaustion", "invalid", "malformed", "unlinkable")

#: What the engine calls a trap, by the beginning of what the scripts call it.
TRAPS = {
    "out of bounds memory access": ("memory access out of bounds",),
    "out of bounds table access": ("out of bounds table access",),
    "out of bounds": ("memory access out of bounds", "out of bounds table access"),
    "indirect call": ("indirect call type mismatch",),
    "callIndirect": ("indirect call type mismatch",),
    "undefined": ("undefined element",),
    "uninitialized": ("uninitialized element",),
    "unreachable": ("unreachable",),
    "call stack exhausted": ("call stack exhausted",),
    "integer divide by zero": ("integer divide by zero",),
    "integer overflow": ("integer overflow",),
    "invalid conversion to integer": ("invalid conversion to integer",),
}


class BoardDied(Exception):
    """The board's process ended, or gave no answer."""


class Board:
    """A board process that runs spec_worker.py."""

    def __init__(self, program: Path) -> None:
        # The heap holds a module's bytes in base64 and in binary.
        command = [str(program), "--heap", str(16 * 1024 * 1024), "--script", str(WORKER)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._answers: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(b"")

    def ask(self, commands: Sequence[list[Any]]) -> list[list[Any] | None]:
        """The answers to commands; None from the one on at which the board died."""
        sender = threading.Thread(target=self._send, args=(commands,), daemon=True)
        sender.start()
        answers: list[list[Any] | None] = []
        for _ in commands:
            try:
                line = self._answers.get(timeout=PATIENCE)
            except queue.Empty:
                line = b""
            if not line:
                self.close()
                return answers + [None] * (len(commands) - len(answers))
            answers.append(json.loads(line))
        return answers

    def _send(self, commands: Sequence[list[Any]]) -> None:
        assert self._process.stdin
        try:
            for command in commands:
                self._process.stdin.write(json.dumps(command, ensure_ascii=False).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass  # the board died, which the reader sees

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """Ends the board: by the end of its input, or, if it is at work or stuck, at once."""
        assert self._process.stdin
        try:
            self._process.stdin.close()
            self._process.wait(timeout=2)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait(timeout=10)


@dataclass
class Outcome:
    """Assertions by kind that passed; those that did not, and those that could not be made, each with why."""

    passed: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: "Outcome") -> "Outcome":
        self.passed += other.passed
        self.failed |= other.failed
        self.skipped += other.skipped
        return self


def run_all(program: Path, scripts: Sequence[Script]) -> Outcome:
    """All scripts on one board; a new one takes over where it dies."""
    outcome = Outcome()
    board = Board(program)
    try:
        for script in scripts:
            if not board.alive:
                board = Board(program)
            outcome += run(board, script)
    finally:
        board.close()
    return outcome


def run(board: Board, script: Script) -> Outcome:
    """One script, from a board without modules."""
    asked = [(command, _question(command)) for command in script.commands]
    answers = iter(
        board.ask([["reset"], *(question for _, question in asked if isinstance(question, list))])[1:]
    )
    outcome = Outcome()
    types: dict[str | None, dict[str, str]] = {}
    for command, question in asked:
        what = f"{script.name}:{command.line}"
        answer = next(answers) if isinstance(question, list) else ["skip", question]
        if answer is None:
            outcome.failed[what] = "the board died, here or before"
            continue
        if command.kind == "module":
            types[None] = types[command.name] = answer[1] if answer[0] == "ok" else {}
        if answer[0] == "skip" or _unsupported(answer):
            outcome.skipped[f"{command.kind}: {_reason(answer)}"] += 1
            continue
        wrong = _judge(command, answer, types)
        if wrong is None:
            outcome.passed[command.kind] += 1
        else:
            outcome.failed[what] = wrong
    return outcome


def _question(command: Command) -> list[Any] | str:
    if command.kind == "register":
        return ["register", command.message, command.name]
    if command.form:
        if command.form == "quote" or command.module is None:
            why = "a module in quoted text" if command.form == "quote" else "a text that wabt can't read"
            return ["forget", command.name, why] if command.kind == "module" else why
        packed = base64.b64encode(command.module).decode()
        if command.kind == "module":
            return ["module", command.name, packed]
        return ["try", None, packed, command.kind != "unlinkable"]
    assert command.action
    kind, name, target, arguments = command.action
    if kind == "get":
        return "get of a global"
    values = [*arguments, *(command.expected or [])]
    if any(value[0] not in ("i32", "i64", "f32", "f64", "f") for value in values):
        return "values of a type that is not supported"
    return ["invoke", name, target, [value[1] for value in arguments]]


def _unsupported(answer: list[Any]) -> bool:
    # kind None: refused by the name of a proposal; "limit": by a limit, which is looked at as a failure.
    return answer[0] == "error" and answer[1] == "UnsupportedError" and answer[3] is None


def _reason(answer: list[Any]) -> str:
    return str(answer[1]) if answer[0] == "skip" else str(answer[2]).rpartition(": ")[2]


def _judge(command: Command, answer: list[Any], types: dict[str | None, dict[str, str]]) -> str | None:
    """What is wrong with an answer; None if nothing is."""
    said = (
        f"{answer[1]}: {answer[2]}" if answer[0] == "error" else f"{answer[1] if len(answer) > 1 else 'done'}"
    )
    error, kind = (answer[1], answer[3]) if answer[0] == "error" else (None, None)
    if command.kind in ("module", "register", "action"):
        return None if error is None else said
    if command.kind in ("invalid", "malformed"):
        return None if error in ("InvalidError", "MalformedError") else f"{command.kind}, but {said}"
    if command.kind == "unlinkable":
        # A segment that does not fit was a link error before bulk memory, and is a trap since.
        good = error == "LinkError" or (error == "TrapError" and "does not fit" in command.message)
        return None if good else f"{command.message}, but {said}"
    if command.kind in ("trap", "exhaustion"):
        if error != "TrapError":
            return f"{command.message}, but {said}"
        if not command.message:
            return None
        expected = next((names for text, names in TRAPS.items() if command.message.startswith(text)), ())
        return None if kind in expected else f"{command.message}, but {said}"
    if error is not None:
        return said
    assert command.action and command.expected is not None
    results = answer[1]
    signature = types.get(command.action[1], {}).get(command.action[2], ":").partition(":")[2]
    expected = command.expected
    if len(results) != len(expected):
        return f"{len(results)} results, not {len(expected)}"
    for letter, result, (_, value) in zip(signature, results, expected, strict=True):
        if not _same(letter, result, value):
            return f"{result:#x}, not {value if isinstance(value, str) else hex(value)}"
    return None


_NAN = {"f": (0x7FFFFFFF, 0x7FC00000), "F": (0x7FFFFFFFFFFFFFFF, 0x7FF8000000000000)}


def _same(letter: str, result: int, expected: int | str) -> bool:
    if isinstance(expected, int):
        return result == expected
    magnitude, canonical = _NAN[letter]
    if expected == "nan:canonical":
        return result & magnitude == canonical
    return result & canonical == canonical
