"""The storage: power cuts at every block operation, refusals, repairs, wear."""

from __future__ import annotations

from typing import Any


def test_power_cuts(script: Any) -> None:
    cuts = script("cuts", timeout=300)
    print(f"{sum(cuts.values())} power cuts, each left the old or the new state: {cuts}")
    assert len(cuts) == 9
    assert sum(cuts.values()) > 300


def test_refusals_and_repairs(script: Any) -> None:
    found = script("storage")
    assert found.pop("left nothing") is True
    assert found.pop("still good") is True
    assert found.pop("unchanged writes") == 0
    assert found.pop("unchanged generation") is True
    assert found.pop("secret in the configuration") is False
    assert found.pop("its neighbour") is True
    assert found.pop("files kept") == 1
    assert found.pop("adopted") is True
    assert found.pop("full flash kept") is True
    assert "the flash is full" in found["full flash"]
    assert "already installed" in found["same name"]
    assert "same file" in found["same file"]
    assert "at most 1048576 bytes" in found["too large"]
    assert "not enough space" in found["no space, known"]
    assert "not enough space" in found["no space, found out"]
    assert found["no such widget"] == "no widget is called 'Z'; installed: A"
    assert found["against the schema"] == "zone: must be string"
    assert found["missing"] == "zone: missing"
    assert found["not an object"] == "the configuration must be an object: {...}"
    assert "damaged" in found["rotten widget"]
    networks, problems = found.pop("rotten networks")
    assert networks == []
    assert "set aside" in problems[-1]
    for what, said in found.items():
        sentences = said if isinstance(said, list) else [said]
        assert sentences and all(sentences), what
        assert all("\n" not in s and len(s) < 200 for s in sentences), what


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
