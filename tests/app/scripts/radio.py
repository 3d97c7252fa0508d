# Plays the WiFi state machine second by second with a radio that does as it is told. Prints the states seen.
import json

from wgdisplay.log import Log
from wgdisplay.net.wifi import Wifi


class Radio:
    STA_IF, AP_IF, AUTH_WPA_WPA2_PSK = 0, 1, 4

    def __init__(self):
        self.good = {}  # ssid: password
        self.tried = []
        self.up = {0: False, 1: False}
        self.joined = None
        self.access_point = None
        self.name = None
        self.fails = False

    def hostname(self, name):
        self.name = name

    def WLAN(self, which):
        return Interface(self, which)


class Interface:
    def __init__(self, radio, which):
        self.radio = radio
        self.which = which

    def active(self, on=None):
        if on is not None:
            self.radio.up[self.which] = on
        return self.radio.up[self.which]

    def connect(self, ssid, password):
        if self.radio.fails:
            raise OSError("Wifi Internal Error")
        self.radio.tried.append(ssid)
        self.radio.joined = ssid if self.radio.good.get(ssid) == password else None

    def disconnect(self):
        self.radio.joined = None

    def isconnected(self):
        return self.which == 0 and self.radio.joined in self.radio.good

    def ifconfig(self):
        return ("10.0.0.5" if self.which == 0 else "192.168.4.1", "", "", "")

    def config(self, **options):
        if self.which == 1:
            self.radio.access_point = options

    def status(self, what):
        return -50


def play(networks, good, seconds, change=None):
    """-> the states with the second at which each began."""
    radio = Radio()
    radio.good = dict(good)
    log = Log()
    wifi = Wifi(lambda: networks, log, lambda: "read-on-screen", radio)
    wifi.start()
    seen = [(0, wifi.state, wifi.address)]
    for second in range(1, seconds + 1):
        if change is not None:
            change(second, radio)
        wifi.step()
        if wifi.state != seen[-1][1]:
            seen.append((second, wifi.state, wifi.address))
    said = "".join(line[3] for line in log.lines())
    for _, password in networks:
        assert not password or password not in said, "a password was logged"
    return {
        "seen": seen,
        "tried": radio.tried,
        "ap": radio.access_point,
        "up": [radio.up[0], radio.up[1]],
        "name": radio.name,
        "own": [wifi.ap_ssid, wifi.ap_password],
        "connections": wifi.generation,
    }


def lost_for_a_minute(second, radio):
    if second == 20:
        radio.good.clear()
    if second == 80:
        radio.good["home"] = "secret11"


def late(second, radio):
    if second == 500:
        radio.good["home"] = "secret11"


def broken_for_a_while(second, radio):
    radio.fails = second < 40


found = {
    "good": play([("home", "secret11")], {"home": "secret11"}, 30),
    "none known": play([], {}, 400),
    "wrong password": play([("home", "wrong-one")], {"home": "secret11"}, 200),
    "second network": play([("away", "secret22"), ("home", "secret11")], {"home": "secret11"}, 60),
    "lost": play([("home", "secret11")], {"home": "secret11"}, 120, lost_for_a_minute),
    "comes back late": play([("home", "secret11")], {}, 900, late),
    "radio fails": play([("home", "secret11")], {"home": "secret11"}, 90, broken_for_a_while),
}
print(json.dumps(found))
