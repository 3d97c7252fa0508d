"""The installed widgets, their files, the settings, and the WiFi networks.

Files below the root folder:

    0/, 1/              records in their two generations, see record.py; in each of these folders:
      system            background_color and settings
      wifi              known networks with their passwords, apart from all that is shown or logged
      access            the password of the board's own access point, made when it is first needed
      widget-<id>       the entry of one widget, its configuration and limits with it; <id> is of its name
    widgets/<sum>.wasm  one file for each widget, named after the SHA-256 of its content; it never changes
    widgets/<sum>.new   ... that becomes a widget's with the next change of an entry
    widgets/<sum>.old   ... that ceases to be a widget's with the next change of an entry
    widgets/incoming    a download; whatever is found here at boot is thrown away
    *.bad               a damaged file, set aside and reported

There is no list of widgets beside the entries, so it can't disagree with them: a widget is installed if there is an
entry of it. Writing or removing the entry is the one commit of an install, a replacement or a removal; before it, files
are marked .new and .old, and whatever the power does, the entries tell at the next boot what to make of the marks. A
.wasm file that no entry names has lost its entry: it is kept, and asked for its name (`orphans`).
"""

import errno
import hashlib
import os
from binascii import hexlify

from micropython import const

from .. import quotas
from ..net import permissions, zone
from . import files, migration, record
from .files import MAX_WIDGET_BYTES, RESERVE_BYTES, Incoming
from .record import CorruptError, Record, StorageError
from .schema import SchemaError, check, parse, parse_object

MAX_WIDGETS = const(40)
MAX_NAME = const(64)  # characters of a widget's name
MAX_CONFIG_BYTES = const(16 * 1024)  # of a widget's configuration
MAX_NETWORKS = const(8)

_SUM = const(32)  # hexadecimal digits of the name of a widget's file
_ID = const(16)  # ... and of its entry
_ENTRY = "widget-"
_FOLDER = const(0x4000)  # in the mode that os.stat() gives
_NVS = "wg-storage"
_MARKS = (".wasm", ".new", ".old")
_DEFAULTS = {"background_color": "#000000", "settings": {}}

# What can be set, with its default. A value has the default's type.
SETTINGS = {
    "ntp": "0.pool.ntp.org 1.pool.ntp.org time.cloudflare.com",  # servers for the time; "" switches them off
    "store": "",  # address of the store's catalogue
    "ota": "",  # address of the firmware's releases: a folder of `wg release` (with a slash at the end) or a manifest
    "ota_nightly": False,  # whether a newer release is installed by itself, at night
    "hostname": "wg-display",
    "zone": "",  # the time zone of the clock in the header, a name or a rule, see net/zone.py; "" shows no clock
    "text_size": "auto",  # of the widgets' texts, or small, normal, large, huge, giant
    "theme": "auto",  # as the background is, or dark, light
    "page_seconds": 8,  # how long a page stays if there are several; 0: until a key is pressed
    "brightness": 100,  # of the display's light, in percent
    "night": "",  # when the light is dimmed, local time: "22:00-06:30"
    "night_brightness": 10,  # of the light then; 0: dark until a key is pressed
}


