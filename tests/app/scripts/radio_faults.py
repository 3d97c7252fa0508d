# Plays the WiFi state machine with this board's own radio and its faults (boards/sim/modules/_faults.py), a hundred
# times as fast: a step, which stands for a second, every 10 ms. Prints what became of each.
import json
import random
import time

import _faults
import network

from wgdisplay.log import Log
from wgdisplay.net.wifi import Wifi

STEP_MS = 10
SECOND_MS = 10  # what the radio takes for a second
tried = []
connect = network.WLAN.connect


def noted(self, ssid=None, key=None, **more):
    tried.append(ssid)
    connect(self, ssid, key, **more)


network.WLAN.connect = noted


def at_once(function):
    try:
        return [function()]
    except OSError as error:
        return [error]


def lie(wifi):
    """What the machine tells that is not so, or None."""
    sta = network.WLAN(network.STA_IF)
    ap = network.WLAN(network.AP_IF)
    if wifi.state == "connected":
        if not sta.isconnected() or wifi.address != sta.ifconfig()[0]:
            return "not connected"
        if ap.active():
            return "two networks"
        if wifi.rssi() is None:
            return "no strength"
    elif wifi.state == "ap":
        if not ap.active() or wifi.address != ap.ifconfig()[0]:
            return "no own network"
    elif wifi.address:
        return "an address without a connection"
    elif ap.active():
        return "an own network that is not told of"
    return None


def play(known, seconds, change, well_from):
    """change(second) sets the faults; they are none from `well_from` on."""
    for which in (network.STA_IF, network.AP_IF):
        interface = network.WLAN(which)
        interface.active(False)
        interface.config(reconnects=-1)
    _faults.wifi = _faults.wifi_address = None
    _faults.wifi_delay_ms = SECOND_MS // 3
    tried.clear()
    log = Log()
    wifi = Wifi(lambda: known, log, lambda: "read-on-screen", start=at_once)
    wifi.start()
    states = [wifi.state]
    lies = []
    back = None
    for second in range(seconds):
        change(second)
        begun = time.ticks_ms()
        wifi.step()
        found = lie(wifi)
        if found is not None:
            lies.append([second, wifi.state, found])
        if wifi.state != states[-1]:
            states.append(wifi.state)
        if wifi.state != "connected":
            back = None
        elif back is None:
            back = second
        time.sleep_ms(max(0, STEP_MS - time.ticks_diff(time.ticks_ms(), begun)))
        if well_from is not None and back is not None and second > well_from + 8:
            break
    return {
        "states": states,
        "lies": lies,
        "state": wifi.state,
        "address": wifi.address,
        "problem": wifi.problem,
        "connections": wifi.generation,
        "tried": list(tried),
        "well_from": well_from,
        "back_after": None if back is None or well_from is None else max(0, back - well_from),
    }


def between(fault, first, last):
    def change(second):
        _faults.wifi = fault if first <= second < last else None

    return change


def nothing(second):
    pass


def roam(second):
    _faults.wifi_address = "192.0.2.77" if second >= 20 else None


def slow(second):
    _faults.wifi_delay_ms = 12 * SECOND_MS


def points(*found):
    _faults.access_points = [(ssid.encode(), bytes(6), 1, rssi, 3, False) for ssid, rssi in found]


points(("home", -60))
home = [("home", "secret11")]
plays = {
    "refuses": play(home, 200, between("refuse", 0, 30), 30),
    "drops": play(home, 200, between("drop", 20, 60), 60),
    "drops for long": play(home, 700, between("drop", 20, 400), 400),
    "away": play(home, 300, between("no_ap", 0, 45), 45),
    "roams": play(home, 60, roam, 25),
    "slow": play(home, 60, slow, 0),
    "no address": play(home, 200, between("no_address", 0, 40), 40),
    "no address later": play(home, 200, between("no_address", 20, 60), 60),
    "wrong password": play(home, 120, between("wrong_password", 0, 1000), None),
}
points(("home", -80), ("near", -40), ("far", -90))
two = [("home", "secret11"), ("near", "secret22"), ("hidden", "secret33")]
plays["strongest"] = play(two, 60, nothing, 0)
plays["strongest refuses"] = play(two, 60, lambda second: between({"near": "refuse"}, 0, 99)(second), 0)
points(("home", -80))
plays["hidden"] = play(
    [("home", "secret11"), ("hidden", "secret33")], 60, between({"home": "no_ap"}, 0, 99), 0
)
chance = random.Random(1) if hasattr(random, "Random") else random
if chance is random:
    random.seed(1)
for i in range(4):
    faults = []
    while len(faults) < 150:
        kind = chance.choice(["refuse", "drop", "no_ap", "no_address", "wrong_password", None, None])
        faults.extend([kind] * chance.randint(1, 25))

    def change(second, faults=faults):
        _faults.wifi = faults[second] if second < 150 else None

    plays[f"random {i}"] = play(two, 400, change, 150)
print(json.dumps(plays))
