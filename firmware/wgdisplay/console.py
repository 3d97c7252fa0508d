"""What is behind `wg`: functions of the prompt's thread that post jobs to the application and wait for them.

Results are data for programs (`repr` and `json.dumps` see nothing else) whose `str` is for people: what the prompt
shows. Refusals raise `Error` with one sentence, which the prompt shows without a traceback, and which a PC's tool sees.
Ctrl-C while waiting ends the job as well.
"""

import json
import time

import micropython
import wgtrial
from micropython import const

from . import VERSION
from .log import as_text

WIDTH = const(80)  # columns of the prompt
START_MS = const(15_000)  # the application's patience to come up
GREET_MS = const(3_000)  # the greeting waits so long for the application
WIFI_MS = const(90_000)  # wg.wifi() waits so long for the outcome

MAX_CERTIFICATE = const(8192)  # bytes of a file with one
FOLLOW_MS = const(200)  # how often wg.logs(follow=True) looks

RESTARTS = const(3)  # of a crashed application, before the board is restarted
RESTART_MS = const(2000)  # pause before each

_app = None
_restarts = 0  # since the board started
_debug = False  # whether tracebacks are whole
_log = None  # kept over restarts of the application
_failure = None  # why there is no application


class Error(Exception):
    """Something that can't be done, in one sentence."""


class Command:
    """A function of `wg`: refuses in one sentence, and says how it is used where it is named without being called."""

    def __init__(self, name, function):
        self._name = name
        self._function = function

    def __call__(self, *arguments, **named):
        try:
            return self._function(*arguments, **named)
        except Error as error:
            if _debug:
                raise
            said = str(error)
        except (TypeError, AttributeError, ValueError, KeyError) as error:
            # Number and names of arguments; and values of a type that a function did not expect.
            if _debug:
                raise
            said = "that call does not fit; it is " + " or ".join(_usages(self._name))
            if "argument" not in str(error):
                said += " ({}: {}; wg.debug(True) shows where)".format(type(error).__name__, error)
        raise Error(said)  # anew: only two lines of traceback

    def __repr__(self):
        return "\n".join(help_(self._name))


class Picture(bytearray):
    """A PNG file that does not fill the prompt."""

    def __str__(self):
        return 'A PNG picture of {} bytes; wg.screen("/shot.png") writes a file.'.format(len(self))


class Table(list):
    """A list of dicts that prints as a table of some of their keys."""

    def __init__(self, rows, columns, empty):
        super().__init__(rows)
        self._columns = columns
        self._empty = empty

    def __str__(self):
        if not len(self):
            return self._empty
        rows = [[title for title, _ in self._columns]]
        for row in self:
            rows.append([_cell(row[key]) for _, key in self._columns])
        widths = [max(len(row[i]) for row in rows) for i in range(len(self._columns))]
        lines = []
        for row in rows:
            line = "  ".join([row[i] + " " * (widths[i] - len(row[i])) for i in range(len(row))]).rstrip()
            lines.append(_fitted(line))
        return "\n".join(lines)


class Lines(list):
    """A list of texts that prints one a line."""

    def __str__(self):
        return "\n".join(self) or "Nothing yet."


class Hosts(Lines):
    """The hosts that a widget may reach."""

    def __str__(self):
        return "It may reach {}.".format(_reach(self))


class Facts(dict):
    """A dict that prints one `key: value` a line, in the order that `text` was given."""

    def tell(self, text):
        self._text = text
        return self

    def __str__(self):
        return self._text


def show(value):
    """What the prompt prints of an expression's value; as MicroPython's own, but with our texts."""
    if value is None:
        return
    import builtins

    if isinstance(value, (Facts, Table, Lines, Picture)):
        print(str(value))
    else:
        print(repr(value))
    builtins._ = value


def _furnish():
    """Makes the prompt show results and refusals in our way."""
    import builtins

    builtins.__repl_print__ = show
    _tracebacks(False)


def _tracebacks(on):
    try:
        from wgconsole import sentences
    except ImportError:
        return  # an interpreter without it shows them always
    sentences(None if on else Error)


def _cell(value):
    if value is None:
        return "-"
    return str(value).strip().replace("\n", " / ")


def _fitted(line):
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."


# ---- the application ----


