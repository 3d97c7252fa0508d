"""The wizard: WiFi, time zone, widgets from the store, their settings; in questions and answers over any terminal.

Each step is stored as a whole when it is finished: a network when it was joined, a widget together with its settings.
So the wizard can be left at any question, and be run again.
"""

import asyncio
import time

from micropython import const

from . import prompt
from .app import AppError
from .form import Form
from .prompt import Back, Left

JOIN_MS = const(40_000)  # the patience with one network: more than one try
RADIO_MS = const(200)  # between two looks at the radio
SCANS = const(3)  # tries; the radio refuses while it is connecting
MAX_SHOWN = const(15)  # networks or zones of a list
WIDTH = const(79)


class Wizard:
    """`console` is the module that has the commands; the others are for tests."""

    def __init__(self, console, ask=prompt.answer, say=print):
        self._console = console
        self._ask = ask
        self._say = say

    def run(self):
        """Goes through the steps; True if the end was reached."""
        prompt.begin()
        self._say("Enter takes what stands in [brackets], or leaves a step out.")
        self._say('"back" goes back, "quit" or Ctrl-C leaves; what was finished is kept.')
        steps = (self._wifi, self._zone, self._widgets, self._settings)
        at = 0
        try:
            while at < len(steps):
                try:
                    steps[at]()
                    at += 1
                except Back:
                    at = max(0, at - 1)
        except (Left, KeyboardInterrupt):
            self._say("\nLeft. What was finished is kept; wg.setup() goes on.")
            return False
        self._say("\nDone. The display goes on by itself; wg.status() and wg.list() show how.")
        return True

    def _yes(self, question, preset):
        return prompt.yes(question, preset, self._ask, self._say)

    def _numbered(self, lines):
        for i, line in enumerate(lines):
            line = "{:>4}  {}".format(i + 1, line)
            self._say(line if len(line) <= WIDTH else line[: WIDTH - 3] + "...")

    # ---- WiFi ----

    def _wifi(self):
        self._say("\n1 of 4: WiFi")
        status = self._console.status()
        if status.get("wifi") == "connected":
            self._say("Connected to {} as {}.".format(status["ssid"], status["address"]))
            if not self._yes("Join another network?", False):
                return
        again = True
        while True:
            if again:
                self._say("Looking for networks ...")
                found = scan()
                self._numbered([_network_line(*network) for network in found])
            again = False
            line = self._ask(
                'Network: a number, a name, or "scan" (Enter: none for now): '
                if found
                else 'No network was found. A name, or "scan" (Enter: none for now): '
            )
            if not line:
                return
            if line.lower() == "scan":
                again = True
                continue
            if line.isdigit() and 1 <= int(line) <= len(found):
                ssid, _, locked = found[int(line) - 1]
            else:
                ssid, locked = prompt.text_of(line), True
                for network in found:
                    if network[0] == ssid:
                        locked = network[2]
            if self._join(ssid, locked):
                return

    def _join(self, ssid, locked):
        """True if the network was joined and is kept; else nothing was changed."""
        password = ""
        while locked:
            try:
                password = self._ask("Password of {} (not shown; Enter: it has none): ".format(ssid), True)
            except Back:
                return False
            password = prompt.text_of(password)
            if not password or 8 <= len(password.encode()) <= 63:
                break
            self._say("A WiFi password has 8 to 63 characters.")
        if not 0 < len(ssid.encode()) <= 32:
            self._say("A network's name has 1 to 32 bytes.")
            return False
        self._say("Connecting to {} ...".format(ssid))
        why = self._console.do(_join, ssid, password)
        if why is None:
            self._say("Connected as {}.".format(self._console.status()["address"]))
        else:
            self._say("No connection: {}.".format(why))
        return why is None

    # ---- time zone ----

    def _zone(self):
        self._say("\n2 of 4: time zone, for the clock in the header")
        now = self._console.setting("zone")
        while True:
            line = self._ask(
                'A city or a region, such as "Zurich"{}: '.format(
                    " [{}]".format(now) if now else " (Enter: no clock)"
                )
            )
            if not line:
                return
            found = zones(line)
            if len(found) > 1:
                if len(found) > MAX_SHOWN:
                    self._say("{} zones have that in their name; type more of it.".format(len(found)))
                    continue
                self._numbered([name for name, _ in found])
                try:
                    line = self._ask("Which, 1 to {}: ".format(len(found)))
                except Back:
                    continue
                if not line.isdigit() or not 1 <= int(line) <= len(found):
                    continue
                found = [found[int(line) - 1]]
            name = found[0][0] if found else line
            try:
                self._console.set_("zone", name)
            except self._console.Error:
                self._say('There is no zone "{}". The names are those of large cities.'.format(line))
                continue
            self._say("The zone is {}.".format(name))
            return

    # ---- widgets ----

    def _widgets(self):
        self._say("\n3 of 4: widgets")
        items = self._catalogue()
        if items is None:
            return
        while True:
            have = [widget["name"] for widget in self._console.list_()]
            self._numbered(
                [
                    "{}{}: {}".format(
                        item["name"], " (installed)" if item["name"] in have else "", item["description"]
                    )
                    for item in items
                ]
            )
            line = self._ask("Which, such as 1 3 or a name (Enter: none): ")
            if not line:
                return
            chosen = _chosen(line, items)
            if chosen is None:
                self._say("Type numbers from 1 to {}, or names of the list.".format(len(items)))
                continue
            try:
                for item in chosen:
                    if item["name"] in have:
                        self._say("{} is installed already.".format(item["name"]))
                    else:
                        self._install(item)
                return
            except Back:
                continue

    def _catalogue(self):
        while True:
            try:
                if not self._console.setting("store"):
                    address = self._ask("Address of a store, http... (Enter: none): ")
                    if not address:
                        return None
                    self._console.set_("store", address)
                items = list(self._console.store(True))
                if items:
                    return items
                self._say("The store is empty.")
                return None
            except self._console.Error as error:
                self._say("The store can't be read: {}.".format(error))
                if not self._yes("Try again?", False):
                    return None

    def _install(self, item):
        name = item["name"]
        self._say("\n{}".format(name))
        hosts = item.get("hosts")
        if hosts is None:
            self._say("The store does not say what it wants to reach: any server on the internet.")
        elif not hosts:
            self._say("It reaches no server.")
        elif "*" in hosts:
            self._say("It wants to reach any server on the internet.")
        else:
            self._say("It wants to reach {}, and nothing else.".format(", ".join(hosts)))
        if not self._yes("Install it?", True):
            return
        self._say("Fetching ...")
        left = []  # how its settings were left

        def fill(metadata):
            """Called in this thread when the file is there, before it is a widget."""
            form = Form(metadata["schema"], self._ask, self._say)
            if not form.questions():
                return {}
            self._say("Its settings:")
            try:
                return form.fill({})
            except (Back, Left) as error:
                left.append(error)
                raise AppError("its settings were left")

        try:
            widget = self._console.do(_install, item, fill)
        except KeyboardInterrupt:
            self._say("\n{} was not installed.".format(name))
            raise
        except self._console.Error as error:
            self._say("{} was not installed: {}.".format(name, error))
            if left:
                raise left[0]
            return
        self._say("{} {} is installed.".format(widget["name"], widget["version"]))

    # ---- settings of what is there ----

    def _settings(self):
        self._say("\n4 of 4: settings of the widgets")
        while True:
            names = [widget["name"] for widget in self._console.list_()]
            if not names:
                self._say("No widget is installed.")
                return
            self._numbered(names)
            line = self._ask("Change those of (Enter: none): ")
            if not line:
                return
            chosen = _chosen(line, [{"name": name} for name in names])
            if chosen is None:
                self._say("Type a number from 1 to {}.".format(len(names)))
                continue
            for item in chosen:
                try:
                    change(self._console, item["name"], self._ask, self._say)
                except Back:
                    break


