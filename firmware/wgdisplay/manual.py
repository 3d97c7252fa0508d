"""What `wg.help("install")` says below a command's forms: what it does, what it returns, an example."""

PAGES = {
    "status": 'Returns a dict: wg.status()["address"]. Problems are sentences that say what to do.',
    "setup": "Asks for WiFi, time zone, widgets of the store and their settings. It can be left at any question and "
    'run again. wg.setup("Time") asks for one widget\'s settings only.',
    "wifi": "Joins the network and waits for the outcome, 90 s at most; then as wg.status(). Up to 8 networks are "
    "kept, the newest is tried first. Without a password the network is an open one. wg.setup() lists what is in "
    "reach and keeps the password off the screen.",
    "forget": "The network is not joined any more. A connection that is up is left.",
    "store": "Returns a list of dicts with name, description, repository and url. wg.store(True) fetches the "
    'catalogue again. Its address is a setting: wg.set("store", "https://...").',
    "install": "Fetches the file, looks at it, and keeps it if it is a widget that can run here; else nothing is "
    "changed. Returns a dict. Files come over the cable, too: with `mpremote mount .` as "
    'wg.install("/remote/time.wasm"), or by `wg install time.wasm` on the PC.',
    "list": "Returns a list of dicts: name, version, cycle in seconds, runs, the last run's milliseconds, the last "
    "text or error.",
    "configure": "A dict (or JSON text) replaces the configuration, key=value changes a part of it, the name alone "
    'returns it. It is checked against wg.schema("name") before it is stored; what does not fit is named with its '
    'place: connections[0].from_station: missing. wg.setup("name") asks instead. Values may be of any JSON type: '
    'wg.configure("Time", zone="Europe/Zurich", options={"short": True}).',
    "schema": "Returns the JSON schema as a dict. Printed, it is a list of the settings with their types and "
    "defaults, and of what is not checked on this board.",
    "run": "Waits for the result, at most for the widget's deadline. A failed run is a wg.Error with its reason.",
    "remove": "The widget's file and its configuration are gone; wg.install() brings the file back.",
    "limits": "What a run may use at most: time, memory, stack, host calls, network. They hold from the next run on.",
    "logs": 'Filters can be combined: wg.logs(50, "Time", level="warn"). wg.logs(before=True) has the warnings and '
    "errors from before the last reset. Columns: seconds since the board started, level, source, text. Returns a "
    "list of texts. Passwords are never logged.",
    "crashes": "Records on flash of what ended the application or made the board restart by itself, with the last "
    "lines of the log. clear=True forgets them.",
    "background": "Six hexadecimal digits: red, green, blue. Without a colour it is returned.",
    "set": 'A zone may be given by its name: wg.set("zone", "Europe/Zurich"); "" shows no clock.',
    "export": "Background, settings, networks, widgets with their configurations: plain data that wg.restore() takes, "
    "also on another board. Passwords, tokens and the like are left out unless secrets=True. `wg backup` on the PC "
    "keeps the widgets' files as well.",
    "restore": "Takes what wg.export() gave, as a dict, as JSON text or as the path of a file. Widgets that are "
    "missing are installed from their address. Each part is stored as a whole; what can't be is said.",
    "screen": "A path gets a PNG file; a function is called with pieces of it; without either the bytes are returned.",
    "state": "Plain data in a small form, for programs that ask often.",
    "reload": "Reads everything from flash again, as a restart does.",
    "stop": "Widgets and screen stand still until wg.reload() or a restart. asyncio is then free for your programs.",
    "reboot": "safe=True starts once without widgets and without files of the flash in the place of the firmware's. "
    "The same happens when the boot button is held at the start, or after three starts in a row that failed. "
    "wg.reboot() leaves it.",
    "debug": "Refusals are one sentence. wg.debug(True) shows where they came from, wg.debug(False) ends that.",
    "hosts": 'A widget reaches these hosts and no others. "*" stands for any public host; addresses inside your own '
    "network must be named.",
}