def start():
    """Starts the application if it is not running; what fails is kept for `status()`."""
    global _app, _failure, _log
    if _app is not None:
        return
    _failure = None
    try:
        from . import app, bootguard

        bootguard.begin()
        _furnish()

        _app = app.build(_log)
        _log = _app.log
        app.launch(_app, _crashed)
    except Exception as error:
        _app = None
        _failure = "{}: {}".format(type(error).__name__, error)
        wgtrial.failed(_failure)


def _crashed(app):
    """In the thread of an application that an exception ended: starts it anew, at last the board."""
    global _app, _restarts
    time.sleep_ms(RESTART_MS)
    if _app is not app:
        return  # somebody did it
    _restarts += 1
    if _restarts > RESTARTS:
        import machine

        machine.reset()
    _app = None
    start()


def stop():
    """Stops the application: widgets and display stand still until `reload()`."""
    if _app is None:
        return
    _app.stop()
    begun = time.ticks_ms()
    while not _app.ended and time.ticks_diff(time.ticks_ms(), begun) < START_MS:
        time.sleep_ms(5)


def reload():
    """Starts the application anew, with what is on flash. Ctrl-C does not leave it stopped."""
    global _app
    try:
        micropython.kbd_intr(-1)
        try:
            stop()
        finally:
            _app = None
            start()
    finally:
        micropython.kbd_intr(3)


def startup_file():
    """The text of the owner's /boot.py, "" if there is none or in the safe mode."""
    from . import bootguard

    if bootguard.reason is not None:
        return ""
    try:
        with open("/boot.py") as file:
            return file.read()
    except (OSError, UnicodeError, MemoryError):
        return ""


def attach(app):
    """Makes the console talk to another application (tests)."""
    global _app, _log
    _app = app
    _log = app.log


def _call(name, *args):
    """Has the application run its coroutine `name`; -> what it returns, or Error with its sentence."""
    _started()
    return _wait(_app.submit(getattr(_app, name), *args))


def do(work, *args):
    """Has a coroutine function `work(job, app, *args)` run in the application's loop; -> what it returns, or Error."""
    _started()
    return _wait(_app.submit(work, _app, *args))


def _started():
    start()
    if _app is None:
        raise Error("the application did not start: {}".format(_failure))


def _wait(job, patience_ms=None):
    begun = time.ticks_ms()
    app = _app
    try:
        while not job.done:
            if app.failure is not None:
                raise Error(app.failure)
            if patience_ms is not None and time.ticks_diff(time.ticks_ms(), begun) > patience_ms:
                job.cancelled = True
                raise Error("the application is still starting; wg.status() says how it fares")
            if not job.serve():
                time.sleep_ms(5)
    except KeyboardInterrupt:
        job.cancelled = True
        raise
    if job.error is not None:
        raise Error(job.error)
    return job.value


def greet():
    """A few lines at boot: what this is, how it fares, what to do next."""
    try:
        if _app is None:
            raise Error("the application did not start: {}".format(_failure))
        found = _wait(_app.submit(_app.status), GREET_MS)
    except Error as error:
        print("WG Display {}: {}.".format(VERSION, error))
        return
    network = found["wifi"]
    if network == "connected":
        network = "connected to {} as {}".format(found["ssid"], found["address"])
    elif network == "connecting":
        network = "connecting"
    else:
        network = "no network"
    count = found["widgets"]
    widgets = "1 widget" if count == 1 else "{} widgets".format(count)
    print(_fitted("WG Display {}: {}, {}.".format(VERSION, network, widgets)))
    for problem in found["problems"]:
        print("Problem: {}.".format(problem))
    if found["safe_mode"]:
        print(_fitted("This is the safe mode, without widgets: {}.".format(found["safe_mode"])))
        print('Next: wg.logs(), wg.remove("name") or wg.set(...), then wg.reboot()')
    elif network == "no network":
        print('Next: wg.setup() asks for everything; or wg.wifi("network", "password")')
    elif not count:
        print("Next: wg.setup() or wg.install(...): a name from wg.store() or an address")
    print("wg.help() lists the commands.")


# ---- commands ----


