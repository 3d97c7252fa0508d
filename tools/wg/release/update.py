"""`wg ota`: updates a board over the air from the PC, and waits for what becomes of it."""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from wg.device import Device, DeviceError, PortError, choose_port

#: Seconds that a board may take to come back after an update, with the trial of the new firmware.
TRIAL_TIMEOUT = 240.0
#: Seconds without a sign of the board while it downloads; its own patience with a server is shorter.
SILENCE = 120.0

#: Prints progress as lines `\\x1e p <done> <size>` and the answer as `\\x1e r <JSON>`.
_CODE = """\
def _ota():
    import json, wg

    def progress(done, size):
        print("\\x1e p", done, size)

    found = wg.ota({address!r}, check={check!r}, downgrade={downgrade!r}, progress=progress)
    print("\\x1e r", json.dumps({{key: found[key] for key in found}}))

try:
    _ota()
finally:
    del _ota
"""

_app = typer.Typer(add_completion=False)


@_app.command()
def ota(
    address: Annotated[
        str | None,
        typer.Argument(
            help="A release folder (with a slash at the end) or a manifest. Default: the setting."
        ),
    ] = None,
    port: Annotated[
        str | None,
        typer.Option("--port", "-p", help="Serial port of the board. Default: WG_PORT, or the only one."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only look whether there is a newer release.")
    ] = False,
    downgrade: Annotated[bool, typer.Option("--downgrade", help="Install an older release, too.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until the new firmware has proved itself.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")] = False,
) -> None:
    """Update the firmware of a board over the air."""
    port = choose_port(port)
    with Device(port) as device:
        found = _run(device, _CODE.format(address=address, check=check, downgrade=downgrade), quiet=as_json)
    if found["action"] == "installed" and wait:
        if not as_json:
            print(f"{found['version']} is installed. Waiting for it to prove itself ...", flush=True)
        found["outcome"] = _outcome(port, found["version"])
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        print(_told(found))
    if found.get("outcome", {}).get("outcome", "installed") != "installed":
        raise typer.Exit(1)


def _run(device: Device, code: str, quiet: bool) -> dict[str, Any]:
    """Runs the update with a bar; returns the board's answer."""
    answer: dict[str, Any] = {}
    line = bytearray()
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, disable=quiet or not sys.stderr.isatty(), transient=True) as progress:
        bar = progress.add_task("Downloading", total=None)

        def consume(data: bytes) -> None:
            line.extend(data)
            while b"\n" in line:
                said, _, rest = bytes(line).partition(b"\n")
                line[:] = rest
                words = said.decode(errors="replace").rstrip("\r\n").split(" ", 2)
                if words[0] != "\x1e":
                    continue
                if words[1] == "p":
                    done, size = words[2].split()
                    progress.update(bar, completed=int(done), total=int(size))
                else:
                    answer.update(json.loads(words[2]))

        device.watch(code, consume, SILENCE)
    if not answer:
        raise DeviceError("The board did not say what it found.")
    return answer


def _outcome(port: str, version: str) -> dict[str, Any]:
    """What became of an update: the board's `last`, once it is about this version and settled."""
    end = time.monotonic() + TRIAL_TIMEOUT
    time.sleep(4)  # it restarts two seconds after the answer
    while time.monotonic() < end:
        try:
            with Device(port) as device:
                state = device.call("ota_state").value
            last = state["last"]
            settled = not state["on_trial"] and last is not None and last["version"] == version
            if settled:
                return dict(last)
        except (PortError, DeviceError, KeyError, TypeError):
            pass  # it is restarting
        time.sleep(2)
    raise DeviceError(
        f"The board did not say within {TRIAL_TIMEOUT:.0f} s what became of {version}: `wg status` shows how it fares."
    )


def _told(found: dict[str, Any]) -> str:
    notes = f"\n\n{found['notes']}" if found["notes"] else ""
    version, running = found["version"], found["running"]
    if found["action"] == "current":
        return f"{version} is the newest release, and it is running."
    if found["action"] == "available":
        return f"{version} can be installed in the place of {running}.{notes}"
    outcome = found.get("outcome")
    if outcome is None:
        return f"{version} is installed and starts now.{notes}"
    if outcome["outcome"] == "installed":
        return f"{version} has proved itself.{notes}"
    return f"{version} was {outcome['outcome']}: {outcome['why']}. {outcome['from']} goes on."


command = typer.main.get_command(_app)
