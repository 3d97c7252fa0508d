"""One JSON value in two generations: whatever happens to one of them, the other is there.

A record is the files `0/<name>` and `1/<name>`. Each is a line `wg2 <generation> <SHA-256 of the rest>` and the rest,
the generation again and the JSON text. The valid one with the higher generation is the value. A change goes to the
other file and is one commit of LittleFS, at closing: before it the record has the old value, after it the new one.
Nothing else has to be switched, and the old value stays as the fallback of a file that rots. The two are in different
folders, since a folder can rot, too: LittleFS then finds an earlier state of all that is in it.
"""

import errno
import hashlib
import json
import os
from binascii import hexlify

from micropython import const

MAX_BYTES = const(128 * 1024)  # of one file of a record; a longer one is corrupt
_MAGIC = b"wg2"
_FOLDER = const(0x4000)  # in the mode that os.stat() gives
_ENOSPC = const(28)  # the module errno has no name for it

failed = False  # the chip has reported a failure: nothing is written until the next start


class StorageError(Exception):
    """A change of the flash that was refused or failed, in one sentence; the old state is still there."""


class CorruptError(StorageError):
    """A file that is there and is not what was written."""


class Record:
    """One record. `load()` comes first; `damage` are sentences about what was found damaged and set aside."""

    def __init__(self, root, name):
        self.path = "{}/{}".format(root, name)  # to be named to people
        self.generation = 0  # of the value; 0: there is none
        self.damage = []
        self.alone = False  # the other generation is not the one before
        self._files = tuple("{}/{}/{}".format(root, half, name) for half in (0, 1))
        self._bad = self.path + ".bad"

    def _file(self, generation):
        return self._files[generation & 1]

    def load(self):
        """The value; None if there is none. A damaged file is set aside as `<name>.bad`."""
        self.generation = 0
        self.damage = []
        value = None
        there = []
        for half in (0, 1):
            try:
                found = _read(self._files[half])
                if found is not None and found[0] & 1 != half:
                    raise CorruptError("{} is not of its generation".format(self._files[half]))
            except CorruptError as error:
                self.damage.append(str(error))
                _set_aside(self._files[half], self._bad)
                continue
            if found is not None:
                there.append(found[0])
                if found[0] > self.generation:
                    self.generation, value = found
        self.alone = self.generation > 1 and self.generation - 1 not in there
        return value

    def save(self, value):
        """Makes `value` the next generation. StorageError, the value as before, if it does not fit or read back."""
        writable()
        generation = self.generation + 1
        body = b"%d\n%s" % (generation, json.dumps(value).encode())
        head = b"%s %d %s\n" % (_MAGIC, generation, hexlify(hashlib.sha256(body).digest()))
        path = self._file(generation)
        if len(head) + len(body) > MAX_BYTES:
            raise StorageError("{} would be longer than {} bytes".format(self.path, MAX_BYTES))
        f = None
        try:
            f = open(path, "wb")
            f.write(head)
            f.write(body)
            f.close()
            if not _reads_back(path, head, body):
                remove(path)
                raise StorageError("{} did not read back as it was written".format(path))
        except OSError as error:
            sentence = said(error, "writing " + path)
            # After a failure of the chip, closing would make visible what is there.
            if f is not None and not failed:
                _close(f)
            raise StorageError(sentence)
        self.generation = generation

    def delete(self):
        """Removes the record. StorageError, the value as before, if that fails."""
        # The old one first: otherwise a power cut in between would bring it back.
        _delete(self._file(self.generation + 1))
        _delete(self._file(self.generation))
        self.generation = 0

    def clear(self):
        """Removes the files of a record without a value."""
        for half in (0, 1):
            remove(self._files[half])

    def set_aside(self):
        """Puts away both generations of a value that can't be used."""
        for half in (0, 1):
            _set_aside(self._files[half], self._bad)
        self.generation = 0


def exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def remove(path):
    """Removes a file if it is there; a file that can't be removed is left for the next boot's sweep."""
    if failed:
        return
    try:
        os.remove(path)
    except OSError as error:
        said(error, "removing " + path)


def writable():
    """StorageError after the chip has reported a failure."""
    if failed:
        raise StorageError("the flash reported a failure: restart the display")


def said(error, doing):
    """An OSError of the file system as a sentence."""
    global failed
    if (
        error.errno < 0
    ):  # ESP-IDF's: the driver's exception went through LittleFS, whose state in RAM is unknown now
        failed = True
        return "{} failed: the flash reported {}; restart the display".format(doing, error)
    if error.errno == _ENOSPC:
        return "the flash is full ({}); remove a widget or a file".format(doing)
    return "{} failed: {}".format(doing, error)


def _close(file):
    try:
        file.close()
    except OSError:
        pass


def _delete(path):
    writable()
    try:
        os.remove(path)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise StorageError(said(error, "removing " + path))


def _set_aside(path, bad):
    if not exists(path):
        return
    remove(bad)
    try:
        os.rename(path, bad)
    except OSError:
        remove(path)


def _read(path):
    """(generation, value), or None if there is no such file. CorruptError if the file can't be trusted."""
    try:
        info = os.stat(path)
        if info[0] & _FOLDER:
            raise CorruptError("{} is a folder".format(path))
        size = info[6]
        if size == 0:  # LittleFS makes a new file in one commit, and what is in it another, at closing
            return None
        if size > MAX_BYTES:
            raise CorruptError("{} is longer than a record can be".format(path))
        with open(path, "rb") as f:
            head = f.readline()
            body = f.read()
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise CorruptError("{} can't be read: {}".format(path, error))
    parts = head.split()
    if len(parts) != 3 or parts[0] != _MAGIC or parts[2] != hexlify(hashlib.sha256(body).digest()):
        raise CorruptError("{} does not match its checksum".format(path))
    generation, _, text = body.partition(b"\n")
    try:
        return int(generation), json.loads(text)
    except ValueError:
        raise CorruptError("{} is not JSON".format(path))


def _reads_back(path, head, body):
    with open(path, "rb") as f:
        return f.readline() == head and f.read() == body
