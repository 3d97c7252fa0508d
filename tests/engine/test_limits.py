"""Modules as large as the validator lets them be run, or are refused in words; nothing crashes or is cut short."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from test_engine import LIMIT, _board
from wasm_bytes import I32, I64, body, func_type, leb, module, name, section, vector

HERE = Path(__file__).parent

# Of validate.h.
FUNCTIONS, TABLE, LOCALS, OPERANDS, NESTING, BR_TABLE, TYPES, GLOBALS = (
    10_000, 16_384, 2000, 2000, 512, 32_768, 1000, 1000,
)  # fmt: skip
END, DROP, CALL, GET, SET = b"\x0b", b"\x1a", b"\x10", b"\x20", b"\x21"
THREE = b"\x41\3"
NOTHING, GIVES_I32, GIVES_I64 = func_type(), func_type(b"", I32), func_type(b"", I64)


def exports(index: int) -> bytes:
    return section(7, vector([name(b"run") + b"\0" + leb(index)]))


def one(code: bytes, result: bytes = I32, locals_: tuple[bytes, ...] = ()) -> bytes:
    return module(exports(0), types=[func_type(b"", result)], functions=[(0, body(code, locals_))])


def calls() -> bytes:
    callers = [(0, body(b"".join(CALL + leb(i) for i in range(1, FUNCTIONS)) + THREE))]
    return module(
        exports(0), types=[GIVES_I32, NOTHING], functions=callers + [(1, body(b""))] * (FUNCTIONS - 1)
    )


def table() -> bytes:
    return module(
        section(4, b"\1\x70\0" + leb(TABLE)),
        exports(0),
        section(9, vector([b"\0\x41\0\x0b" + vector([leb(1)] * TABLE)])),
        types=[func_type(I32, I32), GIVES_I32],
        functions=[(0, body(GET + b"\0\x11\1\0")), (1, body(THREE))],
    )


def many_values(count: int) -> bytes:
    """A function of `count` parameters, called."""
    return module(
        exports(1),
        types=[func_type(I64 * count, I64), GIVES_I64],
        functions=[(0, body(GET + leb(count - 1))), (1, body(b"\x42\3" * count + CALL + b"\0"))],
    )


DEEP = NESTING - 2
# name: module, argument, result
RUN = {
    "functions": (calls(), "", 3),
    "table": (table(), str(TABLE - 1), 3),
    "locals": (one(b"\x42\3" + SET + leb(1980) + GET + leb(1980), I64, (leb(1981) + I64,)), "", 3),
    "operands": (one(b"\x42\1" * 1980 + b"\x7c" * 1979, I64), "", 1980),
    "blocks": (one(b"\x02\x7f" * DEEP + THREE + END * DEEP), "", 3),
    "loops": (one(b"\x03\x7f" * DEEP + THREE + END * DEEP), "", 3),
    "ifs": (one(b"\x41\1\x04\x7f" * DEEP + THREE + b"\x05\x41\4\x0b" * DEEP), "", 3),
    "br_table": (
        module(
            exports(0),
            types=[func_type(I32, I32)],
            functions=[
                (0, body(b"\x02\x7f" + THREE + GET + b"\0\x0e" + leb(BR_TABLE) + bytes(BR_TABLE + 1) + END))
            ],
        ),
        str(BR_TABLE - 1),
        3,
    ),
    "parameters": (many_values(255), "", 3),
    "types": (
        module(
            exports(0),
            types=[GIVES_I32] + [func_type(I32 * (i % 200) + I64 * (i // 200)) for i in range(TYPES - 1)],
            functions=[(0, body(THREE))],
        ),
        "",
        3,
    ),
    "globals": (
        module(
            section(6, vector([b"\x7f\0\x41\3\x0b"] * GLOBALS)),
            exports(0),
            types=[GIVES_I32],
            functions=[(0, body(b"\x23" + leb(GLOBALS - 1)))],
        ),
        "",
        3,
    ),
}
# name: module, the error's words
REFUSED = {
    "all_locals": (one(GET + leb(LOCALS - 1), I64, (leb(LOCALS) + I64,)), "too large for this engine"),
    "recursion": (one(CALL + b"\0"), "call stack exhausted"),
    "wide_recursion": (one(CALL + b"\0", I32, (leb(1900) + I64,)), "call stack exhausted"),
}


@pytest.fixture(scope="module", params=[64, 32])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("limits")
    cases = []
    for key, (data, argument, _) in RUN.items():
        (folder / f"{key}.wasm").write_bytes(data)
        cases.append(f"{key}={argument}")
    for key, (data, _) in REFUSED.items():
        (folder / f"{key}.wasm").write_bytes(data)
        cases.append(key)
    command = [_board(request.param), "--script", HERE / "board" / "limits.py", folder, *cases]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize("case", RUN)
def test_the_largest_run(found: dict[str, str], case: str) -> None:
    result = RUN[case][2]
    assert found[case] == str([result] * 3)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_too_large_is_refused(found: dict[str, str], case: str) -> None:
    assert REFUSED[case][1] in found[case]
