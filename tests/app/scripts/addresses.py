# Reads literals and prints [[text again, whether it is public]...]; or {"lists": [[host...]...]} and prints each in its
# normal form or what was said.
import json
import sys

from wgdisplay.net import address, permissions

argument = json.loads(sys.stdin.readline())
found = []
if isinstance(argument, dict):
    for hosts in argument["lists"]:
        try:
            found.append(permissions.parse(hosts))
        except ValueError as error:
            found.append(str(error))
else:
    for text in argument:
        shown, packed = address.parse_host(text)
        found.append([shown, address.is_public(packed)])
print(json.dumps(found))
