"""A store's catalogue: reading one as the display does, saying what is wrong with it, and making one.

The format is the original's, a JSON list of objects with `name`, `description` and `repository`, and more that is
optional: docs/store.md. The display passes over an entry that can't be right; here each fault is told.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wg.process import ToolError
from wg.widget.report import NotAWidget, inspect

#: The display's limits: firmware/wgdisplay/store.py, net/permissions.py, storage.
MAX_BYTES = 64 * 1024
MAX_ITEMS = 200
MAX_NAME = 64
MAX_DESCRIPTION = 200
MAX_HOSTS = 16
MAX_WIDGET_BYTES = 1024 * 1024
RELEASE = "/releases/latest/download/widget.wasm"
KEYS = ("name", "description", "repository", "url", "version", "sha256", "hosts")

TIMEOUT = 60.0

_LABEL = re.compile(r"[a-z0-9_-]{1,63}\Z")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")


def address(item: dict[str, Any]) -> str | None:
    """Where an entry's widget is downloaded from."""
    url = item.get("url")
    if url is None and isinstance(item.get("repository"), str) and item["repository"]:
        url = item["repository"].rstrip("/") + RELEASE
    return url if isinstance(url, str) else None


def fault_of_address(url: str) -> str | None:
    """Why a display would not take an address, or None."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return f"{url!r} is no http:// or https:// address"
    if "@" in parts.netloc:
        return f"{url!r} has a user name or a password in it"
    try:
        port = parts.port
    except ValueError:
        return f"{url!r} has no valid port"
    if port == 0:
        return f"{url!r} has no valid port"
    fault = fault_of_host(parts.hostname or "")
    return f"{url!r}: {fault}" if fault else None


def fault_of_host(entry: object) -> str | None:
    """Why an entry of `hosts` can't be right, or None."""
    if not isinstance(entry, str):
        return f"{entry!r} is no host: a host is a text"
    if entry == "*":
        return None
    host, port = entry, None
    if entry.startswith("["):
        host, found, rest = entry[1:].partition("]")
        if not found or ":" not in host or (rest and not rest.startswith(":")):
            return f"{entry!r} is no host"
        port = rest[1:] if rest else None
    elif entry.count(":") == 1:
        host, _, port = entry.partition(":")
    if port is not None and not (
        port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536
    ):
        return f"{entry!r} has no valid port"
    if ":" in host:
        return None if _is_address(host, 6) and "%" not in host else f"{host!r} is no IPv6 address"
    below = host.startswith("*.")
    name = host[2:] if below else host
    labels = name.lower().removesuffix(".").split(".")
    if _NUMBER.match(labels[-1]):
        if below or not _is_address(".".join(labels), 4):
            return f"{entry!r} is no IPv4 address as a.b.c.d"
        return None
    if len(name) > 253 or not all(_LABEL.match(label) for label in labels):
        return f"{entry!r} is no host: give the name alone, in ASCII, without http:// and path"
    return None


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def faults(entries: object) -> Iterator[str]:
    """What is wrong with a catalogue, a sentence for each fault."""
    if not isinstance(entries, list):
        yield "The catalogue is not a list."
        return
    if len(entries) > MAX_ITEMS:
        yield f"It has {len(entries)} entries; a display reads the first {MAX_ITEMS}."
    seen: set[str] = set()
    for number, entry in enumerate(entries, 1):
        name = entry.get("name") if isinstance(entry, dict) else None
        where = f"Entry {number} ({name})" if isinstance(name, str) else f"Entry {number}"
        for fault in _faults_of(entry):
            yield f"{where}: {fault}."
        if isinstance(name, str):
            if name.lower() in seen:
                yield f"{where}: another one has the same name."
            seen.add(name.lower())


