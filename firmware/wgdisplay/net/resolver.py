"""Name look-up that does not hold up the loop.

`socket.getaddrinfo` blocks for seconds when a name server is slow. Here it runs in a thread of its own while the loop
looks for its answer every few milliseconds. Answers are kept for a minute.
"""

import asyncio
import socket
import time

from micropython import const

CACHE_MS = const(60_000)
MAX_CACHED = const(16)
MAX_THREADS = const(4)  # look-ups under way; a further one waits
_POLL_MS = const(10)
_STACK = const(16 * 1024)  # bytes of a look-up's thread

_cache = {}  # (host, port): (ticks_ms, addresses)
_busy = 0


async def resolve(host, port):
    """[(family, address)...] of a host, in the order of the system. OSError if there is none."""
    if _is_literal(host):
        return _look_up(host, port)
    key = (host, port)
    found = _cache.get(key)
    if found is not None and time.ticks_diff(time.ticks_ms(), found[0]) < CACHE_MS:
        return found[1]
    addresses = await _in_thread(host, port)
    if len(_cache) >= MAX_CACHED:
        _cache.clear()
    _cache[key] = (time.ticks_ms(), addresses)
    return addresses


def forget():
    """Empties the cache: after the network has changed."""
    _cache.clear()


def _is_literal(host):
    return ":" in host or all(c == "." or "0" <= c <= "9" for c in host)


def _look_up(host, port):
    addresses = []
    for entry in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
        found = (entry[0], entry[-1])
        if found not in addresses:
            addresses.append(found)
    return addresses


async def _in_thread(host, port):
    global _busy
    try:
        import _thread
    except ImportError:
        return _look_up(host, port)
    while _busy >= MAX_THREADS:
        await asyncio.sleep_ms(_POLL_MS)
    answer = []

    def work():
        global _busy
        try:
            answer.append(_look_up(host, port))
        except Exception as error:
            answer.append(error)
        _busy -= 1

    _busy += 1
    old = _thread.stack_size(_STACK)
    try:
        _thread.start_new_thread(work, ())
    except OSError:
        _busy -= 1
        return _look_up(host, port)
    finally:
        _thread.stack_size(old)
    # Whoever gives up waiting leaves the thread behind; it ends with the look-up.
    while not answer:
        await asyncio.sleep_ms(_POLL_MS)
    found = answer[0]
    if isinstance(found, Exception):
        raise OSError("the name {} was not found".format(host))
    return found
