"""One JSON value in one file that is either whole or known not to be.

The file is a line `wg1 <sha256 of the rest, hexadecimal>` and the JSON text. It is replaced by writing `<path>.new`,
reading that back, and renaming it over the old one: LittleFS makes the rename one commit.
"""

import errno
import hashlib
import json
import os
from binascii import hexlify

from micropython import const

MAX_BYTES = const(128 * 1024)  # of one record; a longer file is corrupt
_MAGIC = "wg1 "
_ENOSPC = const(28)  # the module errno has no name for it


class StorageError(Exception):
    """A change of the flash that was refused or failed, in one sentence; the old state is still there."""


class CorruptError(StorageError):
    """A file that is there and is not what was written."""


def exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def remove(path):
    """Removes a file if it is there; a file that can't be removed is left for the next boot's sweep."""
    try:
        os.remove(path)
    except OSError:
        pass


def load(path):
    """The stored value, or None if there is no such file. CorruptError if the file can't be trusted."""
    try:
        if os.stat(path)[6] > MAX_BYTES:
            raise CorruptError("{} is longer than a record can be".format(path))
        with open(path, "rb") as f:
            head = f.readline()
            body = f.read()
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise CorruptError("{} can't be read: {}".format(path, error))
    if head.strip() != _head(body):
        raise CorruptError("{} does not match its checksum".format(path))
    try:
        return json.loads(body)
    except ValueError:
        raise CorruptError("{} is not JSON".format(path))


def save(path, value):
    """Replaces the stored value. StorageError, the old value still there, if it does not fit or read back."""
    body = json.dumps(value).encode()
    head = _head(body)
    if len(head) + 1 + len(body) > MAX_BYTES:
        raise StorageError("{} would be longer than {} bytes".format(path, MAX_BYTES))
    beside = path + ".new"
    try:
        with open(beside, "wb") as f:
            f.write(head)
            f.write(b"\n")
            f.write(body)
            f.flush()
        if not _reads_back(beside, head, body):
            raise StorageError("{} did not read back as it was written".format(beside))
        os.rename(beside, path)
    except (OSError, StorageError) as error:
        remove(beside)
        if isinstance(error, StorageError):
            raise
        raise StorageError(said(error, "writing " + path))


def said(error, doing):
    """An OSError of the file system as a sentence."""
    if error.errno == _ENOSPC:
        return "the flash is full ({}); remove a widget or a file".format(doing)
    return "{} failed: {}".format(doing, error)


def _head(body):
    return _MAGIC.encode() + hexlify(hashlib.sha256(body).digest())


def _reads_back(path, head, body):
    with open(path, "rb") as f:
        return f.readline() == head + b"\n" and f.read() == body
