"""Release manifests: what is signed, and the folder that any static web server can serve.

    OUT/<board>/release.manifest                             what boards ask for
    OUT/<board>/wg-display-<board>-<version>-<hash>.bin      the image; its name changes with its bytes

A manifest is text: the line `wg-display-release 1`, a line `sign <key id> <Base64 of the DER signature>` for each key,
an empty line, and the statement, a JSON object. What is signed is the statement, byte by byte as it is served.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wg.release import keys
from wg.release.image import CHIP_ESP32S3, CHIP_SIM, CHIP_SIM32, Image

FILE = "release.manifest"
#: Bytes of a whole manifest that a board reads (firmware/wgdisplay/ota/release.py has the same number).
MAX_BYTES = 8 * 1024
MAX_NOTES = 2000

_FIRST = b"wg-display-release 1\n"
_VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){0,3}(-[0-9A-Za-z.]{1,16})?")
_BOARDS = {CHIP_ESP32S3: "esp32s3", CHIP_SIM: "sim", CHIP_SIM32: "sim32"}


class ReleaseError(Exception):
    """A release that can't be made or read, a sentence. `code` is the exit code of a command that ends in it."""

    code = 1


@dataclass(frozen=True)
class Release:
    """What was written."""

    folder: Path
    statement: dict[str, object]
    signed_by: list[keys.PublicKey]


def statement(
    image: Image,
    *,
    version: str | None = None,
    board: str | None = None,
    minimum: str = "0",
    notes: str = "",
) -> dict[str, object]:
    """What a release says of an image. Version and board are the image's own, where it knows them."""
    version = _agreed("version", version, image.version)
    board = _agreed("board", board, image.board or _BOARDS.get(image.chip_id))
    for text in (version, minimum):
        if not _VERSION.fullmatch(text):
            raise ReleaseError(
                f"{text!r} is not a version: numbers with dots between, such as 1.4.0 or 1.5.0-rc1"
            )
    if not re.fullmatch(r"[a-z0-9_-]{1,31}", board):
        raise ReleaseError(f"{board!r} is not a board's name: lower-case letters, digits, - and _")
    if len(notes) > MAX_NOTES:
        raise ReleaseError(f"the release notes have {len(notes)} characters, more than {MAX_NOTES}")
    return {
        "version": version,
        "board": board,
        "size": len(image.data),
        "sha256": image.sha256,
        "image": f"wg-display-{board}-{version}-{image.sha256[:8]}.bin",
        "minimum": minimum,
        "notes": notes,
    }


def _agreed(what: str, given: str | None, own: str | None) -> str:
    if given and own and given != own:
        raise ReleaseError(f"the image says that its {what} is {own}, not {given}")
    found = given or own
    if not found:
        raise ReleaseError(f"the image does not say its {what}: give it with --{what}")
    return found


def sign(content: dict[str, object], signers: Sequence[keys.SigningKey]) -> bytes:
    """The manifest's bytes, signed by each of the keys."""
    body = (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
    lines = [
        f"sign {key.public.id} {base64.b64encode(key.sign(body)).decode()}\n".encode() for key in signers
    ]
    data = _FIRST + b"".join(lines) + b"\n" + body
    if len(data) > MAX_BYTES:
        raise ReleaseError(f"the manifest has {len(data)} bytes, more than {MAX_BYTES}: shorten the notes")
    return data


def split(data: bytes) -> tuple[list[tuple[str, bytes]], bytes]:
    """-> ([(key id, signature)...], the signed bytes). Raises ReleaseError."""
    head, found, body = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if not found or lines[0] + b"\n" != _FIRST:
        raise ReleaseError("this is not a release's manifest")
    signatures = []
    for line in lines[1:]:
        words = line.split(b" ")
        if len(words) != 3 or words[0] != b"sign":
            raise ReleaseError("the manifest has a malformed line")
        signatures.append((words[1].decode("ascii", "replace"), base64.b64decode(words[2])))
    return signatures, body


def write(out: Path, image: Image, content: dict[str, object], signers: Sequence[keys.SigningKey]) -> Release:
    """Writes the folder: the image first, and the manifest by a rename, so that a server never shows half of it."""
    folder = out / str(content["board"])
    folder.mkdir(parents=True, exist_ok=True)
    manifest = sign(content, signers)
    for name, data in ((str(content["image"]), image.data), (FILE, manifest)):
        beside = folder / (name + ".new")
        beside.write_bytes(data)
        os.replace(beside, folder / name)
    return Release(folder, content, [key.public for key in signers])


def trusted_by(image: Image, known: Sequence[keys.PublicKey]) -> list[keys.PublicKey]:
    """Which of these keys the image's firmware trusts: their bytes are frozen in it."""
    return [key for key in known if key.der in image.data]
