"""The keys that releases are signed with: ECDSA on P-256, in PEM files, by the package `cryptography`.

A key is two files in the key folder: `NAME.key` (private, PKCS#8, for its owner's eyes only, encrypted if a passphrase
was given) and `NAME.pub` (public). The public ones are what new firmware trusts; a retired key is `NAME.retired`
instead: it still signs, for boards with older firmware, and new firmware does not trust it any more.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

#: Keys that a firmware may trust, and signatures that a release may carry (firmware/wgdisplay/ota/release.py).
MAX_KEYS = 4
#: Environment variables: another key folder, and the passphrase of encrypted keys.
FOLDER_VARIABLE = "WG_KEYS"
PASSPHRASE_VARIABLE = "WG_KEY_PASSPHRASE"


class KeysError(Exception):
    """A key that can't be had, a sentence. `code` is the exit code of a command that ends in it."""

    code = 1


@dataclass(frozen=True)
class PublicKey:
    """A key as a board knows it: `der` is its SubjectPublicKeyInfo."""

    name: str
    der: bytes

    @property
    def id(self) -> str:
        """Eight hexadecimal digits by which people and manifests name it."""
        return hashlib.sha256(self.der).hexdigest()[:8]

    def verify(self, message: bytes, signature: bytes) -> bool:
        key = serialization.load_der_public_key(self.der)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        try:
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """A private key."""

    public: PublicKey
    private: ec.EllipticCurvePrivateKey

    def sign(self, message: bytes) -> bytes:
        """The signature in DER."""
        return self.private.sign(message, ec.ECDSA(hashes.SHA256()))


def folder() -> Path:
    """The key folder: WG_KEYS, else below the user's configuration."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "wg-display" / "keys"


def new(name: str, where: Path, passphrase: str | None = None) -> SigningKey:
    """Makes a key. Raises KeysError if there is one of that name."""
    if not name or not all(c.isascii() and (c.isalnum() or c in "-_") for c in name):
        raise KeysError(f"a key's name is of letters, digits, - and _, not {name!r}")
    for suffix in (".key", ".pub", ".retired"):
        if (where / (name + suffix)).exists():
            raise KeysError(f"there is a key {name} in {where} already")
    private = ec.generate_private_key(ec.SECP256R1())
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    descriptor = os.open(where / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    (where / f"{name}.pub").write_bytes(
        private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return SigningKey(PublicKey(name, _der(private.public_key())), private)


def _der(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def load(path: Path, passphrase: str | None = None) -> SigningKey:
    """Reads a private key. Raises KeysError."""
    passphrase = passphrase or os.environ.get(PASSPHRASE_VARIABLE)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise KeysError(f"the key {path} can't be read: {error.strerror}") from error
    try:
        private = serialization.load_pem_private_key(data, None)
    except TypeError:
        if not passphrase:
            raise KeysError(
                f"the key {path} is encrypted: put its passphrase into {PASSPHRASE_VARIABLE}"
            ) from None
        try:
            private = serialization.load_pem_private_key(data, passphrase.encode())
        except ValueError:
            raise KeysError(f"the passphrase of the key {path} is another one") from None
    except ValueError as error:
        raise KeysError(f"{path} is not a private key in PEM") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise KeysError(f"{path} is not a P-256 key: make one with `wg keys new NAME`")
    return SigningKey(PublicKey(path.stem, _der(private.public_key())), private)


def load_public(path: Path) -> list[PublicKey]:
    """The public keys of a PEM file (one after the other) or of the `.pub` files of a folder. Raises KeysError."""
    if path.is_dir():
        return [key for file in sorted(path.glob("*.pub")) for key in load_public(file)]
    try:
        text = path.read_text()
    except (OSError, UnicodeError) as error:
        raise KeysError(f"the public key {path} can't be read: {error}") from error
    found = []
    end = "-----END PUBLIC KEY-----"
    for part in text.split(end)[:-1]:
        try:
            key = serialization.load_pem_public_key((part + end + "\n").lstrip().encode())
        except ValueError as error:
            raise KeysError(f"{path} holds something else than public keys in PEM") from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise KeysError(f"{path} holds a key that is not a P-256 key")
        found.append(PublicKey(path.stem, _der(key)))
    if not found:
        raise KeysError(f"{path} holds no public key in PEM")
    return found


@dataclass(frozen=True)
class Entry:
    """A key of the folder."""

    public: PublicKey
    private: Path | None
    retired: bool


def entries(where: Path) -> list[Entry]:
    """The keys of a folder, by name. Raises KeysError if one can't be read."""
    found = []
    for path in sorted([*where.glob("*.pub"), *where.glob("*.retired")]):
        private = path.with_suffix(".key")
        [public] = load_public(path)
        found.append(Entry(public, private if private.exists() else None, path.suffix == ".retired"))
    return found


def signing_keys(where: Path) -> list[SigningKey]:
    """All private keys of a folder, retired ones too: each signs. Raises KeysError if there is none, or too many."""
    found = [load(entry.private) for entry in entries(where) if entry.private is not None]
    if not found:
        raise KeysError(f"there is no key in {where}: make one with `wg keys new NAME`")
    if len(found) > MAX_KEYS:
        raise KeysError(
            f"a release carries at most {MAX_KEYS} signatures and {where} has {len(found)} keys: "
            "move the private key away that no board needs any more"
        )
    return found


def retire(name: str, where: Path) -> None:
    """New firmware does not trust this key any more. Raises KeysError."""
    active = [entry for entry in entries(where) if not entry.retired]
    if name not in [entry.public.name for entry in active]:
        raise KeysError(f"there is no active key {name} in {where}; `wg keys list` shows what there is")
    if len(active) == 1:
        raise KeysError(f"{name} is the only active key: make another one first, with `wg keys rotate`")
    (where / f"{name}.pub").rename(where / f"{name}.retired")
