"""`wg` at the prompt: the display, configured over the serial line. `wg.help()` lists what there is.

Every function returns data that prints readably at the prompt. What can't be done raises `wg.Error` with one sentence.
"""

from wgdisplay.console import (
    Error,
    background,
    configure,
    forget,
    greet,
    install,
    logs,
    reboot,
    reload,
    remove,
    run,
    schema,
    screen,
    start,
    state,
    status,
    stop,
    store,
    wifi,
)
from wgdisplay.console import (
    help_ as help,
)
from wgdisplay.console import (
    list_ as list,
)
from wgdisplay.console import (
    set_ as set,
)
