"""The official JSON-Schema-Test-Suite on the board's own check: where the verdict is not the suite's, the board must
have said what of the schema it does not look at. The few others are listed with their reasons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wg import ROOT

SUITE = ROOT / "build" / "third_party" / "json-schema-tests" / "json" / "tests"

DIALECTS = {
    "draft4": "http://json-schema.org/draft-04/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}

#: Files whose subject is a keyword that the board says it does not know.
UNSUPPORTED = {
    "refRemote.json": "references out of the document",
    "dynamicRef.json": "$dynamicRef",
    "recursiveRef.json": "$recursiveRef",
    "vocabulary.json": "metaschemas of one's own",
}

#: Wrong verdicts that nothing was said about: description of the group and of the test, reason.
KNOWN = {
    ("float and integers are equal up to 64-bit representation limits", "float minus one is invalid"): (
        "the board's floats have 24 bits"
    ),
    ("collect annotations inside a 'not', even if collection is disabled", "unevaluated property"): (
        "what is inside `not` counts as looked at only where it fits"
    ),
    ("$ref prevents a sibling $id from changing the base uri", ""): "$id changes no base",
    ("$ref prevents a sibling id from changing the base uri", ""): "$id changes no base",
}


def groups(file: Path, dialect: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    for group in found:
        if isinstance(group["schema"], dict):
            group["schema"].setdefault("$schema", dialect)
    return found


@pytest.mark.parametrize("draft", DIALECTS)
def test_suite(draft: str, script: Any, record_property: Any) -> None:
    files = sorted((SUITE / draft).glob("*.json"))
    assert len(files) > 25, "run `make setup`"
    passed, said_so, known, wrong, left_out = 0, 0, [], [], 0
    for file in files:
        cases = groups(file, DIALECTS[draft])
        if file.name in UNSUPPORTED:
            left_out += sum(len(group["tests"]) for group in cases)
            continue
        sent = [[group["schema"], [test["data"] for test in group["tests"]]] for group in cases]
        for group, (unknown, faults) in zip(cases, script("schema_said", sent), strict=True):
            for test, fault in zip(group["tests"], faults, strict=True):
                where = (group["description"], test["description"])
                if (fault is None) == test["valid"]:
                    passed += 1
                elif unknown and fault is None:
                    said_so += 1  # never the other way: what is not known must not refuse a configuration
                elif where in KNOWN or (where[0], "") in KNOWN:
                    known.append(where)
                else:
                    wrong.append((file.name, *where, fault))
    print(
        f"{draft}: {passed} as the suite says, {said_so} not looked at and said so, {len(known)} known to differ, "
        f"{left_out} left out ({', '.join(UNSUPPORTED)})"
    )
    assert not wrong
    assert passed > 500 and said_so < passed // 20


def test_what_is_not_looked_at_is_said(script: Any) -> None:
    schema = {
        "type": "object",
        "properties": {
            "when": {"type": "string", "format": "date"},
            "code": {"type": "string", "pattern": "^(?=a)b"},
            "again": {"pattern": "(a)\\1"},
            "port": {"type": "integer", "format": "uint16", "minimum": 0},
            "list": {"type": "array", "items": {"$ref": "https://example.org/x.json"}},
            "plain": {"type": ["string", "null"], "maxLength": 5, "x-order": 3, "title": "T", "examples": []},
        },
        "$dynamicRef": "#node",
    }
    ((said, faults),) = script("schema_said", [[schema, [{"port": 65536}, {"code": "zz", "list": [1]}]]])
    assert said == [
        "$dynamicRef",
        'again: pattern "(a)\\\\1" (\\1)',
        'code: pattern "^(?=a)b" (lookaround)',
        'list[]: $ref "https://example.org/x.json"',
        'when: format "date"',
    ]
    assert faults == ["port: must be from 0 to 65535", None]
