"""`wg sim ...`: the simulated board."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wg import ROOT

app = typer.Typer(help="The simulated board.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The simulated board."""


@app.command("run")
def run_command(
    widgets: Annotated[Path, typer.Option(help="Folder of the bundled widgets.")] = ROOT
    / "build"
    / "widgets",
    seconds: Annotated[
        float | None, typer.Option(help="End after so many seconds, with a picture and the state.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where flash.bin, screen.png and state.json go.")] = ROOT
    / "build"
    / "sim",
    page_port: Annotated[int, typer.Option(help="Port of the local page; 0: any free one.")] = 0,
    flash: Annotated[
        Path | None, typer.Option(help="Flash image; default: flash.bin in the output folder.")
    ] = None,
    word_size: Annotated[int, typer.Option(help="64, or 32 as on the ESP32.")] = 64,
) -> None:
    """Boot a board, install the bundled widgets, show the display on a local page and give the board's prompt."""
    from wg.sim.run import run

    raise typer.Exit(run(widgets, seconds, out, page_port, flash, word_size))
