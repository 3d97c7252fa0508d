"""One command on one board or on several at once: what is printed, and which exit code comes of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from wg.device import Answer, Device, DeviceError, PortError, choose_port, find_ports

#: Boards that are talked to at a time.
_AT_ONCE = 8


class Bar:
    """The progress of one board's long work; call it with the units done and the units in all."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def __call__(self, done: int, total: int, what: str | None = None) -> None:
        if what is None:
            self._progress.update(self._task, completed=done, total=total)
        else:
            self._progress.update(self._task, completed=done, total=total, description=what)


Work = Callable[[Device, Bar], Any]


def ports_of(named: list[str] | None, everyone: bool) -> list[str]:
    """The ports that are meant. Raises PortError if there is none, or several and none was named."""
    if not everyone:
        return list(dict.fromkeys(named)) if named else [choose_port(None)]
    found = [port.name for port in find_ports()]
    found += [port for port in named or () if port not in found]
    if not found:
        raise PortError("No board was found. Connect one by USB, or name its port with --port.")
    return found


def on_each(
    named: list[str] | None, everyone: bool, as_json: bool, work: Work, what: str | None = None
) -> None:
    """Does `work(device, bar)` on each board that is meant and prints what it returns.

    `what`: of long work, the words beside its progress bar. One board is shown plainly; several are shown one after the
    other under their ports, or as one JSON object by port. Raises typer.Exit with the worst code.
    """
    ports = ports_of(named, everyone)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    shown = what is not None and sys.stderr.isatty()
    with Progress(
        *columns,
        TimeRemainingColumn(),
        transient=True,
        console=Console(stderr=True),
        disable=not shown,
    ) as progress:

        def one(port: str) -> Any:
            name = what if len(ports) == 1 else f"{port}: {what}"
            bar = Bar(progress, progress.add_task(name or "", total=None))
            with Device(port) as device:
                return work(device, bar)

        if len(ports) == 1 and not everyone:
            value = one(ports[0])
        else:
            value = None
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                futures = {port: pool.submit(one, port) for port in ports}
                results = {port: _result(future.result) for port, future in futures.items()}
    if len(ports) == 1 and not everyone:
        show(value, as_json)
        return
    code = 0
    whole = {}
    for port, (value, error) in results.items():
        if error is not None:
            code = max(code, error.code)
            whole[port] = {"error": str(error)}
        else:
            whole[port] = {"value": value.value if isinstance(value, Answer) else value}
        if as_json:
            continue
        print(f"{port}:", flush=True)
        if error is not None:
            print(f"  {error}")
        else:
            for line in text_of(value).splitlines():
                print(f"  {line}")
    if as_json:
        print(json.dumps(whole, ensure_ascii=False))
    if code:
        raise typer.Exit(code)


def _result(wait: Callable[[], Any]) -> tuple[Any, DeviceError | None]:
    try:
        return wait(), None
    except DeviceError as error:
        return None, error


def text_of(value: Any) -> str:
    """What a person sees of a result."""
    if isinstance(value, Answer):
        if value.text is not None and value.value is not None:
            return value.text
        value = value.value
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def show(value: Any, as_json: bool) -> None:
    """Prints one board's result."""
    if as_json:
        print(json.dumps(value.value if isinstance(value, Answer) else value, ensure_ascii=False))
    else:
        text = text_of(value)
        if text:
            print(text)
