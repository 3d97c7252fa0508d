"""The WebAssembly specification's test scripts (*.wast), read into commands with binary modules.

The syntax is that of the specification's interpreter (interpreter/README.md, "Scripts"), older forms of
assertions included. Module texts are made binary by wabt (wat.mjs); numbers are read here, exactly.
"""

import base64
import hashlib
import json
import re
import subprocess
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "third_party" / "spec-tests" / "test" / "spec"
NODE_MODULES = ROOT / "build" / "node" / "node_modules"
CACHE = ROOT / "build" / "spec"

_TOKEN = re.compile(
    r"""(?P<space>\s+|;;[^\n]*)|(?P<block>\(;)|(?P<open>\()|(?P<close>\))|(?P<string>"(?:[^"\\]|\\.)*")|(?P<atom>[^\s()";]+)""",
    re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"\(;|;\)")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F_]+)\}|([0-9a-fA-F]{2})|(.))", re.DOTALL)
# A block's result type as it was written before 2017.
_OLD_BLOCK = re.compile(r"\((block|loop|if)(\s+\$[^\s()]+)?\s+([if](?:32|64))(?=[\s()])")
_OLD_INFINITY = re.compile(r"(\.const\s+[-+]?inf)inity\b")
_SIMPLE_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", '"': '"', "'": "'", "\\": "\\"}


class WastError(Exception):
    """A script that is not in the syntax that we read."""


@dataclass
class Node:
    """A parenthesised list: `items` are Nodes, atoms and strings (quoted), from `start` to `end` in the text."""

    start: int
    end: int = 0
    items: list["Node | str"] = field(default_factory=list)

    @property
    def head(self) -> str:
        return self.items[0] if self.items and isinstance(self.items[0], str) else ""


@dataclass
class Command:
    """One command of a script.

    `kind` is "module", "register", "action", or the assertion's name without "assert_". `module` is the
    binary, None where wabt can't read the text; `form` says whether it was "text", "binary" or "quote".
    `action` is [kind, module name or None, field, arguments]; numbers are [type, bits] and expected numbers
    may be [type, "nan:canonical"] or [type, "nan:arithmetic"].
    """

    kind: str
    line: int
    name: str | None = None
    form: str | None = None
    module: bytes | None = None
    action: list[Any] | None = None
    expected: list[list[Any]] | None = None
    message: str = ""


def parse(text: str) -> list[Node]:
    """The lists at the top of a script. Characters stand for bytes (latin-1)."""
    top = Node(0)
    stack = [top]
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise WastError(f"unreadable at byte {at}")
        kind = token.lastgroup
        if kind == "block":
            at = _block_comment_end(text, at)
            continue
        if kind == "open":
            node = Node(at)
            stack[-1].items.append(node)
            stack.append(node)
        elif kind == "close":
            if len(stack) == 1:
                raise WastError(f"one ) too many at byte {at}")
            stack.pop().end = token.end()
        elif kind != "space":
            stack[-1].items.append(token.group())
        at = token.end()
    if len(stack) != 1:
        raise WastError("a ) is missing")
    return [node for node in top.items if isinstance(node, Node)]


