"""`python -m wg.roots OUT_FOLDER`: makes the package `wgroots`, the certificates in DER, from certifi's list in PEM."""

from __future__ import annotations

import argparse
import base64
import hashlib
import re
import sys
from pathlib import Path

from wg.setup.python import install

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
#: Fewer would mean that the list was not understood.
_LEAST = 50


def certificates(pem: str) -> list[bytes]:
    """The certificates of a PEM list in DER, each once, in its order. Raises ValueError if there are too few."""
    found = dict.fromkeys(base64.b64decode(body, validate=False) for body in _PEM.findall(pem))
    if len(found) < _LEAST or not all(der.startswith(b"\x30\x82") for der in found):
        raise ValueError(f"{len(found)} root certificates were found: this is not certifi's list")
    return list(found)


def _element(der: bytes, at: int) -> tuple[int, int]:
    """The begin of the content and the end of the DER element at `at` (X.690, 8.1)."""
    size = der[at + 1]
    if size < 0x80:
        return at + 2, at + 2 + size
    count = size & 0x7F
    begin = at + 2 + count
    return begin, begin + int.from_bytes(der[at + 2 : begin], "big")


def subject(der: bytes) -> bytes:
    """The subject of a certificate, a DER Name (RFC 5280, 4.1)."""
    at, _ = _element(der, _element(der, 0)[0])
    if der[at] == 0xA0:  # the version
        at = _element(der, at)[1]
    for _ in ("serial number", "signature", "issuer", "validity"):
        at = _element(der, at)[1]
    return der[at : _element(der, at)[1]]


def source(found: list[bytes]) -> str:
    """A MicroPython module: the certificates as constants, so that they stay in flash when frozen.

    SUBJECTS has the first 8 bytes of the SHA-256 of each one's subject, to find an issuer's certificate by.
    """
    lines = [
        f'"""{len(found)} root certificates, DER: made by wg.roots, not to be edited."""',
        "",
        f"SUBJECTS = {b''.join(hashlib.sha256(subject(der)).digest()[:8] for der in found)!r}",
        "",
        "CERTIFICATES = (",
    ]
    lines += [f"    {der!r}," for der in found]
    return "\n".join([*lines, ")", ""])


def main() -> int:
    parser = argparse.ArgumentParser(prog="wg.roots", description=__doc__)
    parser.add_argument("out", type=Path, help="folder to put the package wgroots into")
    out: Path = parser.parse_args().out
    target = out / "pypi"
    install(REQUIREMENTS, Path(sys.executable), "--upgrade", "--target", target)
    pem = target / "certifi" / "cacert.pem"
    package = out / "wgroots"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(source(certificates(pem.read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
