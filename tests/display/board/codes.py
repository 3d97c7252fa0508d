"""Shows each text, a JSON list on standard input, as the QR code of a message; codes.py OUT_FOLDER keeps N.png."""

import json
import sys

from bench import make_screen


def main(folder):
    model, screen = make_screen()
    for number, text in enumerate(json.loads(sys.stdin.readline())):
        screen.message("", [], "#203040", qr=text)
        with open("%s/%d.png" % (folder, number), "wb") as file:
            screen.write_png(file.write)


main(sys.argv[1])
