"""The form that the wizard makes of a widget's schema: what it asks, what it takes, what comes out."""

from __future__ import annotations

import json
import random
from typing import Any

import jsonschema
import pytest
from test_schema_suite import DIALECTS, SUITE, UNSUPPORTED, groups

from wg import ROOT

TRANSPORT = (ROOT / "widgets" / "public_transport" / "schema.json").read_text("utf-8")

SCHEMARS = """{
  "$schema": "http://json-schema.org/draft-07/schema#", "title": "Config", "type": "object",
  "required": ["unit", "port"],
  "properties": {
    "port": {"description": "Where the station listens.", "type": "integer", "format": "uint16", "minimum": 1},
    "unit": {"description": "What the numbers are in.", "allOf": [{"$ref": "#/definitions/Unit"}]},
    "place": {"anyOf": [{"$ref": "#/definitions/Place"}, {"type": "null"}]},
    "shape": {"oneOf": [
      {"type": "object", "required": ["kind", "r"],
       "properties": {"kind": {"const": "circle"}, "r": {"type": "number"}}},
      {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "dot"}}}]},
    "token": {"type": "string", "format": "password"},
    "tags": {"type": "array", "items": {"type": "string", "minLength": 2}, "maxItems": 3, "uniqueItems": true},
    "on": {"type": "boolean", "default": true}
  },
  "definitions": {
    "Unit": {"oneOf": [{"description": "degrees Celsius", "type": "string", "enum": ["celsius"]},
                       {"description": "degrees Fahrenheit", "type": "string", "enum": ["fahrenheit"]}]},
    "Place": {"type": "object", "required": ["x", "y"],
              "properties": {"x": {"type": "number"}, "y": {"type": "number"}}}
  }
}"""


def ask(
    script: Any, text: str, answers: list[str], current: dict[str, Any] | None = None
) -> tuple[list[str], str, Any]:
    ((said, outcome, value),) = script("form", [[text, current or {}, answers]])
    return said, outcome, value


def test_nested_lists_and_ranges(script: Any) -> None:
    said, outcome, value = ask(
        script,
        TRANSPORT,
        ["no", "yes", "Bern", "", "Thun", "9", "two", "2", "yes", "Z\u00fcrich", "Chur", "", "no", ""],
    )
    assert (outcome, value) == (
        "filled",
        {
            "connections": [
                {"from_station": "Bern", "to_station": "Thun", "num_connections": 2},
                {"from_station": "Z\u00fcrich", "to_station": "Chur"},
            ]
        },
    )
    assert said[:4] == [
        "  Up to four; fewer departures each leave room for more.",
        "connections is now:",
        "  - from_station Bern, num_connections 3, to_station Thun",
        "Keep that? [yes] no",
    ]
    assert "connections[0].num_connections, a whole number from 1 to 6 [3]: 9" in said
    assert "connections[0].num_connections: must be at most 6." in said
    assert "connections[0].num_connections: type a whole number." in said
    assert 'A value is needed here ("back" goes back, "quit" leaves).' in said
    assert all(len(line) <= 80 for line in said)


def test_enter_takes_the_defaults(script: Any) -> None:
    assert ask(script, TRANSPORT, ["", ""])[1:] == (
        "filled",
        {"connections": [{"from_station": "Bern", "to_station": "Thun", "num_connections": 3}]},
    )
    # What is configured is kept.
    now = {"connections": [{"from_station": "A", "to_station": "B"}], "base_url": "http://x"}
    assert ask(script, TRANSPORT, ["", ""], now)[2] == now


def test_what_schemars_writes(script: Any) -> None:
    answers = ["70000", "80", "kelvin", "3", "Celsius"]  # the required ones
    answers += [
        "yes",
        "yes",
        "1.5",
        "-2",
        "1",
        "2.5",
        "s3cret",
        "yes",
        "a",
        "ab",
        "yes",
        "ab",
        "no",
        "yes",
        "ab",
        "no",
        "no",
    ]
    said, outcome, value = ask(script, SCHEMARS, answers)
    assert outcome == "filled", said
    assert value == {
        "port": 80,
        "unit": "celsius",
        "place": {"x": 1.5, "y": -2},
        "shape": {"kind": "circle", "r": 2.5},
        "token": "s3cret",
        "tags": ["ab"],
        "on": False,
    }
    assert "port, a whole number from 1 to 65535: 70000" in said and "port: must be from 0 to 65535." in said
    assert "   1  celsius     degrees Celsius" in said
    assert "   2  kind dot" in said
    assert "That does not fit: tags[1]: is there twice." in said
    assert not any("s3cret" in line for line in said)
    # Only the required ones.
    assert ask(script, SCHEMARS, ["80", "2", ""])[1:] == ("filled", {"port": 80, "unit": "fahrenheit"})