class Storage:
    """The flash as the application sees it. `root` is made if it is not there; call `open()` before anything else.

    `config` is {background_color, settings, widgets: [entry...]}, not to be changed by others.
    `generation` counts the changes of the configuration: who keeps a copy looks whether it moved.
    `problems` are sentences about what was found damaged; the board goes on without it.
    """

    # Not /wg: the root of the flash is the first place that is searched for modules.
    def __init__(self, root="/data", log=None):
        self.root = root
        self.generation = 0
        self.problems = []
        self.orphans = []  # files of widgets whose entry was lost
        self.config = {"background_color": "#000000", "settings": {}, "widgets": []}
        self._log = log
        self._folder = root + "/widgets"
        self._system = Record(root, "system")
        self._wifi = Record(root, "wifi")
        self._access = Record(root, "access")
        self._records = {}  # widget: its entry's record
        self._missing = {}  # widget: the problem with its file

    # ---- at boot ----

    def open(self):
        """Reads everything, sets aside what is damaged, and ends or undoes what was interrupted."""
        record.failed = False
        new = not record.exists(self.root + "/0") and not migration.found(self.root)
        for folder in (self.root, self.root + "/0", self.root + "/1", self._folder):
            self._make(folder)
        if _mark_as_used() and new:
            self._problem("the file system was damaged: all settings and widgets are gone")
        if migration.found(self.root):
            self._migrate()
        self._load_system()
        self._load_widgets()
        record.remove(self._folder + "/incoming")
        self.generation += 1

    def _make(self, folder):
        """Makes a folder if it is not there; a file in its place is set aside."""
        try:
            if not os.stat(folder)[0] & _FOLDER:
                self._problem("{0} was a file; it was set aside as {0}.bad".format(folder))
                record.remove(folder + ".bad")
                os.rename(folder, folder + ".bad")
                os.mkdir(folder)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise StorageError(record.said(error, "looking for the folder " + folder))
            try:
                os.mkdir(folder)
            except OSError as error:
                raise StorageError(record.said(error, "making the folder " + folder))

    def _load_system(self):
        found = self._loaded(self._system, "the settings may be those before their last change")
        if found is None:
            return
        config = dict(found) if isinstance(found, dict) else {}
        for key in _DEFAULTS:
            if type(config.get(key)) is not type(_DEFAULTS[key]):
                self._problem("{} of the configuration was of no use and is the default again".format(key))
                config[key] = _DEFAULTS[key]
        config["widgets"] = []
        self.config = config

    def _load_widgets(self):
        present = {}  # file without its ending: {ending: size}
        for item in os.ilistdir(self._folder):
            name, dot, ending = item[0].rpartition(".")
            if dot + ending in _MARKS:
                present.setdefault(name, {})[dot + ending] = item[3]
        entries = set()
        for half in ("/0", "/1"):
            entries.update(name for name in os.listdir(self.root + half) if name.startswith(_ENTRY))
        widgets = []
        for name in entries:
            entry = self._load_entry(name, present)
            if entry is not None:
                widgets.append(entry)
        widgets.sort(key=lambda entry: (entry["order"], entry["name"]))
        self.config["widgets"] = widgets
        for entry in widgets:
            self._settle(entry, present.pop(entry["sha256"][:_SUM], {}))
        for name in present:
            for mark in present[name]:
                if mark == ".wasm":
                    self.orphans.append(name + mark)
                else:
                    record.remove(self._folder + "/" + name + mark)

    def _load_entry(self, name, present):
        kept = Record(self.root, name)
        found = kept.load()
        if found is None and not kept.damage:  # its making was interrupted
            kept.clear()
            return None
        entry = _checked(found)
        if entry is None or _id(entry["name"]) != name:
            if found is not None:
                kept.damage.append(kept.path + " is no entry of a widget")
                kept.set_aside()
            self._report(kept, "a widget lost its configuration")
            return None
        if ".old" in present.get(entry["sha256"][:_SUM], ()):  # its removal was interrupted
            kept.alone = False
        self._mend(
            kept,
            entry,
            "the configuration of {} may be that before its last change".format(entry["name"]),
        )
        self._records[entry["name"]] = kept
        return entry

    def _settle(self, entry, present):
        """Ends what was interrupted for the file of an entry; reports a file that is gone or damaged."""
        path = self._folder + "/" + entry["sha256"][:_SUM]
        marks = [mark for mark in _MARKS if present.get(mark) == entry["size"]]
        if not marks:
            self._lose(entry["name"], "is gone")
        for mark in present:
            if not marks or mark != marks[0]:
                record.remove(path + mark)
        if marks and marks[0] != ".wasm":
            try:
                os.rename(path + marks[0], path + ".wasm")
            except OSError as error:  # found by its mark at every use
                self._problem(record.said(error, "naming the file of " + entry["name"]))

    def _lose(self, name, how):
        sentence = "the file of widget {} {}: install it again, its configuration is kept".format(name, how)
        if name not in self._missing:
            self._missing[name] = sentence
            self._problem(sentence)
        return sentence

    def _loaded(self, kept, consequence):
        """The value of a record; what of it is damaged is reported, and there are two generations again."""
        value = kept.load()
        self._mend(kept, value, consequence)
        return value

    def _mend(self, kept, value, consequence):
        if kept.alone and not kept.damage:
            self._problem("{} lost a generation; {}".format(kept.path, consequence))
        if (kept.alone or kept.damage) and kept.generation:
            try:
                kept.save(value)
            except StorageError:
                pass  # it has one generation until its next change
        self._report(kept, consequence)

    def _report(self, kept, consequence):
        for sentence in kept.damage:
            self._problem("{}; it was set aside as {}.bad; {}".format(sentence, kept.path, consequence))
        kept.damage = []

    def _problem(self, sentence):
        self.problems.append(sentence)
        if self._log:
            self._log.error("storage", sentence)

    def _migrate(self):
        """Version 0.1's files become today's. The system's record comes last: without it, this begins anew."""
        if self._system.load() is None:
            config = self._old("config.json")
            for name, kept in (("wifi.json", self._wifi), ("access.json", self._access)):
                value = self._old(name)
                if value is not None and kept.load() != value:
                    kept.save(value)
            if not isinstance(config, dict):
                config = {}
            order = 0
            for found in config.get("widgets", ()):
                if isinstance(found, dict):
                    found["order"] = order
                    found.pop("file", None)
                entry = _checked(found)
                if entry is None:
                    self._problem("an entry of the old configuration was of no use")
                    continue
                order += 1
                kept = Record(self.root, _id(entry["name"]))
                if kept.load() != entry:
                    kept.save(entry)
            config.pop("widgets", None)
            for key in _DEFAULTS:
                config.setdefault(key, _DEFAULTS[key])
            self._system.save(config)
        migration.finish(self.root)

    def _old(self, name):
        try:
            return migration.read(self.root, name)
        except CorruptError as error:
            path = self.root + "/" + name
            record.remove(path + ".bad")
            try:
                os.rename(path, path + ".bad")
            except OSError:
                pass
            self._problem("{}; it was set aside as {}.bad".format(error, path))
            return None

    # ---- widgets that lost their entry ----

    def read_orphan(self, file, allocate=bytearray):
        """A file of `orphans`; StorageError if it is damaged: its name says what its checksum must be."""
        path = self._folder + "/" + file
        try:
            size = os.stat(path)[6]
            if size > MAX_WIDGET_BYTES or files.sha256(path)[:_SUM] + ".wasm" != file:
                raise StorageError("the file {} is damaged".format(file))
        except OSError as error:
            raise StorageError(record.said(error, "reading " + path))
        return files.read(path, size, allocate)

    def adopt(self, file, metadata):
        """Makes a file of `orphans` a widget again, with its first configuration; -> its entry.

        A widget whose entry names a file that is gone gets this one, and keeps its configuration if the schema accepts
        it. StorageError if that can't be; on a full flash the file stays for the next boot.
        """
        path = self._folder + "/" + file
        name = metadata["name"]
        try:
            entry = self._entry(metadata, files.sha256(path), os.stat(path)[6])
        except OSError as error:
            raise StorageError(record.said(error, "reading " + path))
        if name in self._missing:
            entry = _kept(self.widget(name), entry)[0]
        else:
            try:
                self.check_name(name)
            except StorageError:
                self.give_up(file)
                raise
        self._write(entry)
        self._found(name)
        self.orphans.remove(file)
        return entry

    def give_up(self, file):
        """Removes a file of `orphans` that is no widget's."""
        self.orphans.remove(file)
        record.remove(self._folder + "/" + file)

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
        """A widget's file in one buffer `allocate(size)`, its checksum verified.

        StorageError if it is gone or damaged; a damaged one is set aside.
        """
        widget = self.widget(name)
        if name in self._missing:
            raise StorageError(self._missing[name])
        path = self._path(widget)
        data = files.read(path, widget["size"], allocate)
        if hexlify(hashlib.sha256(data).digest()).decode() != widget["sha256"]:
            files.release(data)
            bad = self._bad(name)
            record.remove(bad)
            _quietly_rename(path, bad)
            raise StorageError(self._lose(name, "is damaged"))
        return data

    def _path(self, widget):
        for mark in _MARKS:
            path = self._folder + "/" + widget["sha256"][:_SUM] + mark
            if record.exists(path):
                return path
        raise StorageError(self._lose(widget["name"], "is gone"))

    def setting(self, key):
        value = self.config["settings"].get(key, SETTINGS[key])
        return value if type(value) is type(SETTINGS[key]) else SETTINGS[key]

    def free(self):
        """Bytes that an install may take now."""
        status = os.statvfs(self.root)
        return max(0, status[0] * status[3] - RESERVE_BYTES)

    # ---- changing ----

    def receive(self, size=None, replaces=None):
        """Opens the one place for a download. `size` in bytes, if known, is checked against the limit and the space.

        replaces: the name of the widget that the file is for, if it is there already.
        """
        if replaces is None and len(self.config["widgets"]) >= MAX_WIDGETS and not self._missing:
            raise StorageError("{} widgets are installed, which is the limit; remove one".format(MAX_WIDGETS))
        return Incoming(self._folder + "/incoming", size, self.free())

    def add(self, incoming, metadata, description="", url="", hosts=None):
        """Makes a received file a widget. StorageError, with nothing changed, if the name can't be taken.

        A widget of that name whose file is gone or damaged gets this one, as by `replace()`.
        hosts: what the widget may reach; None: any public host.
        """
        name = metadata["name"]
        if name in self._missing:
            return self.replace(name, incoming, metadata, description, url, hosts)[0]
        self.check_name(name)
        if len(self.config["widgets"]) >= MAX_WIDGETS:
            raise StorageError("{} widgets are installed, which is the limit; remove one".format(MAX_WIDGETS))
        entry = self._entry(metadata, incoming.sha256, incoming.size, description, url, hosts)
        self._check_file(entry)
        self._switch_files(incoming, None, entry)
        return entry

    def replace(self, name, incoming, metadata, description="", url="", hosts=None):
        """Puts a received file in the place of a widget's; -> (the new entry, whether the configuration was kept).

        Limits, hosts, and what else the entry has are kept; so is the configuration, unless the new schema refuses it:
        then it is the new file's first one. description, url, hosts: "" and None leave what is there.
        StorageError, with nothing changed, if the file calls itself by another name, or on failure.
        """
        old = self.widget(name)
        if metadata["name"] != name:
            raise StorageError(
                "the new file of {} calls itself {!r}: install that one, and remove this".format(
                    name, metadata["name"]
                )
            )
        entry, kept = _kept(
            old, self._entry(metadata, incoming.sha256, incoming.size, description, url, hosts)
        )
        if description:
            entry["description"] = description
        if url:
            entry["url"] = url
        if hosts is not None:
            entry["hosts"] = _hosts(hosts)
        if entry == old and name not in self._missing:
            return old, True
        self._check_file(entry)
        self._switch_files(incoming, old, entry)
        return entry, kept

    def _check_file(self, entry):
        for other in self.config["widgets"]:
            if other["sha256"] == entry["sha256"] and other["name"] != entry["name"]:
                raise StorageError("the same file is already installed, as {}".format(other["name"]))

    def _switch_files(self, incoming, old, entry):
        """The file of `incoming` becomes the entry's, that of `old` goes; writing the entry is the switch."""
        new = self._folder + "/" + entry["sha256"][:_SUM]
        same = old is not None and old["sha256"] == entry["sha256"]
        before = None
        if old is not None and not same and old["name"] not in self._missing:
            before = self._path(old)
        incoming.keep(new + ".new")
        try:
            if before is not None:
                _rename(before, before[: before.rfind(".")] + ".old")
            self._write(entry)
        except StorageError:
            if before is not None:
                _quietly_rename(before[: before.rfind(".")] + ".old", before)
            record.remove(new + ".new")
            raise
        self._found(entry["name"])
        if before is not None:
            record.remove(before[: before.rfind(".")] + ".old")
        _quietly_rename(new + ".new", new + ".wasm")

    def _found(self, name):
        sentence = self._missing.pop(name, None)
        if sentence in self.problems:
            self.problems.remove(sentence)
        for bad in (self._bad(name), self.root + "/" + _id(name) + ".bad"):
            if record.exists(bad):
                record.remove(bad)

    def _bad(self, name):
        return self._folder + "/" + _id(name) + ".bad"

    def check_name(self, name):
        """StorageError if a widget of that name can't be installed."""
        if self.has(name):
            raise StorageError("a widget called {} is already installed; remove it first".format(name))
        if not name or len(name) > MAX_NAME or any(ord(c) < 32 for c in name):
            raise StorageError("the widget's name is empty, too long or not printable")

    def remove(self, name):
        """Removes a widget and its configuration. StorageError, nothing removed, if the flash refuses."""
        widget = self.widget(name)
        path = None if name in self._missing else self._path(widget)
        if path is not None:
            old = path[: path.rfind(".")] + ".old"
            _rename(path, old)
        try:
            self._records[name].delete()
        except StorageError:
            if path is not None:
                _quietly_rename(old, path)
            raise
        del self._records[name]
        self._set("widgets", [w for w in self.config["widgets"] if w is not widget])
        if path is not None:
            record.remove(old)
        self._found(name)

    def configure(self, name, text):
        """Stores a widget's configuration, a JSON object as text. SchemaError or StorageError if it is refused."""
        widget = self.widget(name)
        if len(text) > MAX_CONFIG_BYTES:
            raise StorageError("a configuration has at most {} bytes".format(MAX_CONFIG_BYTES))
        value = parse_object(text)
        schema = parse(widget["json_config_schema"])
        if schema is not None:
            check(value, schema)
        return self._change(widget, "json_config", text)

    def set_limits(self, name, values):
        """Changes quotas of a widget, see ../quotas.py; None puts a default back. StorageError if one is refused."""
        widget = self.widget(name)
        try:
            limits = quotas.changed(widget["limits"], values)
        except ValueError as error:
            raise StorageError(str(error))
        return self._change(widget, "limits", limits)

    def set_hosts(self, name, hosts):
        """Changes which hosts a widget may reach. StorageError if one of them can't be right."""
        return self._change(self.widget(name), "hosts", _hosts(hosts))

    def set_background(self, color):
        return self._change_system("background_color", color)

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
        return self._change_system("settings", settings)

    def _change(self, widget, key, value):
        """Writes an entry with one part changed; True if it was written, False if nothing had changed."""
        if widget[key] == value:
            return False
        changed = widget.copy()
        changed[key] = value
        self._write(changed)
        return True

    def _change_system(self, key, value):
        if self.config[key] == value:
            return False
        changed = self.config.copy()
        changed[key] = value
        del changed["widgets"]
        self._system.save(changed)
        self._set(key, value)
        return True

    def _write(self, entry):
        """Writes an entry in the place of that with its name, or as the last one."""
        name = entry["name"]
        kept = self._records.get(name) or Record(self.root, _id(name))
        kept.save(entry)
        self._records[name] = kept
        widgets = [entry if w["name"] == name else w for w in self.config["widgets"]]
        self._set("widgets", widgets if entry in widgets else widgets + [entry])

    def _set(self, key, value):
        config = self.config.copy()
        config[key] = value
        self.config = config
        self.generation += 1

    def _entry(self, metadata, sha256, size, description="", url="", hosts=None):
        """A widget as it is kept."""
        widgets = self.config["widgets"]
        return {
            "name": metadata["name"],
            "description": description or metadata.get("description", ""),
            "version": metadata["version"],
            "json_config": metadata.get("config", "{}"),
            "json_config_schema": metadata["schema"],
            "update_cycle_seconds": metadata["cycle"],
            "sha256": sha256,
            "size": size,
            "url": url,
            "limits": {},
            "hosts": ["*"] if hosts is None else _hosts(hosts),
            "order": widgets[-1]["order"] + 1 if widgets else 0,
        }

    # ---- WiFi ----

    def networks(self):
        """The known networks, [(ssid, password)...], the newest first."""
        found = self._loaded(self._wifi, "the known networks may be those before their last change")
        try:
            return [(str(ssid), str(password)) for ssid, password in found or []]
        except (TypeError, ValueError):
            self._wifi.set_aside()
            self._problem("{} is not a list of networks; it was set aside".format(self._wifi.path))
        return []

    def add_network(self, ssid, password):
        known = self.networks()
        changed = [(ssid, password)] + [n for n in known if n[0] != ssid]
        if changed != known:
            self._wifi.save(changed[:MAX_NETWORKS])

    def forget_network(self, ssid):
        """Forgets a network, in the generation before, too."""
        known = self.networks()
        changed = [n for n in known if n[0] != ssid]
        if changed == known:
            raise StorageError("no network called {!r} is known".format(ssid))
        self._wifi.save(changed)
        self._wifi.save(changed)

    def access_password(self):
        """The password of this board's own access point: made once, of chance, and kept; if it can't be, a new one."""
        password = self._loaded(self._access, "the own network may have a new password")
        if not isinstance(password, str) or not 8 <= len(password) <= 63:
            password = random_password()
            try:
                self._access.save(password)
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


