"""The catalogue of installed widgets, their files, the settings, and the WiFi networks.

Files below the root folder:

    config.json         the system configuration: background_color, settings, widgets (a record, see record.py)
    wifi.json           known networks with their passwords, apart from all that is shown or logged (a record)
    access.json         the password of the board's own access point, made when it is first needed (a record)
    widgets/<id>.wasm   one file for each widget, named after the SHA-256 of its content: never changed, only added
                        and removed
    incoming.part       a download; whatever is found here at boot is thrown away
    *.bad               a corrupt record, set aside and reported

An install writes the file first and switches the configuration after; a removal switches first and removes the file
after. So the configuration never names a file that is not whole, and the worst that a power cut leaves is a file that
nobody names: it is swept away at the next boot.
"""

import errno
import hashlib
import os
from binascii import hexlify

from micropython import const

from .. import quotas
from ..net import zone
from . import record
from .record import CorruptError, StorageError
from .schema import check, parse, parse_object

MAX_WIDGET_BYTES = const(1024 * 1024)  # of one widget's file
MAX_WIDGETS = const(40)
MAX_NAME = const(64)  # characters of a widget's name
RESERVE_BYTES = const(
    64 * 1024
)  # of flash that an install never takes: room for the configuration's next version
MAX_NETWORKS = const(8)

_ID = const(32)  # hexadecimal digits of a file's name
_DEFAULTS = {"background_color": "#000000", "settings": {}, "widgets": []}

# What can be set, with its default. A value has the default's type.
SETTINGS = {
    "ntp": "pool.ntp.org",  # server for the time at boot; "" switches it off
    "store": "",  # address of the store's catalogue
    "ota": "",  # address of the firmware's releases: a folder of `wg release` (with a slash at the end) or a manifest
    "ota_nightly": False,  # whether a newer release is installed by itself, at night
    "hostname": "wg-display",
    "zone": "",  # the time zone's rule for the clock in the header, see net/zone.py; "" shows no clock
}