def change(console, name, ask=prompt.answer, say=print):
    """Asks for a widget's settings, those of now offered, and stores them as a whole."""
    prompt.begin()
    entry = console.do(_entry, name)
    form = Form(entry["json_config_schema"], ask, say)
    if not form.questions():
        say("{} has no settings.".format(name))
        return
    console.configure(name, form.fill(console.configure(name)))
    say("The settings of {} are stored.".format(name))


def _chosen(line, items):
    """The items that a line names by number or name, or None."""
    for item in items:
        if item["name"].lower() == prompt.text_of(line).lower():
            return [item]
    found = []
    for word in line.replace(",", " ").split():
        if not word.isdigit() or not 1 <= int(word) <= len(items):
            return None
        if items[int(word) - 1] not in found:
            found.append(items[int(word) - 1])
    return found


def _network_line(ssid, rssi, locked):
    strength = "strong" if rssi >= -60 else "good" if rssi >= -72 else "weak"
    return "{:32}  {:6}  {}".format(ssid, strength, "" if locked else "open")


def scan():
    """The networks in reach, the strongest first: [(name, dBm, whether it has a password)...].

    In the thread of the prompt: a scan takes seconds.
    """
    import network

    station = network.WLAN(network.STA_IF)
    for left in range(SCANS - 1, -1, -1):
        try:
            if not station.active():
                station.active(True)
            best = {}
            for raw, _, _, rssi, security, _ in station.scan():
                try:
                    ssid = raw.decode()
                except UnicodeError:
                    continue
                if ssid and (ssid not in best or best[ssid][0] < rssi):
                    best[ssid] = (rssi, security != 0)
            found = [(ssid, best[ssid][0], best[ssid][1]) for ssid in best]
            found.sort(key=lambda network: -network[1])
            return found[:MAX_SHOWN]
        except OSError:
            if left:
                time.sleep_ms(2000)  # it is connecting; between its tries are pauses
    return []


