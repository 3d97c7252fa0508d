"""Hosts of an address: IPv4 and IPv6 literals in their one strict form, and which of them lie outside of a home.

A packed address is bytes, 4 or 16 of them. Sources: RFC 4291 and 5952 (IPv6's text), the IANA registries of special
purpose addresses, and for hosts that end in a number the WHATWG URL standard, 3.5: such a host is an IPv4 address or it
is nothing. Decimal, hexadecimal, octal and shortened forms, which a name look-up would take, are refused.
"""

from micropython import const

MAX_NAME = const(253)  # characters of a host's name
MAX_LABEL = const(63)

# Blocks of IPv4 that are not on the public internet: (first address, bits of the network).
_NOT_PUBLIC_4 = (
    (b"\x00", 8),  # this network
    (b"\x0a", 8),  # private
    (b"\x64\x40", 10),  # shared by a provider's customers
    (b"\x7f", 8),  # loopback
    (b"\xa9\xfe", 16),  # link-local
    (b"\xac\x10", 12),  # private
    (b"\xc0\x00\x00", 24),  # protocol assignments
    (b"\xc0\x00\x02", 24),  # documentation
    (b"\xc0\x58\x63", 24),  # 6to4 relays
    (b"\xc0\xa8", 16),  # private
    (b"\xc6\x12", 15),  # benchmarks
    (b"\xc6\x33\x64", 24),  # documentation
    (b"\xcb\x00\x71", 24),  # documentation
    (b"\xe0", 3),  # multicast, reserved, broadcast
)
# Of IPv6 only global unicast, 2000::/3, can be public; these parts of it are not.
_NOT_PUBLIC_6 = (
    (b"\x20\x01\x00\x00", 23),  # protocol assignments, Teredo and ORCHID among them
    (b"\x20\x01\x0d\xb8", 32),  # documentation
    (b"\x3f\xff\x00", 20),  # documentation
)
_MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96, an IPv4 address
_NAT64 = b"\x00\x64\xff\x9b" + bytes(8)  # 64:ff9b::/96, likewise behind a translator (RFC 6052)

# Ends of names that mean something inside a network and nothing outside of it.
_INSIDE_NAMES = (
    ".local",
    ".localhost",
    ".lan",
    ".home",
    ".home.arpa",
    ".internal",
    ".intranet",
    ".localdomain",
)


def parse_host(text):
    """-> (host in lower case without its last dot, packed address or None) of a URL's host, IPv6 without its brackets.

    ValueError, one sentence, if it can't be a host.
    """
    if ":" in text:
        packed = ipv6(text)
        if packed is None:
            raise ValueError("{} is no IPv6 address".format(text))
        return show(packed), packed
    host = text.lower()
    if host.endswith("."):
        host = host[:-1]
    labels = host.split(".")
    last = labels[-1]
    if last and (
        _all_in(last, "0123456789") or last.startswith("0x") and _all_in(last[2:], "0123456789abcdef")
    ):
        packed = ipv4(host)
        if packed is None:
            raise ValueError("{} is no IPv4 address as a.b.c.d".format(text))
        return host, packed
    if not host or len(host) > MAX_NAME:
        raise ValueError("the host is empty or too long")
    for label in labels:
        if not 0 < len(label) <= MAX_LABEL or not _all_in(label, "abcdefghijklmnopqrstuvwxyz0123456789-_"):
            raise ValueError("{} is no host".format(text if len(text) <= 60 else text[:57] + "..."))
    return host, None


def _all_in(text, characters):
    for c in text:
        if c not in characters:
            return False
    return True


def ipv4(text):
    """The packed address of exactly "a.b.c.d", decimal, without leading zeros; None if it is something else."""
    parts = text.split(".")
    if len(parts) != 4:
        return None
    for part in parts:
        if (
            not 0 < len(part) <= 3
            or not _all_in(part, "0123456789")
            or str(int(part)) != part
            or int(part) > 255
        ):
            return None
    return bytes([int(part) for part in parts])


def ipv6(text):
    """The packed address of an IPv6 literal without a zone; None if it is something else."""
    head, gap, tail = text.partition("::")
    front = _groups(head, not gap)
    back = _groups(tail, True)
    if front is None or back is None:
        return None
    missing = 16 - len(front) - len(back)
    if missing < 2 if gap else missing:
        return None
    return front + bytes(missing) + back


def _groups(text, ends):
    # The bytes of some groups; the last one may be an IPv4 address if the literal ends here.
    if not text:
        return b""
    parts = text.split(":")
    out = b""
    for i, part in enumerate(parts):
        if ends and "." in part and i == len(parts) - 1:
            packed = ipv4(part)
            if packed is None:
                return None
            out += packed
        elif 0 < len(part) <= 4 and _all_in(part.lower(), "0123456789abcdef"):
            value = int(part, 16)
            out += bytes((value >> 8, value & 255))
        else:
            return None
    return out


def show(packed):
    """The text of a packed address, as RFC 5952 has it."""
    if len(packed) == 4:
        return "{}.{}.{}.{}".format(*packed)
    groups = [packed[i] << 8 | packed[i + 1] for i in range(0, 16, 2)]
    start, longest = -1, 1
    for i in range(8):
        n = 0
        while i + n < 8 and not groups[i + n]:
            n += 1
        if n > longest:
            start, longest = i, n
    texts = ["{:x}".format(group) for group in groups]
    if start < 0:
        return ":".join(texts)
    return ":".join(texts[:start]) + "::" + ":".join(texts[start + longest :])


def plain(packed):
    """The IPv4 address within a mapped or translated IPv6 address; any other as it is."""
    if len(packed) == 16 and packed[:12] in (_MAPPED, _NAT64):
        return packed[12:]
    return packed


def is_public(packed):
    """Whether a packed address lies on the public internet: not private, loopback, link-local, multicast and so on."""
    packed = plain(packed)
    if len(packed) == 4:
        return not _within(packed, _NOT_PUBLIC_4)
    if packed[0] >> 5 != 1 or _within(packed, _NOT_PUBLIC_6):
        return False
    if packed[:2] == b"\x20\x02":  # 6to4: the IPv4 address of its router
        return is_public(packed[2:6])
    return True


def _within(packed, blocks):
    for first, bits in blocks:
        whole = bits >> 3
        if packed[:whole] != first[:whole]:
            continue
        rest = bits & 7
        if not rest or (packed[whole] ^ first[whole]) >> (8 - rest) == 0:
            return True
    return False


def is_inside_name(host):
    """Whether a name means something inside a network only: one label, or under one of the ends for that."""
    return "." not in host or host.endswith(_INSIDE_NAMES)
