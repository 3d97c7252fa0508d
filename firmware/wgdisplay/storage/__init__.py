"""What the board keeps on flash: the system configuration, the widgets' files, the WiFi networks.

Every change is made beside the old state, read back, and switched by one commit of the file system, so that a power
cut at any block operation leaves the old state or the new one. See `catalogue.py` for the files, docs/flash.md for
the whole.
"""

from .catalogue import Storage
from .files import MAX_WIDGET_BYTES
from .record import StorageError
from .schema import SchemaError, check
