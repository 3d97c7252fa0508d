"""Quotas, cancelling and what goes on meanwhile: the scenarios of board_quotas.py on every board and in both modes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import probes
import pytest


@pytest.fixture(scope="module", params=["threads", "inline"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=[64, 32])
def found(
    request: pytest.FixtureRequest, mode: str, wgdisplay: Path, wgdisplay32: Path, files: dict[str, Path]
) -> dict[str, Any]:
    binary = wgdisplay if request.param == 64 else wgdisplay32
    assert files
    done = subprocess.run(
        [str(binary), "--script", str(probes.HERE / "board_quotas.py"), str(probes.OUT), mode],
        env={**os.environ, "MICROPYPATH": str(probes.ROOT / "firmware")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    escaped = [name for name, value in result.items() if isinstance(value, dict) and "escaped" in value]
    assert not escaped, done.stdout
    return result


def _quota(result: dict[str, Any], kind: str) -> None:
    assert (result["error"], result["kind"]) == ("QuotaError", kind), result
    assert result["message"].endswith(".")


@pytest.mark.parametrize(
    "name",
    ["deadline_in_a_loop", "deadline_of_the_limits", "deadline_in_a_description", "deadline_in_a_request"],
)
def test_deadline(found: dict[str, Any], name: str) -> None:
    _quota(found[name], "deadline")
    assert 140 <= found[name]["ms"] < 700


def test_deadline_of_all_calls(found: dict[str, Any]) -> None:
    _quota(found["deadline_in_parts"], "deadline")
    assert found["deadline_in_parts"]["ms"] < found["deadline_in_parts"]["whole"] * 0.9


def test_deadline_of_many_requests(found: dict[str, Any]) -> None:
    _quota(found["deadline_between_requests"], "deadline")
    assert 190 <= found["deadline_between_requests"]["ms"] < 700


def test_loop_goes_on(found: dict[str, Any], mode: str) -> None:
    """While a widget computes (with threads) and while it waits for the network (always)."""
    assert found["slow_request"]["ok"] == "probe"
    for name in (
        "slow_request",
        "deadline_in_a_request",
        *(["deadline_in_a_loop"] if mode == "threads" else []),
    ):
        assert found[name]["ticks"] >= 8, name


def test_cancel(found: dict[str, Any], mode: str) -> None:
    for name in ("cancel_in_a_request", *(["cancel_in_a_loop"] if mode == "threads" else [])):
        _quota(found[name], "cancelled")
        assert found[name]["cancelled"] is True
        assert found[name]["ms"] < 600
    _quota(found["remove_in_a_request"], "cancelled")
    assert found["remove_in_a_request"]["has"] is False
    assert found["remove_in_a_request"]["again"]["kind"] == "unknown"
    assert found["task_cancelled"] == {"error": "CancelledError", "after": {"ok": "fine"}}


def test_at_once(found: dict[str, Any], mode: str) -> None:
    assert found["four_at_once"]["ok"] == ["probe"] * 4
    if mode == "threads":  # as long as the slowest, not the sum of 800 ms
        assert found["four_at_once"]["ms"] < 500
    assert found["twice_at_once"]["ok"] == ["probe"] * 2
    assert found["twice_at_once"]["ms"] >= 95


def test_context(found: dict[str, Any]) -> None:
    """The time now in the first run, the last run's time in the next ones."""
    times = [int.from_bytes(bytes.fromhex(text)[:8], "little") for text in found["last_invocation"]]
    assert times[1] == times[0]
    assert times[2] == times[1] + 1
    assert found["log_has_the_name"] == [["w", 2, "probe", "1.2.3"]]


def test_code_of_few_widgets_is_kept(found: dict[str, Any], mode: str) -> None:
    assert found["shelf"]["there"] == ["w", "y"]
    assert found["shelf"]["gone"]["kind"] == "unknown"
    slow = found["shelf_keeps_what_runs"]
    assert slow["during"] and not slow["after"]
    assert "error" not in slow["result"], slow
    times = [int.from_bytes(bytes.fromhex(text)[:8], "little") for text in found["shelf_keeps_the_time"]]
    assert times[2] == times[0]  # unloaded in between, and yet its second run
    assert times[3] == times[2] + 3  # removed in between: its first


def test_counts(found: dict[str, Any]) -> None:
    _quota(found["fuel"], "fuel")
    _quota(found["host_calls"], "HOST_CALLS")
    _quota(found["log_lines"], "LOG_LINES")
    assert found["log_lines"]["lines"] == 50
    _quota(found["http_requests"], "HTTP_REQUESTS")
    assert found["http_requests"]["requests"] == 5
    _quota(found["http_total"], "HTTP_TOTAL_BYTES")
    assert found["http_total"]["requests"] == 5


def test_sizes(found: dict[str, Any]) -> None:
    for name in ("http_url_bytes", "http_body_bytes", "result_bytes", "config_bytes"):
        _quota(found[name], "size")
    assert found["http_answer_bytes"] == "01"  # err
    assert found["log_bytes"] == "http://h/ä"
    assert found["file_bytes"]["error"] == "QuotaError"
    assert found["memory_pages"] == 40
    assert found["memory_at_start"]["error"] == "QuotaError"


def test_other_errors(found: dict[str, Any]) -> None:
    assert found["host_error"]["error"] == "HostError"
    assert found["host_error"]["after"] == {"ok": "probe"}
    assert found["config_surrogate"]["error"] == "HostError"
    assert found["unknown"]["kind"] == "unknown"


def test_state_does_not_survive(found: dict[str, Any]) -> None:
    """Globals, memory, its size, dropped segments, what `start` did: though it is the same instance."""
    assert found["nothing_survives"]["texts"] == ["112x1"] * 4


def test_kept_instances(found: dict[str, Any]) -> None:
    kept = found["kept"]
    module, one, again, trapped, *many = kept["held"]
    assert 128 * 1024 < one - module < 180_000  # two pages, and little for the stack and the code
    assert kept["same"] and again >= one and trapped == module
    assert kept["other"]  # another limit of memory is another instance
    assert max(many) <= 400_000
    assert kept["idle"] == ["e", "f"] and kept["last"]  # who ran last
    assert kept["after"] == 0
    assert kept["threads"] <= 2  # its own, and one that waits for whoever runs next


def test_nothing_stays(found: dict[str, Any]) -> None:
    """Neither in the widget's memory nor in the board's."""
    assert found["no_state_survives"] == ["78563412", "00000000"]
    memory = found["memory_after_many_runs"]
    assert memory["heap"][-1] - memory["heap"][0] < 8192
    assert memory["resident"][-1] - memory["resident"][0] < 1 << 20
