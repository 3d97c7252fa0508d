"""The way of widgets to the web: each within its hosts, politely, and with a word in the log when it is refused."""

from . import http
from .cache import Cache
from .errors import ForbiddenError, HttpError
from .permissions import Permissions

_GET = http.METHODS.index("GET")
_HEAD = http.METHODS.index("HEAD")


class Gateway:
    """hosts: `hosts(widget name)` gives its list of hosts, or raises. allocate: makes the buffers for bodies."""

    def __init__(self, hosts, log, request=http.request, allocate=bytearray):
        self.allocate = allocate
        self._hosts = hosts
        self._log = log
        self._request = request
        self._cache = Cache()
        self._permissions = {}  # widget: (its list, Permissions)
        self._said = {}  # widget: what was last said of a refusal

    def forget(self, widget):
        """A widget was removed or is another one now: nothing is left for who comes under its name."""
        self._cache.forget(widget)
        self._permissions.pop(widget, None)
        self._said.pop(widget, None)

    async def request(self, widget, method, url, body):
        """method: 0..4, the order of the interface's enum. -> (status, content length or None, body).

        HttpError if there is no answer; ForbiddenError, one, if the widget may not reach the host.
        """
        try:
            return await self._ask(widget, method, url, body)
        except ForbiddenError as error:
            said = "{} may not reach this: {}; wg.hosts({!r}, [...]) lists what it may".format(
                widget, error, widget
            )
            if self._said.get(widget) != said:
                self._said[widget] = said
                self._log.warn(widget, said)
            raise
        except HttpError as error:
            self._log.add(0, widget, str(error), True)
            raise

    async def _ask(self, widget, method, url, body):
        permissions = self._may(widget)
        plain = method == _GET and body is None
        entry = self._cache.find(widget, url) if plain else None
        if entry is not None and self._allowed(permissions, url):
            if entry.fresh:
                return entry.status, len(entry.body), entry.body
        else:
            entry = None
        response = await self._request(
            http.METHODS[method],
            url,
            body,
            permissions=permissions,
            headers=None if entry is None else self._cache.conditions(entry),
            allocate=self.allocate,
        )
        if entry is not None and response.status == 304:
            self._cache.renew(entry, response)
            return entry.status, len(entry.body), entry.body
        if plain and not response.redirected:
            self._cache.keep(widget, url, response)
        length = len(response.body)
        if method == _HEAD and response.content_length is not None:
            length = response.content_length
        return response.status, length, response.body

    def _may(self, widget):
        try:
            hosts = self._hosts(widget)
        except Exception:
            hosts = []  # who is not installed is nobody
        found = self._permissions.get(widget)
        if found is None or found[0] != hosts:
            found = self._permissions[widget] = (hosts, Permissions(hosts))
        return found[1]

    def _allowed(self, permissions, url):
        # What is kept may have been fetched with other permissions.
        found = http.Url(url)
        permissions.check_host(found.host, found.packed, found.port)
        return True
