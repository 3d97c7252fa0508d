"""The storage: refusals, repairs, migration from version 0.1."""

from __future__ import annotations

from typing import Any

import pytest


def test_refusals_and_repairs(script: Any) -> None:
    found = script("storage")
    for what in (
        "left nothing",
        "still good",
        "unchanged generation",
        "its neighbour",
        "repaired",
        "replaced",
        "replaced by the same",
        "configuration refused",
        "adopted",
        "full flash kept",
    ):
        assert found.pop(what) is True, what
    assert found.pop("unchanged writes") == 0
    assert found.pop("secret elsewhere") == []
    assert found.pop("forgotten") == []
    assert found.pop("unknown is kept") == ["blue", "dark", 50]
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
    assert "is damaged: install it again" in found["rotten widget"]
    assert "calls itself 'C'" in found["replaced by another"]
    assert "same file" in found["replaced by its neighbour"]
    assert "before its last change" in found["rotten entry"][0]
    assert len(found["lost entry"]) == 2
    assert "at most 16384 bytes" in found["long configuration"]
    assert "limit; remove one" in found["too many"]
    networks, problems = found.pop("lost networks")
    assert networks == [] and "set aside" in problems[-1]
    passwords = found.pop("passwords")
    assert all(len(p) == 10 and p.isalnum() and p == p.lower() for p in passwords)
    assert passwords[1] == passwords[2] and len(set(passwords)) == 3
    assert "own network was not kept" in found["own network on a full flash"]
    assert "set aside" in found["rotten password"]
    assert found.pop("limits") == [[{"fuel": 7000}, []], [{}, []], [{}, []]]
    for what, said in found.items():
        sentences = said if isinstance(said, list) else [said]
        assert sentences and all(sentences), what
        assert all("\n" not in s and len(s) < 260 for s in sentences), what


def test_version_0_1_is_migrated(script: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = script("migrate")
    with capsys.disabled():
        print(f"\n{found['cuts']} power cuts of the migration from version 0.1")
    assert found["cuts"] > 50
    config, networks, password, sizes, left = found["state"]
    assert config["background_color"] == "#102030" and config["settings"] == {"ntp": "time.example"}
    assert [w["name"] for w in config["widgets"]] == ["Time", "Weather"]
    assert [w["json_config"] for w in config["widgets"]] == ['{"zone": "UTC"}', "{}"]
    assert [w["limits"] for w in config["widgets"]] == [{"fuel": 5000}, {}]
    assert [w["hosts"] for w in config["widgets"]] == [["*"], ["*"]]
    assert networks == [["home", "secret-password"], ["work", "other"]]
    assert password == "abcdefgh23" and sizes == [9000, 300] and left == []
    problems, networks = found["damaged"]
    assert len(problems) == 1 and "set aside" in problems[0] and len(networks) == 2
    assert found["damaged, restarted"] == [[], networks]
