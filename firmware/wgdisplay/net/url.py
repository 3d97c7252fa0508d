"""Absolute http and https addresses (RFC 3986), read strictly: what could be understood in two ways is refused."""

from micropython import const

from . import address
from .errors import HttpError

MAX_URL = const(2048)  # characters


class Url:
    """scheme; host, in lower case, without its last dot and without brackets; packed, its bytes if it is a literal,
    else None; port; authority, for the Host header; target: path and query."""

    def __init__(self, text):
        if len(text) > MAX_URL:
            raise HttpError("the address is longer than {} characters".format(MAX_URL))
        for c in text:
            if ord(c) <= 32 or ord(c) == 127 or c == "\\":
                raise HttpError("the address has a backslash, a space or a control character in it")
        scheme, found, rest = text.partition("://")
        self.scheme = scheme.lower()
        if not found or self.scheme not in ("http", "https"):
            raise HttpError("not an http:// or https:// address: {}".format(short(text)))
        end = len(rest)
        for mark in "/?#":
            at = rest.find(mark)
            if 0 <= at < end:
                end = at
        authority, target = rest[:end], rest[end:].partition("#")[0]
        if "@" in authority:
            raise HttpError("an address with a user name or password in it is not supported")
        if authority.startswith("["):
            host, found, port = authority[1:].partition("]")
            if not found or (port and not port.startswith(":")) or ":" not in host:
                raise HttpError("the address has a malformed host")
            port = port[1:]
        else:
            host, _, port = authority.partition(":")
        try:
            self.host, self.packed = address.parse_host(host)
        except ValueError:
            raise HttpError("the address has no valid host: {}".format(short(text)))
        self.port = 443 if self.scheme == "https" else 80
        self.authority = "[{}]".format(self.host) if ":" in self.host else self.host
        if port:
            if not digits(port) or not 0 < int(port) < 65536:
                raise HttpError("the address has a malformed port")
            if int(port) != self.port:
                self.port = int(port)
                self.authority += ":{}".format(self.port)
        if not target.startswith("/"):
            target = "/" + target
        self.target = _quoted(target)

    def __str__(self):
        return "{}://{}{}".format(self.scheme, self.authority, self.target)

    def join(self, location):
        """The address that a Location header of this one's response means."""
        location = location.partition("#")[0]
        colon = location.find(":")
        if colon > 0 and location[:colon].replace("+", "").replace("-", "").replace(".", "").isalpha():
            return Url(location)
        base = "{}://{}".format(self.scheme, self.authority)
        if location.startswith("//"):
            return Url(self.scheme + ":" + location)
        if location.startswith("/"):
            return Url(base + _flat(location))
        path = self.target.partition("?")[0]
        if location.startswith("?") or not location:
            return Url(base + path + location)
        return Url(base + _flat(path[: path.rfind("/") + 1] + location))


def short(text):
    return text if len(text) <= 60 else text[:57] + "..."


def digits(text):
    """Whether a text is a number of 1 to 10 digits: int() takes more than that, "+1", "1_0" and " 1"."""
    return 0 < len(text) <= 10 and all("0" <= c <= "9" for c in text)


def _quoted(target):
    raw = target.encode()
    if len(raw) == len(target):
        return target
    return "".join(chr(b) if b < 128 else "%{:02X}".format(b) for b in raw)


def _flat(target):
    """Removes "." and ".." segments of a path (RFC 3986, 5.2.4)."""
    path, mark, query = target.partition("?")
    out = []
    segments = path.split("/")
    for i, segment in enumerate(segments):
        last = i == len(segments) - 1
        if segment == "." or segment == "..":
            if segment == ".." and len(out) > 1:
                out.pop()
            if last:
                out.append("")
        else:
            out.append(segment)
    return "/".join(out) + mark + query
