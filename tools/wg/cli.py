"""The command `wg`: boards over serial, the simulated board, widgets, third-party sources.

Exit codes: 0 done; 1 the command failed; 2 it was called wrongly; 3 the board can't be reached.
"""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from typer.core import TyperGroup

#: Groups of commands that live in modules of their own, loaded when they are used.
LAZY = {
    "layout": ("wg.flash.cli", "The flash layout"),
    "keys": ("wg.release.cli:keys", "The keys that firmware releases are signed with"),
    "ota": ("wg.release.update:command", "Update the firmware of a board over the air"),
    "ota-serve": ("wg.release.cli:serve_command", "Serve a release folder in the local network"),
    "release": ("wg.release.cli:release_command", "Make and sign a firmware release"),
    "sim": ("wg.sim.cli", "The simulated board"),
    "store": ("wg.store.cli", "Check and make the catalogue of a store"),
    "widget": ("wg.widget.cli", "Build, check and preview widgets"),
}


class _Group(TyperGroup):
    """Finds the groups of LAZY too, without loading them for other commands' sake."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *LAZY]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in LAZY:
            return super().get_command(ctx, cmd_name)
        where, text = LAZY[cmd_name]
        module, _, attribute = where.partition(":")
        try:
            app = getattr(importlib.import_module(module), attribute or "app")
        except ModuleNotFoundError as error:
            if error.name not in (module, module.rpartition(".")[0]):
                raise
            return None
        command = typer.main.get_group(app) if isinstance(app, typer.Typer) else app
        command.name = cmd_name
        command.help = command.help or text
        command.rich_help_panel = _PROJECT
        return command


app = typer.Typer(
    name="wg",
    cls=_Group,
    help="WG Display: boards, the simulated board, widgets.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Port = Annotated[
    str | None,
    typer.Option(
        "--port", "-p", help="Serial port of the board, or a pty. Default: WG_PORT, or the only board."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")]
Name = Annotated[str, typer.Argument(help="The widget's name.")]

_BOARD = "Board"
_PROJECT = "Project"


def _open(port: str | None) -> Any:
    # mpremote and pyserial take a while to load: only board commands pay for it.
    from wg.device import Device, choose_port

    return Device(choose_port(port))


def _call(port: str | None, function: str, *arguments: Any, **named: Any) -> Any:
    with _open(port) as device:
        return device.call(function, *arguments, **named)


def _show(answer: Any, as_json: bool) -> None:
    if as_json:
        print(json.dumps(answer.value, ensure_ascii=False))
    elif answer.text is not None and answer.value is not None:
        print(answer.text)
    elif isinstance(answer.value, str):
        print(answer.value)
    elif answer.value is not None:
        print(json.dumps(answer.value, ensure_ascii=False, indent=2))


@app.command(rich_help_panel=_BOARD)
def devices(as_json: Json = False) -> None:
    """List the boards that are connected by USB."""
    from wg.device import find_ports

    ports = find_ports()
    if as_json:
        print(json.dumps([{"port": port.name, "what": port.what} for port in ports]))
    elif ports:
        table = Table("port", "what", box=None, pad_edge=False, header_style="bold")
        for port in ports:
            table.add_row(port.name, port.what)
        Console().print(table)
    else:
        print("No board is connected. `wg sim run` starts a simulated one.")


@app.command(rich_help_panel=_BOARD)
def status(port: Port = None, as_json: Json = False) -> None:
    """Show the board's state: network, time, memory, widgets."""
    _show(_call(port, "status"), as_json)


@app.command("list", rich_help_panel=_BOARD)
def list_widgets(port: Port = None, as_json: Json = False) -> None:
    """List the widgets on the board."""
    _show(_call(port, "list"), as_json)


@app.command(rich_help_panel=_BOARD)
def install(
    widget: Annotated[
        str, typer.Argument(help="A name from the store, an address (http...), or a file on this PC.")
    ],
    port: Port = None,
    as_json: Json = False,
) -> None:
    """Install a widget."""
    from wg.device import read_file

    file = Path(widget)
    if not widget.endswith(".wasm") or "://" in widget:
        _show(_call(port, "install", widget), as_json)
        return
    data = read_file(file)
    target = f"/{file.name}"
    with _open(port) as device:
        with Progress(transient=True, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task(f"Sending {file.name}", total=len(data))
            device.upload(data, target, lambda sent: bar.update(task, completed=sent))
        try:
            value = device.call("install", target)
        finally:
            device.delete(target)
    _show(value, as_json)


@app.command(rich_help_panel=_BOARD)
def configure(
    name: Name,
    settings: Annotated[
        str, typer.Argument(help='The settings as JSON, e.g. \'{"zone": "Europe/Zurich"}\', or @FILE.')
    ],
    port: Port = None,
    as_json: Json = False,
) -> None:
    """Set a widget's configuration."""
    from wg.device import read_file

    text = read_file(Path(settings[1:])).decode() if settings.startswith("@") else settings
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"the settings are not JSON: {error}") from error
    _show(_call(port, "configure", name, value), as_json)


