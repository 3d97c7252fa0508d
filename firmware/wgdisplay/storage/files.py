"""The widgets' files: on their way in, and from flash into memory."""

import hashlib
import os
from binascii import hexlify

from micropython import const

from . import record
from .record import StorageError

MAX_WIDGET_BYTES = const(1024 * 1024)  # of one widget's file
RESERVE_BYTES = const(
    64 * 1024
)  # of flash that an install never takes: room for changes of the configuration
_BLOCK = const(4096)


class Incoming:
    """A file on its way in: `write()` pieces, then `finish()`, then `Storage.add()`, or `discard()` at any time.

    Memory is constant: a piece goes to flash as it comes. `finish()` reads the file back and compares the checksums.
    """

    def __init__(self, path, size, free):
        self._path = path
        self._free = free
        self._hash = hashlib.sha256()
        self._file = None
        self.size = 0
        self.sha256 = None
        record.writable()
        self._check(size or 0)
        try:
            self._file = open(path, "wb")
        except OSError as error:
            raise StorageError(record.said(error, "opening " + path))

    def expect(self, size):
        """Refuses before the first byte what is known to be too large."""
        self._check(size)

    def _check(self, size):
        if size > MAX_WIDGET_BYTES:
            raise StorageError(
                "the file is too large: a widget has at most {} bytes".format(MAX_WIDGET_BYTES)
            )
        if blocks(size) * _BLOCK > self._free:
            if not size:
                raise StorageError("the flash is full; remove a widget or a file")
            raise StorageError(
                "not enough space on flash: {} bytes are free, the widget needs {}".format(self._free, size)
            )

    def write(self, piece):
        record.writable()
        self._check(self.size + len(piece))
        try:
            if self._file.write(piece) != len(piece):
                raise StorageError("the flash took only a part of the file")
        except OSError as error:
            raise StorageError(record.said(error, "writing the widget"))
        self._hash.update(piece)
        self.size += len(piece)

    def finish(self):
        """Ends the writing and verifies what is on flash."""
        self.sha256 = hexlify(self._hash.digest()).decode()
        try:
            self._file.close()
            self._file = None
            if sha256(self._path) != self.sha256:
                raise StorageError("the widget did not read back as it was written")
        except OSError as error:
            raise StorageError(record.said(error, "writing the widget"))

    def read(self, allocate=bytearray):
        """The whole file in one buffer, for a look at the widget before it is installed."""
        return read(self._path, self.size, allocate)

    def keep(self, path):
        record.writable()
        try:
            os.rename(self._path, path)
        except OSError as error:
            raise StorageError(record.said(error, "installing the widget"))

    def discard(self):
        """Leaves nothing on flash; harmless after `keep()`."""
        if self._file is not None and not record.failed:
            try:
                self._file.close()
            except OSError:
                pass
            self._file = None
        record.remove(self._path)


def blocks(size):
    """Blocks of a file in LittleFS: all but the first begin with one or two pointers to earlier ones, on average."""
    return (size + _BLOCK - 9) // (_BLOCK - 8) if size > _BLOCK else 1


def read(path, size, allocate=bytearray):
    """A file of known size in one buffer that `allocate(size)` makes, read in place."""
    data = allocate(size)
    try:
        view = memoryview(data)
        done = 0
        with open(path, "rb") as f:
            while done < size:
                n = f.readinto(view[done:])
                if not n:
                    raise StorageError("{} is shorter than it was".format(path))
                done += n
    except Exception as error:
        release(data)
        if isinstance(error, OSError):
            raise StorageError(record.said(error, "reading " + path))
        raise
    return data


def release(data):
    """Gives a buffer's memory back, if it is of a kind that must be closed."""
    if hasattr(data, "close"):
        data.close()


def sha256(path):
    """The SHA-256 of a file, hexadecimal, in constant memory."""
    digest = hashlib.sha256()
    buffer = bytearray(1024)
    view = memoryview(buffer)
    with open(path, "rb") as f:
        while True:
            n = f.readinto(buffer)
            if not n:
                return hexlify(digest.digest()).decode()
            digest.update(view[:n])
