"""From the files of version 0.1 to today's.

Version 0.1 had everything in `config.json`, the widgets' entries too, and the passwords in `wifi.json` and
`access.json`, each a line `wg1 <SHA-256 of the rest>` and JSON. The widgets' files were where they are today.
"""

import hashlib
import json
from binascii import hexlify

from . import record
from .record import CorruptError

NAMES = ("config.json", "wifi.json", "access.json")


def found(root):
    """Whether files of version 0.1 are there."""
    return any(record.exists(root + "/" + name) for name in NAMES)


def read(root, name):
    """The value of one of these files; None if it is not there. CorruptError if it can't be trusted."""
    path = root + "/" + name
    if not record.exists(path):
        return None
    try:
        with open(path, "rb") as f:
            head = f.readline()
            body = f.read()
        if head.strip() != b"wg1 " + hexlify(hashlib.sha256(body).digest()):
            raise CorruptError("{} does not match its checksum".format(path))
        return json.loads(body)
    except (OSError, ValueError) as error:
        raise CorruptError("{} can't be read: {}".format(path, error))


def finish(root):
    """Removes the old files: everything is in today's."""
    for name in NAMES + ("incoming.part",):
        for ending in ("", ".new"):
            if record.exists(root + "/" + name + ending):
                record.remove(root + "/" + name + ending)
