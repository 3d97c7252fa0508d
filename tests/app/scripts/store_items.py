# Reads [[address of the store, entries]...] and prints the hosts of the items that the store makes of them.
import json
import sys

from wgdisplay.log import Log
from wgdisplay.net.url import Url
from wgdisplay.store import Store


class Storage:
    root = "/none"


found = []
for url, entries in json.loads(sys.stdin.readline()):
    store = Store(Storage(), Log())
    store._take(str(Url(url)), entries)
    found.append([item["hosts"] for item in store.items])
print(json.dumps(found))
