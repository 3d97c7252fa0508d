# Runs first at every boot and soft reset, also at those that a PC's tool asks for (mpremote soft-resets into the raw
# REPL, where main.py is left out): so the display goes on whatever is done over the serial line.
# `wg` stays in the prompt's namespace in either case.
# A boot.py on the flash runs after it; what it raises is printed and costs nothing else.
# Firmware that is on trial after an update says so if it can't start: the old one comes back.
import wgtrial

wgtrial.begin()
try:
    import wg

    wg.start()
except Exception as _error:
    wgtrial.failed(_error)
    raise

try:
    with open("/boot.py") as _file:
        _text = _file.read()
except OSError:
    _text = ""
if _text:
    try:
        exec(_text)
    except Exception as _error:
        import sys

        sys.print_exception(_error)
        del _error, sys
del _text
