"""`wg layout ...`: the flash chip's layout."""

from __future__ import annotations

import typer

from wg import ROOT
from wg.flash import layout

app = typer.Typer(help="The flash layout.", no_args_is_help=True)


@app.command("show")
def show() -> None:
    """Print the layouts."""
    for found in layout.load().values():
        typer.echo(f"{found.name}\n\n{layout.markdown(found)}")


@app.command("write")
def write() -> None:
    """Make the partition tables and docs/flash.md from tools/wg/flash/layout.toml."""
    for path in layout.write():
        typer.echo(path.relative_to(ROOT))


@app.command("check")
def check() -> None:
    """End with exit code 1 if something made from the layout is not current."""
    stale = layout.stale()
    for path in stale:
        typer.echo(f"{path.relative_to(ROOT)} is not what layout.toml says: run `wg layout write`", err=True)
    raise typer.Exit(bool(stale))
