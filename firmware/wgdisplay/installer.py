"""Widgets from the store, an address or a file: install and update, one at a time.

A file is received beside the others, compared with the store's checksum if there is one, checked by the engine, asked
for its name, and only then made a widget by one switch of the storage. Whatever fails leaves nothing.
"""

import json

from micropython import const

from .net import permissions
from .net.errors import HttpError
from .net.permissions import Permissions
from .net.url import Url
from .storage import MAX_WIDGET_BYTES, StorageError
from .store import StoreError

INSTALL_MS = const(120_000)  # deadline of a download
COPY_BYTES = const(4096)  # piece of a file that is installed from a file system


class InstallError(OSError):
    """What was not installed or updated, and why, in one sentence."""


class Installer:
    """runtime: a callable that gives the Runtime, or raises with a sentence why there is none."""

    def __init__(self, storage, store, runtime, download, log):
        self._storage = storage
        self._store = store
        self._runtime = runtime
        self._download = download
        self._log = log
        self._busy = False

    async def install(self, job, source, description="", hosts=None, ask=None):
        """Installs from an address, a file or, by name, from the store; -> the new entry.

        hosts: what the widget may reach; None: what the store's entry says, else any public host. ask: a function of
        the main thread that is given the metadata and returns the first configuration, a dict; nothing is installed if
        it raises.
        """
        self._begin()
        try:
            if hosts is not None:
                hosts = permissions.parse(hosts)
            item = None
            url = source
            if not ("://" in source or "/" in source or source.endswith(".wasm")):
                item = await self._store.find(source)
                url = item["url"]
                description = description or item["description"]
                hosts = item["hosts"] if hosts is None else hosts
            incoming, metadata = await self._receive(job, url, item, self._storage.receive())
            try:
                if ask is not None:
                    metadata["config"] = json.dumps(await job.here(ask, metadata))
                widget = self._storage.add(incoming, metadata, description, url, hosts)
            finally:
                incoming.discard()
        except (StorageError, ValueError) as error:
            raise InstallError("{} was not installed: {}".format(source, error))
        finally:
            self._busy = False
        self._log.info("app", "installed {} {}".format(widget["name"], widget["version"]))
        return widget

    async def update(self, job, name=None):
        """Brings one widget, or all, up to date with the store or the address that they came from.

        -> [{name, version, was, result, hosts}...]: result is "updated", "up to date" or why not, hosts those that the
        new version asks for and may not reach. Configuration, limits and hosts of a widget stay.
        """
        self._begin()
        try:
            names = self._storage.names() if name is None else [self._storage.widget(name)["name"]]
            try:
                items = await self._store.catalogue(again=True) if self._store.url else []
            except (HttpError, StoreError) as error:
                items = await self._store.catalogue() if self._store.items is not None else []
                self._log.warn("store", str(error))
            rows = []
            for each in names:
                rows.append(await self._update(job, each, items))
            return rows
        finally:
            self._busy = False

    async def _update(self, job, name, items):
        widget = self._storage.widget(name)
        item = _item_of(widget, items)
        row = {
            "name": name,
            "was": widget["version"],
            "version": widget["version"],
            "hosts": [],
            "result": "",
        }
        url = widget["url"] if item is None else item["url"]
        if "://" not in url:
            row["result"] = "it came from a file: install it again from there"
            return row
        if item is not None and _is_current(widget, item):
            row["result"] = "up to date"
            return row
        try:
            incoming, metadata = await self._receive(job, url, item, self._storage.receive(replaces=name))
            try:
                if incoming.sha256 == widget["sha256"]:
                    row["result"] = "up to date"
                    return row
                entry, kept = self._storage.replace(
                    name, incoming, metadata, "" if item is None else item["description"], url
                )
            finally:
                incoming.discard()
        except Exception as error:
            # One that can't be updated goes on as it is, and the next one has its turn.
            row["result"] = str(error) or repr(error)
            self._log.warn("app", "{} was not updated: {}".format(name, row["result"]))
            return row
        row["version"] = entry["version"]
        row["result"] = "updated" if kept else "updated; its configuration does not fit any more"
        if item is not None and item["hosts"] and permissions.ANY not in entry["hosts"]:
            row["hosts"] = [host for host in item["hosts"] if host not in entry["hosts"]]
        self._log.info("app", "updated {} from {} to {}".format(name, row["was"], row["version"]))
        return row

    def _begin(self):
        self._runtime()
        if self._busy:
            raise InstallError("another install is under way")
        self._busy = True

    async def _receive(self, job, url, item, incoming):
        """-> (incoming, whole and checked; metadata). On failure nothing is left of it."""
        data = None
        try:
            if "://" in url:
                # Where the owner, or the store that the owner chose, points is fetched; redirects of theirs stay out.
                may = (
                    Permissions([permissions.ANY], (Url(url).host,))
                    if item is None
                    else self._store.permissions()
                )
                await self._download(
                    url, incoming, max_bytes=MAX_WIDGET_BYTES, deadline_ms=INSTALL_MS, permissions=may
                )
            else:
                await self._copy(job, url, incoming)
            incoming.finish()
            if item is not None and item["sha256"] not in (None, incoming.sha256):
                raise StorageError("the file is not the one that the store lists: its checksum is another")
            runtime = self._runtime()
            data = incoming.read(runtime.buffer)
            return incoming, await runtime.metadata(data)
        except BaseException:
            incoming.discard()
            raise
        finally:
            if data is not None:
                data.close()

    async def _copy(self, job, path, incoming):
        # The file is opened and read in the main thread: with `mpremote mount` it lies behind the serial line.
        try:
            file = await job.here(open, path, "rb")
        except OSError:
            raise InstallError("there is no file {}".format(path))
        try:
            buffer = bytearray(COPY_BYTES)
            view = memoryview(buffer)
            while True:
                n = await job.here(file.readinto, buffer)
                if not n:
                    return
                incoming.write(view[:n])
        finally:
            file.close()


def _item_of(widget, items):
    """The store's item that a widget is of: by its address, else by its name."""
    for item in items:
        if item["url"] == widget["url"]:
            return item
    for item in items:
        if item["name"].lower() == widget["name"].lower():
            return item
    return None


def _is_current(widget, item):
    if item["sha256"] is not None:
        return item["sha256"] == widget["sha256"]
    return item["version"] is not None and item["version"] == widget["version"]
