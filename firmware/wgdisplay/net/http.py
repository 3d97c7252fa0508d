"""An asyncio HTTP/1.1 client on non-blocking sockets: for widgets, downloads, the store and the time.

    response = await request("GET", "http://host/path")
    await download("http://host/file", sink)          # sink.write(memoryview), constant memory

Understood: content-length, chunked, a body that ends with the connection; gzip; redirects; connections are kept for the
next request to the same server. Everything that goes wrong, a malformed response and a passed deadline included, is one
HttpError. Certificates and host names are always checked; without root certificates https is refused. Where a request
may go is for `permissions` to say, see permissions.py: at each redirect and of each address that is connected to.
"""

import asyncio
import io
import struct
import time
from binascii import crc32

from micropython import const

from . import connection as connections
from . import trust
from .connection import Connection
from .errors import HttpError, LostError
from .url import Url, digits, short

DEADLINE_MS = const(30_000)  # of a whole request, redirects included
LOOK_UP_MS = const(8_000)  # of a name
CONNECT_MS = const(10_000)  # connection and TLS handshake
FIRST_BYTE_MS = const(20_000)  # from the request sent to the end of the answer's headers
SILENCE_MS = const(20_000)  # between two pieces of a body
MAX_REDIRECTS = const(5)
MAX_BODY = const(1024 * 1024)  # bytes of a body that `request` keeps
MAX_GZIP = const(128 * 1024)  # bytes of a compressed body: it is kept whole while it is decoded
MAX_HEADERS = const(100)
MAX_HEADER_BYTES = const(16 * 1024)  # of all headers of one response; chunked trailers count too
MAX_INTERIM = const(5)  # 1xx responses before the real one
MAX_DRAINED = const(1024)  # bytes of a redirect's body that are read so that its connection can be kept
_FIRST_BODY = const(8192)  # bytes that are allocated for a body before any of it has come
_PIECE = const(2048)
_STEP_MS = const(200)  # how late the end of a phase may be seen

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
USER_AGENT = "wg-display"


class Response:
    """`status`; `headers` by lower-case name; `content_length` as declared, or None; `body`; `url`, the last one, and
    `redirected`, whether it is another one than was asked for."""

    def __init__(self, reader, body, url, redirected):
        self.status = reader.status
        self.headers = reader.headers
        self.content_length = reader.content_length
        self.body = body
        self.url = url
        self.redirected = redirected


