"""A small cache of answers to widgets' GETs (RFC 9111): what is fresh is not asked for again, what is stale is asked
for with its validator.

It is a private cache with one room for each widget: nobody sees from the time that an answer takes what another widget
asked for. It is in memory only and forgets what was used longest ago.
"""

import time

from micropython import const

from .url import digits

BUDGET = const(48 * 1024)  # bytes of all kept bodies
MAX_ENTRY = const(16 * 1024)  # of one
MAX_ENTRIES = const(24)
MAX_FRESH_S = const(24 * 3600)


class _Entry:
    def __init__(self, response, body, fresh_s):
        self.status = response.status
        self.body = body
        self.etag = response.headers.get("etag")
        self.modified = response.headers.get("last-modified")
        self.renew(fresh_s)

    def renew(self, fresh_s):
        self._since = time.ticks_ms()
        self._fresh_ms = fresh_s * 1000

    @property
    def fresh(self):
        return 0 <= time.ticks_diff(time.ticks_ms(), self._since) < self._fresh_ms


class Cache:
    """`bytes` are those of the kept bodies."""

    def __init__(self, budget=BUDGET):
        self.bytes = 0
        self._budget = budget
        self._entries = {}  # (widget, url): _Entry
        self._order = []  # keys, the last used last

    def find(self, widget, url):
        """The entry for a widget's GET, or None; it may be stale."""
        key = (widget, url)
        entry = self._entries.get(key)
        if entry is not None:
            self._order.remove(key)
            self._order.append(key)
        return entry

    def conditions(self, entry):
        """The headers that ask whether a stale entry still holds."""
        if entry.etag is not None:
            return {"If-None-Match": entry.etag}
        return {"If-Modified-Since": entry.modified}

    def renew(self, entry, response):
        """A stale entry holds on, says a response with status 304."""
        fresh_s = _fresh_seconds(response.headers)
        entry.renew(fresh_s or 0)

    def keep(self, widget, url, response):
        """Keeps a response to a GET if it may be kept and there is something to gain."""
        self.forget(widget, url)
        size = len(response.body)
        if response.status != 200 or size > MAX_ENTRY:
            return
        fresh_s = _fresh_seconds(response.headers)
        has_validator = "etag" in response.headers or "last-modified" in response.headers
        if fresh_s is None or not (fresh_s or has_validator):
            return
        while self._order and (self.bytes + size > self._budget or len(self._order) >= MAX_ENTRIES):
            self.forget(*self._order[0])
        self._entries[(widget, url)] = _Entry(response, bytes(response.body), fresh_s)
        self._order.append((widget, url))
        self.bytes += size

    def forget(self, widget, url=None):
        """Drops one entry, or all of a widget's."""
        for key in list(self._order):
            if key[0] == widget and url in (None, key[1]):
                self.bytes -= len(self._entries.pop(key).body)
                self._order.remove(key)


def _fresh_seconds(headers):
    """For how many seconds a response can be used again without asking: 0 if it has to be asked for each time, None if
    it must not be kept."""
    if headers.get("vary", "").strip() == "*":
        return None
    age = None
    for part in headers.get("cache-control", "").lower().split(","):
        name, _, value = part.strip().partition("=")
        if name == "no-store":
            return None
        if name == "no-cache":
            age = 0
        if name == "max-age" and age is None:
            value = value.strip('"')
            age = min(int(value), MAX_FRESH_S) if digits(value) else 0
    past = headers.get("age", "0")
    return max(0, age - int(past)) if age and digits(past) else 0
