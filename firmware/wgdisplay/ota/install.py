"""Finding a release, streaming its image into the other slot, and switching to it.

Memory is constant: a piece of the image goes to flash as it comes. The running slot is never written to. The switch is
one record of otadata, and the last step; before it the whole image has been read back from flash and compared with the
hash that was signed.
"""

import asyncio
import hashlib
import time

from micropython import const

from .. import VERSION
from ..net import http
from . import journal, release, slots
from .release import OtaError

MANIFEST_MS = const(30_000)  # deadline of the manifest
IMAGE_MS = const(30 * 60_000)  # of the image, with all tries
# Not const(): tests have less time.
STALL_MS = 20_000  # so long may a server send nothing
SLOW_MS = 20_000  # within each span of this length ...
SLOW_BYTES = 40_000  # ... it must send so much
RETRIES = const(4)  # tries in a row after a lost connection, each from where it was lost ...
STALLED_RETRIES = const(1)  # ... and after a server that sent nothing more
PROGRESS_BYTES = const(64 * 1024)  # a try that got so far makes up for the failed ones before
_PAUSES_MS = (1000, 2000, 4000, 8000)
_WATCH_MS = const(250)
_YIELD_BLOCKS = const(8)  # blocks that are read back in one go
_VALIDATE_FAILED = const(-0x1503)  # ESP_ERR_OTA_VALIDATE_FAILED


class Stalled(http.LostError):
    """The server is silent."""


def manifest_address(address, board):
    """The manifest's address: that of a release folder ends in a slash, or names the file itself."""
    if address.endswith("/"):
        return "{}{}/{}".format(address, board, release.FILE)
    return address


async def look(address, request=http.request):
    """-> (the Release that is offered there, the address of its image). HttpError or OtaError."""
    from wgrelease import board

    url = manifest_address(address, board())
    keys = release.trusted_keys()
    if not keys:
        release.read(b"", keys)  # says so, without asking anybody
    response = await request("GET", url, max_body=release.MAX_BYTES, deadline_ms=MANIFEST_MS)
    if response.status != 200:
        raise OtaError(
            "there is no release at {}: the server answered with status {}".format(url, response.status)
        )
    found = release.read(response.body, keys)
    image = str(http.Url(url).join(found.image))
    return found, image


