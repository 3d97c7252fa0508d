"""Each line, a JSON string on standard input, in the order on the screen, as a JSON string."""

import json
import sys

from wgdisplay.display import bidi

while True:
    line = sys.stdin.readline()
    if not line:
        break
    line = json.loads(line)
    print(json.dumps(bidi.visual(line, bidi.base_level(line))))
