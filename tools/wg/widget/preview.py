"""A widget on the PC, once, under Wasmtime with real HTTP: a look before it goes to a board.

Wasmtime stands in a folder of its own (build/oracle), so this file is run again as a program with that folder on
its path. The board's limits of time and memory are not those of the preview.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

HTTP_TIMEOUT = 30.0
MAX_BODY = 1 << 20
#: Seconds after which a run is given up.
RUN_TIMEOUT = 120.0


def run(file: Path, config: str, version: int) -> str:
    """The text that the widget returns. Raises ToolError with the trap's words or what else went wrong."""
    import subprocess

    from wg import ROOT
    from wg.process import ToolError

    folder = ROOT / "build" / "oracle" / f"wasmtime-{version}"
    if not folder.is_dir():
        raise ToolError(f"There is no {folder}: run `make setup` in the repository first.")
    try:
        json.loads(config)
    except ValueError as error:
        raise ToolError(f"The configuration is not JSON: {error}.") from error
    if not file.is_file():
        raise ToolError(f"{file} is not a file.")
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", __name__, str(file), config]
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=RUN_TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"{file} did not end within {RUN_TIMEOUT:.0f} s.") from error
    if not done.stdout:
        raise ToolError(f"{file} could not be run.")
    result = json.loads(done.stdout)
    if "error" in result:
        raise ToolError(f"{file}: {result['error']}")
    return str(result["text"])


def describe(data: bytes, version: int = 50) -> dict[str, str] | None:
    """Name and version as a component's own functions tell them; None if the reference host is not installed.

    Raises ToolError with what went wrong.
    """
    import subprocess
    import tempfile

    from wg import ROOT
    from wg.process import ToolError

    folder = ROOT / "build" / "oracle" / f"wasmtime-{version}"
    if not folder.is_dir():
        return None
    with tempfile.NamedTemporaryFile(suffix=".wasm") as file:
        file.write(data)
        file.flush()
        try:
            done = subprocess.run(
                [sys.executable, "-m", __name__, file.name],
                env={**os.environ, "PYTHONPATH": str(folder)},
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                timeout=RUN_TIMEOUT,
            )
        except subprocess.TimeoutExpired as error:
            raise ToolError("The widget did not tell its name.") from error
    result = json.loads(done.stdout) if done.stdout else {"error": "It could not be loaded."}
    if "error" in result:
        raise ToolError(f"The widget did not tell its name: {result['error'].splitlines()[0]}")
    return {"name": str(result["name"]), "version": str(result["version"])}


def _now(_store: Any = None) -> Any:
    from wg.widget.reference import record

    nanoseconds = time.time_ns()
    return record(seconds=nanoseconds // 10**9, nanoseconds=nanoseconds % 10**9)


def _request(_store: Any, method: Any, url: str, body: Any) -> Any:
    from wg.widget.reference import record

    name = getattr(method, "tag", method).upper()
    content = getattr(body, "payload", body)
    request = urllib.request.Request(url, None if content is None else bytes(content), method=name)
    try:
        try:
            response = urllib.request.urlopen(request, timeout=HTTP_TIMEOUT)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            data = response.read(MAX_BODY + 1)
            length = response.headers.get("Content-Length")
            print(f"{name} {url}: {response.status}, {len(data):,} bytes", file=sys.stderr)
            if len(data) > MAX_BODY:
                return None
            return record(status=response.status, content_length=int(length) if length else None, bytes=data)
    except (OSError, ValueError) as error:
        print(f"{name} {url}: {error}", file=sys.stderr)
        return None


def _log(_store: Any, level: Any, context: str, message: str) -> None:
    print(f"{getattr(level, 'tag', level)}: {context}: {message}", file=sys.stderr)


def _main(path: str, config: str | None = None) -> dict[str, str]:
    import wasmtime
    from wasmtime import component

    from wg.widget import reference

    try:
        engine = wasmtime.Engine()
        linker = reference.linker(engine, _now, lambda _store: secrets.randbits(64), _log, _request)
        store = wasmtime.Store(engine)
        widget = linker.instantiate(store, component.Component(engine, Path(path).read_bytes()))
        if config is None:
            told = {}
            for key in ("name", "version"):
                function = widget.get_func(store, f"get-{key}")
                if function is None:
                    return {"error": f"It does not export get-{key}."}
                told[key] = function(store)
            return told
        entry = widget.get_func(store, "run")
        if entry is None:
            return {"error": "It does not export run."}
        return {"text": entry(store, reference.record(last_invocation=_now(), config=config)).data}
    except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
        return {"error": str(error)}


if __name__ == "__main__":
    print(json.dumps(_main(*sys.argv[1:])))
