"""`wg store ...`: check and make the catalogue of a store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from wg.process import ToolError
from wg.store import catalogue

app = typer.Typer()


@app.callback(invoke_without_command=True)
def store(
    ctx: typer.Context,
    port: Annotated[
        str | None, typer.Option("--port", "-p", metavar="PORT", help="The board's port.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")] = False,
) -> None:
    """List what a board can install by name; check and make the catalogue of a store."""
    if ctx.invoked_subcommand is None:
        from wg.boards import on_each

        on_each([port] if port else None, False, as_json, lambda device, bar: device.call("store"))


def _fail(message: str) -> typer.Exit:
    typer.echo(f"wg: {message}", err=True)
    return typer.Exit(1)


@app.command()
def check(
    source: Annotated[str, typer.Argument(help="A catalogue: a file or an address.")],
    files: Annotated[bool, typer.Option(help="Download each widget and look at it, too.")] = False,
) -> None:
    """Say what is wrong with a catalogue, entry by entry."""
    try:
        entries = catalogue.read(source)
    except ToolError as error:
        raise _fail(str(error)) from None
    found = list(catalogue.faults(entries))
    if files and isinstance(entries, list):
        for entry in entries:
            if isinstance(entry, dict):
                found += catalogue.faults_of_file(entry)
    for fault in found:
        typer.echo(fault)
    if found:
        raise typer.Exit(1)
    typer.echo(f"{len(entries)} widgets, nothing is wrong.")


@app.command()
def build(
    folder: Annotated[Path, typer.Argument(help="A folder with .wasm files.")],
    base: Annotated[str, typer.Option(help="The address at which the folder's files will be.")],
    about: Annotated[
        Path | None,
        typer.Option(help='JSON: {"file name without .wasm": {"description": ..., "hosts": [...]}}.'),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Default: FOLDER/widget_store.json.")
    ] = None,
) -> None:
    """Make a catalogue of a folder's widgets: names, versions and checksums are those of the files."""
    target = output or folder / "widget_store.json"
    try:
        more: Any = {} if about is None else json.loads(about.read_text(encoding="utf-8"))
        if not isinstance(more, dict) or not all(isinstance(value, dict) for value in more.values()):
            raise _fail(f"{about} is not an object of objects.")
        files = sorted(folder.glob("*.wasm"))
        if not files:
            raise _fail(f"There is no .wasm file in {folder}.")
        if (fault := catalogue.fault_of_address(base)) is not None:
            raise _fail(f"The address {fault}.")
        items = catalogue.build(files, base, more)
    except ToolError as error:
        raise _fail(str(error)) from None
    except (OSError, ValueError) as error:
        raise _fail(f"{about} can't be read: {error}.") from None
    target.write_text(json.dumps(items, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    typer.echo(f"{target}: {len(items)} widgets")
