"""`wg` at the prompt: the display, configured over the serial line. `wg.help()` lists what there is.

Every command returns data that prints readably at the prompt. What can't be done raises `wg.Error` with one sentence.
"""

from wgdisplay import console as _console
from wgdisplay.console import Command as _Command
from wgdisplay.console import Error, greet, start

background = _Command("background", _console.background)
configure = _Command("configure", _console.configure)
crashes = _Command("crashes", _console.crashes)
debug = _Command("debug", _console.debug)
export = _Command("export", _console.export)
forget = _Command("forget", _console.forget)
help = _Command("help", _console.help_)
hosts = _Command("hosts", _console.hosts)
install = _Command("install", _console.install)
limits = _Command("limits", _console.limits)
list = _Command("list", _console.list_)
logs = _Command("logs", _console.logs)
ota = _Command("ota", _console.ota)
ota_state = _Command("ota_state", _console.ota_state)
reboot = _Command("reboot", _console.reboot)
reload = _Command("reload", _console.reload)
remove = _Command("remove", _console.remove)
restore = _Command("restore", _console.restore)
run = _Command("run", _console.run)
schema = _Command("schema", _console.schema)
screen = _Command("screen", _console.screen)
set = _Command("set", _console.set_)
setup = _Command("setup", _console.setup)
state = _Command("state", _console.state)
status = _Command("status", _console.status)
stop = _Command("stop", _console.stop)
store = _Command("store", _console.store)
trust = _Command("trust", _console.trust)
update = _Command("update", _console.update)
wifi = _Command("wifi", _console.wifi)
