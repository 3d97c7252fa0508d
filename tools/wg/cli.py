"""The command `wg`: boards over serial, the simulated board, widgets, third-party sources.

Exit codes: 0 done; 1 the command failed; 2 it was called wrongly; 3 the board can't be reached. Of several boards the
worst one counts.
"""

import importlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

#: Groups of commands that live in modules of their own, loaded when they are used.
LAZY = {
    "layout": ("wg.flash.cli", "The flash layout"),
    "keys": ("wg.release.cli:keys", "Keys of releases"),
    "ota": ("wg.release.update:command", "Update over the air"),
    "ota-serve": ("wg.release.cli:serve_command", "Serve a release"),
    "release": ("wg.release.cli:release_command", "Make a signed release"),
    "sim": ("wg.sim.cli", "The simulated board"),
    "store": ("wg.store.cli", "What can be installed"),
    "widget": ("wg.widget.cli", "Build, check, preview"),
}


#: The first help page: what there is, by what one wants to do. A command that is not named here comes last.
_PAGE = {
    "Set up": "devices setup flash shell",
    "Look": "status list logs crashes screenshot",
    "Widgets": "store install configure schema run remove limits hosts",
    "Settings": "wifi set background",
    "Boards": "backup restore ota reboot",
    "Project": "",
}
_COLUMN = 35


