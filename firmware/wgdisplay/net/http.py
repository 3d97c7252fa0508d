"""An asyncio HTTP/1.1 client on non-blocking sockets: for widgets, downloads and the store.

    response = await request("GET", "http://host/path")
    await download("http://host/file", sink)          # sink.write(memoryview), constant memory; can be resumed

One connection for each request (`Connection: close`). Understood: content-length, chunked, a body that ends with the
connection; redirects. Everything that goes wrong, a malformed response and a passed deadline included, is one
HttpError. Certificates and host names are always checked; without root certificates https is refused.
"""

import asyncio
import errno
import socket

from micropython import const

from . import resolver, trust

DEADLINE_MS = const(30_000)  # of a whole request, redirects included
CONNECT_MS = const(10_000)  # name look-up, connection and TLS handshake, each time
FIRST_BYTE_MS = const(20_000)  # from the request sent to the first byte of the answer
MAX_REDIRECTS = const(5)
MAX_BODY = const(1024 * 1024)  # bytes of a body that `request` keeps
MAX_LINE = const(4096)  # bytes of the status line or of one header
MAX_HEADERS = const(100)
MAX_HEADER_BYTES = const(16 * 1024)  # of all headers of one response; chunked trailers count too
MAX_INTERIM = const(5)  # 1xx responses before the real one
MAX_URL = const(2048)
_BUFFER = const(2048)
_FIRST_BODY = const(8192)  # bytes that are allocated for a body before any of it has come

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
USER_AGENT = "wg-display"


# What a failed connect() leaves behind; anything else (EISCONN, which has no name here) means connected.
_REFUSED = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.ECONNABORTED: "connection aborted",
    errno.ETIMEDOUT: "timed out",
    errno.EHOSTUNREACH: "no route to the host",
    101: "the network is unreachable",  # ENETUNREACH on Linux
}


class HttpError(OSError):
    """A request that did not end in a response, in one sentence."""


class LostError(HttpError):
    """The server could not be reached, or the connection was lost: another try may do better."""


class Response:
    """`status`; `headers` by lower-case name; `content_length` as declared, or None; `body`; `url`, the last one."""

    def __init__(self, status, headers, content_length, body, url):
        self.status = status
        self.headers = headers
        self.content_length = content_length
        self.body = body
        self.url = url


class Url:
    """scheme, host, port and target (path and query) of an absolute http or https address."""

    def __init__(self, text):
        if len(text) > MAX_URL:
            raise HttpError("the address is longer than {} characters".format(MAX_URL))
        for c in text:
            if ord(c) <= 32 or ord(c) == 127:
                raise HttpError("the address has a space or a control character in it")
        scheme, found, rest = text.partition("://")
        self.scheme = scheme.lower()
        if not found or self.scheme not in ("http", "https"):
            raise HttpError("not an http:// or https:// address: {}".format(_short(text)))
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
            if not found or (port and not port.startswith(":")):
                raise HttpError("the address has a malformed host")
            port = port[1:]
        else:
            host, _, port = authority.partition(":")
        if not host or any(ord(c) > 126 or c in '<>"\\^`{|}%' for c in host):
            raise HttpError("the address has no valid host: {}".format(_short(text)))
        self.host = host.lower()
        self.port = 443 if self.scheme == "https" else 80
        self.authority = "[{}]".format(self.host) if ":" in host else self.host
        if port:
            if not _digits(port) or not 0 < int(port) < 65536:
                raise HttpError("the address has a malformed port")
            if int(port) != self.port:
                self.authority += ":" + port
            self.port = int(port)
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


def _short(text):
    return text if len(text) <= 60 else text[:57] + "..."


def _digits(text):
    # isdigit() alone would do but for the empty text and for what int() takes besides: "+1", "1_0", " 1"
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


class _Body:
    """A sink that keeps a body, growing by doubling as bytes really come."""

    def __init__(self, limit):
        self._limit = limit
        self._buffer = None
        self._size = 0
        self._expected = None

    def start(self, response):
        self._expected = response.content_length

    def write(self, piece):
        end = self._size + len(piece)
        if self._buffer is None:
            first = _FIRST_BODY if self._expected is None else min(self._expected, _FIRST_BODY)
            self._buffer = bytearray(max(first, end))
        elif end > len(self._buffer):
            most = self._limit if self._expected is None else self._expected
            grown = bytearray(max(end, min(2 * len(self._buffer), most)))
            grown[: self._size] = memoryview(self._buffer)[: self._size]
            self._buffer = grown
        self._buffer[self._size : end] = piece
        self._size = end

    def value(self):
        if self._buffer is None:
            return b""
        return bytes(memoryview(self._buffer)[: self._size])


