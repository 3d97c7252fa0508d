# "public", if given, is an address that counts as public, as no other does.
# Reads {"names": {name: [address...] or [[address...] for each look-up]}, "requests": [[hosts, url]...]}, makes the
# requests with those permissions, and prints {"answers": [[status or null, what was said]...], "looked up": [...]}.
import asyncio
import json
import sys

from wgdisplay.net import address, connection, http, resolver
from wgdisplay.net.errors import ForbiddenError
from wgdisplay.net.permissions import Permissions

argument = json.loads(sys.stdin.readline())
looked_up = []
system = resolver.socket


class Names:
    """The system's sockets with a name server that says what the test wants."""

    SOCK_STREAM = system.SOCK_STREAM
    sockaddr = system.sockaddr

    def getaddrinfo(self, host, port, *rest):
        found = argument["names"].get(host)
        if found is None:
            return system.getaddrinfo(host, port, *rest)
        looked_up.append(host)
        if found and isinstance(found[0], list):
            found = found.pop(0) if len(found) > 1 else found[0]
        out = []
        for literal in found:
            out.extend(system.getaddrinfo(literal, port, *rest))
        return out


resolver.socket = Names()
if "public" in argument:
    stands_for = address.ipv4(argument["public"])
    address.is_public = lambda packed: address.plain(packed) == stands_for


async def main():
    answers = []
    for hosts, url in argument["requests"]:
        resolver.forget()
        try:
            r = await http.request("GET", url, permissions=Permissions(hosts), deadline_ms=3000)
            answers.append([r.status, str(bytes(r.body), "ascii")])
        except ForbiddenError as error:
            answers.append(["forbidden", str(error)])
        except http.HttpError as error:
            answers.append([None, str(error)])
    connection.tidy(True)
    print(json.dumps({"answers": answers, "looked up": looked_up}))


asyncio.run(main())