class _Group(TyperGroup):
    """Finds the groups of LAZY too, without loading them for other commands' sake. Its help fits a screen."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        left = {name: self._short(ctx, name) for name in self.list_commands(ctx)}
        lines = ["Usage: wg COMMAND ... [--port PORT | --all] [--json]", ""]
        for title, names in _PAGE.items():
            chosen = [name for name in names.split() if name in left] if names else list(left)
            cells = [f"{name:11}{left.pop(name)}"[: _COLUMN - 1] for name in chosen]
            for at in range(0, len(cells), 2):
                head = title if at == 0 else ""
                lines.append(
                    f"{head:10}" + "".join(f"{cell:{_COLUMN}}" for cell in cells[at : at + 2]).rstrip()
                )
        lines += [
            "",
            "wg COMMAND --help says more. PORT: /dev/ttyACM0, a pty or rfc2217://HOST:NUMBER;",
            "else WG_PORT or the only board. `wg --install-completion` for the Tab key.",
        ]
        print("\n".join(line[:80] for line in lines))

    def _short(self, ctx: Any, name: str) -> str:
        if name in LAZY:
            text = LAZY[name][1]
        else:
            command = super().get_command(ctx, name)
            text = (command.help or "").strip().split("\n")[0] if command else ""
        text = text.split(":")[0].rstrip(".")
        room = _COLUMN - 12
        return text if len(text) <= room else text[: room - 2].rsplit(" ", 1)[0] + " .."

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


def _known_ports() -> list[str]:
    from wg.device import find_ports

    return [port.name for port in find_ports()]


Port = Annotated[
    list[str] | None,
    typer.Option(
        "--port",
        "-p",
        metavar="PORT",
        help="The board's port; may be given again.",
        autocompletion=_known_ports,
    ),
]
OnePort = Annotated[
    str | None,
    typer.Option("--port", "-p", metavar="PORT", help="The board's port.", autocompletion=_known_ports),
]
All = Annotated[bool, typer.Option("--all", help="On all boards that are connected.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The widget's name.")]

_BOARD = "Board"
_PROJECT = "Project"


def _call(
    port: list[str] | None, everyone: bool, as_json: bool, function: str, *arguments: Any, **named: Any
) -> None:
    # mpremote and pyserial take a while to load: only board commands pay for it.
    from wg.boards import on_each

    on_each(port, everyone, as_json, lambda device, bar: device.call(function, *arguments, **named))


@app.command(rich_help_panel=_BOARD)
def devices(as_json: Json = False) -> None:
    """List the boards here."""
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
        print("No board is connected. `make run` or `wg sim run` starts a simulated one.")


@app.command(rich_help_panel=_BOARD)
def setup(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this widget's settings.")] = None,
    port: OnePort = None,
) -> None:
    """Answer questions.

    The wizard on the board asks for WiFi, time zone, widgets of the store and their settings. Ctrl-C leaves it.
    """
    from wg.device import choose_port
    from wg.terminal import run as terminal

    raise typer.Exit(terminal(choose_port(port), f"wg.setup({name!r})" if name else "wg.setup()"))


@app.command(rich_help_panel=_BOARD)
def shell(port: OnePort = None) -> None:
    """Type at its prompt.

    Ctrl-] or Ctrl-X leaves. The display goes on meanwhile; `wg.help()` lists the board's commands.
    """
    from wg.device import choose_port
    from wg.terminal import run as terminal

    raise typer.Exit(terminal(choose_port(port)))


@app.command(rich_help_panel=_BOARD)
def flash(port: OnePort = None) -> None:
    """Write firmware by USB.

    Builds it first (`make firmware`), which needs ESP-IDF. The board's settings and widgets stay. Later updates go over
    the air: `wg ota`.
    """
    from wg import ROOT
    from wg.process import ToolError

    command = ["make", "-C", str(ROOT), "flash", *([f"PORT={port}"] if port else [])]
    if subprocess.run(command, check=False).returncode:
        raise ToolError(
            "The firmware was not written: what make said stands above. docs/hardware.md has the steps."
        )


@app.command(rich_help_panel=_BOARD)
def status(port: Port = None, everyone: All = False, as_json: Json = False) -> None:
    """Network, time, problems."""
    _call(port, everyone, as_json, "status")


@app.command("list", rich_help_panel=_BOARD)
def list_widgets(port: Port = None, everyone: All = False, as_json: Json = False) -> None:
    """The installed widgets."""
    _call(port, everyone, as_json, "list")


@app.command(rich_help_panel=_BOARD)
def wifi(
    network: Annotated[str, typer.Argument(metavar="NETWORK", help="Its name.")],
    password: Annotated[
        str | None,
        typer.Option("--password", help="Asked for if it is not given; empty for an open network."),
    ] = None,
    port: Port = None,
    everyone: All = False,
    as_json: Json = False,
) -> None:
    """Join a WiFi network."""
    if password is None:
        password = os.environ.get("WG_WIFI_PASSWORD")
    if password is None:
        password = typer.prompt(
            f"Password of {network}", hide_input=True, default="", show_default=False, err=True
        )
    _call(port, everyone, as_json, "wifi", network, password)


@app.command(rich_help_panel=_BOARD)
def install(
    widget: Annotated[
        str, typer.Argument(metavar="WIDGET", help="Name in the store, address, or a file here.")
    ],
    config: Annotated[str | None, typer.Option("--config", help="Its settings, as JSON or @FILE.")] = None,
    port: Port = None,
    everyone: All = False,
    as_json: Json = False,
) -> None:
    """Install a widget."""
    from wg.boards import Bar, on_each
    from wg.device import Device, read_file

    settings = _json_of(config) if config is not None else None
    file = Path(widget)
    data = read_file(file) if widget.endswith(".wasm") and "://" not in widget else None

    def work(device: Device, bar: Bar) -> Any:
        if data is None:
            bar(0, 1, f"Installing {widget}")
            answer = device.call("install", widget)
        else:
            target = f"/{file.name}"
            bar(0, len(data), f"Sending {file.name}")
            device.upload(data, target, lambda sent: bar(sent, len(data)))
            try:
                answer = device.call("install", target)
            finally:
                device.delete(target)
        if settings is not None:
            device.call("configure", answer.value["name"], settings)
        return answer

    on_each(port, everyone, as_json, work, f"Installing {file.name}")


def _json_of(text: str) -> Any:
    """JSON from the command line: the text itself, or @FILE."""
    from wg.device import read_file

    text = read_file(Path(text[1:])).decode() if text.startswith("@") else text
    try:
        return json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"the settings are not JSON: {error}") from error


@app.command(rich_help_panel=_BOARD)
def configure(
    name: Name,
    settings: Annotated[
        str | None, typer.Argument(metavar="[JSON]", help='\'{"zone": "UTC"}\', or @FILE; without it: show.')
    ] = None,
    port: Port = None,
    everyone: All = False,
    as_json: Json = False,
) -> None:
    """Set a widget's values.

    They are checked against the widget's schema (`wg schema NAME`). `wg setup NAME` asks for them instead.
    """
    if settings is None:
        _call(port, everyone, as_json, "configure", name)
    else:
        _call(port, everyone, as_json, "configure", name, _json_of(settings))


@app.command(rich_help_panel=_BOARD)
def schema(name: Name, port: OnePort = None, as_json: Json = False) -> None:
    """What can be set."""
    _call([port] if port else None, False, as_json, "schema", name)


@app.command(rich_help_panel=_BOARD)
def run(name: Name, port: Port = None, everyone: All = False, as_json: Json = False) -> None:
    """Run it, show its text."""
    _call(port, everyone, as_json, "run", name)


@app.command(rich_help_panel=_BOARD)
def remove(name: Name, port: Port = None, everyone: All = False, as_json: Json = False) -> None:
    """Remove a widget."""
    _call(port, everyone, as_json, "remove", name)


@app.command(rich_help_panel=_BOARD)
def limits(
    name: Name,
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=N]...", help="To set, deadline_ms=5000; KEY= : default."),
    ] = None,
    port: Port = None,
    everyone: All = False,
    as_json: Json = False,
) -> None:
    """A widget's quotas."""
    values: dict[str, int | None] = {}
    for setting in settings or ():
        key, equals, number = setting.partition("=")
        if not equals or not key.isidentifier() or not (number.isdecimal() or not number):
            raise typer.BadParameter(f"{setting!r} is not KEY=NUMBER")
        values[key] = int(number) if number else None
    _call(port, everyone, as_json, "limits", name, **values)


