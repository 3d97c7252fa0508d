"""Files of a Python package index, by name: downloaded and nothing else, since pip runs a source distribution's build,
and fetches what that needs, even if only the file is wanted. The places are those that pip is set to."""

import html.parser
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from wg.process import ToolError, run

#: Seconds that a server may be silent, and how often it is asked.
_SILENT = 60.0
_TRIES = 3
_PAUSE = 2.0
#: Bytes of a page; the longest of the public index have some megabytes.
_PAGE_SIZE = 64 << 20


def download(python: Path, project: str, file: str, folder: Path) -> None:
    """Puts the project's file into `folder`. `python` is the interpreter whose pip names the places.

    Nothing is checked but that the file is there. Raises ToolError with one sentence for each place without it.
    """
    settings = _pip_settings(python)
    context = ssl.create_default_context(cafile=settings.get("cert") or None)
    failures = []
    for place in settings.get("find-links", "").split():
        if (Path(place) / file).is_file():
            (folder / file).write_bytes((Path(place) / file).read_bytes())
            return
    for index in _indexes(python, settings):
        page = _directory(f"{index.rstrip('/')}/{_normalized(project)}/")
        try:
            found = _link(_get(page, context, _PAGE_SIZE).decode("utf-8", "replace"), file)
            if found is not None:
                (folder / file).write_bytes(_get(urllib.parse.urljoin(page, found), context))
                return
            failures.append(f"{index} has no file {file} of {project}")
        except (OSError, ValueError) as error:
            failures.append(f"{index}: {error}")
    raise ToolError("; ".join(failures) or f"there is no index to ask for {file}")


def _pip_settings(python: Path) -> dict[str, str]:
    """pip's settings by option, as its files and the environment give them; the environment comes first."""
    found: dict[str, tuple[int, str]] = {}
    ranks = {":env:": 2, "download": 1, "global": 0}
    for line in run([python, "-m", "pip", "config", "list"], timeout=_SILENT).splitlines():
        match = re.fullmatch(r"(:env:|download|global)\.([\w-]+)='(.*)'", line)
        if match and ranks[match[1]] >= found.get(match[2], (-1, ""))[0]:
            found[match[2]] = ranks[match[1]], match[3].replace("\\n", " ")
    return {option: value for option, (_, value) in found.items()}


def _indexes(python: Path, settings: dict[str, str]) -> Iterator[str]:
    if "no-index" not in settings:
        yield settings.get("index-url") or _default_index(python)
        yield from settings.get("extra-index-url", "").split()


def _default_index(python: Path) -> str:
    told = run([python, "-m", "pip", "download", "--help"], timeout=_SILENT)
    match = re.search(r"--index-url\b.*?\(default\s+(\S+?)\)", told, re.DOTALL)
    if not match:
        raise ToolError("pip does not tell its index: set PIP_INDEX_URL")
    return match[1]


def _normalized(project: str) -> str:
    """The name in an address, as the packaging standards (PEP 503) write it."""
    return re.sub(r"[-_.]+", "-", project).lower()


def _directory(address: str) -> str:
    return address + "index.html" if address.startswith("file:") else address


def _get(address: str, context: ssl.SSLContext, most: int = -1) -> bytes:
    request = urllib.request.Request(address, headers={"Accept": "text/html", "User-Agent": "wg"})
    for left in reversed(range(_TRIES)):
        try:
            with urllib.request.urlopen(request, timeout=_SILENT, context=context) as answer:
                content = answer.read(most)
                return bytes(content)
        except urllib.error.HTTPError as error:
            if error.code < 500 or not left:
                raise
        except OSError:
            if not left:
                raise
        time.sleep(_PAUSE)
    raise AssertionError


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._target: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._target = dict(attributes).get("href") if tag == "a" else None

    def handle_data(self, data: str) -> None:
        if self._target is not None:
            self.found.setdefault(data.strip(), self._target)
            self._target = None


def _link(page: str, file: str) -> str | None:
    """Where a project's page (PEP 503) has the file."""
    links = _Links()
    links.feed(page)
    return links.found.get(file)
