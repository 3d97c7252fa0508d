"""What the board keeps on flash: the system configuration, the widgets' files, the WiFi networks.

Every change is made beside the old state, flushed, read back and then switched by one rename, so that a power cut at
any block operation leaves the old state or the new one. See `catalogue.py` for the files.
"""

from .catalogue import MAX_WIDGET_BYTES, Storage
from .record import StorageError
from .schema import SchemaError, check
