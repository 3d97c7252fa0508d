"""The scheduler and the resolver: nobody waits for somebody else."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.timing


def test_scheduler(script: Any) -> None:
    seen = script("ticks")
    names = ("quick", "slow", "hung", "broken", "heals", "worsens", "rare")
    assert seen["before"] == [[n, "-", False, None, ""] for n in names]
    counts = seen["counts"]
    # A cycle of 0 counts as 1 s: at 0, 1, 2 and 3 s.
    assert counts["quick"] == counts["heals"] == 4
    assert counts["broken"] == 3  # at 0 and 1 s, then not before 3 s
    assert seen["retried"] == 1
    assert counts["slow"] in (2, 3)
    assert counts["hung"] == 1  # cancelled after 2.5 s, then it rests for its cycle
    assert counts["rare"] == 1
    items = {name: (text, error) for name, text, error, _, _ in seen["items"]}
    # The last good text was that of the run at 1 s; the run at 2 s failed.
    assert seen["items"][5] == ["worsens", "text 2", False, 2, "the server of the weather has..."]
    assert items["quick"] == ("text 4", False)
    assert items["slow"] == ("slow text", False)
    assert items["hung"] == ("no result within 2 s", True)
    assert items["broken"] == ("it broke", True)
    assert items["heals"] == ("text 4", False)
    assert seen["errors"]["heals"] is None and seen["errors"]["broken"] == "it broke"
    assert seen["outputs"]["broken"] is None
    assert seen["gap"] < 100 and seen["ticks"] >= 60
    assert seen["kept"] == [["rare", "text 1", False, None, ""], ["quick", "text 4", False, None, ""]]
    assert seen["rerun"] == [["rare", "{}"], ["rare", '{"a": 1}']]
    assert seen["run now"] == "text 3"
    assert len(seen["all ran"]) == 9
    assert seen["goes on"] >= 4
    assert seen["said"] == "it is down"
    assert seen["old"] == [["fickle", "text 1", False, 0, "it is down"]]
    assert seen["other configuration"] == [["fickle", "it is down", True, None, ""]]
    said = [tuple(line) for line in seen["log"]]
    assert said.count(("broken", "it broke")) == 1  # not at every run
    assert sum(1 for source, _ in said if source == "scheduler") == 1


def test_slow_name_servers_do_not_hold_up_the_loop(script: Any) -> None:
    seen = script("resolver")
    assert seen["found"] == [[[2, ["a", 80]]], [[2, ["b", 80]]], "the name missing was not found"]
    assert seen["again"] == [[2, ["a", 80]]]
    assert seen["asked"] == ["a", "b", "missing"]  # once each: the answer is kept
    assert 400 <= seen["elapsed"] < 700
    assert seen["gap"] < 100
