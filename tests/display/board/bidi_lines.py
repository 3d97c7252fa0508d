"""Each line of a file, a JSON string, in the order on the screen, as a JSON string: bidi_lines.py FILE."""

import json
import sys

from wgdisplay.display import bidi

with open(sys.argv[1]) as file:
    for line in file:
        line = json.loads(line)
        print(json.dumps(bidi.visual(line, bidi.base_level(line))))
