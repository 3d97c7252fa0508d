"""What the screen shows: the widgets, page by page, or what takes their place; its light by day and by night; keys.

All of it runs in the application's loop. Without a display every method does nothing.
"""

import asyncio
import time

from micropython import const

from .keys import POLL_MS, Keys
from .net.wifi import AP, CONNECTED, CONNECTING
from .net.zone import Zone
from .storage.catalogue import SETTINGS
from .touch import Touch, TouchError

PAGE_SECONDS_MAX = const(3600)
WAKE_MS = const(30_000)  # the light of the day after a key, by night
PROBLEM_MS = const(6000)  # the start screen stays so long if something did not start
_BOOT_LINES = const(9)
_SIZES = ("auto", "small", "normal", "large", "huge", "giant")
_THEMES = ("auto", "dark", "light")
# What keys do, by their names in `board.BUTTONS`: pages forward.
_TURNS = {"boot": 1, "next": 1, "mute": -1, "previous": -1}
_BACK_PART = const(3)  # a tap on this part of the glass, at the left, turns a page back

# Icons of the header, see tools/wg/fonts/icons.py.
_BARS = "\ue000\ue001\ue002\ue003\ue004"
_WIFI_OFF = "\ue005"
_WIFI_JOINING = "\ue006"
_ACCESS_POINT = "\ue007"
_DONE = "\u2713 "
_FAILED = "\u26a0 "
# dBm from which on the signal has one bar more, and by how much it has to pass that.
_STEPS = (-85, -75, -67, -58)
_MARGIN = const(3)


def check_setting(key, value):
    """Raises ValueError, in one sentence, if a setting of the screen can't have this value."""
    if key == "text_size":
        _one_of(key, value, _SIZES)
    elif key == "theme":
        _one_of(key, value, _THEMES)
    elif key == "page_seconds":
        _within(key, value, 0, PAGE_SECONDS_MAX)
    elif key == "brightness":
        _within(key, value, 1, 100)
    elif key == "night_brightness":
        _within(key, value, 0, 100)
    elif key == "night" and value:
        parse_span(value)


def _one_of(key, value, choices):
    if value not in choices:
        raise ValueError("{} is one of {}".format(key, ", ".join(choices)))


def _within(key, value, low, high):
    if not low <= value <= high:
        raise ValueError("{} is from {} to {}".format(key, low, high))


def parse_span(text):
    """Minutes of the day of a span's begin and end: "22:00-06:30"."""
    try:
        ends = [[int(part) for part in end.split(":")] for end in text.split("-")]
        (h1, m1), (h2, m2) = ends
        if not (0 <= h1 < 24 and 0 <= h2 < 24 and 0 <= m1 < 60 and 0 <= m2 < 60):
            raise ValueError
    except ValueError:
        raise ValueError('a span of the day is written "22:00-06:30", not {!r}'.format(text))
    return 60 * h1 + m1, 60 * h2 + m2


def within_span(minute, span):
    """Whether a minute of the day is in the span, which may run over midnight; one of no length is never."""
    begin, end = span
    return begin <= minute < end if begin <= end else minute >= begin or minute < end


def bars(rssi, before):
    """0 to 4 bars for a signal in dBm; at a border it stays with `before`."""

    def count(value):
        return sum(1 for step in _STEPS if value >= step)

    return min(max(before, count(rssi - _MARGIN)), count(rssi + _MARGIN))