def _mark_as_used():
    """Whether a storage was opened on this board before: kept apart from the file system, to tell a loss of it."""
    try:
        from esp32 import NVS
    except ImportError:  # a board without it can't tell
        return False
    try:
        values = NVS(_NVS)
        try:
            return values.get_i32("used") == 1
        except OSError:
            values.set_i32("used", 1)
            values.commit()
    except OSError:
        pass
    return False


def _id(name):
    return _ENTRY + hexlify(hashlib.sha256(name.encode()).digest()).decode()[:_ID]


def _kept(old, new):
    """The entry `new` with what the owner set in `old`; -> (entry, whether its schema accepts the configuration)."""
    entry = old.copy()
    for key in ("version", "json_config_schema", "update_cycle_seconds", "sha256", "size"):
        entry[key] = new[key]
    try:
        schema = parse(new["json_config_schema"])
        if schema is not None:
            check(parse_object(old["json_config"]), schema)
        return entry, True
    except SchemaError:
        entry["json_config"] = new["json_config"]
        return entry, False


def _hosts(hosts):
    try:
        return permissions.parse(hosts)
    except ValueError as error:
        raise StorageError(str(error))


def _rename(path, to):
    record.writable()
    try:
        os.rename(path, to)
    except OSError as error:
        raise StorageError(record.said(error, "renaming " + path))


def _quietly_rename(path, to):
    # What can't be renamed now is found by its mark, and renamed at the next boot.
    try:
        _rename(path, to)
    except StorageError:
        pass


_KEYS = (
    ("name", str),
    ("description", str),
    ("version", str),
    ("json_config", str),
    ("json_config_schema", str),
    ("update_cycle_seconds", int),
    ("sha256", str),
    ("size", int),
    ("url", str),
    ("order", int),
)


def _checked(entry):
    """An entry as it was read, with what is missing filled in; None if it is of another shape.

    What this version does not know is kept, for a newer one.
    """
    if not isinstance(entry, dict):
        return None
    for key, kind in _KEYS:
        if not isinstance(entry.get(key), kind):
            return None
    entry["limits"] = quotas.kept(entry.get("limits"))
    try:
        # What was installed before there were permissions keeps what it had.
        entry["hosts"] = _hosts(entry.get("hosts", ["*"]))
    except StorageError:
        entry["hosts"] = []
    return entry
