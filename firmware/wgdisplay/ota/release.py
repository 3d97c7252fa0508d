"""A release's manifest: by whom it was signed and what it says.

    wg-display-release 1
    sign 1f2e3d4c MEUCIQ...            one line a key: its id, the signature in Base64
                                       an empty line; what follows is signed, byte by byte
    {"version": "1.4.0", "board": "esp32s3", "size": 1893456, "sha256": "...", "image": "....bin",
     "minimum": "1.0.0", "notes": "..."}

Nothing of the statement is looked at before one signature by a trusted key was found right.
"""

import hashlib
import json
from binascii import a2b_base64, hexlify, unhexlify

from micropython import const

FILE = "release.manifest"
MAX_BYTES = const(8 * 1024)  # of a manifest
MAX_KEYS = const(4)  # that a firmware trusts, and signatures that are tried
MAX_NOTES = const(2000)  # characters
_FIRST = b"wg-display-release 1"
_HEX = "0123456789abcdef"


class OtaError(RuntimeError):
    """An update that was refused or failed, in one sentence; the firmware that runs is not touched."""


class Release:
    """What a signed manifest says. `sha256` is 32 bytes; `image` an address relative to the manifest's."""

    def __init__(self, said):
        self.version = _text(said, "version", 32)
        self.board = _text(said, "board", 31)
        self.size = said.get("size")
        if type(self.size) is not int or self.size <= 0:
            raise OtaError("the release's manifest has no valid size")
        digest = _text(said, "sha256", 64)
        if len(digest) != 64 or not all(c in _HEX for c in digest):
            raise OtaError("the release's manifest has no valid sha256")
        self.sha256 = unhexlify(digest)
        self.image = _text(said, "image", 256)
        self.minimum = _text(said, "minimum", 32)
        self.notes = _text(said, "notes", MAX_NOTES)
        ordered(self.version)
        ordered(self.minimum)
        # Beside the manifest, by a plain name: it can't point to another place or scheme.
        if not self.image or self.image.startswith(".") or not all(_plain(c) for c in self.image):
            raise OtaError("the release's manifest names no image beside it")


def _plain(c):
    return "0" <= c <= "9" or "a" <= c <= "z" or "A" <= c <= "Z" or c in "-_.+"


def _text(said, key, most):
    value = said.get(key)
    if not isinstance(value, str) or len(value) > most:
        raise OtaError("the release's manifest has no valid {}".format(key))
    return value


def key_id(der):
    """Eight hexadecimal digits by which people and manifests name a public key."""
    return hexlify(hashlib.sha256(der).digest()[:4]).decode()


def trusted_keys():
    """The public keys that were frozen into this firmware, SubjectPublicKeyInfo in DER."""
    try:
        from wgkeys import KEYS
    except ImportError:
        return ()
    return KEYS[:MAX_KEYS]


def read(data, keys):
    """-> the Release that the bytes of a manifest state, signed by one of `keys`. OtaError."""
    try:
        said = json.loads(_signed(data, keys))
    except ValueError:
        raise OtaError("the release's manifest is signed and is not JSON")
    if not isinstance(said, dict):
        raise OtaError("the release's manifest is signed and is not an object")
    return Release(said)


def _signed(data, keys):
    # The signed bytes.
    from wgrelease import verify

    if not keys:
        raise OtaError(
            "this firmware trusts no key, so it installs no release over the air: flash it over USB, or build it "
            "with RELEASE_KEYS="
        )
    at = data.find(b"\n\n")
    lines = data[:at].split(b"\n") if at > 0 else []
    if not lines or lines[0] != _FIRST:
        raise OtaError("there is no release at that address: what is there is not a manifest")
    body = data[at + 2 :]
    known = {key_id(key): key for key in keys}
    strangers = []
    wrong = None
    for line in lines[1 : 1 + MAX_KEYS]:
        words = line.split(b" ")
        if len(words) != 3 or words[0] != b"sign":
            raise OtaError("the release's manifest has a malformed line before the statement")
        name = "".join(chr(c) for c in words[1][:8] if 32 < c < 127)
        if name not in known:
            strangers.append(name)
            continue
        try:
            if verify(known[name], body, a2b_base64(words[2])):
                return body
        except ValueError:
            pass  # not Base64, or a key that was frozen wrongly
        wrong = name
    if wrong is not None:
        raise OtaError(
            "the release's signature by key {} is wrong: the manifest was altered after it was signed".format(
                wrong
            )
        )
    raise OtaError(
        "the release is signed by {}, and this firmware trusts {}: it is not from its owner".format(
            ", ".join(strangers) or "nobody", ", ".join(sorted(known))
        )
    )


def ordered(version):
    """A value that orders versions: numbers by their size, a pre-release (1.2.0-rc1) before its release. OtaError."""
    numbers, dash, label = version.partition("-")
    parts = numbers.split(".")
    if len(parts) > 4 or not all(0 < len(p) <= 5 and all("0" <= c <= "9" for c in p) for p in parts):
        raise OtaError("{!r} is not a version: numbers with dots between, such as 1.4.0".format(version[:32]))
    if dash and (not label or not all(_plain(c) for c in label)):
        raise OtaError("{!r} is not a version: what follows the dash is not a word".format(version[:32]))
    found = [int(p) for p in parts]
    while len(found) < 4:
        found.append(0)
    return found, not dash, label


def newer(version, than):
    """Whether a version comes after another one."""
    a, b = ordered(version), ordered(than)
    # MicroPython compares lists, but not tuples of lists in one go.
    for x, y in zip(a, b):
        if x != y:
            return x > y
    return False


def suits(release, version, board, downgrade):
    """OtaError unless the release may take the place of firmware `version` on this board."""
    if release.board != board:
        raise OtaError("the release is for the board {}, and this is {}".format(release.board, board))
    if newer(version, release.version) and not downgrade:
        raise OtaError(
            "{} is older than {}, which is running; wg.ota(downgrade=True) installs it all the same".format(
                release.version, version
            )
        )
    if newer(release.minimum, version):
        raise OtaError(
            "{} needs firmware {} or later to be installed first, and this is {}".format(
                release.version, release.minimum, version
            )
        )