class Storage:
    """The flash as the application sees it. `root` is made if it is not there; call `open()` before anything else.

    `generation` counts the changes of the configuration: who keeps a copy looks whether it moved.
    `problems` are sentences about what was found damaged; the board goes on without it.
    """

    # Not /wg: the root of the flash is the first place that is searched for modules.
    def __init__(self, root="/data", log=None):
        self.root = root
        self.generation = 0
        self.problems = []
        self.orphans = []  # files of widgets that a lost configuration named
        self.config = _copy(_DEFAULTS)
        self._log = log
        self._folder = root + "/widgets"
        self._config_path = root + "/config.json"
        self._wifi_path = root + "/wifi.json"
        self._access_path = root + "/access.json"

    # ---- at boot ----

    def open(self):
        """Reads the configuration, sets aside what is corrupt, and sweeps away what an interrupted change left."""
        for folder in (self.root, self._folder):
            try:
                os.mkdir(folder)
            except OSError as error:
                if error.errno != errno.EEXIST:
                    raise StorageError(record.said(error, "making the folder " + folder))
        whole = True
        try:
            found = record.load(self._config_path)
            if found is not None:
                self.config = _checked(found)
        except CorruptError as error:
            whole = False
            self._set_aside(self._config_path, error)
        for path in (self._config_path, self._wifi_path, self._access_path):
            record.remove(path + ".new")
        record.remove(self.root + "/incoming.part")
        self._match_files(whole)
        self.generation += 1

    def _match_files(self, sweep):
        """Reports widgets whose file is gone; removes files that no widget names, unless the configuration was lost."""
        present = set(os.listdir(self._folder))
        named = set()
        for widget in self.config["widgets"]:
            named.add(widget["file"])
            if widget["file"] not in present:
                self._problem(
                    "the file of widget {} is gone: remove and install it again".format(widget["name"])
                )
        for file in present:
            if file in named:
                continue
            if sweep or not file.endswith(".wasm"):
                record.remove(self._folder + "/" + file)
            else:
                self.orphans.append(file)

    def read_orphan(self, file):
        """A file of `orphans`; StorageError if it is damaged: its name says what its checksum must be."""
        path = self._folder + "/" + file
        try:
            size = os.stat(path)[6]
            if size > MAX_WIDGET_BYTES or file_sha256(path)[:_ID] + ".wasm" != file:
                raise StorageError("the file {} is damaged".format(file))
        except OSError as error:
            raise StorageError(record.said(error, "reading " + path))
        return read_file(path, size)

    def adopt(self, found):
        """Makes files of `orphans` widgets again, with their first configuration: [(file, metadata)...], all at once.

        The others are removed. -> the names.
        """
        widgets = []
        for file, metadata in found:
            path = self._folder + "/" + file
            self.check_name(metadata["name"])
            widgets.append(_entry(metadata, file_sha256(path), os.stat(path)[6]))
        self._switch("widgets", self.config["widgets"] + widgets)
        named = [widget["file"] for widget in widgets]
        for file in self.orphans:
            if file not in named:
                record.remove(self._folder + "/" + file)
        self.orphans = []
        return [widget["name"] for widget in widgets]

    def _set_aside(self, path, error):
        record.remove(path + ".bad")
        try:
            os.rename(path, path + ".bad")
        except OSError:
            record.remove(path)
        self._problem("{}; it was set aside as {}.bad".format(error, path))

    def _problem(self, sentence):
        self.problems.append(sentence)
        if self._log:
            self._log.error("storage", sentence)

    # ---- reading ----

    def names(self):
        return [widget["name"] for widget in self.config["widgets"]]

    def has(self, name):
        return name in self.names()

    def widget(self, name):
        """The entry of one widget; not to be changed by the caller. StorageError if there is none of that name."""
        for widget in self.config["widgets"]:
            if widget["name"] == name:
                return widget
        names = self.names()
        raise StorageError(
            "no widget is called {!r}; {}".format(
                name, "installed: " + ", ".join(names) if names else "none is installed"
            )
        )

    def read(self, name, allocate=bytearray):
        """A widget's file in one buffer `allocate(size)`, its checksum verified. StorageError if it is damaged."""
        widget = self.widget(name)
        data = read_file(self._folder + "/" + widget["file"], widget["size"], allocate)
        if hexlify(hashlib.sha256(data).digest()).decode() != widget["sha256"]:
            raise StorageError("the file of widget {} is damaged: remove and install it again".format(name))
        return data

    def setting(self, key):
        return self.config["settings"].get(key, SETTINGS[key])

    def free(self):
        """Bytes that an install may take now."""
        status = os.statvfs(self.root)
        return max(0, status[0] * status[3] - RESERVE_BYTES)

    # ---- changing ----

    def receive(self, size=None):
        """Opens the one place for a download. `size` in bytes, if known, is checked against the limit and the space."""
        if len(self.config["widgets"]) >= MAX_WIDGETS:
            raise StorageError("{} widgets are installed, which is the limit; remove one".format(MAX_WIDGETS))
        return Incoming(self.root + "/incoming.part", size, self.free())

    def add(self, incoming, metadata, description="", url=""):
        """Makes a received file a widget. StorageError, with nothing changed, if the name can't be taken."""
        self.check_name(metadata["name"])
        widget = _entry(metadata, incoming.sha256, incoming.size, description, url)
        for other in self.config["widgets"]:
            if other["file"] == widget["file"]:
                raise StorageError("the same file is already installed, as {}".format(other["name"]))
        path = self._folder + "/" + widget["file"]
        incoming.keep(path)
        try:
            self._switch("widgets", self.config["widgets"] + [widget])
        except StorageError:
            record.remove(path)
            raise
        return widget

    def check_name(self, name):
        """StorageError if a widget of that name can't be installed."""
        if self.has(name):
            raise StorageError("a widget called {} is already installed; remove it first".format(name))
        if not name or len(name) > MAX_NAME or any(ord(c) < 32 for c in name):
            raise StorageError("the widget's name is empty, too long or not printable")

    def remove(self, name):
        widget = self.widget(name)
        self._switch("widgets", [w for w in self.config["widgets"] if w is not widget])
        record.remove(self._folder + "/" + widget["file"])

    def configure(self, name, text):
        """Stores a widget's configuration, a JSON object as text. SchemaError or StorageError if it is refused."""
        widget = self.widget(name)
        value = parse_object(text)
        schema = parse(widget["json_config_schema"])
        if schema is not None:
            check(value, schema)
        changed = widget.copy()
        changed["json_config"] = text
        return self._switch("widgets", [changed if w is widget else w for w in self.config["widgets"]])

    def set_limits(self, name, values):
        """Changes quotas of a widget, see ../quotas.py; None puts a default back. StorageError if one is refused."""
        widget = self.widget(name)
        try:
            limits = quotas.changed(widget["limits"], values)
        except ValueError as error:
            raise StorageError(str(error))
        changed = widget.copy()
        changed["limits"] = limits
        return self._switch("widgets", [changed if w is widget else w for w in self.config["widgets"]])

    def set_background(self, color):
        return self._switch("background_color", color)

    def set(self, key, value):
        """Changes a setting of SETTINGS; None puts its default back."""
        if key not in SETTINGS:
            raise StorageError(
                "there is no setting {!r}; there are: {}".format(key, ", ".join(sorted(SETTINGS)))
            )
        if value is not None and type(value) is not type(SETTINGS[key]):
            raise StorageError("the setting {} takes a {}".format(key, type(SETTINGS[key]).__name__))
        if key == "zone" and value:
            try:
                zone.Zone(value)
            except ValueError as error:
                raise StorageError(str(error))
        settings = self.config["settings"].copy()
        settings.pop(key, None)
        if value is not None and value != SETTINGS[key]:
            settings[key] = value
        return self._switch("settings", settings)

    def _switch(self, key, value):
        """Writes the configuration with one part changed; True if it was written, False if nothing had changed."""
        if self.config[key] == value:
            return False
        changed = self.config.copy()
        changed[key] = value
        record.save(self._config_path, changed)
        self.config = changed
        self.generation += 1
        return True

    # ---- WiFi ----

    def networks(self):
        """The known networks, [(ssid, password)...], the newest first."""
        try:
            return [(str(ssid), str(password)) for ssid, password in record.load(self._wifi_path) or []]
        except CorruptError as error:
            self._set_aside(self._wifi_path, error)
        except (TypeError, ValueError):
            self._set_aside(self._wifi_path, CorruptError(self._wifi_path + " is not a list of networks"))
        return []

    def add_network(self, ssid, password):
        known = self.networks()
        changed = [(ssid, password)] + [n for n in known if n[0] != ssid]
        if changed != known:
            record.save(self._wifi_path, changed[:MAX_NETWORKS])

    def forget_network(self, ssid):
        known = self.networks()
        changed = [n for n in known if n[0] != ssid]
        if changed == known:
            raise StorageError("no network called {!r} is known".format(ssid))
        record.save(self._wifi_path, changed)

    def access_password(self):
        """The password of this board's own access point: made once, of chance, and kept; if it can't be, a new one."""
        try:
            password = record.load(self._access_path)
        except CorruptError as error:
            self._set_aside(self._access_path, error)
            password = None
        if not isinstance(password, str) or not 8 <= len(password) <= 63:
            password = random_password()
            try:
                record.save(self._access_path, password)
            except StorageError as error:
                self._problem("the password of the own network was not kept: {}".format(error))
        return password