class _Connection:
    """A connected socket with a receive buffer; every wait yields to the loop."""

    def __init__(self):
        self._socket = None
        self._plain = None
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._at = 0
        self._end = 0

    async def open(self, url):
        addresses = await resolver.resolve(url.host, url.port)
        error = None
        for family, address in addresses:
            try:
                await self._connect(family, address)
                break
            except OSError as e:
                error = e
                self.close()
        else:
            raise LostError("no connection to {}: {}".format(url.authority, _reason(error)))
        if url.scheme == "https":
            self._socket = trust.wrap(self._plain, url.host)

    async def _connect(self, family, address):
        s = self._plain = self._socket = socket.socket(family, socket.SOCK_STREAM)
        s.setblocking(False)
        try:
            s.connect(address)
        except OSError as e:
            if e.errno != errno.EINPROGRESS:
                raise
        await _writable(s)
        # A refused connection is writable too: a second connect() tells the two apart.
        try:
            s.connect(address)
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


def _reason(error):
    if error is None:
        return "no address"
    return _REFUSED.get(error.errno, str(error))


class _Reader:
    """One response on a connection: status and headers, then the body into a sink."""

    def __init__(self, connection, method, max_bytes):
        self._connection = connection
        self._method = method
        self._max = max_bytes
        self._header_bytes = 0
        self.received = 0
        self.status = 0
        self.headers = {}
        self.content_length = None

    async def head(self):
        for _ in range(MAX_INTERIM + 1):
            self.status = await self._status()
            self.headers = {}
            await self._read_headers(self.headers)
            if self.status >= 200:
                break
            if self.status == 101:
                raise HttpError("the server switched to another protocol")
        else:
            raise HttpError("the server sent too many interim responses")
        self.content_length = _content_length(self.headers.get("content-length"))

    async def _status(self):
        line = await self._connection.line()
        parts = line.split(b" ", 2)
        ok = len(parts) >= 2 and len(parts[0]) == 8 and parts[0].startswith(b"HTTP/1.") and len(parts[1]) == 3
        if not ok or not all(48 <= c <= 57 for c in parts[1]) or parts[1] < b"100":
            raise HttpError("the server's answer is not HTTP/1.1")
        return int(parts[1])

    async def _read_headers(self, headers):
        count = 0
        while True:
            line = await self._connection.line()
            if not line:
                return
            count += 1
            self._header_bytes += len(line)
            if count > MAX_HEADERS or self._header_bytes > MAX_HEADER_BYTES:
                raise HttpError("the server sent too many headers")
            name, found, value = line.partition(b":")
            if not found or not name or not all(33 <= c <= 126 for c in name):
                raise HttpError("the server sent a malformed header")
            # Header values are latin-1 at worst: each byte one character.
            name = str(name, "ascii").lower()
            value = "".join(chr(c) for c in value).strip()
            if any(ord(c) < 32 and c != "\t" for c in value):
                raise HttpError("the server sent a malformed header")
            if name in headers:
                if name in ("content-length", "location", "transfer-encoding") and headers[name] != value:
                    raise HttpError("the server sent two different {} headers".format(name))
                if name == "transfer-encoding":
                    raise HttpError("the server sent two transfer-encoding headers")
                if name not in ("content-length", "location"):
                    value = headers[name] + ", " + value
            headers[name] = value

    async def body(self, sink):
        if self._method == "HEAD" or self.status in (204, 304):
            return
        coding = self.headers.get("transfer-encoding")
        if coding is not None:
            if coding.lower() != "chunked":
                raise HttpError(
                    "the server sent a transfer coding that is not supported: {}".format(_short(coding))
                )
            self.content_length = None
        elif self.content_length is not None:
            self._allow(self.content_length)
        if hasattr(sink, "start"):
            sink.start(self)
        if coding is not None:
            await self._chunks(sink)
        elif self.content_length is not None:
            await self._exactly(self.content_length, sink)
        else:
            while True:
                piece = await self._connection.piece(_BUFFER)
                if not len(piece):
                    return
                self._take(piece, sink)

    def _allow(self, size):
        if size > self._max:
            raise HttpError("the body is larger than {} bytes".format(self._max))

    def _take(self, piece, sink):
        self._allow(self.received + len(piece))
        self.received += len(piece)
        sink.write(piece)

    async def _exactly(self, size, sink):
        left = size
        while left:
            piece = await self._connection.piece(left)
            if not len(piece):
                raise LostError(
                    "the connection ended before the body did ({} bytes are missing)".format(left)
                )
            left -= len(piece)
            self._take(piece, sink)

    async def _chunks(self, sink):
        while True:
            digits = (await self._connection.line()).partition(b";")[0].strip()
            if not 0 < len(digits) <= 8 or not all(c in b"0123456789abcdefABCDEF" for c in digits):
                raise HttpError("the server sent a malformed chunk size")
            size = int(digits, 16)
            if not size:
                await self._read_headers({})  # trailers
                return
            self._allow(self.received + size)
            await self._exactly(size, sink)
            if await self._connection.line():
                raise HttpError("the server sent a chunk that is longer than it said")


