"""Export and restore at the prompt, secrets, crash records, the log from before a reset."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from local_store import local_store

from wg.sim.board import SimBoard


def value(board: SimBoard, expression: str) -> Any:
    return json.loads(board.exec(f"import wg, json\nprint(json.dumps({expression}))").splitlines()[-1])


def refusal(board: SimBoard, statement: str) -> str:
    return board.exec(f"import wg\ntry:\n {statement}\nexcept wg.Error as e:\n print(e)").strip()


SECRET = """
import json
s = wg._console._app.storage
s.widget("Time")["json_config_schema"] = json.dumps({"properties": {"code": {"type": "string", "writeOnly": True},
 "feeds": {"items": {"properties": {"url": {}, "api_token": {}}}}}})
wg.configure("Time", {"zone": "UTC", "code": "c0de", "feeds": [{"url": "https://me:pw@h/x", "api_token": "t0ken"}]})
"""


def test_export_and_restore(tmp_path: Path) -> None:
    with local_store(tmp_path / "store") as store:
        with SimBoard(flash=tmp_path / "a.bin") as a:
            a.exec(f"import wg; wg.wifi('sim', 'password1'); wg.set('store', {store!r}); wg.install('Time')")
            a.exec("wg.background('#102030'); wg.limits('Time', deadline_ms=5000)")
            a.exec(SECRET)
            whole = value(a, "wg.export()")
            text = json.dumps(whole)
            assert not any(secret in text for secret in ("password1", "c0de", "t0ken", "me:pw"))
            assert whole["networks"] == [{"ssid": "sim"}]
            (widget,) = whole["widgets"]
            assert widget["config"] == {"zone": "UTC", "feeds": [{"url": "https://h/x"}]}
            assert sorted(widget["left_out"]) == ["code", "feeds[0].api_token", "feeds[0].url"]
            full = value(a, "wg.export(secrets=True)")
            assert full["widgets"][0]["config"]["code"] == "c0de"
            assert "Without 4 secrets" in a.exec("print(wg.export())")
            # Back on the same board: what was left out stays as it is.
            a.exec(
                "wg.configure('Time', {'zone': 'X', 'code': 'c0de', 'feeds': [{'url': 'https://me:pw@h/x'}]})"
            )
            said = value(a, f"wg.restore({whole!r})")
            assert said["failed"] == ["network sim: its password is not in the export"]
            config = value(a, "wg.configure('Time')")
            assert config["code"] == "c0de" and config["zone"] == "UTC"
            assert config["feeds"][0]["url"] == "https://me:pw@h/x"
            for bad, sentence in {
                "wg.restore(5)": "that is no export",
                "wg.restore('/missing.json')": "/missing.json can't be read",
                "wg.restore('{')": "that is not valid JSON",
                "wg.restore({'wg_display': 1, 'background': 'red'})": "that export is damaged: background",
                "wg.restore({'wg_display': 1, 'widgets': [{}]})": "that export is damaged: widgets[0].name: missing",
                "wg.export(5)": "wg.export() gives the configuration",
            }.items():
                assert refusal(a, bad).startswith(sentence), bad
        with SimBoard(flash=tmp_path / "b.bin") as b:
            b.exec(f"import json\nf = open('/e.json', 'w'); json.dump({full!r}, f); f.close()")
            said = value(b, "wg.restore('/e.json')")
            assert said["failed"] == [], said
            assert value(b, "wg.background()") == "#102030"
            b.reset()
            assert value(b, "[[w['name'], w['limits']] for w in wg.list()]") == [
                ["Time", {"deadline_ms": 5000}]
            ]
            assert value(b, "wg.configure('Time')")["code"] == "c0de"
            assert value(b, "wg._console._app.storage.networks()") == [["sim", "password1"]]


def test_a_crash_leaves_a_record_and_the_display_goes_on(tmp_path: Path) -> None:
    with SimBoard(flash=tmp_path / "flash.bin") as b:
        assert b.exec("import wg; print(wg.crashes())").strip() == "No crash is known."
        b.exec("wg._console._log.warn('test', 'a sign of things to come'); wg._console._app._active = None")
        end = time.monotonic() + 10
        while "ended" not in b.exec("print(wg._console._restarts, 'ended' if wg._console._restarts else '')"):
            assert time.monotonic() < end
            time.sleep(0.1)
        assert value(b, "wg.status()['problems']") == []
        (one,) = value(b, "wg.crashes()")
        assert "the application ended: internal error" in one["what"] and "Traceback" in one["trace"]
        assert any("a sign of things to come" in line for line in one["log"])
        b.reset()
        assert len(value(b, "wg.crashes()")) == 1 and "the application ended" in b.exec("print(wg.crashes())")
        assert any("a sign of things to come" in line for line in value(b, "wg.logs(before=True)"))
        b.exec("wg.crashes(clear=True)")
        assert value(b, "wg.crashes()") == []
    with SimBoard(flash=tmp_path / "flash.bin") as b:
        assert value(b, "wg.logs(before=True)") == []  # the power was off


def test_what_the_watchdog_did_is_told(tmp_path: Path) -> None:
    with SimBoard(flash=tmp_path / "flash.bin") as b:
        b.exec("import wg; wg._console._log.error('test', 'the last words')")
        with b.transport() as t:
            t.exec_raw_no_follow("import machine; machine.WDT(timeout=300)")
            t.in_raw_repl = False
        b.wait_for_prompt()
        (one,) = value(b, "wg.crashes()")
        assert one["what"] == "the watchdog restarted the board"
        assert any("the last words" in line for line in one["log"])


def test_logs_have_filters(sim_board: SimBoard) -> None:
    b = sim_board
    b.exec(
        "import wg\nlog = wg._console._log\nlog.warn('a', 'one'); log.error('b', 'two'); log.info('a', 'three')"
    )
    assert [line.split(": ")[-1] for line in value(b, "wg.logs(level='warn')")][-2:] == ["one", "two"]
    assert [line.split(": ")[-1] for line in value(b, "wg.logs(50, 'a')")] == ["one", "three"]
    assert [line.split(": ")[-1] for line in value(b, "wg.logs('a', level='error')")] == []
    assert refusal(b, "wg.logs(level='loud')") == 'level is one of "debug", "info", "warn", "error"'
