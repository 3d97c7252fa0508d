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
HEADER = ("\ue004 192.168.1.23", "22:41", False)
WEAK = ("\ue001 192.168.1.23", "22:41", True)


def draw(header, items, background="#000000", size="auto", page=0, theme="auto"):
    return lambda screen: (set_looks(screen, size, theme), screen.draw(header, items, background, page))


def set_looks(screen, size, theme):
    screen.size = size
    screen.theme = theme


def message(*arguments, theme="auto", **named):
    return lambda screen: (set_looks(screen, "auto", theme), screen.message(*arguments, **named))


BLACK = "#000000"
STATES = {
    "start": message(
        "WG Display",
        [
            "✓ WG Display 0.2.0",
            "✓ the storage",
            "⚠ the widget engine failed: out of memory",
            "✓ WiFi",
        ],
        BLACK,
    ),
    "long message": message(
        "A title that is longer than the header is wide, and then some",
        ["One line", "", "and one that goes on: " + "step by step " * 40],
        "#102030",
    ),
    "set-up": message(
        "Set-up",
        [
            "No network and no widgets yet.",
            "Connect over USB and type",
            "wg.setup()",
            "",
            "Or join the display's own network:",
            "WG-Display-4F2A",
            "qmvk7cjdx2",
        ],
        BLACK,
        qr="WIFI:T:WPA;S:WG-Display-4F2A;P:qmvk7cjdx2;;",
    ),
    "set-up light": message(
        "Set-up",
        ["Scan this with your phone.", "", "http://192.168.1.23/"],
        BLACK,
        qr="http://192.168.1.23/",
        theme="light",
    ),
    "update": message("Update", ["Version 0.3.0 is being loaded.", "Leave it connected."], BLACK, 64),
    "update light": message("Update", ["Restarting."], "#f0ead8", 100),
    "empty": draw(("\ue006 Home", "--:--"), []),
    "one": draw(HEADER, [CLOCK]),
    "clock": draw(HEADER, [("Time", "22:41", False)]),
    "three": draw(HEADER, [CLOCK, TRAIN, RIVER]),
    "errors": draw(
        ("\ue005 no network", "22:41", True),
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
    "many pages": draw(
        WEAK, [("Widget %d" % i, "word " * 40, False) for i in range(20)], size="normal", page=11
    ),
    "cut": draw(HEADER, [("Endless", "word " * 200, False), CLOCK], size="large"),
    "right to left": draw(
        HEADER,
        [
            ("עברית", "שלום עולם! 17.4°C (ירושלים)\nקו 18 בשעה 22:50\n" + "מילים ועוד " * 12, False),
            ("العربية", "Bern: مرحبا 22:50", False),
        ],
        size="normal",
    ),
    "marks": draw(
        HEADER,
        [
            (
                "Marks and signs",
                "x\u0304 = y\u0302, A\u0301\u0308 n\u0303\u0301 o\u0323\u0301, Tiếng Việt\n"
                "🔴🟠🟡🟢🔵🟣 ⚪⚫ lamps, 🇨🇭 flag, 1\ufe0f\u20e3 key\n"
                "\x1b[31mcontrols\x07\x00\u0085a line\ttab\ttab",
                False,
            )
        ],
    ),
    "huge": draw(HEADER, [("Bern", "⛅ 17.4 °C", False), ("Bus 12", "22:52", False)], size="huge"),
    "small": draw(HEADER, [CLOCK, TRAIN, RIVER], size="small"),
    "normal": draw(HEADER, [CLOCK, RIVER], size="normal"),
    "large": draw(HEADER, [CLOCK, RIVER], size="large"),
    "theme light": draw(WEAK, [CLOCK, TRAIN, RIVER + (3700, "no network")], theme="light"),
    "theme light blue": draw(HEADER, [CLOCK, RIVER], "#102040", theme="light"),
    "theme dark": draw(HEADER, [CLOCK, RIVER], "#f0ead8", theme="dark"),
    "light": draw(HEADER, [CLOCK, RIVER, ("Error", "It failed", True)], "#f0ead8"),
    "blue": draw(HEADER, [CLOCK, RIVER, ("Error", "It failed", True)], "#102030"),
    "red": draw(HEADER, [CLOCK, RIVER, ("Error", "It failed", True)], "#c01020"),
}


def main(folder, panel_file):
    screen = Screen.from_board()
    for name in sorted(STATES):
        screen.refresh()
        assert STATES[name](screen)[-1] is not False, name
        # The panel model's file: a head of 64 bytes, then what a person in front of the glass sees.
        with open(panel_file, "rb") as file:
            picture = file.read()
        with open("%s/%s.panel" % (folder, name), "wb") as file:
            file.write(picture)
        with open("%s/%s.png" % (folder, name), "wb") as file:
            screen.write_png(file.write)
        print(name)


main(sys.argv[1], sys.argv[2])
