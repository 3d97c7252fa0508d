"""Name look-up that does not hold up the loop.

`socket.getaddrinfo` blocks for seconds when a name server is slow. Here it runs in a thread of its own while the loop
looks for its answer every few milliseconds. Answers are kept for a minute; who asks for a name that is being looked up
waits for the same answer.
"""

import asyncio
import socket
import time

from micropython import const

from . import address, background
from .errors import LostError

CACHE_MS = const(60_000)
MAX_CACHED = const(16)
MAX_THREADS = const(4)  # look-ups under way; a further one waits
_POLL_MS = const(10)

_cache = {}  # (host, port): (ticks_ms, addresses)
_pending = {}  # (host, port): the list that the answer of its thread will be in


def packed(where):
    """The packed address (see address.py) in a socket address, which is a tuple or, on some ports, bytes."""
    if isinstance(where, tuple):
        text = where[0].partition("%")[0]
        found = address.ipv6(text) if ":" in text else address.ipv4(text)
    else:
        found = bytes(socket.sockaddr(where)[1])
    if found is None or len(found) not in (4, 16):
        raise LostError("the name server gave no address that is understood")
    return found


async def resolve(host, port):
    """[(family, address)...] of a host, in the order of the system. OSError if there is none."""
    if ":" in host or address.ipv4(host) is not None:
        return _look_up(host, port)  # which asks nobody
    key = (host, port)
    found = _cache.get(key)
    if found is not None and time.ticks_diff(time.ticks_ms(), found[0]) < CACHE_MS:
        return found[1]
    addresses = await _in_thread(host, port, key)
    if len(_cache) >= MAX_CACHED:
        _cache.clear()
    _cache[key] = (time.ticks_ms(), addresses)
    return addresses


def forget():
    """Empties the cache: after the network has changed."""
    _cache.clear()


def _look_up(host, port):
    addresses = []
    for entry in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
        found = (entry[0], entry[-1])
        if found not in addresses:
            addresses.append(found)
    return addresses


async def _in_thread(host, port, key):
    while len(_pending) >= MAX_THREADS and key not in _pending:
        await asyncio.sleep_ms(_POLL_MS)
    answer = _pending.get(key)
    if answer is None:
        answer = _pending[key] = background.start(_look_up_pending, host, port, key)
        if answer:
            _pending.pop(key, None)
    # Whoever gives up waiting leaves the thread behind; it ends with the look-up.
    while not answer:
        await asyncio.sleep_ms(_POLL_MS)
    found = answer[0]
    if isinstance(found, Exception):
        raise LostError("the name {} was not found".format(host))
    return found


def _look_up_pending(host, port, key):
    try:
        return _look_up(host, port)
    finally:
        _pending.pop(key, None)