def random_password():
    """Ten characters that are easy to read from the screen and to type on a phone: 49 bits."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    password = ""
    while len(password) < 10:
        byte = os.urandom(1)[0]
        if byte < 248:  # a multiple of 31, so that each letter is as likely
            password += letters[byte % 31]
    return password


class Incoming:
    """A file on its way in: `write()` pieces, then `finish()`, then `Storage.add()`, or `discard()` at any time.

    Memory is constant: a piece goes to flash as it comes. `finish()` reads the file back and compares the checksums.
    """

    def __init__(self, path, size, free):
        self._path = path
        self._limit = min(MAX_WIDGET_BYTES, free)
        self._free = free
        self._hash = hashlib.sha256()
        self.size = 0
        self.sha256 = None
        if size is not None:
            self._check(size)
        try:
            self._file = open(path, "wb")
        except OSError as error:
            raise StorageError(record.said(error, "opening " + path))

    def expect(self, size):
        """Refuses before the first byte what is known to be too large."""
        self._check(size)

    def _check(self, size):
        if size > MAX_WIDGET_BYTES:
            raise StorageError(
                "the file is too large: a widget has at most {} bytes".format(MAX_WIDGET_BYTES)
            )
        if size > self._limit:
            raise StorageError(
                "not enough space on flash: {} bytes are free, the widget needs {}".format(self._free, size)
            )

    def write(self, piece):
        self._check(self.size + len(piece))
        try:
            if self._file.write(piece) != len(piece):
                raise StorageError("the flash took only a part of the file")
        except OSError as error:
            raise StorageError(record.said(error, "writing the widget"))
        self._hash.update(piece)
        self.size += len(piece)

    def finish(self):
        """Ends the writing and verifies what is on flash."""
        self.sha256 = hexlify(self._hash.digest()).decode()
        try:
            self._file.close()
            self._file = None
            if file_sha256(self._path) != self.sha256:
                raise StorageError("the widget did not read back as it was written")
        except OSError as error:
            raise StorageError(record.said(error, "writing the widget"))

    def read(self, allocate=bytearray):
        """The whole file in one buffer, for a look at the widget before it is installed."""
        return read_file(self._path, self.size, allocate)

    def keep(self, path):
        try:
            os.rename(self._path, path)
        except OSError as error:
            raise StorageError(record.said(error, "installing the widget"))

    def discard(self):
        """Leaves nothing on flash; harmless after `keep()`."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError:
                pass
            self._file = None
        record.remove(self._path)


