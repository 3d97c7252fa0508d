"""The check of a widget's configuration: each fault with its path, and the verdicts of the package jsonschema."""

from __future__ import annotations

import random
from typing import Any

import jsonschema

OBJECT = {
    "type": "object",
    "required": ["list"],
    "properties": {
        "list": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/stop"}},
        "mode": {"enum": ["a", "b", 1]},
        "limit": {"type": "integer", "minimum": 1, "maximum": 5},
        "maybe": {"type": ["string", "null"], "maxLength": 3},
        "either": {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
    },
    "additionalProperties": False,
    "$defs": {"stop": {"type": "object", "required": ["from"], "properties": {"from": {"type": "string"}}}},
}


def test_schema(script: Any) -> None:
    stop = {"from": "Bern"}
    cases: list[tuple[dict[str, Any], str | None]] = [
        ({"list": [stop]}, None),
        ({}, "list: missing"),
        ({"list": []}, "list: must have at least 1 items"),
        ({"list": [stop, {}]}, "list[1].from: missing"),
        ({"list": [{"from": 1}]}, "list[0].from: must be string"),
        ({"list": [stop], "mode": "b"}, None),
        ({"list": [stop], "mode": True}, 'mode: must be one of "a", "b", 1'),
        ({"list": [stop], "limit": 5}, None),
        ({"list": [stop], "limit": 6}, "limit: must be at most 5"),
        ({"list": [stop], "limit": 0}, "limit: must be at least 1"),
        ({"list": [stop], "limit": 2.5}, "limit: must be integer"),
        ({"list": [stop], "limit": True}, "limit: must be integer"),
        ({"list": [stop], "maybe": None}, None),
        ({"list": [stop], "maybe": "long"}, "maybe: must have at most 3 characters"),
        ({"list": [stop], "maybe": 1}, "maybe: must be string or null"),
        ({"list": [stop], "either": False}, None),
        ({"list": [stop], "either": "x"}, "either: fits none of the allowed forms"),
        ({"list": [stop], "other": 1}, "other: unknown; known: "),
    ]
    found = script("schema", [[OBJECT, value] for value, _ in cases])
    for (value, expected), said in zip(cases, found, strict=True):
        if expected is None:
            assert said is None, value
        else:
            assert said is not None and said.startswith(expected), (value, said)


def test_schema_that_never_ends(script: Any) -> None:
    loop = {"$ref": "#"}
    (said,) = script("schema", [[loop, {}]])
    assert "too deeply" in said


class Generator:
    """Schemas of the supported keywords and values that have a fair chance to fit them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self, depth: int = 3) -> Any:
        r = self.random
        match r.randrange(8 if depth else 6):
            case 0:
                return None
            case 1:
                return r.choice([True, False])
            case 2 | 3:
                return r.choice([-1, 0, 1, 2, 7, 1.5, 2.0, -0.5])
            case 4 | 5:
                return r.choice(["", "a", "abc", "\u00e9\u00e8", "long text"])
            case 6:
                return [self.value(depth - 1) for _ in range(r.randrange(4))]
            case _:
                return {r.choice("abcd"): self.value(depth - 1) for _ in range(r.randrange(4))}

    def schema(self, depth: int = 3) -> Any:
        r = self.random
        if r.random() < 0.05:
            return r.choice([True, False, {}])
        found: dict[str, Any] = {}
        kinds = ["object", "array", "string", "number", "integer", "boolean", "null"]
        if r.random() < 0.6:
            found["type"] = r.choice([r.choice(kinds), r.sample(kinds, 2)])
        for key in ("minimum", "maximum"):
            if r.random() < 0.2:
                found[key] = r.choice([0, 1, 1.5, 5])
        for key in ("minLength", "maxLength", "minItems", "maxItems"):
            if r.random() < 0.2:
                found[key] = r.randrange(4)
        if r.random() < 0.1:
            found["enum"] = [self.value(1) for _ in range(4)]
        if r.random() < 0.05:
            found["const"] = self.value(1)
        if depth:
            if r.random() < 0.4:
                found["properties"] = {r.choice("abcd"): self.schema(depth - 1) for _ in range(2)}
            if r.random() < 0.2:
                found["required"] = r.sample("abcd", r.randrange(1, 3))
            if r.random() < 0.2:
                found["additionalProperties"] = r.choice([False, self.schema(depth - 1)])
            if r.random() < 0.3:
                found["items"] = self.schema(depth - 1)
            for key in ("anyOf", "oneOf", "allOf"):
                if r.random() < 0.1:
                    found[key] = [self.schema(depth - 1) for _ in range(2)]
        return found


def test_verdicts_are_those_of_jsonschema(script: Any) -> None:
    made = Generator(1)
    cases = [[made.schema(), made.value()] for _ in range(1500)]
    found = [said for i in range(0, len(cases), 300) for said in script("schema", cases[i : i + 300])]
    fits = 0
    for (schema, value), said in zip(cases, found, strict=True):
        valid = jsonschema.Draft202012Validator(schema).is_valid(value)
        assert valid == (said is None), (schema, value, said)
        fits += valid
    assert 300 < fits < 1200
