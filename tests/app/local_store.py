"""A store in a folder, served locally: the bundled widgets with what they may reach."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from wg import ROOT

WIDGETS = ROOT / "build" / "widgets"

#: name, file, description, hosts
ENTRIES = [
    ("Aareguru", "aareguru.wasm", "Temperature and flow of the Aare", ["aareguru.existenz.ch"]),
    ("Public Transport", "public_transport.wasm", "The next departures", ["transport.opendata.ch"]),
    ("Time", "time.wasm", "Time and date at a place", []),
]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serves a folder on a free port; -> its address, with a slash."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def local_store(folder: Path) -> Iterator[str]:
    """-> the address of the store's catalogue."""
    folder.mkdir(parents=True, exist_ok=True)
    with serving(folder) as address:
        items = []
        for name, file, description, hosts in ENTRIES:
            shutil.copy(WIDGETS / file, folder / file)
            items.append(
                {
                    "name": name,
                    "description": description,
                    "repository": address + "repository",
                    "url": address + file,
                    "hosts": hosts,
                }
            )
        (folder / "store.json").write_text(json.dumps(items))
        yield address + "store.json"
