"""Which hosts a widget may reach.

A list of hosts, as the configuration keeps it: "api.example.org", "*.example.org" (what is below it, not itself),
"192.168.1.5", "fd00::5", each with ":port" behind it if only that port is meant (IPv6 then in brackets), and "*", any
host on the public internet.

Names that the public can give out reach public addresses only, whether they are listed or not: who owns the name of a
listed host must not be able to point it into the owner's network. What is inside (private, loopback, link-local...) is
reached if its address is listed, or its name is listed and means something inside only ("nas", "nas.local", "nas.lan").
"""

from micropython import const

from . import address
from .errors import ForbiddenError

ANY = "*"
MAX_HOSTS = const(16)
# Ports that "*" and a host without a port stand for. The others below 1024 are those of mail and the like, which would
# take a request's lines for commands.
_WEB_PORTS = (80, 443)
_FIRST_FREE_PORT = const(1024)


def parse(hosts):
    """A list of hosts in its normal form. ValueError, one sentence, if one of them can't be right."""
    if isinstance(hosts, str) or not isinstance(hosts, (list, tuple)):
        raise ValueError('hosts are a list: ["api.example.org"], ["*"] for any public one, [] for none')
    if len(hosts) > MAX_HOSTS:
        raise ValueError("a widget has at most {} hosts".format(MAX_HOSTS))
    found = []
    for text in hosts:
        entry = _show(*_entry(text))
        if entry not in found:
            found.append(entry)
    return found


def _entry(text):
    """-> (host, packed address or None, port or None, whether what is below is meant)."""
    if not isinstance(text, str):
        raise ValueError("a host is a text: {!r} is none".format(text))
    if text == ANY:
        return ANY, None, None, False
    host, port = text, ""
    if text.startswith("["):
        host, found, port = text[1:].partition("]")
        if not found or (port and not port.startswith(":")) or ":" not in host:
            raise ValueError("{} is no host".format(text))
        port = port[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if "/" in host or "@" in host:
        raise ValueError("{} is no host: give the name alone, without http:// and path".format(text))
    below = host.startswith("*.")
    host, packed = address.parse_host(host[2:] if below else host)
    if below and packed is not None:
        raise ValueError("{} is no host: an address has nothing below it".format(text))
    if port or text.endswith(":"):
        if not 0 < len(port) <= 5 or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("{} has no valid port".format(text))
        return host, packed, int(port), below
    return host, packed, None, below


def _show(host, packed, port, below):
    if below:
        host = "*." + host
    if port is None:
        return host
    return ("[{}]:{}" if ":" in host else "{}:{}").format(host, port)


def is_inside(host):
    """Whether an entry of a list lets a widget into the owner's network."""
    name, packed, _, _ = _entry(host)
    if name == ANY:
        return False
    return address.is_inside_name(name) if packed is None else not address.is_public(packed)


class Permissions:
    """The check of a request, in two steps: its address before the name look-up, and the address that it connects to.

    hosts: a list in any form that `parse` takes. inside: names and addresses, as a Url has its host, that the owner
    himself asked for: they may be anywhere.
    """

    def __init__(self, hosts, inside=()):
        self._entries = [_entry(text) for text in hosts]
        self._inside = inside

    def check_host(self, host, packed, port):
        """ForbiddenError if no entry means that host (a Url's `host`, `packed` and `port`)."""
        if host in self._inside or self._listed(host, packed, port):
            return
        for entry in self._entries:
            if entry[0] == ANY:
                if port not in _WEB_PORTS and port < _FIRST_FREE_PORT:
                    raise ForbiddenError("port {} of {} is not listed".format(port, host))
                if packed is None or address.is_public(packed):
                    return
                raise ForbiddenError("{} is inside the network and not listed".format(host))
        raise ForbiddenError("{} is not listed".format(host))

    def check_address(self, host, packed, port):
        """ForbiddenError if `host`, which passed check_host(), is at an address where it may not be."""
        packed = address.plain(packed)
        if address.is_public(packed) or host in self._inside or self._listed(None, packed, port):
            return
        if address.is_inside_name(host) and self._listed(host, None, port):
            return
        raise ForbiddenError(
            "{} is at {}, inside the network, and that is not listed".format(host, address.show(packed))
        )

    def _listed(self, host, packed, port):
        for name, literal, only_port, below in self._entries:
            if only_port is None:
                if port < _FIRST_FREE_PORT and port not in _WEB_PORTS:
                    continue
            elif only_port != port:
                continue
            if packed is not None:
                if literal is not None and address.plain(literal) == address.plain(packed):
                    return True
            elif literal is None and host is not None:
                if host.endswith("." + name) if below else host == name:
                    return True
        return False
