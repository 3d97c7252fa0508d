"""Draws each state of the layout on the simulated board's own panel: states.py OUT_FOLDER PANEL_FILE.

What the panel model decoded from the SPI bus is kept as OUT_FOLDER/NAME.panel, the form of its PANEL_FILE.
"""

import sys

from wgdisplay.display import Screen

CLOCK = ("Time", "Mon, 23 Nov 2026\t22:41", False)
TRAIN = (
    "Public Transport",
    "Bern, Bahnhof -> Zürich, Bahnhof Wiedikon\nin 9 minutes (22:50)\nin 24 minutes (23:05)\n"
    "in 39 minutes (23:20)",
    False,
)
RIVER = ("Aareguru", "Bern: 17.4 °C (geil aber chli chalt)", False)
LANGUAGES = (
    "Languages",
    "Füße, façade, œuvre, Žižek, Łódź, Ağrı\n"
    "Καλημέρα κόσμε, Πειραιάς\n"
    "Доброе утро, Київ, Ћирилица\n"
    "α→β ↑↓ ≤ ≥ ± ∞ ½ € £ ₽ № °C ☀ ☁ ☂ ❄ ⚡ ⚠ ✈ ✓ ✗\n"
    "┌─┬─┐ ▁▂▃▄▅▆▇█ ■□●○ ♥♪\n"
    "cafe\u0301 = café, a\u200bb\ufeff = ab, a漢字b\n",
    False,
)
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ICONS = (
    "Icons",
    "☀️ ⛅ ☁ 🌧 ⛈ 🌩 🌨 ❄ 🌫 💨 🌙 💧 🌊 🌡\n"
    "🚆 🚇 🚋 🚌 ⛴ ✈ 🚲 🚶 🚗 🚠 🕒 ⏰ 📅\n"
    "✅ ❌ ⚠ ℹ 🔋 📶 🔒 📈 📉 ❤ ⭐ 🔥 💡 🎉 🔔 ✉",
    False,
)
HEADER = ("192.168.1.23", "22:41")


def draw(header, items, background="#000000", size="auto", page=0):
    return lambda screen: (set_size(screen, size), screen.draw(header, items, background, page=page))


def set_size(screen, size):
    screen.size = size


STATES = {
    "start": lambda s: s.message("WG Display", ["Starting", "WiFi: connecting to «Home»", "Time: waiting"]),
    "setup": lambda s: s.message(
        "Set-up",
        [
            "Connect over USB and type",
            "wg.setup()",
            "or join the WiFi «WG-Display-4F2A»: " + "step by step " * 9,
        ],
    ),
    "access point": lambda s: s.message(
        "WG Display",
        ["Join this WiFi to set the display up:", "", "WG-Display-4F2A", "password qmvk-7cjd-x2ht"],
        qr="WIFI:T:WPA;S:WG-Display-4F2A;P:qmvk-7cjd-x2ht;;",
    ),
    "update": lambda s: s.message(
        "Update", ["Version 0.2.0 is being loaded", "Leave it connected."], progress=64
    ),
    "empty": draw(("WG Display", "--:--"), []),
    "one": draw(HEADER, [CLOCK]),
    "clock": draw(HEADER, [("Time", "22:41", False)]),
    "three": draw(HEADER, [CLOCK, TRAIN, RIVER]),
    "errors": draw(
        ("No network: trying again", "22:41"),
        [
            CLOCK,
            ("Aareguru", "No network: aareguru.existenz.ch can't be reached", True, 3700, ""),
            ("X", "", True),
        ],
    ),
    "stale": draw(HEADER, [CLOCK, RIVER + (754, "no network")]),
    "languages": draw(HEADER, [LANGUAGES], size="normal"),
    "icons": draw(HEADER, [ICONS, ("Bern", "⛅ 17.4 °C   💨 12 km/h\n🚋 9  Wabern  🕒 22:50", False)]),
    "long words": draw(
        HEADER, [(LONG, LONG + "\n" + LONG + " " + LONG, False, 100, "a note that is long too, " * 3)]
    ),
    "overflow": draw(
        HEADER, [("Widget %d" % i, "One line\n" + "and more words " * 5, False) for i in range(7)], page=2
    ),
    "cut": draw(HEADER, [("Endless", "word " * 200, False), CLOCK], size="large"),
    "huge": draw(HEADER, [("Bern", "⛅ 17.4 °C", False), ("Bus 12", "22:52", False)], size="huge"),
    "small": draw(HEADER, [CLOCK, TRAIN, RIVER], size="small"),
    "normal": draw(HEADER, [CLOCK, RIVER], size="normal"),
    "large": draw(HEADER, [CLOCK, RIVER], size="large"),
    "light": draw(HEADER, [CLOCK, RIVER, ("Error", "It failed", True)], "#f0ead8"),
    "blue": draw(HEADER, [CLOCK, RIVER, ("Error", "It failed", True)], "#102030"),
    "red": draw(HEADER, [CLOCK, RIVER, ("Error", "It failed", True)], "#c01020"),
}


def main(folder, panel_file):
    screen = Screen.from_board()
    for name, show in STATES.items():
        assert show(screen) is not False, name
        # The panel model's file: a head of 64 bytes, then what a person in front of the glass sees.
        with open(panel_file, "rb") as file:
            picture = file.read()
        with open("%s/%s.panel" % (folder, name), "wb") as file:
            file.write(picture)
        with open("%s/%s.png" % (folder, name), "wb") as file:
            screen.write_png(file.write)
        print(name)


main(sys.argv[1], sys.argv[2])