class _Deadline:
    """The times by which a request and each of its phases must be over; what is late is cancelled."""

    _PHASES = {
        "look-up": (LOOK_UP_MS, "the name server of {} did not answer within {} s"),
        "connection": (CONNECT_MS, "no connection to {} within {} s"),
        "answer": (FIRST_BYTE_MS, "no answer from {} within {} s"),
        "body": (SILENCE_MS, "{} sent nothing more for {} s"),
    }

    def __init__(self, ms):
        self._ms = ms
        self._ends = time.ticks_add(time.ticks_ms(), ms)
        self._phase = None
        self._phase_ends = 0
        self._late = None
        self.where = ""

    def phase(self, name):
        self._phase = name
        self._phase_ends = time.ticks_add(time.ticks_ms(), self._PHASES[name][0])

    async def run(self, work):
        """The result of a coroutine; HttpError if it is late."""
        # Not asyncio.wait_for: cancelled from outside, MicroPython's cancels the waiting task a second time, later.
        task = asyncio.create_task(work)
        watch = asyncio.create_task(self._watch(task))
        try:
            return await task
        except asyncio.CancelledError:
            if self._late is not None:
                raise HttpError(self._late)
            raise
        finally:
            watch.cancel()

    async def _watch(self, task):
        while True:
            now = time.ticks_ms()
            left = time.ticks_diff(self._ends, now)
            if left <= 0:
                self._late = "no complete answer within {} s".format((self._ms + 999) // 1000)
                break
            if self._phase is not None:
                phase_left = time.ticks_diff(self._phase_ends, now)
                if phase_left <= 0:
                    ms, text = self._PHASES[self._phase]
                    self._late = text.format(self.where, ms // 1000)
                    break
                left = min(left, phase_left, _STEP_MS)
            await asyncio.sleep_ms(left)
        task.cancel()


class _Body:
    """A sink that keeps a body, growing by doubling as bytes really come, so that a large length costs nothing.

    `allocate(size)` makes its buffers: a bytearray, or something like it with a `close()` that gives its memory back.
    """

    def __init__(self, limit, allocate):
        self._limit = limit
        self._allocate = allocate
        self._whole = self._buffer = None
        self._size = 0
        self._expected = None

    def start(self, size):
        self._expected = size

    def write(self, piece):
        end = self._size + len(piece)
        if self._buffer is None or end > len(self._buffer):
            self._grow(end)
        self._buffer[self._size : end] = piece
        self._size = end

    def _grow(self, least):
        most = self._limit if self._expected is None else self._expected
        have = _FIRST_BODY // 2 if self._buffer is None else len(self._buffer)
        grown = self._allocate(max(least, min(2 * have, most)))
        view = grown if hasattr(grown, "close") else memoryview(grown)  # slices are no copies
        if self._size:
            view[: self._size] = self._buffer[: self._size]
        self.close()
        self._whole, self._buffer = grown, view

    def value(self):
        """The body: a part of what `allocate` gave, or a bytearray; b"" if there is none."""
        if self._buffer is None:
            return b""
        if hasattr(self._buffer, "close"):
            return self._buffer[: self._size]
        return self._whole if self._size == len(self._whole) else self._whole[: self._size]

    def close(self):
        """Gives the memory back, if the body is nobody's."""
        if hasattr(self._buffer, "close"):
            self._buffer.close()
        self._whole = self._buffer = None


class _Reader:
    """One response on a connection: status and headers, then the body into a sink."""

    def __init__(self, connection, method, deadline):
        self._connection = connection
        self._method = method
        self._deadline = deadline
        self._max = 0
        self._header_bytes = 0
        self._version = b""
        self._ended = False  # the response is over and the connection is where the next one begins
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

    @property
    def reusable(self):
        """Whether the connection can be used for another request."""
        headers = self.headers
        return (
            self._ended
            and self._version == b"HTTP/1.1"
            and "close" not in headers.get("connection", "").lower()
            and not ("transfer-encoding" in headers and "content-length" in headers)
        )

    async def _status(self):
        line = await self._connection.line()
        parts = line.split(b" ", 2)
        ok = len(parts) >= 2 and len(parts[0]) == 8 and parts[0].startswith(b"HTTP/1.") and len(parts[1]) == 3
        if not ok or not all(48 <= c <= 57 for c in parts[1]) or parts[1] < b"100":
            raise HttpError("the server's answer is not HTTP/1.1")
        self._version = parts[0]
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

    def has_body(self):
        return self._method != "HEAD" and self.status not in (204, 304)

    async def body(self, sink, most):
        """The body into `sink.write(view)`, of at most `most` bytes."""
        self._max = most
        if not self.has_body():
            self._ended = True
            return
        coding = self.headers.get("transfer-encoding")
        if coding is not None:
            if coding.lower() != "chunked":
                raise HttpError(
                    "the server sent a transfer coding that is not supported: {}".format(short(coding))
                )
            self.content_length = None
        elif self.content_length is not None:
            self._allow(self.content_length)
        sink.start(self.content_length)
        if coding is not None:
            await self._chunks(sink)
        elif self.content_length is not None:
            await self._exactly(self.content_length, sink)
        else:
            while True:
                piece = await self._piece(_PIECE)
                if not len(piece):
                    return
                self._take(piece, sink)
        self._ended = True

    def _allow(self, size):
        if size > self._max:
            raise HttpError("the body is larger than {} bytes".format(self._max))

    async def _piece(self, most):
        piece = await self._connection.piece(most)
        self._deadline.phase("body")
        return piece

    def _take(self, piece, sink):
        self._allow(self.received + len(piece))
        self.received += len(piece)
        sink.write(piece)

    async def _exactly(self, size, sink):
        left = size
        while left:
            piece = await self._piece(left)
            if not len(piece):
                raise LostError(
                    "the connection ended before the body did ({} bytes are missing)".format(left)
                )
            left -= len(piece)
            self._take(piece, sink)

    async def _chunks(self, sink):
        while True:
            text = (await self._connection.line()).partition(b";")[0].strip()
            if not 0 < len(text) <= 8 or not all(c in b"0123456789abcdefABCDEF" for c in text):
                raise HttpError("the server sent a malformed chunk size")
            size = int(text, 16)
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
    if not digits(values[0]) or any(v != values[0] for v in values):
        raise HttpError("the server sent a malformed content-length")
    return int(values[0])


async def request(
    method,
    url,
    body=None,
    *,
    max_body=MAX_BODY,
    deadline_ms=DEADLINE_MS,
    permissions=None,
    headers=None,
    allocate=bytearray,
):
    """One request, redirects followed; -> Response, its body bytes-like. HttpError if there is no response.

    body: bytes-like or None. permissions: see permissions.py; None: everywhere. headers: more of them, {name: value}.
    allocate: makes the buffer for the body, of a size in bytes.
    """
    if method not in METHODS:
        raise HttpError("the method {} is not supported".format(method))
    deadline = _Deadline(deadline_ms)
    job = _Job(method, body, permissions, headers, deadline)
    return await deadline.run(_request(job, url, max_body, allocate))


async def _request(job, url, max_body, allocate):
    job.headers.append("Accept-Encoding: gzip\r\n")
    reader, connection, last = await _follow(job, url)
    keep = None
    try:
        coding = (
            reader.headers.get("content-encoding", "identity").lower() if reader.has_body() else "identity"
        )
        if coding not in ("identity", "", "gzip", "x-gzip"):
            raise HttpError(
                "the server sent a content coding that is not supported: {}".format(short(coding))
            )
        zipped = "gzip" in coding
        most = min(max_body, MAX_GZIP) if zipped else max_body
        keep = _Body(most, allocate)
        await reader.body(keep, most)
        _finish(reader, connection)
        connection = None
        if zipped and len(keep.value()):
            unpacked = await _unzipped(keep, max_body, allocate)
            keep = unpacked
        content, keep = keep.value(), None
    except (OSError, ValueError) as error:
        raise _explained(error, last)
    except MemoryError:
        raise HttpError("the display has too little memory for the answer of {}".format(last.authority))
    finally:
        if connection is not None:
            connection.close()
        if keep is not None:
            keep.close()
    return Response(reader, content, str(last), job.redirected)


async def _unzipped(zipped, max_body, allocate):
    """The content of a gzip file (RFC 1952) of one member, at most `max_body` bytes, its checksum verified.

    zipped and the result: a _Body.
    """
    data = zipped.value()
    try:
        import deflate
    except ImportError:
        raise HttpError("the server sent gzip, which this firmware can't decode")
    if len(data) < 18:
        raise HttpError("the server sent a damaged gzip body")
    checked, said = struct.unpack("<II", bytes(data[len(data) - 8 :]))
    if said > max_body:
        raise HttpError("the body is larger than {} bytes".format(max_body))
    stream = deflate.DeflateIO(io.BytesIO(data), deflate.GZIP)  # which copies them
    zipped.close()
    keep = _Body(max_body, allocate)
    keep.start(said)
    piece = bytearray(_PIECE)
    view = memoryview(piece)
    check = size = 0
    try:
        while True:
            n = stream.readinto(piece)
            if not n:
                break
            size += n
            if size > said:
                break
            check = crc32(view[:n], check)
            keep.write(view[:n])
            await asyncio.sleep_ms(0)
    except (OSError, EOFError, ValueError):
        size = -1
    except BaseException:
        keep.close()
        raise
    if size != said or check != checked:
        keep.close()
        raise HttpError("the server sent a damaged gzip body")
    return keep


async def download(url, sink, *, max_bytes, deadline_ms, permissions=None, start=0, etag=None):
    """GETs a file into `sink.write(view)`, in constant memory; only status 200 is a file. -> Response without a body.

    With `start` the file is asked for from that byte on, for a sink that has those before (RFC 9110, 14); `etag` is
    that of the response that brought them, so that a server whose file is another one now sends it whole. Where there
    are such methods, they are called before the first write: `sink.restart()` if the whole file comes all the same,
    `sink.begin(response)`, which has `status`, `headers` and `content_length`, and `sink.expect(size)` with the size of
    the whole file if the server says it.
    """
    headers = {}
    if start:
        headers["Range"] = "bytes={}-".format(start)
        if etag is not None and etag.startswith('"'):  # weak ones don't vouch for single bytes
            headers["If-Range"] = etag
    deadline = _Deadline(deadline_ms)
    job = _Job("GET", None, permissions, headers, deadline)
    return await deadline.run(_download(job, url, sink, max_bytes, start))


async def _download(job, url, sink, max_bytes, start):
    reader, connection, last = await _follow(job, url)
    try:
        offset = 0
        if start and reader.status == 206:
            offset = _range_start(reader.headers.get("content-range", ""))
            if offset != start:
                raise HttpError("the server sent another part of the file than was asked for")
        elif reader.status != 200:
            raise HttpError("the server answered with status {}".format(reader.status))
        if reader.headers.get("content-encoding", "identity").lower() != "identity":
            raise HttpError("the server sent the file in a content coding that was not asked for")
        if start and not offset:
            sink.restart()
        if hasattr(sink, "begin"):
            sink.begin(reader)
        await reader.body(_Pump(sink, offset), max_bytes - offset)
        _finish(reader, connection)
        connection = None
    except (OSError, ValueError) as error:
        raise _explained(error, last)
    finally:
        if connection is not None:
            connection.close()
    return Response(reader, b"", str(last), job.redirected)


def _range_start(text):
    unit, _, rest = text.partition(" ")
    first = rest.partition("-")[0]
    return int(first) if unit == "bytes" and digits(first) else -1


class _Pump:
    def __init__(self, sink, offset):
        self._sink = sink
        self._offset = offset
        self.write = sink.write

    def start(self, size):
        if size is not None and hasattr(self._sink, "expect"):
            self._sink.expect(self._offset + size)


class _Nothing:
    """A sink for what nobody wants."""

    def start(self, size):
        pass

    def write(self, piece):
        pass


class _Job:
    """What stays the same over redirects, but for method and body."""

    def __init__(self, method, body, permissions, headers, deadline):
        self.method = method
        self.body = body
        self.permissions = permissions
        self.deadline = deadline
        self.redirected = False
        self.headers = ["{}: {}\r\n".format(name, headers[name]) for name in headers or ()]


async def _follow(job, url):
    """-> (reader, connection, Url) of the response that is no redirect; the connection is the caller's to close."""
    current = Url(url)
    for _ in range(MAX_REDIRECTS + 1):
        job.deadline.where = current.authority
        if job.permissions is not None:
            job.permissions.check_host(current.host, current.packed, current.port)
        try:
            reader, connection = await _exchange(job, current)
        except (OSError, ValueError) as error:
            raise _explained(error, current)
        location = reader.headers.get("location")
        if reader.status not in (301, 302, 303, 307, 308) or location is None:
            return reader, connection, current
        try:
            try:
                following = current.join(location)
            except HttpError as error:
                raise HttpError("a redirect was refused: {}".format(error))
            if current.scheme == "https" and following.scheme != "https":
                raise HttpError("a redirect from https to http was refused")
            if reader.content_length is not None and reader.content_length <= MAX_DRAINED:
                await reader.body(_Nothing(), MAX_DRAINED)
                _finish(reader, connection)
                connection = None
        except (OSError, ValueError) as error:
            raise _explained(error, current)
        finally:
            if connection is not None:
                connection.close()
        if (
            reader.status == 303
            and job.method != "HEAD"
            or reader.status in (301, 302)
            and job.method == "POST"
        ):
            job.method, job.body = "GET", None
        current = following
        job.redirected = True
    raise HttpError("more than {} redirects".format(MAX_REDIRECTS))


def _finish(reader, connection):
    """Keeps the connection of a response that was read to its end, or closes it."""
    if reader.reusable:
        connections.keep(connection)
    else:
        connection.close()


def _explained(error, url):
    if isinstance(error, HttpError):
        return error
    said = trust.explained(error, url.authority)
    if said is None and isinstance(error, OSError) and isinstance(error.errno, int):
        return LostError("no answer from {}: {}".format(url.authority, connections.reason(error)))
    return HttpError(said or str(error) or repr(error))


async def _exchange(job, url):
    """Sends the request and reads status and headers; -> (reader, connection)."""
    method = job.method
    head = "{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: */*\r\n{}".format(
        method, url.target, url.authority, USER_AGENT, "".join(job.headers)
    )
    if job.body is not None or method in ("POST", "PUT"):
        head += "Content-Length: {}\r\n".format(len(job.body) if job.body is not None else 0)
    head = (head + "\r\n").encode()
    # A kept connection may just be closing: what is not sure to be done once at most is not put on it.
    connection = connections.take(url, job.permissions) if method != "POST" else None
    if connection is not None:
        before = connection.received
        try:
            return await _ask(job, url, connection, head), connection
        except (OSError, ValueError):
            connection.close()
            if connection.received != before:
                raise
        except BaseException:
            connection.close()
            raise
    for first_try in (True, False):
        connection = Connection()
        context = trust.context(url.host) if url.scheme == "https" else None
        try:
            await connection.open(url, job.permissions, job.deadline.phase)
            if context is not None:
                connection.secure(context, url.host)
            return await _ask(job, url, connection, head), connection
        except (OSError, ValueError) as error:
            connection.close()
            if not first_try or context is None or not trust.learn(url.host, error):
                raise
        except BaseException:
            connection.close()
            raise


async def _ask(job, url, connection, head):
    job.deadline.phase("connection")  # TLS's handshake is part of the first send
    await connection.send(head)
    job.deadline.phase("answer")
    if job.body:
        await connection.send(job.body)
    reader = _Reader(connection, job.method, job.deadline)
    await reader.head()
    return reader