def _block_comment_end(text: str, at: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge.group() == "(;" else -1
        if depth == 0:
            return edge.end()
    raise WastError("a block comment has no end")


def string_bytes(token: str) -> bytes:
    """The bytes of a quoted string."""

    def replace(match: re.Match[str]) -> str:
        code, byte, simple = match.groups()
        if code:
            return chr(int(code.replace("_", ""), 16)).encode().decode("latin-1")
        return chr(int(byte, 16)) if byte else _SIMPLE_ESCAPES[simple]

    return _ESCAPE.sub(replace, token[1:-1]).encode("latin-1")


_FLOATS = {"f32": (24, 8), "f64": (53, 11)}


def number_bits(kind: str, token: str) -> int:
    """The bit pattern of a literal of type i32, i64, f32 or f64, rounded to nearest, ties to even."""
    token = token.replace("_", "")
    if kind in ("i32", "i64"):
        return int(token, 0 if "0x" in token else 10) % (1 << int(kind[1:]))
    precision, exponent_bits = _FLOATS[kind]
    sign = token.startswith("-")
    token = token.lstrip("+-")
    infinity = ((1 << exponent_bits) - 1) << (precision - 1)
    if token in ("inf", "infinity"):
        bits = infinity
    elif token == "nan":
        bits = infinity | 1 << (precision - 2)
    elif token.startswith("nan:0x"):
        bits = infinity | int(token[4:], 16)
    else:
        bits = _round(_fraction(token), precision, exponent_bits)
    return bits | sign << (precision + exponent_bits - 1)


def _fraction(token: str) -> Fraction:
    if not token.startswith("0x"):
        return Fraction(token.rstrip(".") if "e" not in token.lower() else token.lower().replace(".e", "e"))
    mantissa, _, exponent = token[2:].lower().partition("p")
    whole, _, part = mantissa.partition(".")
    power = int(exponent or 0) - 4 * len(part)
    return Fraction(int(whole + part or "0", 16)) * (Fraction(2) ** power)


def _round(value: Fraction, precision: int, exponent_bits: int) -> int:
    if value == 0:
        return 0
    bias = (1 << (exponent_bits - 1)) - 1
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    if value < Fraction(2) ** exponent:
        exponent -= 1
    exponent = max(exponent, 1 - bias)
    steps = round(value / Fraction(2) ** (exponent - precision + 1))
    return ((exponent + bias - 1) << (precision - 1)) + steps


class Script:
    """One file's commands, read once and kept under build/spec/."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.commands: list[Command] = _cached(path)


def scripts(folder: Path = FOLDER) -> list[Script]:
    """All scripts of the specification that are not text-format failures of binaryen's own."""
    files = sorted(path for path in folder.glob("*.wast") if not path.name.endswith(".fail.wast"))
    if not files:
        raise WastError(f"{folder} has no scripts: run `wg thirdparty unpack spec-tests`")
    return [Script(path) for path in files]


def _cached(path: Path) -> list[Command]:
    ours = [Path(__file__), Path(__file__).with_name("wat.mjs")]
    key = hashlib.sha256(b"".join(file.read_bytes() for file in [path, *ours])).hexdigest()
    cache = CACHE / f"{path.stem}.json"
    if cache.exists():
        kept = json.loads(cache.read_text())
        if kept["key"] == key:
            return [_thaw(command) for command in kept["commands"]]
    commands = _read(path.read_bytes().decode("latin-1"))
    CACHE.mkdir(parents=True, exist_ok=True)
    fresh = cache.with_suffix(".new")
    fresh.write_text(json.dumps({"key": key, "commands": [_freeze(command) for command in commands]}))
    fresh.replace(cache)
    return commands


def _freeze(command: Command) -> dict[str, Any]:
    kept = {name: value for name, value in vars(command).items() if value is not None and value != ""}
    if command.module is not None:
        kept["module"] = base64.b64encode(command.module).decode()
    return kept


def _thaw(kept: dict[str, Any]) -> Command:
    if "module" in kept:
        kept["module"] = base64.b64decode(kept["module"])
    return Command(**kept)


def _read(text: str) -> list[Command]:
    nodes = parse(text)
    commands: list[Command] = []
    texts: dict[int, str] = {}
    known = ("module", "register", "invoke", "get", "assert_")
    if nodes and not nodes[0].head.startswith(known):  # a module's fields without "(module"
        commands.append(Command("module", 1, form="text"))
        texts[0] = f"(module {text})"
        nodes = []
    for node in nodes:
        command, module_text = _command(node, text)
        if module_text is not None:
            texts[len(commands)] = module_text
        commands.append(command)
    for index, binary in zip(texts, _to_binary(list(texts.values())), strict=True):
        commands[index].module = binary
    return commands


def _command(node: Node, text: str) -> tuple[Command, str | None]:
    line = text.count("\n", 0, node.start) + 1
    head, items = node.head, node.items
    if head == "module":
        command = Command("module", line)
        return command, _module(node, text, command)
    if head == "register":
        name = string_bytes(str(items[1])).decode()
        return Command("register", line, name=str(items[2]) if len(items) > 2 else None, message=name), None
    if head in ("invoke", "get"):
        return Command("action", line, action=_action(node)), None
    if not head.startswith("assert_"):
        raise WastError(f"line {line}: unknown command {head}")
    command = Command(head.removeprefix("assert_"), line)
    what = items[1]
    if not isinstance(what, Node):
        raise WastError(f"line {line}: {head} of nothing")
    module_text = None
    if what.head == "module":
        module_text = _module(what, text, command)
    else:
        command.action = _action(what)
    rest = items[2:]
    if command.kind.startswith("return"):
        command.expected = [_value(value) for value in rest if isinstance(value, Node)]
        if command.kind != "return":  # the type of the NaN is not said: any float
            form = "nan:canonical" if command.kind == "return_canonical_nan" else "nan:arithmetic"
            command.expected = [["f", form]]
            command.kind = "return"
    elif rest and isinstance(rest[0], str):
        command.message = string_bytes(rest[0]).decode("utf-8", "replace")
    return command, module_text


def _module(node: Node, text: str, command: Command) -> str | None:
    items = node.items[1:]
    if items and isinstance(items[0], str) and items[0].startswith("$"):
        command.name = items[0]
        items = items[1:]
    form = items[0] if items and items[0] in ("binary", "quote") else "text"
    command.form = str(form)
    if form == "binary":
        command.module = b"".join(string_bytes(str(item)) for item in items[1:])
        return None
    if form == "quote":
        return b" ".join(string_bytes(str(item)) for item in items[1:]).decode("latin-1")
    return _OLD_BLOCK.sub(r"(\1\2 (result \3)", _OLD_INFINITY.sub(r"\1", text[node.start : node.end]))


def _action(node: Node) -> list[Any]:
    items = node.items[1:]
    name = None
    if isinstance(items[0], str) and items[0].startswith("$"):
        name = items[0]
        items = items[1:]
    target = string_bytes(str(items[0])).decode()
    return [node.head, name, target, [_value(value) for value in items[1:] if isinstance(value, Node)]]


def _value(node: Node) -> list[Any]:
    kind, _, _ = node.head.partition(".")
    if node.head not in ("i32.const", "i64.const", "f32.const", "f64.const"):
        return [node.head, 0]
    token = str(node.items[1])
    return [kind, token if token in ("nan:canonical", "nan:arithmetic") else number_bits(kind, token)]


def _to_binary(texts: list[str]) -> list[bytes | None]:
    if not texts:
        return []
    command = ["node", str(Path(__file__).with_name("wat.mjs")), str(NODE_MODULES)]
    done = subprocess.run(
        command, input=json.dumps(texts).encode(), capture_output=True, timeout=300, check=True
    )
    return [None if item is None else base64.b64decode(item) for item in json.loads(done.stdout)]
