"""A board's whole configuration with its widgets' files in one ZIP file, and back."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from wg.boards import Bar
from wg.device import Answer, Device, DeviceError

_CONFIGURATION = "configuration.json"


def save(device: Device, file: Path, secrets: bool, bar: Bar) -> str:
    """Writes `file`; -> one sentence. Raises DeviceError."""
    whole = device.call("export", secrets=secrets).value
    names = [widget["name"] for widget in whole["widgets"]]
    beside = file.with_name(file.name + ".part")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_CONFIGURATION, json.dumps(whole, indent=2, ensure_ascii=False))
            for at, name in enumerate(names):
                bar(at, len(names), f"Reading {name}")
                archive.writestr(_member(name), device.widget_file(name))
        beside.replace(file)
    except OSError as error:
        raise DeviceError(f"{file} can't be written: {error.strerror}.") from error
    finally:
        beside.unlink(missing_ok=True)
    left = "" if secrets else " Passwords and tokens are not in it: --secrets keeps them, too."
    return f"{file}: {len(names)} widgets.{left}"


def load(device: Device, file: Path, bar: Bar) -> Answer:
    """Brings a backup onto a board, its widgets' files first; -> what the board says. Raises DeviceError."""
    try:
        with zipfile.ZipFile(file) as archive:
            whole: dict[str, Any] = json.loads(archive.read(_CONFIGURATION))
            files = {
                widget["name"]: archive.read(_member(widget["name"]))
                for widget in whole["widgets"]
                if _member(widget["name"]) in archive.namelist()
            }
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise DeviceError(f"{file} is no backup of a board: {error}. `wg backup FILE` makes one.") from error
    have = {widget["name"] for widget in device.call("list").value}
    missing = [name for name in files if name not in have]
    for at, name in enumerate(missing):
        bar(at, len(missing), f"Sending {name}")
        entry = next(widget for widget in whole["widgets"] if widget["name"] == name)
        path = "/restored.wasm"
        try:
            device.upload(files[name], path, lambda sent: None)
            device.call("install", path, entry.get("description", ""))
        finally:
            device.delete(path)
    return device.call("restore", whole)


def _member(name: str) -> str:
    return "widgets/" + "".join(c if c.isalnum() or c in " -_." else f"%{ord(c):02X}" for c in name) + ".wasm"
