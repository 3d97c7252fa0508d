"""The store: a catalogue of widgets at an address that the owner sets, read as the original's is.

The catalogue is a JSON list of objects with `name`, `description` and `repository`; of an entry without `url`, the
component is the file `widget.wasm` of the repository's latest release, as GitHub serves it. Optional: `url`, `version`,
`sha256` (of the file, hexadecimal), `hosts` (what the widget may reach, see net/permissions.py). An entry that can't be
right is passed over and counted in `skipped`.

The last catalogue is kept on flash with its ETag: it is fetched again only if it has changed, and a store that can't be
reached is still listed.
"""

import json
import time

from micropython import const

from .net import address, http, permissions
from .net.errors import HttpError
from .net.permissions import Permissions
from .net.url import Url
from .storage import StorageError, record

MAX_BYTES = const(64 * 1024)  # of a catalogue
MAX_ITEMS = const(200)
FRESH_MS = const(600_000)  # a catalogue that was asked for is not asked for again before
DEADLINE_MS = const(30_000)
DATE_MS = const(10_000)
RELEASE = "/releases/latest/download/widget.wasm"
_NAME = const(64)  # characters of a name, a version
_DESCRIPTION = const(200)


class StoreError(OSError):
    """The store can't be read, or has not what was asked for, in one sentence."""


class Store:
    """storage: Storage. The catalogue's items are dicts with name, description, repository, url, version, sha256 and
    hosts, the last three None where the entry says nothing of them."""

    def __init__(self, storage, log, request=http.request):
        self.items = None  # the last catalogue, or None
        self.skipped = 0  # entries that can't be right
        self.stale = False  # the store could not be reached when the catalogue was last asked for
        self._storage = storage
        self._log = log
        self._request = request
        self._record = record.Record(storage.root, "store")
        self._url = None  # of the catalogue in `items`
        self._etag = None
        self._asked = 0  # when, in ticks

    @property
    def url(self):
        return self._storage.setting("store")

    def permissions(self):
        """Where a widget is downloaded from: outside, or from the store's own host."""
        return Permissions([permissions.ANY], (Url(self.url).host,))

    async def catalogue(self, again=False):
        """The items. `again`: as they are now, or StoreError; else those kept will do if the store can't be reached."""
        url = self.url
        if not url:
            raise StoreError('no store is set: wg.set("store", "https://.../widget_store.json")')
        if self._url != url:
            self._recall(url)
        recent = self._asked and time.ticks_diff(time.ticks_ms(), self._asked) < FRESH_MS
        if again or self.items is None or not recent:
            try:
                await self._fetch(url)
                self.stale = False
            except (HttpError, StoreError) as error:
                if again or self.items is None:
                    raise
                self.stale = True
                self._log.warn("store", "the catalogue kept from before is shown: {}".format(error))
        return self.items

    async def date(self):
        """What the store's web server says of the time, as in its Date header. It is asked by http: while the time is
        not known, no certificate can be checked."""
        host = Url(self.url)
        response = await self._request(
            "HEAD",
            "http://{}/".format("[{}]".format(host.host) if ":" in host.host else host.host)
            if host.scheme == "https"
            else self.url,
            deadline_ms=DATE_MS,
            permissions=Permissions([permissions.ANY], (host.host,)),
        )
        return response.headers.get("date")

    async def find(self, name):
        """The item of a name, in upper or lower case. StoreError if there is none."""
        for item in await self.catalogue():
            if item["name"].lower() == name.lower():
                return item
        raise StoreError("the store has no widget called {!r}; wg.store() lists them".format(name))

    async def _fetch(self, url):
        headers = {"If-None-Match": self._etag} if self._etag and self.items is not None else None
        where = Url(url)
        response = await self._request(
            "GET",
            url,
            max_body=MAX_BYTES,
            deadline_ms=DEADLINE_MS,
            permissions=Permissions([permissions.ANY], (where.host,)),
            headers=headers,
        )
        self._asked = time.ticks_ms() or 1
        if response.status == 304 and headers is not None:
            return
        if response.status != 200:
            raise StoreError("the store answered with status {}".format(response.status))
        try:
            entries = json.loads(bytes(response.body))
        except ValueError:
            raise StoreError("the store's catalogue is not JSON")
        if not isinstance(entries, list):
            raise StoreError("the store's catalogue is not a list")
        self._take(url, entries)
        etag = response.headers.get("etag")
        self._etag = etag if etag is None or len(etag) <= 200 else None
        try:
            self._record.save({"url": url, "etag": self._etag, "items": self.items})
        except StorageError as error:
            self._log.warn("store", "the catalogue was not kept: {}".format(error))

    def _take(self, url, entries):
        inside = _is_inside(Url(url))
        items = []
        names = set()
        for entry in entries[:MAX_ITEMS]:
            item = _item(entry, inside)
            if item is not None and item["name"].lower() not in names:
                names.add(item["name"].lower())
                items.append(item)
        self.skipped = len(entries) - len(items)
        if self.skipped:
            self._log.warn("store", "{} entries of the catalogue were passed over".format(self.skipped))
        self.items = items
        self._url = url

    def _recall(self, url):
        # What is kept of this store from before.
        self.items = self._etag = None
        self._asked = 0
        self._url = url
        kept = self._record.load()
        if isinstance(kept, dict) and kept.get("url") == url and isinstance(kept.get("items"), list):
            self._take(url, kept["items"])
            self._etag = kept.get("etag")


def _is_inside(url):
    if url.packed is not None:
        return not address.is_public(url.packed)
    return address.is_inside_name(url.host)


def _text(entry, key, most):
    value = entry.get(key)
    return value[:most] if isinstance(value, str) else ""


def _item(entry, inside):
    """An entry as it is used, None if it can't be right. inside: the store is within the owner's network, so that it
    may list what is, too."""
    if not isinstance(entry, dict):
        return None
    name = entry.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= _NAME or any(ord(c) < 32 for c in name):
        return None
    repository = entry.get("repository")
    url = entry.get("url")
    if url is None and isinstance(repository, str) and repository:
        url = repository.rstrip("/") + RELEASE
    sha256, hosts = entry.get("sha256"), entry.get("hosts")
    try:
        Url(url)
        if hosts is not None:
            hosts = permissions.parse(hosts)
            if not inside:
                # A store out there does not open the owner's network: that is for the owner to say.
                hosts = [host for host in hosts if not permissions.is_inside(host)]
        if sha256 is not None:
            sha256 = sha256.lower()
            if len(sha256) != 64 or any(c not in "0123456789abcdef" for c in sha256):
                return None
    except (HttpError, ValueError, TypeError, AttributeError):
        return None
    return {
        "name": name,
        "description": _text(entry, "description", _DESCRIPTION),
        "repository": repository if isinstance(repository, str) else "",
        "url": url,
        "version": _text(entry, "version", _NAME) or None,
        "sha256": sha256,
        "hosts": hosts,
    }