def _content_length(text):
    if text is None:
        return None
    values = [v.strip() for v in text.split(",")]
    if not _digits(values[0]) or any(v != values[0] for v in values):
        raise HttpError("the server sent a malformed content-length")
    return int(values[0])


async def request(method, url, body=None, *, max_body=MAX_BODY, deadline_ms=DEADLINE_MS):
    """One request, redirects followed; -> Response. `body` is bytes or None. HttpError if there is no response."""
    if method not in METHODS:
        raise HttpError("the method {} is not supported".format(method))
    keep = _Body(max_body)
    reader, last = await _deadline(_follow(method, url, body, keep, max_body, _any_status), deadline_ms)
    return Response(reader.status, reader.headers, reader.content_length, keep.value(), str(last))


async def download(url, sink, *, max_bytes, deadline_ms, start=0, etag=None):
    """GETs a file into `sink.write(view)`; `sink.expect(size)` is called first where the server says the size.

    With `start` the file is asked for from that byte on, for a sink that has those before. A server that sends the
    whole file all the same makes `sink.restart()` be called first. `etag` is that of the response that brought the
    first bytes: a server whose file is another one now sends it whole.
    Only a file (status 200) or the part that was asked for (206) is taken. -> Response without a body.
    """
    extra = ""
    if start:
        extra = "Range: bytes={}-\r\n".format(start)
        if etag is not None and etag.startswith('"'):  # weak ones don't vouch for single bytes
            extra += "If-Range: {}\r\n".format(etag)
    pump = _Pump(sink, start)
    reader, last = await _deadline(
        _follow("GET", url, None, pump, max_bytes, pump.accept, extra), deadline_ms
    )
    return Response(reader.status, reader.headers, reader.content_length, b"", str(last))


class _Pump:
    def __init__(self, sink, start):
        self._sink = sink
        self._start = start
        self.write = sink.write

    def accept(self, status):
        if status != 200 and not (status == 206 and self._start):
            raise HttpError("the server answered with status {}".format(status))

    def start(self, response):
        at = 0
        if response.status == 206:
            at = self._start
            if not response.headers.get("content-range", "").startswith("bytes {}-".format(at)):
                raise HttpError("the server sent another part of the file than it was asked for")
        elif self._start:
            self._sink.restart()
        if hasattr(self._sink, "begin"):
            self._sink.begin(response)
        if response.content_length is not None and hasattr(self._sink, "expect"):
            self._sink.expect(at + response.content_length)


def _any_status(status):
    pass


async def _deadline(work, ms):
    try:
        return await asyncio.wait_for_ms(work, ms)
    except asyncio.TimeoutError:
        raise HttpError("no complete answer within {} s".format((ms + 999) // 1000))


async def _follow(method, url, body, sink, max_bytes, accept, extra=""):
    current = Url(url)
    for _ in range(MAX_REDIRECTS + 1):
        connection = _Connection()
        try:
            reader = await _exchange(connection, method, current, body, max_bytes, extra)
            location = reader.headers.get("location")
            if reader.status not in (301, 302, 303, 307, 308) or location is None:
                accept(reader.status)
                await reader.body(sink)
                return reader, current
        except HttpError:
            raise
        except (OSError, ValueError) as error:
            explained = trust.explained(error)
            raise HttpError(explained) if explained else LostError(_lost(error, current))
        finally:
            connection.close()
        try:
            following = current.join(location)
        except HttpError as error:
            raise HttpError("a redirect was refused: {}".format(error))
        if current.scheme == "https" and following.scheme != "https":
            raise HttpError("a redirect from https to http was refused")
        if reader.status == 303 and method != "HEAD" or reader.status in (301, 302) and method == "POST":
            method, body = "GET", None
        current = following
    raise HttpError("more than {} redirects".format(MAX_REDIRECTS))


def _lost(error, url):
    if not isinstance(error, OSError) or not isinstance(error.errno, int):
        return str(error)
    reason = _reason(error)
    return "no answer from {}: {}".format(url.authority, reason)


async def _exchange(connection, method, url, body, max_bytes, extra):
    try:
        await asyncio.wait_for_ms(connection.open(url), CONNECT_MS)
    except asyncio.TimeoutError:
        raise LostError("no connection to {} within {} s".format(url.authority, CONNECT_MS // 1000))
    head = "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: */*\r\nConnection: close\r\n".format(
        method, url.target, url.authority, USER_AGENT
    )
    if body is not None or method in ("POST", "PUT"):
        head += "Content-Length: {}\r\n".format(len(body) if body is not None else 0)
    head += extra
    await connection.send((head + "\r\n").encode())
    if body:
        await connection.send(body)
    reader = _Reader(connection, method, max_bytes)
    try:
        await asyncio.wait_for_ms(reader.head(), FIRST_BYTE_MS)
    except asyncio.TimeoutError:
        raise LostError("no answer from {} within {} s".format(url.authority, FIRST_BYTE_MS // 1000))
    return reader
