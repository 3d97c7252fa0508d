"""`wg` at the prompt: the display, configured over the serial line. `wg.help()` lists what there is.

Every function returns data that prints readably at the prompt. What can't be done raises `wg.Error` with one sentence.
"""

from wgdisplay.console import (
    Error,
    background,
    configure,
    forget,
    greet,
    help_ as help,
    install,
    list_ as list,
    logs,
    reboot,
    reload,
    remove,
    run,
    schema,
    screen,
    set_ as set,
    start,
    state,
    status,
    stop,
    store,
    wifi,
)
