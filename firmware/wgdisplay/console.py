"""What is behind `wg`: functions of the prompt's thread that post jobs to the application and wait for them.

Results are plain data with a readable `repr`, so that they print well at the prompt and can be used by programs.
Refusals raise `Error` with one sentence; its traceback is two lines long, and a PC's tool sees that the call failed.
Ctrl-C while waiting ends the job as well.
"""

import json
import time

from micropython import const

from . import VERSION

WIDTH = const(80)  # columns of the prompt
START_MS = const(15_000)  # the application's patience to come up
WIFI_MS = const(90_000)  # wg.wifi() waits so long for the outcome

_app = None
_failure = None  # why there is no application


class Error(Exception):
    """Something that can't be done, in one sentence."""


class Table(list):
    """A list of dicts that prints as a table of some of their keys."""

    def __init__(self, rows, columns, empty):
        super().__init__(rows)
        self._columns = columns
        self._empty = empty

    def __repr__(self):
        if not len(self):
            return self._empty
        rows = [[title for title, _ in self._columns]]
        for row in self:
            rows.append([_cell(row[key]) for _, key in self._columns])
        widths = [max(len(row[i]) for row in rows) for i in range(len(self._columns))]
        lines = []
        for row in rows:
            line = "  ".join([row[i] + " " * (widths[i] - len(row[i])) for i in range(len(row))]).rstrip()
            lines.append(line if len(line) <= WIDTH else line[: WIDTH - 3] + "...")
        return "\n".join(lines)

    __str__ = __repr__


class Lines(list):
    """A list of texts that prints one a line."""

    def __repr__(self):
        return "\n".join(self)

    __str__ = __repr__


class Facts(dict):
    """A dict that prints one `key: value` a line, in the order that `text` was given."""

    def tell(self, text):
        self._text = text
        return self

    def __repr__(self):
        return self._text

    __str__ = __repr__


def _cell(value):
    if value is None:
        return "-"
    return str(value).replace("\n", " / ")


# ---- the application ----


def start():
    """Starts the application if it is not running; what fails is kept for `status()`."""
    global _app, _failure
    if _app is not None:
        return
    _failure = None
    try:
        from . import app

        _app = app.build()
        app.launch(_app)
    except Exception as error:
        _app = None
        _failure = "{}: {}".format(type(error).__name__, error)


def stop():
    """Stops the application: widgets and display stand still until `reload()`."""
    if _app is None:
        return
    _app.stop()
    begun = time.ticks_ms()
    while not _app.ended and time.ticks_diff(time.ticks_ms(), begun) < START_MS:
        time.sleep_ms(5)


def reload():
    """Starts the application anew, with what is on flash."""
    global _app
    stop()
    _app = None
    start()


def attach(app):
    """Makes the console talk to another application (tests)."""
    global _app
    _app = app


def _call(name, *args):
    """Has the application run its coroutine `name`; -> what it returns, or Error with its sentence."""
    start()
    if _app is None:
        raise Error("the application did not start: {}".format(_failure))
    job = _app.submit(getattr(_app, name), *args)
    try:
        while not job.done:
            if _app.failure is not None:
                raise Error(_app.failure)
            if not job.serve():
                time.sleep_ms(5)
    except KeyboardInterrupt:
        job.cancelled = True
        raise
    if job.error is not None:
        raise Error(job.error)
    return job.value


def greet():
    """One line at boot: what this is, how it fares, what to do next."""
    if _app is None:
        print("WG Display {}: the application did not start; wg.status() says why.".format(VERSION))
    else:
        print("WG Display {}. wg.help() lists the commands.".format(VERSION))


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
    network = found["wifi"]
    if found["ssid"]:
        network += " {}".format(found["ssid"])
    if found["address"]:
        network += ", address {}".format(found["address"])
    if found["rssi"] is not None:
        network += ", {} dBm".format(found["rssi"])
    lines = [
        "WG Display {}".format(found["version"]),
        "WiFi     {}".format(network),
        "Time     {}".format(_utc(found["time"])),
        "Widgets  {}".format(found["widgets"]),
        "Memory   {} KB free".format(found["memory_free"] // 1024),
        "Flash    {} KB free".format(found["flash_free"] // 1024),
    ]
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
    return Table(
        _call("store", again), (("Name", "name"), ("Description", "description")), "The store is empty."
    )


def install(source, description=""):
    if not isinstance(source, str) or not source:
        raise Error(
            'say what to install: wg.install("http://...") or wg.install("/path") or a name from wg.store()'
        )
    widget = _call("install", source, description)
    facts = Facts()
    facts.update(widget)
    return facts.tell(
        "Installed {} {} ({} bytes, every {} s).".format(
            widget["name"], widget["version"], widget["size"], max(1, widget["update_cycle_seconds"])
        )
    )


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


def schema(name):
    text = _call("entry", name)["json_config_schema"]
    try:
        return json.loads(text)
    except ValueError:
        return text


def run(name):
    return _call("run", name)


def remove(name):
    _call("remove", name)


def logs(last=20, source=None):
    if _app is None:
        return Lines()
    from .log import NAMES

    lines = Lines()
    for ticks, level, origin, text in _app.log.lines(last, source):
        lines.append(
            "{:>9}.{:03d} {:5} {}: {}".format(ticks // 1000, ticks % 1000, NAMES[level], origin, text)
        )
    return lines


def background(color=None):
    if color is None:
        return _call("status")["background"]
    digits = color[1:] if isinstance(color, str) and color.startswith("#") else ""
    if len(digits) != 6 or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise Error('a colour is six hexadecimal digits: wg.background("#102030")')
    _call("background", color.lower())


def set_(key, value=None):
    """Changes a setting; without a value its default is put back."""
    _call("set", key, value)


def screen():
    raise Error(
        "not yet: a picture of the screen can't be taken on the board; the simulated board writes one"
    )


def reboot():
    """Restarts the board."""
    import machine

    stop()
    machine.reset()


_HELP = (
    ("status", "()", "how the display fares: network, time, memory, problems"),
    ("wifi", '("ssid", "password")', "join a network; it is kept for the next boots"),
    ("forget", '("ssid")', "forget a network"),
    ("store", "()", "widgets that can be installed by name"),
    ("install", '("name" | "http://..." | "/path")', "install a widget from the store, an address or a file"),
    ("list", "()", "the installed widgets with their last texts"),
    (
        "configure",
        '("name", {...})',
        "store a widget's configuration; without one, show it; key=value changes a part",
    ),
    ("schema", '("name")', "the JSON schema of a widget's configuration"),
    ("run", '("name")', "run a widget now and return its text"),
    ("remove", '("name")', "remove a widget"),
    ("logs", '(last=20, source="name")', "the last lines of the log, of all or of one widget"),
    ("background", '("#102030")', "the screen's background colour"),
    ("set", '("key", value)', "settings: ntp, store, hostname; without a value the default"),
    ("screen", "()", "a picture of the screen"),
    ("state", "()", "runs and texts as plain data, for programs"),
    ("reload", "()", "start the application anew"),
    ("stop", "()", "stop the application"),
    ("reboot", "()", "restart the board"),
)


def help_(name=None):
    lines = Lines()
    for command, usage, text in _HELP:
        if name is None:
            lines.append("wg.{:<11} {}".format(command, text))
        elif command == name:
            lines.append("wg.{}{}".format(command, usage))
            lines.append("    " + text)
    if not lines:
        raise Error("there is no command {!r}; wg.help() lists them".format(name))
    if name is None:
        lines.append('wg.help("install") shows how a command is used.')
    return lines
