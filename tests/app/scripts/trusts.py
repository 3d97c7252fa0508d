# Reads {"folder", "steps": [["add", file] or ["remove", name]...]} and prints the owner's roots after each step, or
# what was said.
import json
import sys

from wgdisplay.net import trust

argument = json.loads(sys.stdin.readline())
trust.FOLDER = argument["folder"]
found = []
for kind, what in argument["steps"]:
    try:
        if kind == "add":
            with open(what, "rb") as file:
                trust.add(file.read())
        else:
            trust.remove(what)
        found.append([entry[0] for entry in trust.listed()])
    except trust.TrustError as error:
        found.append(str(error))
print(json.dumps(found))