@app.command(rich_help_panel=_BOARD)
def schema(name: Name, port: Port = None, as_json: Json = False) -> None:
    """Show the JSON schema of a widget's configuration."""
    _show(_call(port, "schema", name), as_json)


@app.command(rich_help_panel=_BOARD)
def run(name: Name, port: Port = None, as_json: Json = False) -> None:
    """Run a widget now and print its text."""
    _show(_call(port, "run", name), as_json)


@app.command(rich_help_panel=_BOARD)
def remove(name: Name, port: Port = None, as_json: Json = False) -> None:
    """Remove a widget."""
    _show(_call(port, "remove", name), as_json)


@app.command(rich_help_panel=_BOARD)
def limits(
    name: Name,
    settings: Annotated[
        list[str] | None, typer.Argument(help="Limits to set, e.g. deadline_ms=5000; KEY= for the default.")
    ] = None,
    port: Port = None,
    as_json: Json = False,
) -> None:
    """Show or set a widget's quotas."""
    values: dict[str, int | None] = {}
    for setting in settings or ():
        key, equals, number = setting.partition("=")
        if not equals or not key.isidentifier() or not (number.isdecimal() or not number):
            raise typer.BadParameter(f"{setting!r} is not KEY=NUMBER")
        values[key] = int(number) if number else None
    _show(_call(port, "limits", name, **values), as_json)


@app.command(rich_help_panel=_BOARD)
def store(port: Port = None, as_json: Json = False) -> None:
    """List the widgets that can be installed by name."""
    _show(_call(port, "store"), as_json)


@app.command("set", rich_help_panel=_BOARD)
def set_(
    key: Annotated[str, typer.Argument(help="hostname, ntp, store or zone.")],
    value: Annotated[str | None, typer.Argument(help="Without it the default is put back.")] = None,
    port: Port = None,
) -> None:
    """Change a setting of the board."""
    _call(port, "set", key, value)


@app.command(rich_help_panel=_BOARD)
def logs(
    source: Annotated[str | None, typer.Argument(help="Of this widget only.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new lines until Ctrl-C.")
    ] = False,
    port: Port = None,
    as_json: Json = False,
) -> None:
    """Show the board's log."""
    if not follow:
        _show(_call(port, "logs", source=source), as_json)
        return
    with _open(port) as device:
        try:
            device.follow_logs(lambda line: print(line, flush=True), source)
        except KeyboardInterrupt:
            pass


@app.command(rich_help_panel=_BOARD)
def screenshot(
    file: Annotated[Path, typer.Argument(help="The PNG file to write.")] = Path("screen.png"),
    port: Port = None,
) -> None:
    """Fetch a picture of the screen."""
    with _open(port) as device:
        file.write_bytes(device.screenshot())
    print(file)


@app.command(
    rich_help_panel=_PROJECT,
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def thirdparty(ctx: typer.Context) -> None:
    """Fetch, verify, unpack and patch the third-party sources."""
    from wg.thirdparty.__main__ import main as thirdparty_main

    raise typer.Exit(thirdparty_main(ctx.args))


@app.command(rich_help_panel=_PROJECT)
def system(check: Annotated[bool, typer.Option("--check", help="Only say what is missing.")] = False) -> None:
    """Install the system packages that the build needs, or name them."""
    from wg.process import ToolError
    from wg.setup.system import describe, install_missing, missing

    if not check:
        install_missing()
    absent = missing()
    if absent:
        raise ToolError(describe(absent))
    print("All system packages are there.")


def main() -> int:
    """Entry point of the command. Returns the exit code; errors are one sentence on standard error."""
    from wg.process import ToolError

    # node and the other tools stand beside this program.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    try:
        app()
    except ToolError as error:
        print(f"wg: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        # Every error class of the tool that a person should see carries its exit code.
        code = getattr(error, "code", None)
        if not isinstance(code, int):
            raise
        print(f"wg: {error}", file=sys.stderr)
        return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