class SlotWriter:
    """A sink for `http.download`: fills an app slot, block by block.

    `size` is the image's as it was signed, `chip` the chip_id that its header must have.
    """

    def __init__(self, partition, size, chip):
        self.received = 0  # bytes of the image, those in the buffer included
        self.etag = None  # of the response that brought the first bytes
        self._partition = partition
        self._size = size
        self._chip = chip
        self._buffer = bytearray(slots.BLOCK)
        self._view = memoryview(self._buffer)

    def restart(self):
        """The server sends the whole file again."""
        self.received = 0

    def begin(self, response):
        if not self.received:
            etag = response.headers.get("etag")
            self.etag = etag if etag is not None and len(etag) <= 100 else None

    def expect(self, size):
        """What the server says the whole file's size is."""
        if size > self._size:
            raise OtaError(
                "the image on the server has {} bytes, more than the {} that were signed".format(
                    size, self._size
                )
            )
        if size < self._size:
            raise OtaError(
                "the image on the server has {} bytes, fewer than the {} that were signed".format(
                    size, self._size
                )
            )

    def write(self, piece):
        if self.received + len(piece) > self._size:
            raise OtaError("the server sends more than the {} bytes that were signed".format(self._size))
        done = 0
        while done < len(piece):
            at = self.received % slots.BLOCK
            n = min(len(piece) - done, slots.BLOCK - at)
            self._view[at : at + n] = piece[done : done + n]
            done += n
            self.received += n
            if at + n == slots.BLOCK or self.received == self._size:
                self._flush((self.received - 1) // slots.BLOCK, at + n)

    def _flush(self, block, filled):
        if block == 0:
            self._check_header(filled)
        for i in range(filled, slots.BLOCK):
            self._buffer[i] = 0xFF
        try:
            self._partition.writeblocks(block, self._buffer)  # erases the block first
        except OSError as error:
            raise OtaError("writing the other slot failed: {}".format(error))

    def _check_header(self, filled):
        chip = slots.chip_id(self._view[:filled])
        if chip is None:
            raise OtaError(
                "the file is not a firmware image: it begins with 0x{:02x} instead of 0xe9".format(
                    self._buffer[0]
                )
            )
        if chip != self._chip:
            raise OtaError(
                "the image is for another chip: its header says 0x{:04x}, this is 0x{:04x}".format(
                    chip, self._chip
                )
            )

    async def digest(self):
        """The SHA-256 of the image as it is on flash now."""
        sha = hashlib.sha256()
        left = self._size
        block = 0
        while left:
            n = min(left, slots.BLOCK)
            self._partition.readblocks(block, self._buffer)
            sha.update(self._view[:n])
            left -= n
            block += 1
            if block % _YIELD_BLOCKS == 0:
                await asyncio.sleep_ms(0)
        return sha.digest()


async def install(found, url, tell, downgrade=False, download=http.download):
    """Downloads a Release's image from `url` and makes its slot the one that starts next. HttpError or OtaError.

    `tell(done, size)` is called on the way. Nothing is restarted.
    """
    from wgrelease import board

    release.suits(found, VERSION, board(), downgrade)
    running, slot = slots.running(), slots.other()
    if slots.label(slot) == slots.label(running):
        raise OtaError("this board has one app slot only: it can be updated over USB, but not over the air")
    if slots.record_state(running) == slots.PENDING_VERIFY:
        raise OtaError("{} is on trial itself; try again in a few minutes".format(VERSION))
    if found.size > slots.size(slot):
        raise OtaError(
            "the image has {} bytes, and a slot of this board has {}".format(found.size, slots.size(slot))
        )
    try:
        slots.take_over()
    except OSError as error:
        raise OtaError("the running slot can't be made the one that starts: {}".format(error))
    writer = SlotWriter(slot, found.size, slots.running_chip_id())
    await _fetch(url, found.size, writer, tell, download)
    if await writer.digest() != found.sha256:
        raise OtaError("the image is not the one that was signed: its SHA-256 is another one")
    try:
        journal.begin(found.version, VERSION, slots.label(slot))
        slot.set_boot()
    except OSError as error:
        if error.errno == _VALIDATE_FAILED:
            raise OtaError("the image is damaged inside: the boot loader would not start it")
        raise OtaError("switching the slots failed: {}".format(error))


async def _fetch(url, size, writer, tell, download):
    # All of the image into the writer, over lost connections.
    end = time.ticks_add(time.ticks_ms(), IMAGE_MS)
    tries = stalled = 0
    while writer.received < size:
        before = writer.received
        try:
            await _watched(url, size, writer, tell, download, end)
            if writer.received < size:
                raise http.LostError("the image ended after {} of {} bytes".format(writer.received, size))
        except http.LostError as error:
            if writer.received - before >= PROGRESS_BYTES:
                tries = stalled = 0
            tries += 1
            stalled += isinstance(error, Stalled)
            if tries > RETRIES or stalled > STALLED_RETRIES or time.ticks_diff(end, time.ticks_ms()) <= 0:
                raise OtaError(
                    "the download was given up after {} of {} bytes: {}".format(writer.received, size, error)
                )
            await asyncio.sleep_ms(_PAUSES_MS[tries - 1])


async def _watched(url, size, writer, tell, download, end):
    # One request, that is ended when the server is silent or slow.
    left = time.ticks_diff(end, time.ticks_ms())
    ended = asyncio.Event()
    work = download(url, writer, max_bytes=1 << 30, deadline_ms=left, start=writer.received, etag=writer.etag)
    task = asyncio.create_task(_caught(work, ended))
    try:
        now = time.ticks_ms()
        seen, alive = writer.received, now  # since when nothing has come
        counted, since = writer.received, now  # the span in which speed is measured
        while not ended.is_set():
            try:
                await asyncio.wait_for_ms(ended.wait(), _WATCH_MS)
            except asyncio.TimeoutError:
                pass
            tell(writer.received, size)
            now = time.ticks_ms()
            if writer.received != seen:
                seen, alive = writer.received, now
            elif time.ticks_diff(now, alive) > STALL_MS:
                raise Stalled("the server sent nothing for {} s".format(STALL_MS // 1000))
            if time.ticks_diff(now, since) > SLOW_MS:
                if 0 < writer.received - counted < SLOW_BYTES:
                    raise OtaError(
                        "the server is too slow: {} bytes in {} s, and at least {} are asked for".format(
                            writer.received - counted, SLOW_MS // 1000, SLOW_BYTES
                        )
                    )
                counted, since = writer.received, now
        error = await task
        tell(writer.received, size)
        if error is not None:
            raise error
    finally:
        if not task.done():
            task.cancel()


async def _caught(work, ended):
    # What went wrong as a value: a task that nobody waits for any more must not report it.
    try:
        await work
    except (OSError, RuntimeError) as error:
        return error
    finally:
        ended.set()
    return None