def zones(text):
    """The time zones with a text in their name: [(name, rule)...]; one whose name or city is the text comes alone."""
    try:
        from wgzones import ZONES
    except ImportError:
        return []
    wanted = text.strip().lower().replace(" ", "_")
    found = []
    at = 0
    while at < len(ZONES) and wanted:
        end = ZONES.find(b"\n", at)
        name, _, rule = ZONES[at:end].decode().partition("=")
        at = end + 1
        low = name.lower()
        if low == wanted or low.endswith("/" + wanted):
            return [(name, rule)]
        if wanted in low:
            found.append((name, rule))
    return found


# ---- work in the application's loop ----


async def _join(job, app, ssid, password):
    """Joins a network, and stores it only then; -> None, or why it was not joined."""
    wifi = app.wifi
    if wifi is None:
        return "this board has no WiFi"
    usual = wifi._networks
    wifi._networks = lambda: [(ssid, password)]
    joined = False
    try:
        wifi.start()
        why = await _joined(wifi, ssid)
        joined = why is None
        if joined:
            app.storage.add_network(ssid, password)
        return why
    finally:
        wifi._networks = usual
        if not joined:
            wifi.start()


async def _joined(wifi, ssid):
    begun = time.ticks_ms()
    while time.ticks_diff(time.ticks_ms(), begun) < JOIN_MS:
        if wifi.state == "connected" and wifi.ssid == ssid:
            return None
        if wifi.problem:
            return wifi.problem
        if wifi.state != "connecting":
            break
        await asyncio.sleep_ms(RADIO_MS)
    return "no answer within {} s".format(JOIN_MS // 1000)


async def _entry(job, app, name):
    return app.storage.widget(name)


async def _install(job, app, item, fill):
    return await app.install(job, item["name"], hosts=item.get("hosts"), ask=fill)
