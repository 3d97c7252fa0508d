"""`wg widget ...`: make, build and look at widgets."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from wg.process import ToolError
from wg.widget import build as building
from wg.widget import create as creating
from wg.widget import preview as previewing
from wg.widget import zones as time_zones
from wg.widget.report import NotAWidget, inspect

app = typer.Typer(help="Make, build and look at widgets.", no_args_is_help=True)


def _fail(message: str) -> typer.Exit:
    typer.echo(f"wg: {message}", err=True)
    return typer.Exit(1)


@app.command()
def build(
    folder: Annotated[Path, typer.Argument(help="Folder with widget.c and schema.json.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The component; default: FOLDER/<folder>.wasm.")
    ] = None,
    core: Annotated[Path | None, typer.Option(help="Keep the core module here too.")] = None,
) -> None:
    """Build a widget written in C to a WebAssembly component."""
    target = output or folder / f"{folder.resolve().name}.wasm"
    try:
        size = building.build(folder, target, core)
    except ToolError as error:
        raise _fail(str(error)) from None
    typer.echo(f"{target}: {size:,} bytes")


@app.command()
def wrap(
    core: Annotated[Path, typer.Argument(help="A core module that exports the world's functions.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The component.")],
) -> None:
    """Make a component of a core module from any compiler."""
    import tempfile

    if not core.is_file():
        raise _fail(f"{core} is not a file.")
    try:
        with tempfile.TemporaryDirectory(prefix="wg-widget-") as scratch:
            building.wrap(core, output, Path(scratch))
    except ToolError as error:
        raise _fail(str(error)) from None
    typer.echo(f"{output}: {output.stat().st_size:,} bytes")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help='The name that its owner sees, "Coffee Price".')],
    parent: Annotated[Path, typer.Option("--in", help="Where to make its folder.")] = Path("."),
) -> None:
    """Make a new widget's folder from the template."""
    try:
        folder = creating.create(name, parent)
    except ToolError as error:
        raise _fail(str(error)) from None
    typer.echo(f"Made {folder}. Next: edit {folder / 'widget.c'}, then wg widget build {folder}")


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="A component.")],
    config: Annotated[str, typer.Option(help="The configuration, JSON.")] = "{}",
    version: Annotated[int, typer.Option("--wasmtime", help="42 or 50: the reference host's version.")] = 50,
) -> None:
    """Run a widget once on this PC under a reference host, with real HTTP, and print its text."""
    try:
        typer.echo(previewing.run(file, config, version))
    except ToolError as error:
        raise _fail(str(error)) from None


@app.command()
def preview(
    widget: Annotated[Path, typer.Argument(metavar="WIDGET", help="A widget's folder, or a component.")],
    config: Annotated[str, typer.Option(metavar="JSON", help="Its configuration.")] = "",
    fixture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Answers in the network's place, JSON.")
    ] = None,
    page_port: Annotated[int, typer.Option(metavar="N", help="Port of the page; 0: any.")] = 0,
    seconds: Annotated[float | None, typer.Option(metavar="S", help="End after so long.")] = None,
) -> None:
    """Show a widget on the simulated board while you edit it.

    A page has the screen, the text, the log and the HTTP calls. A fixture file is a list of
    {"url": "https://host/*", "json": {...}}; also status, text, file, delay_ms, error.
    """
    from wg.sim.board import BoardError
    from wg.widget.live import Preview

    if not widget.exists():
        raise _fail(f"{widget} is not there: name a widget's folder, or a .wasm file.")
    try:
        if config:
            json.loads(config)
        with Preview(widget, config, fixture, page_port) as live:
            typer.echo(f"{live.address}  Ctrl-C ends.")
            live.update()
            state = live.shown()
            typer.echo(state["build"] or f"wg: {state['error']}")
            live.watch(seconds)
    except ValueError as error:
        raise _fail(f"the configuration is not JSON: {error}") from None
    except (BoardError, OSError) as error:
        raise _fail(str(error)) from None
    except KeyboardInterrupt:
        pass


@app.command()
def check(file: Annotated[Path, typer.Argument(help="A widget's file.")]) -> None:
    """Say what a widget's file is and whether the board would take it."""
    try:
        report = inspect(file.read_bytes())
    except OSError as error:
        raise _fail(f"{file} can't be read: {error.strerror}.") from None
    except NotAWidget as error:
        raise _fail(f"{file}: {error}") from None
    typer.echo(f"{file}: {report.kind}, {report.size:,} bytes")
    if report.kind == "component":
        typer.echo("  core modules  " + ", ".join(f"{size:,} bytes" for size in report.core_sizes))
    if report.memory_pages is not None:
        least, most = report.memory_pages
        limit = f", {most} at most" if most is not None else ""
        typer.echo(f"  memory        {least} page(s) of 64 KB at first{limit}")
    typer.echo("  imports       " + (", ".join(report.imports) or "none"))
    typer.echo("  exports       " + (", ".join(report.exports) or "none"))
    for problem in report.problems:
        typer.echo(f"  problem       {problem}")
    if report.problems:
        raise typer.Exit(1)


@app.command()
def catalogue(
    folders: Annotated[list[Path], typer.Argument(help="The widgets' source folders.")],
    address: Annotated[str, typer.Option(help="Where the built files will be: https://host/widgets")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The catalogue.")] = Path("store.json"),
) -> None:
    """Write a catalogue, so that wg.install("Name") finds your widgets on the board."""
    try:
        output.write_text(creating.catalogue(folders, address), "utf-8")
    except ToolError as error:
        raise _fail(str(error)) from None
    typer.echo(f"{output}: {len(folders)} widgets")


@app.command()
def zones(
    since: Annotated[str, typer.Option(help="First day that the rules must be right for.")] = "",
) -> None:
    """Make widgets/sdk/wg_zones.h anew from the installed package tzdata."""
    text, left_out = time_zones.header(date.fromisoformat(since) if since else date.today())
    (building.SDK / "wg_zones.h").write_text(text, "ascii")
    typer.echo(f"{len(text):,} bytes; left out: {', '.join(left_out) or 'none'}")
