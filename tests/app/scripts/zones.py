# Local time by time zone rules: [[rule, [seconds...]]...] -> the offsets, or the sentence that refuses the rule.
import json
import sys

from wgdisplay.net.zone import Zone

found = []
for rule, times in json.loads(sys.stdin.readline()):
    try:
        zone = Zone(rule)
        found.append([zone.offset(seconds) for seconds in times])
    except ValueError as error:
        found.append(str(error))
print(json.dumps(found))
