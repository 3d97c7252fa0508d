"""The check of a widget's configuration: each fault with its path, and the verdicts of the package jsonschema."""

from __future__ import annotations

import random
import re
import time
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
        ({"list": []}, "list: must have at least 1 item"),
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


def test_hostile_schemas_end(script: Any) -> None:
    deep: Any = {}
    for _ in range(100):
        deep = {"properties": {"a": deep}, "not": {"items": {"x": 1}}}
    value: Any = 1
    for _ in range(100):
        value = {"a": value}
    fan = {
        "$defs": {f"d{i}": {"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 8} for i in range(20)},
        "$ref": "#/$defs/d0",
    }
    fan["$defs"]["d20"] = False
    cases = [
        ({"$ref": "#"}, {}, "too deeply"),
        ({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}, {}, "too deeply|too long|none of the allowed"),
        ({"properties": {"a": {"$ref": "#"}}, "not": {"$ref": "#"}}, value, "too deeply|too long"),
        (deep, value, "too deeply"),
        (fan, {}, "too long"),
        ({"uniqueItems": True, "items": {"type": "integer"}}, list(range(1000)), "too long"),
        ({"items": {"pattern": "^(a+)+$"}}, ["a" * 2000 + "b"], "too long|pattern"),
        ({"items": {"pattern": "(x+x+)+y"}}, ["x" * 400], "pattern"),
        ({"items": {"pattern": "(.*)*(.*)*(.*)*!"}}, ["x" * 100], "pattern"),
    ]
    for schema, data, expected in cases:
        began = time.monotonic()
        (said,) = script("schema", [[schema, data]])
        assert said is not None and re.search(expected, said), (schema, said)
        # on the emulated chip, too, beside other tests; else it takes hours
        assert time.monotonic() - began < 100
    # Patterns that are too large are not used, and nothing takes long.
    for pattern in (
        "(((a{1000}){1000}){1000}){1000}",
        "((((((){999}){999}){999}){999}){999}){999}",
        "(" * 300,
        "[" * 300,
    ):
        assert script("schema", [[{"items": {"pattern": pattern}}, ["a"]]]) == [None]


def test_malformed_keywords_are_passed_over(script: Any) -> None:
    """Whatever stands in a keyword's place, a check ends in a verdict."""
    odd = [None, True, -1, 1.5, "x", "[", [], [1], {}, {"a": 1}, [[]], {"$ref": 5}]
    keywords = (
        "$ref type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum "
        "maxLength minLength pattern items additionalItems maxItems minItems uniqueItems contains "
        "maxContains minContains maxProperties minProperties required properties patternProperties "
        "additionalProperties propertyNames dependencies dependentRequired dependentSchemas if then "
        "else allOf anyOf oneOf not nullable format default prefixItems $defs definitions $id "
        "$anchor $schema unevaluatedItems unevaluatedProperties "
    ).split()
    values = [None, 3, 2.5, "text", [1, "a"], {"a": 1, "b": []}]
    cases = [[{key: one, "minLength": 0}, value] for key in keywords for one in odd for value in values]
    for i in range(0, len(cases), 600):
        script("schema", cases[i : i + 600])


PATTERNS = [
    "^a*$",
    "a+b?",
    "[0-9]{2,}",
    "^[^a-c]+$",
    "(foo|bar)*baz",
    "\\d{3}-\\w+",
    "^(?:a|ab)(?:c|bcd)$",
    "x{0}y",
    "^$",
    ".",
    "\\bword\\b",
    "a|b|",
    "[\\w.-]+@[\\w-]+\\.[a-z]{2,4}",
    "^\\S+\\s\\S+$",
    "[]a]",
    "(a(b(c)?)?)+$",
    "a{,3}",
    "^.{2,3}?$",
    "[a\\-z]",
    "\\u00e9",
    "^\\W\\D$",
]
TEXTS = [
    "", "a", "aa", "ab", "abc", "abcd", "b", "aab", "12", "123-x", "foobaz", "barfoobaz", "y", "xy", "a word",
    "words",     "me@x.org", "a b", "a  b", "]", "é", "a{,3}", "-", "..", "\n", "xx!", "abcab",
]  # fmt: skip


def test_patterns_are_those_of_python(script: Any) -> None:
    cases = [[{"items": {"pattern": pattern}}, [text]] for pattern in PATTERNS for text in TEXTS]
    for (schema, (text,)), said in zip(cases, script("schema", cases), strict=True):
        pattern = schema["items"]["pattern"]
        expected = re.search(
            pattern.replace("$", "\\Z").replace("[]a]", "(?!)a]").replace("a{,3}", "a\\{,3\\}"),
            text,
            re.ASCII,
        )
        assert (said is None) == (expected is not None), (pattern, text, said)


def test_the_meant_form_is_named(script: Any) -> None:
    stop = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    maybe = {"anyOf": [{"$ref": "#/$defs/stop"}, {"type": "null"}], "$defs": {"stop": stop}}
    tagged = {
        "oneOf": [
            {
                "type": "object",
                "required": ["kind", "size"],
                "properties": {"kind": {"const": "box"}, "size": {"type": "integer"}},
            },
            {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["ball"]}}},
        ]
    }
    units = {"oneOf": [{"const": "c", "description": "Celsius"}, {"enum": ["f"], "type": "string"}]}
    cases = [
        (maybe, {"name": 5}, "a.name: must be string"),
        (maybe, {}, "a.name: missing"),
        (maybe, 5, "a: fits none of the allowed forms"),
        (tagged, {"kind": "box", "size": "x"}, "a.size: must be integer"),
        (tagged, {"kind": "cone"}, "a: fits none of the allowed forms"),
        (units, "k", 'a: must be one of "c", "f"'),
        ({"type": "integer", "format": "uint8"}, 256, "a: must be from 0 to 255"),
        ({"type": "string", "nullable": True}, None, None),
        ({"multipleOf": 0.1}, 0.3, None),
        ({"multipleOf": 0.25}, 0.3, "a: must be a multiple of 0.25"),
        ({"exclusiveMinimum": 0}, 0, "a: must be more than 0"),
        ({"minimum": 0, "exclusiveMinimum": True}, 0, "a: must be more than 0"),
        ({"uniqueItems": True}, [1, True, 1.0], "a[2]: is there twice"),
        ({"type": "object", "propertyNames": {"maxLength": 1}}, {"ab": 1}, "a.ab: must have at most 1 character"),
        ({"type": "object", "dependentRequired": {"b": ["c"]}}, {"b": 1}, "a.c: missing, since b is there"),
    ]  # fmt: skip
    defs = maybe["$defs"]
    found = script("schema", [[{"properties": {"a": s}, "$defs": defs}, {"a": v}] for s, v, _ in cases])
    assert found == [said for _, _, said in cases]


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
