"""`wg release`, `wg keys`, `wg ota-serve`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from wg import ROOT
from wg.release import image as images
from wg.release import keys as keyring
from wg.release import manifest, simulated

#: What the builds leave: name of the target, image or program.
BUILT = {
    "esp32s3": ROOT / "build" / "esp32s3" / "app.bin",
    "sim": ROOT / "build" / "sim" / "wgdisplay",
    "sim32": ROOT / "build" / "sim32" / "wgdisplay",
}
OUT = ROOT / "build" / "release"
#: What the simulated board trusts, unless it was built with RELEASE_KEYS=.
DEV_KEY = ROOT / "build" / "keys" / "sim" / "dev.key"

_release = typer.Typer(add_completion=False)


@_release.command()
def release(
    what: Annotated[str, typer.Argument(help="An app image, or esp32s3, sim, sim32.")] = "esp32s3",
    out: Annotated[
        Path, typer.Option(help="The folder to serve. Default: build/release.", show_default=False)
    ] = OUT,
    version: Annotated[str | None, typer.Option(help="Default: what the image says.")] = None,
    board: Annotated[str | None, typer.Option(help="Default: what the image says.")] = None,
    minimum: Annotated[str, typer.Option(help="The oldest that may install it.")] = "0",
    notes: Annotated[str, typer.Option(help="What is new. @FILE reads a file.")] = "",
    key: Annotated[
        list[Path] | None,
        typer.Option(help="Sign with this private key, and each one named. Default: those of `wg keys`."),
    ] = None,
    overlay: Annotated[
        Path | None,
        typer.Option(help="For sim, sim32: Python files in place of frozen ones."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Also if it trusts none of the keys.")] = False,
) -> None:
    """Make and sign a release: a folder that any static web server or CDN can serve."""
    path = BUILT.get(what, Path(what))
    if what in ("sim", "sim32"):
        data = simulated.program_image(path, overlay, version)
    elif overlay is not None:
        raise manifest.ReleaseError("only images of the simulated board can have an overlay")
    else:
        try:
            data = path.read_bytes()
        except OSError as error:
            hint = ": run `make firmware` first" if what in BUILT else ""
            raise manifest.ReleaseError(f"{path} can't be read{hint} ({error.strerror})") from error
    image = images.read(data)
    folder = keyring.folder()
    if key:
        signers = [keyring.load(each) for each in key]
    elif what in ("sim", "sim32") and DEV_KEY.exists():
        signers = [keyring.load(DEV_KEY)]
    else:
        signers = keyring.signing_keys(folder)
    if notes.startswith("@"):
        try:
            notes = Path(notes[1:]).read_text().strip()
        except (OSError, UnicodeError) as error:
            raise manifest.ReleaseError(f"the notes {notes[1:]} can't be read: {error}") from error
    content = manifest.statement(image, version=version, board=board, minimum=minimum, notes=notes)
    trusted = manifest.trusted_by(image, [signer.public for signer in signers])
    if not trusted and not force:
        raise manifest.ReleaseError(
            "this firmware trusts none of the keys that sign it, so the boards that install it could never be "
            "updated again: build it with RELEASE_KEYS=, or say --force"
        )
    made = manifest.write(out, image, content, signers)
    print(f"{made.folder / manifest.FILE}")
    print(f"  firmware   {content['version']} for {content['board']} ({image.chip}), {content['size']} bytes")
    for public in made.signed_by:
        mark = "" if public in trusted else "; this firmware does not trust it"
        print(f"  signed by  {public.id} {public.name}{mark}")


keys = typer.Typer(help="The keys that releases are signed with.", no_args_is_help=True)


def _describe(entry: keyring.Entry) -> str:
    state = "retired" if entry.retired else "active"
    return state if entry.private else state + ", no private key here"


@keys.command("new")
def new_key(
    name: Annotated[str, typer.Argument(help="A name for it.")],
    passphrase: Annotated[
        bool, typer.Option("--passphrase", help="Ask for a passphrase to encrypt it with.")
    ] = False,
) -> None:
    """Make a key. New firmware trusts it, releases are signed with it."""
    secret = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True) if passphrase else None
    made = keyring.new(name, keyring.folder(), secret)
    print(f"{made.public.id} {name} is in {keyring.folder()}. Keep a copy of {name}.key in a safe place:")
    print("without it, boards whose firmware trusts no other key can only be updated over USB.")
    print(f"Firmware that trusts it: make firmware RELEASE_KEYS={keyring.folder()}")


@keys.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")] = False,
) -> None:
    """List the keys."""
    found = keyring.entries(keyring.folder())
    if as_json:
        rows = [{"id": e.public.id, "name": e.public.name, "state": _describe(e)} for e in found]
        print(json.dumps(rows))
        return
    for entry in found:
        print(f"{entry.public.id}  {entry.public.name:<20} {_describe(entry)}")
    if not found:
        print(f"There is no key in {keyring.folder()}. `wg keys new NAME` makes one.")


@keys.command("rotate")
def rotate_keys(
    name: Annotated[str | None, typer.Argument(help="A name for the new key. Default: today's date.")] = None,
) -> None:
    """Make a further key, which will take the place of the others."""
    where = keyring.folder()
    before = [entry.public.name for entry in keyring.entries(where) if not entry.retired]
    if not before:
        raise keyring.KeysError(f"there is no key in {where} to rotate: make one with `wg keys new NAME`")
    made = keyring.new(name or time.strftime("%Y-%m-%d"), where)
    print(
        f"{made.public.id} {made.public.name} is made. From now on releases are signed with it as well. Next:"
    )
    print(f"1. Build and release firmware that trusts both: make firmware RELEASE_KEYS={where}")
    print(
        "2. When the boards have it, retire the old: " + ", ".join(f"wg keys retire {old}" for old in before)
    )
    print("3. Build and release firmware again; it trusts the new key only.")


@keys.command("retire")
def retire_key(name: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """New firmware does not trust this key any more. It goes on signing, for boards with older firmware."""
    keyring.retire(name, keyring.folder())
    print(f"{name} is retired: firmware that is built from now on does not trust it.")


_serve = typer.Typer(add_completion=False)


@_serve.command()
def ota_serve(
    folder: Annotated[Path, typer.Argument(help="The release folder.")] = OUT,
    port: Annotated[int, typer.Option(help="TCP port; 0: any free one.")] = 8070,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "0.0.0.0",
) -> None:
    """Serve a release folder in the local network, until Ctrl-C."""
    from wg.release.serve import ReleaseServer, own_address

    if not folder.is_dir():
        raise manifest.ReleaseError(f"there is no folder {folder}: make a release first, with `wg release`")
    address = own_address() if host in ("0.0.0.0", "") else host
    try:
        server = ReleaseServer(folder, host, port, lambda line: print(line, flush=True))
    except OSError as error:
        raise manifest.ReleaseError(f"port {port} can't be had: {error.strerror}; try --port 0") from error
    with server:
        print(
            f'wg.ota("http://{address}:{server.port}/") on a board installs what is in {folder}', flush=True
        )
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass


release_command = typer.main.get_command(_release)
serve_command = typer.main.get_command(_serve)
