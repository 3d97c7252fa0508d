"""The storage: power cuts at every block operation, refusals, repairs, wear."""

from __future__ import annotations

from typing import Any


def test_power_cuts(script: Any) -> None:
    cuts = script("cuts", timeout=300)
    print(f"{sum(cuts.values())} power cuts, each left the old or the new state: {cuts}")
    assert len(cuts) == 10
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
    passwords = found.pop("passwords")
    assert all(len(p) == 10 and p.isalnum() and p == p.lower() for p in passwords)
    assert passwords[1] == passwords[2] and len(set(passwords)) == 3
    assert "own network was not kept" in found["own network on a full flash"]
    assert "set aside" in found["rotten password"]
    assert found.pop("limits") == [[{"fuel": 7000}, []], [{}, []], [{}, []]]
    for what, said in found.items():
        sentences = said if isinstance(said, list) else [said]
        assert sentences and all(sentences), what
        assert all("\n" not in s and len(s) < 200 for s in sentences), what