def test_back_and_quit(script: Any) -> None:
    # From the second question to the first one, whose answer is offered.
    said, outcome, value = ask(script, SCHEMARS, ["80", "back", "", "1", "no"])
    assert outcome == "filled" and value == {"port": 80, "unit": "celsius"}
    assert [line for line in said if line.startswith("port")] == [
        "port, a whole number from 1 to 65535: 80",
        "port, a whole number from 1 to 65535 [80]: ",
    ]
    assert ask(script, SCHEMARS, ["back"])[1] == "back"
    assert ask(script, SCHEMARS, ["80", "1", "quit"])[1:] == ("left", None)
    # Out of a list's item the item before is taken back.
    answers = ["no", "yes", "Bern", "Thun", "", "yes", "back", "yes", "Chur", "Bern", "", "no", ""]
    assert ask(script, TRANSPORT, answers)[2] == {
        "connections": [{"from_station": "Chur", "to_station": "Bern"}]
    }


def test_quotes_make_any_text(script: Any) -> None:
    schema = '{"properties": {"a": {"type": "string", "default": "x"}, "b": {"type": "string"}}}'
    assert ask(script, schema, ['""', '"quit"'])[2] == {"a": "", "b": "quit"}
    assert ask(script, schema, ["", "  blank  "])[2] == {"b": "blank"}


def test_what_has_no_form_is_json(script: Any) -> None:
    schema = '{"required": ["a"], "properties": {"a": {}, "b": {"type": ["integer", "string"]}}}'
    said, outcome, value = ask(script, schema, ["{", '[1, {"x": null}]', '"five"'])
    assert outcome == "filled" and value == {"a": [1, {"x": None}], "b": "five"}
    assert "a, as JSON: {" in said


def test_free_names(script: Any) -> None:
    schema = '{"additionalProperties": {"type": "integer", "maximum": 9}}'
    assert ask(script, schema, ["a", "10", "1", "b", "2", ""])[2] == {"a": 1, "b": 2}


def test_recursive_schemas_end(script: Any) -> None:
    tree = {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/$defs/node"}}}
        },
    }
    said, outcome, _ = ask(script, json.dumps(tree), ["{}"] * 30)
    assert outcome in ("unanswered", "refused") and len(said) < 200
    for loop in (
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"properties": {"a": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}},
    ):
        _, outcome, _ = ask(script, json.dumps(loop), ["yes", "no", "", "1"])
        assert outcome in ("filled", "unanswered", "refused")


WORDS = [
    "",
    "1",
    "2",
    "0",
    "-3",
    "2.5",
    "yes",
    "no",
    "a",
    "foo",
    "bar baz",
    "true",
    "null",
    "[]",
    "{}",
    '"x"',
    "[1, 2]",
]


@pytest.mark.parametrize("draft", ["draft7", "draft2020-12"])
def test_what_comes_out_fits(draft: str, script: Any) -> None:
    """For the schemas of the official suite, whatever is typed: a form that ends gives a valid configuration."""
    chance = random.Random(5)
    validator: Any = jsonschema.Draft7Validator if draft == "draft7" else jsonschema.Draft202012Validator
    cases, schemas = [], []
    for file in sorted((SUITE / draft).glob("*.json")):
        if file.name in UNSUPPORTED or file.name in ("ref.json", "anchor.json"):
            continue
        for group in groups(file, DIALECTS[draft]):
            schema = {
                "$schema": DIALECTS[draft],
                "type": "object",
                "required": ["value"],
                "properties": {"value": group["schema"]},
            }
            text = json.dumps(group["schema"])
            if any(word in text for word in ("dynamicRef", "recursiveRef", '"$ref": "./', '"$ref": "http')):
                continue  # what the board says it does not follow
            if "$ref" in text:
                schema = group["schema"]
            cases.append([json.dumps(schema), {}, [chance.choice(WORDS) for _ in range(60)]])
            schemas.append(schema)
    outcomes = {"filled": 0, "unanswered": 0, "refused": 0}
    found = [one for i in range(0, len(cases), 4) for one in script("form", cases[i : i + 4])]
    for schema, (said, outcome, value) in zip(schemas, found, strict=True):
        outcomes[outcome] += 1
        if outcome == "filled":
            assert validator(schema).is_valid(value), (schema, value, said)
    print(draft, outcomes)
    assert outcomes["filled"] > len(cases) // 2