@app.command("set", rich_help_panel=_BOARD)
def set_(
    key: Annotated[str, typer.Argument(metavar="KEY", help="hostname, ntp, store, zone ...")],
    value: Annotated[str | None, typer.Argument(metavar="[VALUE]", help="Without it: the default.")] = None,
    port: Port = None,
    everyone: All = False,
) -> None:
    """Change a setting."""
    _call(port, everyone, False, "set", key, value)


@app.command(rich_help_panel=_BOARD)
def background(
    color: Annotated[str | None, typer.Argument(metavar="[#RRGGBB]", help="Without it: show.")] = None,
    port: Port = None,
    everyone: All = False,
    as_json: Json = False,
) -> None:
    """The background colour."""
    _call(port, everyone, as_json, "background", *([color] if color else []))


@app.command(rich_help_panel=_BOARD)
def logs(
    source: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Of this widget only.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    level: Annotated[
        str, typer.Option(metavar="LEVEL", help="debug, info, warn or error, and above.")
    ] = "debug",
    before: Annotated[bool, typer.Option("--before", help="From before the last reset.")] = False,
    port: Port = None,
    everyone: All = False,
    as_json: Json = False,
) -> None:
    """Show, follow the log."""
    if not follow:
        _call(port, everyone, as_json, "logs", source=source, level=level, before=before)
        return
    from wg.boards import ports_of
    from wg.device import Device, DeviceError

    ports = ports_of(port, everyone)
    if len(ports) == 1:
        with Device(ports[0]) as device:
            try:
                device.follow_logs(lambda line: print(line, flush=True), source, level)
            except KeyboardInterrupt:
                pass
        return
    # Each in a thread of its own; Ctrl-C comes to this one.
    following: list[Device] = []
    failed: list[Exception] = []

    def one(name: str) -> None:
        try:
            with Device(name) as device:
                following.append(device)
                device.follow_logs(lambda line: print(f"{name}: {line}", flush=True), source, level)
        except DeviceError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed.append(error)

    threads = [threading.Thread(target=one, args=(name,), daemon=True) for name in ports]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.1)
    except KeyboardInterrupt:
        for device in following:
            device.stop_following()
        for thread in threads:
            thread.join(3)
    if failed:
        raise typer.Exit(max(getattr(error, "code", 1) for error in failed))


@app.command(rich_help_panel=_BOARD)
def crashes(
    clear: Annotated[bool, typer.Option("--clear", help="Forget them.")] = False,
    port: Port = None,
    everyone: All = False,
    as_json: Json = False,
) -> None:
    """What went down."""
    _call(port, everyone, as_json, "crashes", clear)


@app.command(rich_help_panel=_BOARD)
def screenshot(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="The PNG file to write.")] = Path(
        "screen.png"
    ),
    port: OnePort = None,
) -> None:
    """Fetch the screen."""
    from wg.boards import on_each

    def work(device: Any, bar: Any) -> str:
        file.write_bytes(device.screenshot())
        return str(file)

    on_each([port] if port else None, False, False, work, "Reading the screen")


@app.command(rich_help_panel=_BOARD)
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The ZIP file to write.")],
    secrets: Annotated[bool, typer.Option("--secrets", help="With passwords and tokens.")] = False,
    port: OnePort = None,
) -> None:
    """All into a file."""
    from wg.backup import save
    from wg.boards import on_each

    on_each([port] if port else None, False, False, lambda d, bar: save(d, file, secrets, bar), "Reading")


@app.command(rich_help_panel=_BOARD)
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `wg backup` wrote.")],
    port: Port = None,
    everyone: All = False,
    as_json: Json = False,
) -> None:
    """Bring a backup back."""
    from wg.backup import load
    from wg.boards import on_each

    on_each(port, everyone, as_json, lambda device, bar: load(device, file, bar), "Restoring")


@app.command(rich_help_panel=_BOARD)
def reboot(
    safe: Annotated[bool, typer.Option("--safe", help="Once without widgets.")] = False,
    port: Port = None,
    everyone: All = False,
) -> None:
    """Restart the board."""
    from wg.boards import on_each

    on_each(port, everyone, False, lambda device, bar: device.reboot(safe))


@app.command(
    rich_help_panel=_PROJECT,
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def thirdparty(ctx: typer.Context) -> None:
    """Third-party sources."""
    from wg.thirdparty.__main__ import main as thirdparty_main

    raise typer.Exit(thirdparty_main(ctx.args))


@app.command(rich_help_panel=_PROJECT)
def system(check: Annotated[bool, typer.Option("--check", help="Only say what is missing.")] = False) -> None:
    """System packages.

    Installs what the build needs, or names it.
    """
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