def _faults_of(entry: object) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield "it is not an object"
        return
    name = entry.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        yield f"it needs a name of at most {MAX_NAME} characters"
    for key in ("description", "repository", "version"):
        if key in entry and not isinstance(entry[key], str):
            yield f"its {key} is not a text"
    if isinstance(entry.get("description"), str) and len(entry["description"]) > MAX_DESCRIPTION:
        yield f"of its description {MAX_DESCRIPTION} characters are shown"
    url = address(entry)
    if url is None:
        yield "it has neither a repository nor a url to download from"
    elif (fault := fault_of_address(url)) is not None:
        yield fault
    sha256 = entry.get("sha256")
    if sha256 is not None and not (isinstance(sha256, str) and re.fullmatch(r"[0-9a-fA-F]{64}", sha256)):
        yield "its sha256 is not 64 hexadecimal digits"
    hosts = entry.get("hosts")
    if hosts is not None:
        if not isinstance(hosts, list):
            yield 'its hosts are not a list: ["api.example.org"], ["*"] for any public one, [] for none'
        else:
            if len(hosts) > MAX_HOSTS:
                yield f"it has more than {MAX_HOSTS} hosts"
            for host in hosts:
                if (fault := fault_of_host(host)) is not None:
                    yield fault
    for key in entry:
        if key not in KEYS:
            yield f"{key!r} means nothing to a display"


def read(source: str) -> list[Any]:
    """The entries of a catalogue, a file or an address. Raises ToolError if it can't be read at all."""
    data = fetch(source, MAX_BYTES) if "://" in source else _file(Path(source))
    if len(data) > MAX_BYTES:
        raise ToolError(f"{source} has more than {MAX_BYTES} bytes, which no display reads.")
    try:
        entries = json.loads(data)
    except ValueError as error:
        raise ToolError(f"{source} is not JSON: {error}.") from error
    return entries  # type: ignore[no-any-return]


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ToolError(f"{path} can't be read: {error.strerror}.") from error


def fetch(url: str, most: int) -> bytes:
    """What is at an address, at most one byte more than `most`. Raises ToolError."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            return bytes(response.read(most + 1))
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise ToolError(f"{url} can't be fetched: {reason}.") from error


def faults_of_file(item: dict[str, Any]) -> Iterator[str]:
    """Downloads an entry's widget and compares it with what the entry says."""
    name, url = item.get("name"), address(item)
    if url is None or fault_of_address(url) is not None:
        return
    try:
        data = fetch(url, MAX_WIDGET_BYTES)
        yield from (f"{name}: {fault}" for fault in _faults_of_bytes(data, item))
    except ToolError as error:
        yield f"{name}: {error}"


def _faults_of_bytes(data: bytes, item: dict[str, Any]) -> Iterator[str]:
    if len(data) > MAX_WIDGET_BYTES:
        yield f"The file is larger than {MAX_WIDGET_BYTES} bytes."
        return
    if item.get("sha256") and item["sha256"].lower() != hashlib.sha256(data).hexdigest():
        yield "The file's SHA-256 is another one than the entry's."
    try:
        yield from inspect(data).problems
    except NotAWidget as error:
        yield str(error)
        return
    said = describe(data)
    if said is not None:
        if said["name"] != item.get("name"):
            yield f"The widget calls itself {said['name']!r}: under that name it is installed."
        if item.get("version") not in (None, said["version"]):
            yield f"The widget says that it is version {said['version']}, the entry says {item['version']}."


def describe(data: bytes) -> dict[str, str] | None:
    """Name and version as the widget itself says them, under the reference host; None if that is not installed."""
    from wg.widget import preview

    return preview.describe(data)


def build(files: list[Path], base: str, about: dict[str, Any]) -> list[dict[str, Any]]:
    """A catalogue of widgets' files that will lie side by side at the address `base`.

    about: by file name without .wasm, what the files don't say: description, repository, hosts. Raises ToolError.
    """
    items = []
    for path in files:
        data = _file(path)
        try:
            problems = inspect(data).problems
        except NotAWidget as error:
            problems = [str(error)]
        said = None if problems else describe(data)
        if problems or said is None:
            why = problems[0] if problems else "`make setup` brings the reference host that reads its name."
            raise ToolError(f"{path}: {why}")
        more = about.get(path.stem, {})
        item: dict[str, Any] = {
            "name": said["name"],
            "description": more.get("description", ""),
            "repository": more.get("repository", ""),
            "url": f"{base.rstrip('/')}/{urllib.parse.quote(path.name)}",
            "version": said["version"],
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        if "hosts" in more:
            item["hosts"] = more["hosts"]
        items.append(item)
    wrong = next(faults(items), None)
    if wrong is not None:
        raise ToolError(wrong)
    unknown = sorted(set(about) - {path.stem for path in files})
    if unknown:
        raise ToolError(f"There is no file {unknown[0]}.wasm.")
    return items
