"""Connections for the HTTP client: non-blocking sockets, TLS or plain, with a receive buffer; every wait yields.

Whom a connection reaches is settled here: the name is looked up once, each of its addresses is put to the permissions,
and the very address that passed is connected to. Nothing is looked up between the check and the connection.
"""

import asyncio
import errno
import socket
import time

from micropython import const

from . import address, resolver
from .errors import ForbiddenError, HttpError, LostError

MAX_LINE = const(4096)  # bytes of the status line or of one header
BUFFER = const(2048)  # bytes of the receive buffer
MAX_IDLE = const(2)  # connections that are kept for further requests, each with its TLS state
IDLE_MS = const(10_000)  # and for how long

# What a failed connect() leaves behind; anything else (EISCONN, which has no name here) means connected.
_REFUSED = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.ECONNABORTED: "connection aborted",
    errno.ETIMEDOUT: "timed out",
    errno.EHOSTUNREACH: "no route to the host",
    32: "the connection is closed",  # EPIPE
    101: "the network is unreachable",  # ENETUNREACH on Linux
    118: "no route to the host",  # EHOSTUNREACH of lwIP
}

_idle = []


def reason(error):
    """A socket's OSError in words."""
    if error is None:
        return "no address"
    return _REFUSED.get(error.errno, str(error))


def take(url, permissions):
    """A kept connection to a Url's server that is still good and that the permissions allow, or None."""
    tidy()
    for connection in _idle:
        if connection.key == (url.scheme, url.host, url.port):
            _idle.remove(connection)
            if permissions is not None:
                try:
                    permissions.check_address(url.host, connection.packed, url.port)
                except ForbiddenError:
                    connection.close()
                    return None
            if connection.is_quiet():
                connection.reused = True
                return connection
            connection.close()
            return None
    return None


def keep(connection):
    """Keeps a connection on which a response has just ended, for the next request to the same server."""
    while len(_idle) >= MAX_IDLE:
        _idle.pop(0).close()
    connection.since = time.ticks_ms()
    _idle.append(connection)


def tidy(everything=False):
    """Closes what was kept for long enough, or everything: after the network or the roots have changed."""
    now = time.ticks_ms()
    for connection in list(_idle):
        if everything or time.ticks_diff(now, connection.since) >= IDLE_MS:
            _idle.remove(connection)
            connection.close()


class Connection:
    """To one server. `packed` is the address that it has; `received` counts bytes."""

    def __init__(self):
        self.key = self.packed = None
        self.reused = False
        self.since = 0
        self.received = 0
        self._socket = None
        self._plain = None
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self._at = 0
        self._end = 0

    async def open(self, url, permissions, phase):
        """Connects to a Url's server and does TLS's handshake. `phase(name)` is told what is waited for."""
        phase("look-up")
        addresses = await resolver.resolve(url.host, url.port)
        phase("connection")
        error = forbidden = None
        for family, where in addresses:
            packed = resolver.packed(where)
            if permissions is not None:
                try:
                    permissions.check_address(url.host, packed, url.port)
                except ForbiddenError as e:
                    forbidden = e
                    continue
            try:
                await self._connect(family, where)
            except OSError as e:
                error = e
                self.close()
                continue
            self.key = (url.scheme, url.host, url.port)
            self.packed = address.plain(packed)
            return
        if error is None and forbidden is not None:
            raise forbidden
        raise LostError("no connection to {}: {}".format(url.authority, reason(error)))

    def secure(self, context, host):
        """TLS from here on, with a context of trust.py. The handshake is part of the first send()."""
        self._socket = context.wrap_socket(self._plain, server_hostname=host, do_handshake_on_connect=False)
        self._socket.setblocking(False)

    async def _connect(self, family, where):
        s = self._plain = self._socket = socket.socket(family, socket.SOCK_STREAM)
        s.setblocking(False)
        try:
            s.connect(where)
        except OSError as e:
            if e.errno != errno.EINPROGRESS:
                raise
        await _writable(s)
        # A refused connection is writable too: a second connect() tells the two apart.
        try:
            s.connect(where)
        except OSError as e:
            if e.errno in _REFUSED:
                raise

    def close(self):
        for s in (self._socket, self._plain):
            if s is not None:
                try:
                    s.close()
                except OSError:
                    pass
        self._socket = self._plain = None

    def is_quiet(self):
        """Whether nothing has come since the last response, not even an end: what came would belong to nobody."""
        if self._at != self._end or self._socket is None:
            return False
        try:
            n = self._socket.readinto(self._buffer)
        except OSError:
            return False
        return n is None

    async def send(self, data):
        view = memoryview(data)
        done = 0
        while done < len(view):
            n = self._socket.write(view[done:])
            if n is None:
                await _writable(self._socket)
            else:
                done += n

    async def _fill(self):
        """Receives more into an empty buffer; False at the end of the stream."""
        while True:
            n = self._socket.readinto(self._buffer)
            if n is None:
                await _readable(self._socket)
                continue
            self._at, self._end = 0, n
            if not n:
                return False
            self.received += n
            # A fast sender must not keep the loop to itself.
            await asyncio.sleep_ms(0)
            return True

    async def piece(self, most):
        """A view of up to `most` bytes, valid until the next call; empty at the end of the stream."""
        if self._at == self._end and not await self._fill():
            return self._view[:0]
        start = self._at
        self._at = min(self._end, start + most)
        return self._view[start : self._at]

    async def line(self):
        """One line without its end, as bytes; HttpError if it is too long or cut off."""
        line = b""
        while True:
            if self._at == self._end and not await self._fill():
                raise LostError(
                    "the connection ended in the middle of the headers"
                    if line
                    else "the connection ended too early"
                )
            at = self._buffer.find(b"\n", self._at, self._end)
            stop = self._end if at < 0 else at + 1
            if len(line) + stop - self._at > MAX_LINE:
                raise HttpError("the server sent a line of more than {} bytes".format(MAX_LINE))
            line += self._view[self._at : stop]
            self._at = stop
            if at >= 0:
                return line[:-2] if line.endswith(b"\r\n") else line[:-1]


async def _readable(s):
    yield asyncio.core._io_queue.queue_read(s)


async def _writable(s):
    yield asyncio.core._io_queue.queue_write(s)