def wifi(ssid=None, password="", wait=True):
    if ssid is None:
        return status()
    if not isinstance(ssid, str) or not 0 < len(ssid.encode()) <= 32:
        raise Error("a network's name has 1 to 32 bytes")
    if not isinstance(password, str) or password and not 8 <= len(password.encode()) <= 63:
        raise Error("a WiFi password has 8 to 63 characters, or none for an open network")
    _call("add_network", ssid, password)
    if wait and _call("wait_wifi", WIFI_MS) != "connected":
        raise Error(
            "no connection to {}: is the password right? It is kept and will be tried again".format(ssid)
        )
    return status()


def forget(ssid):
    _call("forget_network", ssid)


def status():
    start()
    if _app is None or _app.failure is not None:
        why = _failure if _app is None else _app.failure
        text = "the application is not running: {}".format(why)
        facts = Facts()
        facts["version"] = VERSION
        facts["problems"] = [text]
        return facts.tell("WG Display {}\n{}".format(VERSION, text))
    found = _call("status")
    network = {"ap": "own network", "connected": "connected to"}.get(found["wifi"], found["wifi"])
    if found["ssid"]:
        network += " {}".format(found["ssid"])
    if found["address"]:
        network += ", address {}".format(found["address"])
    if found["rssi"] is not None:
        network += ", {} dBm".format(found["rssi"])
    if found["access_password"]:
        network += ", password {}".format(found["access_password"])
    lines = [
        "WG Display {}".format(found["version"]),
        "WiFi     {}".format(network),
        "Time     {}".format(_utc(found["time"])),
        "Widgets  {}".format(found["widgets"]),
        "Memory   {} KB free".format(found["memory_free"] // 1024),
        "Flash    {} KB free".format(found["flash_free"] // 1024),
    ]
    if found["safe_mode"]:
        lines.append("Mode     safe, without widgets: {}".format(found["safe_mode"]))
        lines.append("         wg.reboot() starts as usual")
    for problem in found["problems"]:
        lines.append("Problem  {}".format(problem))
    facts = Facts()
    facts.update(found)
    return facts.tell("\n".join(lines))


def _utc(seconds):
    if seconds is None:
        return "not known yet"
    from .net.clock import EPOCH

    t = time.gmtime(seconds - EPOCH)
    return "{}-{:02d}-{:02d} {:02d}:{:02d}:{:02d} UTC".format(*t[:6])


def state():
    return _call("state")


def store(again=False):
    rows = _call("store", again)
    columns = [("Name", "name"), ("Description", "description")]
    if any(row["version"] for row in rows):
        columns.insert(1, ("Version", "version"))
    return Table(rows, columns, "The store is empty.")


def install(source, description="", hosts=None):
    """hosts: what the widget may reach; None: what the store's entry says, else any public host."""
    if not isinstance(source, str) or not source:
        raise Error(
            'say what to install: wg.install("http://...") or wg.install("/path") or a name from wg.store()'
        )
    widget = _call("install", source, description, hosts)
    facts = Facts()
    facts.update(widget)
    return facts.tell(
        "Installed {} {} ({} bytes, every {} s).\nIt may reach {}: wg.hosts({!r}, [...]) changes that.".format(
            widget["name"],
            widget["version"],
            widget["size"],
            max(1, widget["update_cycle_seconds"]),
            _reach(widget["hosts"]),
            widget["name"],
        )
    )


def ota(url=None, check=False, downgrade=False, restart=True, progress=None):
    """Installs newer firmware and restarts the board; with `check` it is only looked for."""
    if not (url is None or isinstance(url, str)):
        raise Error('an update is asked for by wg.ota(), wg.ota(check=True) or wg.ota("https://.../")')
    shown = progress
    if shown is None:
        shown = _progress
    found = _call("ota", url, bool(check), bool(downgrade), bool(restart), shown)
    version, running = found["version"], found["running"]
    lines = {
        "current": ["{} is the newest release, and it is running.".format(version)],
        "available": ["{} can be installed in the place of {}: wg.ota()".format(version, running)],
        "installed": [
            "{} is installed{}.".format(version, "; the board restarts" if restart else ""),
            "If it does not prove itself, {} comes back: wg.ota_state()".format(running),
        ],
    }[found["action"]]
    if found["notes"]:
        for line in found["notes"].split("\n"):
            lines.extend(_wrapped(line))
    facts = Facts()
    facts.update(found)
    return facts.tell("\n".join(lines))


def _progress(done, size):
    print("\r{:3d} % of {} KB".format(done * 100 // size, size // 1024), end="\n" if done == size else "")


def ota_state():
    """Which firmware runs from which slot, and what became of the last update."""
    found = _call("ota_state")
    last = found["last"]
    trusts = ", ".join(found["trusts"]) or "no key: no updates over the air"
    lines = [
        "Version  {}".format(found["version"]),
        "Slot     {}, {}".format(found["slot"], found["state"]),
        "Trusts   {}".format(trusts),
    ]
    if found["on_trial"]:
        lines.append("On trial: a restart now would bring the version before it back.")
    if last:
        lines.append("Update   {} {}".format(last["version"], last["outcome"]))
        if last["why"]:
            lines.append("         {}".format(last["why"]))
    facts = Facts()
    facts.update(found)
    return facts.tell("\n".join(lines))


def update(name=None):
    """One widget or all from the store, or the address that they came from; their configuration and hosts stay."""
    if name is not None:
        _named(name)
    rows = _call("update", name)
    columns = (("Name", "name"), ("Was", "was"), ("Version", "version"), ("Result", "result"))
    for row in rows:
        if row["hosts"]:
            row["result"] += "; it also asks for {}: wg.hosts({!r}, [...])".format(
                ", ".join(row["hosts"]), row["name"]
            )
    return Table(rows, columns, "No widget is installed.")


def _reach(hosts):
    """A widget's list of hosts in words."""
    if not hosts:
        return "no host"
    from .net.permissions import ANY, is_inside

    words = [host + " (inside your network)" if is_inside(host) else host for host in hosts if host != ANY]
    if ANY in hosts:
        words.append("any public host")
    return ", ".join(words)


def hosts(name, hosts=None):
    """With a list, a widget may reach these hosts and no others; without, -> what it may reach."""
    _named(name)
    if hosts is not None:
        _call("hosts", name, hosts)
        return None
    return Hosts(_call("hosts", name))


def trust(source=None, on=True):
    """A root certificate, as a file or a PEM text, for https to trust besides the built-in ones; on=False: no longer,
    by its name; without a source, -> one's own."""
    data = remove = None
    if source is not None and not isinstance(source, str):
        raise Error('a root is trusted by wg.trust("/ca.pem"), and no longer by wg.trust("name", False)')
    if source is not None and not on:
        remove = source
    elif source is not None and "-----BEGIN" in source:
        data = source.encode()
    elif source is not None:
        try:
            with open(source, "rb") as file:
                data = file.read(MAX_CERTIFICATE)
        except OSError:
            raise Error("there is no file {}".format(source))
    columns = (("Name", "name"), ("Until", "until"), ("File", "file"))
    return Table(_call("trust", data, remove), columns, "There are the built-in roots only.")


def list_():
    columns = (
        ("Name", "name"),
        ("Version", "version"),
        ("Every s", "cycle"),
        ("Runs", "runs"),
        ("ms", "last_ms"),
        ("Text", "text"),
    )
    rows = _call("overview")
    for row in rows:
        row["text"] = row["last_error"] or row["last_output"]
    return Table(rows, columns, "No widget is installed: wg.install(...)")


def configure(name, config=None, **values):
    """A dict or JSON text is stored; keywords change these values only; with neither, -> the configuration."""
    if config is None:
        try:
            config = json.loads(_call("entry", name)["json_config"])
        except ValueError:
            config = {}
        if not values:
            return config
    _named(name)
    if isinstance(config, str):
        text = config
        if values:
            raise Error("give either JSON text or values, not both")
    elif isinstance(config, dict):
        config.update(values)
        text = json.dumps(config)
    else:
        raise Error('a configuration is a dict or JSON text: wg.configure("Time", {"zone": "Europe/Zurich"})')
    _call("configure", name, text)
    said = _unchecked(_schema_of(name))
    return Lines(["Stored."] + said) if said else None


def _schema_of(name):
    from .storage.schema import parse

    return parse(_call("entry", name)["json_config_schema"]) or {}


def limits(name, **values):
    """Without values all quotas of a widget; with them these are set, None for a default."""
    _named(name)
    rows = _call("limits", name, values)
    if values:
        return None
    table = Table(rows, (("Limit", "name"), ("Value", "shown"), ("", "mark"), ("What", "what")), "")
    for row in rows:
        row["shown"] = "none" if row["value"] is None else row["value"]
        row["mark"] = "set" if row["set"] else ""
    return table


def _named(name):
    if not isinstance(name, str):
        raise Error('say which widget by its name in quotes, as in wg.list(): "Time"')


def schema(name):
    _named(name)
    text = _call("entry", name)["json_config_schema"]
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if not isinstance(found, dict) or not isinstance(found.get("properties"), dict):
        return found
    lines = []
    required = found.get("required", ())
    for key, part in sorted(found["properties"].items()):
        if not isinstance(part, dict):
            part = {}
        about = str(part.get("type", "any value"))
        if "enum" in part:
            about = "one of " + json.dumps(part["enum"])
        if "default" in part:
            about += ", default " + json.dumps(part["default"])
        if key in required:
            about += ", required"
        lines.append("{}: {}".format(key, about))
        lines.extend(_wrapped(str(part.get("description", ""))))
    lines.extend(_unchecked(found))
    facts = Facts()
    facts.update(found)
    return facts.tell("\n".join(lines) or "There is nothing to configure.")


def _unchecked(schema):
    """Lines that say what of a schema is not looked at."""
    from .storage.schema import unchecked

    return [_fitted("Not checked on this board: {}".format(said)) for said in unchecked(schema)]


def _wrapped(text):
    """Lines of a text, indented, that fit the prompt."""
    line = "   "
    for word in text.split():
        if len(line) + 1 + len(word) > WIDTH and line.strip():
            yield line
            line = "   "
        line += " " + word
    if line.strip():
        yield line


def run(name):
    _named(name)
    return _call("run", name)


def remove(name):
    _named(name)
    _call("remove", name)


def logs(last=20, source=None, follow=False, level="debug", before=False):
    """The last lines; with `follow` they are printed, and new ones as they come, until Ctrl-C."""
    from .log import NAMES

    if isinstance(last, str):
        last, source = 20, last  # wg.logs("Time")
    if not isinstance(last, int) or last < 0 or not (source is None or isinstance(source, str)):
        raise Error('logs are asked for by wg.logs(50), wg.logs("Time") or wg.logs(follow=True)')
    if level not in NAMES:
        raise Error("level is one of " + ", ".join(['"{}"'.format(name) for name in NAMES]))
    if _log is None:
        return Lines()
    if before:
        return Lines(_log.before[-last:] if last else [])
    least = NAMES.index(level)
    seen = _log.count
    lines = Lines([as_text(line) for line in _log.lines(last, source, least)])
    if not follow:
        return lines
    try:
        for line in lines:
            print(line)
        while True:
            count = _log.count
            if count != seen:
                for line in _log.lines(count - seen, None):
                    if line[1] >= least and (source is None or line[2] == source):
                        print(as_text(line))
                seen = count
            time.sleep_ms(FOLLOW_MS)
    except KeyboardInterrupt:
        return None


class Reports(list):
    """Records of crashes, each with its lines below it."""

    def __str__(self):
        lines = []
        for one in self:
            at = _utc(one.get("time")) if one.get("time") is not None else "at an unknown time"
            lines.append("{}: {}".format(at, one["what"]))
            for text in (one.get("trace") or "").split("\n") + list(one.get("log") or ()):
                if text:
                    lines.append("    " + text)
        return "\n".join(lines) or "No crash is known."


def crashes(clear=False):
    """What ended the application or restarted the board by itself, the oldest first; `clear` forgets them."""
    return Reports(do(_crashes, clear))


async def _crashes(job, app, clear):
    if clear:
        app.crashes.clear()
    return app.crashes.load()


def background(color=None):
    if color is None:
        return _call("status")["background"]
    digits = color[1:] if isinstance(color, str) and color.startswith("#") else ""
    if len(digits) != 6 or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise Error('a colour is six hexadecimal digits: wg.background("#102030")')
    _call("background", color.lower())


def set_(key, value=None):
    """Changes a setting; without a value its default is put back. A zone may be given by its name."""
    if key == "zone" and isinstance(value, str) and value and not any("0" <= c <= "9" for c in value):
        from .setup import zones

        found = zones(value)
        if len(found) > 1:
            raise Error("which zone: {}?".format(", ".join([name for name, _ in found[:8]])))
        if found:
            value = found[0][0]
    _call("set", key, value)


def setting(key):
    """The value of a setting, its default if it was not changed."""
    return do(_setting, key)


async def _setting(job, app, key):
    return app.storage.setting(key)


def setup(name=None):
    """The wizard; with a widget's name its settings only."""
    import sys

    from . import setup as wizard

    if name is None:
        wizard.Wizard(sys.modules[__name__]).run()
        return
    _named(name)
    try:
        wizard.change(sys.modules[__name__], name)
    except (wizard.Left, wizard.Back, KeyboardInterrupt):
        print("\nLeft. Nothing was changed.")


def file_of(name):
    """The path of an installed widget's file."""
    return do(_file_of, name)


async def _file_of(job, app, name):
    return app.storage._path(app.storage.widget(name))


def export(to=None, secrets=False):
    """The whole configuration as plain data; `to`: a file for it. Passwords and tokens only with `secrets`."""
    from . import backup

    if not (to is None or isinstance(to, str) and to) or secrets not in (True, False):
        raise Error(
            'wg.export() gives the configuration, wg.export("/file.json") writes it, secrets=True: all of it'
        )
    whole = do(backup.export, secrets)
    if to is not None:
        try:
            with open(to, "w") as file:
                json.dump(whole, file)
        except OSError as error:
            raise Error("the configuration was not written to {}: {}".format(to, error))
        return None
    count = sum(len(widget.get("left_out", ())) for widget in whole["widgets"])
    if not secrets:
        count += len(whole["networks"])
    lines = [
        "The configuration: {} networks, {} widgets.".format(len(whole["networks"]), len(whole["widgets"])),
        "Without {} secrets; secrets=True has them.".format(count) if count else "",
        'wg.export("/file.json") writes a file, wg.restore("/file.json") brings it back.',
    ]
    facts = Facts()
    facts.update(whole)
    return facts.tell("\n".join([line for line in lines if line]))


def restore(source):
    """Brings an export back, part by part: what can't be is said, and the rest is done."""
    from . import backup

    try:
        whole = backup.read(source)
    except backup.BackupError as error:
        raise Error(str(error))
    done, failed = [], []

    def attempt(what, function, *args):
        try:
            if function(*args) is not False:
                done.append(what)
        except Error as error:
            failed.append("{}: {}".format(what, error))

    if "background" in whole:
        attempt("background", background, whole["background"])
    for key in sorted(whole.get("settings", {})):
        attempt("setting " + key, _call, "set", key, whole["settings"][key])
    joined = False
    for one in reversed(whole.get("networks", ())):
        if one.get("password") is None:
            failed.append("network {}: its password is not in the export".format(one["ssid"]))
        else:
            attempt("network " + one["ssid"], do, backup.put_network, one["ssid"], one["password"])
            joined = True
    if joined:
        do(_rejoin)
    have = [widget["name"] for widget in _call("overview")]
    for one in whole.get("widgets", ()):
        what = "widget " + one["name"]
        if one["name"] in have:
            attempt(what, do, backup.put_widget, one)
        elif "://" in one.get("url", ""):
            attempt(what, do, backup.put_new_widget, one)
        else:
            failed.append("{}: it came from a file; install it and restore again".format(what))
    facts = Facts()
    facts["done"], facts["failed"] = done, failed
    lines = ["Restored: {}.".format(", ".join(done) or "nothing")] + [
        "Not restored: " + text for text in failed
    ]
    return facts.tell("\n".join(lines))


async def _rejoin(job, app):
    if app.wifi is not None and app.wifi.state != "connected":
        app.wifi.start()


def screen(to=None):
    """The picture on the screen as PNG: into a file, to a function that takes pieces, or, with neither, as bytes.

    A piece is only valid during the call. Only the bytes need memory of the picture's size.
    """
    if callable(to):
        _call("picture", to)
        return None
    if to is None:
        whole = Picture()
        _call("picture", whole.extend)
        return whole
    if not isinstance(to, str) or not to:
        raise Error('say where the picture goes: wg.screen("/shot.png")')
    try:
        with open(to, "wb") as file:
            _call("picture", file.write)
    except OSError as error:
        raise Error("the picture was not written to {}: {}".format(to, error))
    return None


def debug(on=True):
    """Whether errors come with their whole traceback, or as a sentence."""
    global _debug
    _debug = bool(on)
    _tracebacks(_debug)


def reboot(safe=False):
    """Restarts the board; with `safe` into the safe mode, without widgets."""
    import machine

    from . import bootguard

    if safe is not True and safe is not False:
        raise Error("restart the board by wg.reboot(), into the safe mode by wg.reboot(safe=True)")
    try:
        micropython.kbd_intr(-1)  # Ctrl-C would leave a board whose application was stopped
        bootguard.leave(safe)
        stop()
    finally:
        machine.reset()


_HELP = (
    ("setup", '() | ("name")', "questions and answers: WiFi, time zone, widgets, settings"),
    ("status", "()", "how the display fares: network, time, memory, problems"),
    ("wifi", '("network", "password")', "join a network; it is kept for the next boots"),
    ("forget", '("network")', "forget a network"),
    ("store", "()", "widgets that can be installed by name"),
    (
        "install",
        '("name") | ("http://...") | ("/file.wasm")',
        "install a widget from the store, an address or a file",
    ),
    ("update", '() | ("name")', "bring widgets up to date with the store"),
    (
        "trust",
        '("/ca.pem") | ("name", False) | ()',
        "root certificates of your own, besides the built-in ones",
    ),
    ("list", "()", "the installed widgets with their last texts"),
    (
        "configure",
        '("name", {...}) | ("name", key="value") | ("name")',
        "store a widget's configuration, or show it; key=value sets a part",
    ),
    ("schema", '("name")', "the JSON schema of a widget's configuration"),
    ("run", '("name")', "run a widget now and return its text"),
    ("remove", '("name")', "remove a widget"),
    ("limits", '("name", deadline_ms=5000)', "show a widget's quotas; key=value sets, key=None undoes"),
    (
        "hosts",
        '("name") | ("name", ["api.example.org", "192.168.1.5"]) | ("name", ["*"]) | ("name", [])',
        "which hosts a widget may reach; *: any public one",
    ),
    (
        "logs",
        '(50) | ("name") | (follow=True) | (level="warn") | (before=True)',
        "the last lines of the log; follow: go on until Ctrl-C",
    ),
    ("crashes", "() | (clear=True)", "what went down by itself, also before the last reset"),
    ("background", '("#102030") | ()', "the screen's background colour"),
    (
        "set",
        '("key", "value")',
        "settings: zone, store, ota, hostname...; no value: the default",
    ),
    ("export", '() | ("/file.json") | (secrets=True)', "the whole configuration, for a backup"),
    ("restore", '("/file.json") | ({...})', "bring an export back"),
    ("screen", '("/shot.png")', "a picture of the screen, as a file or as bytes"),
    (
        "ota",
        '() | (check=True) | ("https://.../") | (downgrade=True)',
        "install newer firmware and restart; check: only look for it",
    ),
    ("ota_state", "()", "the firmware's slot and keys, and what became of the last update"),
    ("state", "()", "runs and texts as plain data, for programs"),
    ("reload", "()", "start the application anew"),
    ("stop", "()", "stop the application"),
    ("reboot", "() | (safe=True)", "restart the board; safe: once without widgets"),
    ("debug", "(True)", "show errors with their tracebacks"),
)


def _usages(name):
    """What a command's call looks like: all its forms."""
    for command, usage, _ in _HELP:
        if command == name:
            return ["wg." + name + form for form in usage.split(" | ")]
    return ["wg.help()"]


def _page(name):
    from .manual import PAGES

    return PAGES.get(name, "")


def help_(name=None):
    lines = Lines()
    if isinstance(name, Command):
        name = name._name
    for command, _, text in _HELP:
        if name is None:
            lines.append("wg.{:<11} {}".format(command, text))
        elif command == name:
            lines.extend(_usages(command))
            lines.append("    " + text)
            lines.extend(_wrapped(_page(name)))
    if name == "help":
        lines.extend(["wg.help()", 'wg.help("install")', "    the commands, or how one is used"])
    if not lines:
        raise Error("there is no command {!r}; wg.help() lists them".format(name))
    if name is None:
        lines.append('wg.help("install") shows how a command is used.')
    return lines