def read_file(path, size, allocate=bytearray):
    """A file of known size in one buffer that `allocate(size)` makes, read in place."""
    data = allocate(size)
    view = memoryview(data)
    done = 0
    try:
        with open(path, "rb") as f:
            while done < size:
                n = f.readinto(view[done:])
                if not n:
                    raise StorageError("{} is shorter than it was".format(path))
                done += n
    except OSError as error:
        raise StorageError(record.said(error, "reading " + path))
    return data


def file_sha256(path):
    """The SHA-256 of a file, hexadecimal, in constant memory."""
    digest = hashlib.sha256()
    buffer = bytearray(1024)
    view = memoryview(buffer)
    with open(path, "rb") as f:
        while True:
            n = f.readinto(buffer)
            if not n:
                return hexlify(digest.digest()).decode()
            digest.update(view[:n])


def _entry(metadata, sha256, size, description="", url=""):
    """A widget as the configuration keeps it."""
    return {
        "name": metadata["name"],
        "description": description or metadata.get("description", ""),
        "version": metadata["version"],
        "json_config": metadata.get("config", "{}"),
        "json_config_schema": metadata["schema"],
        "update_cycle_seconds": metadata["cycle"],
        "file": sha256[:_ID] + ".wasm",
        "sha256": sha256,
        "size": size,
        "url": url,
        "limits": {},
    }


_WIDGET_KEYS = (
    ("name", str),
    ("description", str),
    ("version", str),
    ("json_config", str),
    ("json_config_schema", str),
    ("update_cycle_seconds", int),
    ("file", str),
    ("sha256", str),
    ("size", int),
    ("url", str),
)


def _checked(config):
    """A configuration as it was read, with what is missing filled in; CorruptError if it has another shape."""
    if not isinstance(config, dict):
        raise CorruptError("the configuration is not an object")
    whole = _copy(_DEFAULTS)
    whole.update(config)
    for key in _DEFAULTS:
        if type(whole[key]) is not type(_DEFAULTS[key]):
            raise CorruptError("the configuration's {} has the wrong type".format(key))
    for widget in whole["widgets"]:
        for key, kind in _WIDGET_KEYS:
            if not isinstance(widget, dict) or not isinstance(widget.get(key), kind):
                raise CorruptError("the configuration's entry of a widget has no {}".format(key))
        widget["limits"] = quotas.kept(widget.get("limits"))
    return whole


def _copy(config):
    return {"background_color": config["background_color"], "settings": {}, "widgets": []}