class View:
    """`screen` may be None. `items` and `alert` are callables: the scheduler's items, whether the header warns.
    `safe`: why this is the safe mode, or None."""

    def __init__(self, screen, storage, clock, wifi, items, alert, log, safe=None):
        self.screen = screen
        self._storage = storage
        self._clock = clock
        self._wifi = wifi
        self._items = items
        self._alert = alert
        self._log = log
        self._safe = safe
        self._notice = None  # (title, lines, progress, qr) in place of the widgets
        self._boot = []  # lines of the start screen
        self._still = None  # until when the screen stands still, in ticks
        self._page = 0
        self._turned = time.ticks_ms()
        self._awake = None  # until when a key has made it day, in ticks
        self._light = None  # what it was last set to
        self._bars = 0
        self._zone = None  # (rule, Zone) of the setting
        self._said = None

    # ---- what others do with the screen ----

    def step(self, text, failed=False):
        """One more line of the start screen."""
        if self.screen is None:
            return
        self._boot.append((_FAILED if failed else _DONE) + text)
        self.screen.message("WG Display", self._boot[-_BOOT_LINES:], self._background())
        if failed:
            self.stand_still(PROBLEM_MS)

    def notice(self, title, lines=(), progress=None, qr=None):
        """Shows a message in place of the widgets, at once and until `notice(None)`; progress 0 to 100 or None."""
        self._notice = None if title is None else (title, lines, progress, qr)
        self.draw()

    def stand_still(self, ms):
        """Nothing is drawn for so long; None: it goes on."""
        self._still = None if ms is None else time.ticks_add(time.ticks_ms(), ms)

    # ---- drawing ----

    def draw(self):
        """Brings the screen up to date: once a second, and when something happened. Costs little if nothing did."""
        screen = self.screen
        if screen is None:
            return
        if self._still is not None:
            if time.ticks_diff(self._still, time.ticks_ms()) > 0:
                return
            self._still = None
        screen.size = self._setting("text_size")
        screen.theme = self._setting("theme")
        clock = self.time_text()
        self._dim(clock)
        if self._notice is not None:
            title, lines, progress, qr = self._notice
            screen.message(title, lines, self._background(), progress, qr)
            return
        if self._safe is not None:
            lines = (self._safe, "", "Widgets are off.", "wg.status() over USB says more.")
            screen.message("Safe mode", lines, self._background())
            return
        items = self._items()
        wifi = self._wifi
        if not items and wifi is not None and wifi.state == AP:
            screen.message("Set-up", self._first_steps(), self._background(), qr=self._join_code())
            return
        self._turn_in_time()
        screen.draw((self._where(), clock, self._alert()), items, self._background(), self._page)

    def turn(self, step):
        """Turns so many pages forward. By night, a dark screen only lights up at the first press."""
        was_dark = self._light == 0
        self._awake = time.ticks_add(time.ticks_ms(), WAKE_MS)
        if self.screen is not None and not was_dark:
            self._page = (self._page + step) % self.screen.pages
            self._turned = time.ticks_ms()
        self.draw()

    async def watch(self, board):
        """Serves the keys and the touch of a board, for ever; `board` as the module of that name, or None."""
        keys = self._input("board.BUTTONS", Keys, getattr(board, "BUTTONS", None))
        touch = self._input("board.TOUCH", self._touch, getattr(board, "TOUCH", None), board)
        while keys is not None or touch is not None:
            try:
                name = keys.poll() if keys is not None else None
                if name in _TURNS:
                    self.turn(_TURNS[name])
                tap = touch.poll() if touch is not None else None
                if tap is not None:
                    self.turn(-1 if tap[0] < self.screen.panel.width // _BACK_PART else 1)
            except Exception as error:
                self._say("a key or the touch failed: {!r}".format(error))
            await asyncio.sleep_ms(POLL_MS)

    def _touch(self, settings, board):
        if self.screen is None:
            return None
        return Touch(
            settings, self.screen.panel.width, self.screen.panel.height, board.PANEL.get("rotation", 0)
        )

    def _input(self, what, make, settings, *arguments):
        if not settings:
            return None
        try:
            return make(settings, *arguments)
        except (AttributeError, OSError, TypeError, ValueError, TouchError) as error:
            self._say("{} does not work: {}".format(what, error))
            return None

    def _turn_in_time(self):
        now = time.ticks_ms()
        pages = self.screen.pages
        ms = 1000 * self._setting("page_seconds")
        if pages < 2:
            self._page = 0
            self._turned = now
        elif ms and time.ticks_diff(now, self._turned) >= ms:
            self._page = (self._page + 1) % pages
            self._turned = now

    def _dim(self, clock):
        light = self._setting("brightness")
        night = self._setting("night")
        if self._awake is not None and time.ticks_diff(self._awake, time.ticks_ms()) <= 0:
            self._awake = None
        if night and self._awake is None:
            if not self._setting("zone"):
                self._say("the night of the display needs a time zone: wg.set('zone', ...)")
            elif clock[0].isdigit() and within_span(60 * int(clock[:2]) + int(clock[3:5]), parse_span(night)):
                light = self._setting("night_brightness")
        if light != self._light:
            self._light = light
            self.screen.dim(10 * light)

    def _setting(self, key):
        """A setting; its default if what is on flash is no value for it."""
        value = self._storage.setting(key)
        try:
            check_setting(key, value)
        except (TypeError, ValueError) as error:
            self._say("a setting of the display was not used: {}".format(error))
            value = SETTINGS[key]
        return value

    def _say(self, text):
        if text != self._said:
            self._said = text
            self._log.warn("display", text)

    def _background(self):
        return self._storage.config["background_color"]

    def _first_steps(self):
        wifi = self._wifi
        return (
            "No network and no widgets yet.",
            "Connect over USB and type",
            "wg.setup()",
            "",
            "Or join the display's own network:",
            wifi.ap_ssid,
            wifi.ap_password,
        )

    def _join_code(self):
        """The access point for a phone's camera."""
        wifi = self._wifi
        return "WIFI:T:WPA;S:{};P:{};;".format(_escaped(wifi.ap_ssid), _escaped(wifi.ap_password))

    def time_text(self):
        """The time for the header, if there is a time zone for it."""
        rule = self._setting("zone")
        if not rule:
            return ""
        if not self._clock.known:
            return "--:--"
        if self._zone is None or self._zone[0] != rule:
            try:
                self._zone = (rule, Zone(rule))
            except ValueError as error:
                self._zone = (rule, None)
                self._say(str(error))
        zone = self._zone[1]
        return "--:--" if zone is None else zone.clock(self._clock.now()[0])

    def _where(self):
        """The state of the network, for the header."""
        wifi = self._wifi
        if wifi is None:
            return "WG Display"
        if wifi.state == CONNECTED:
            rssi = wifi.rssi()
            if rssi is not None:
                self._bars = bars(rssi, self._bars)
            return _BARS[self._bars] + " " + wifi.address
        if wifi.state == CONNECTING:
            return "{} {}".format(_WIFI_JOINING, wifi.ssid or "connecting")
        if wifi.state == AP:
            return "{} {}  {}".format(_ACCESS_POINT, wifi.ap_ssid, wifi.ap_password)
        return _WIFI_OFF + " no network"


def _escaped(text):
    # What has a meaning in the WiFi code's own syntax gets a backslash.
    return "".join("\\" + char if char in '\\;,":' else char for char in text)
