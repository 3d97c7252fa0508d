# Runs first at every boot and soft reset, also at those that a PC's tool asks for (mpremote soft-resets into the raw
# REPL, where main.py is left out): so the display goes on whatever is done over the serial line.
# Ctrl-C waits until the application has been started; files on the flash don't take the place of the firmware's.
# `wg` stays in the prompt's namespace. Firmware that is on trial after an update says so if it can't start: the old one
# comes back.
import micropython

micropython.kbd_intr(-1)
try:
    import sys

    sys.path[:] = [".frozen"]  # the boot guard adds the flash again
    import wgtrial

    wgtrial.begin()
    try:
        import wg

        wg.start()
    except Exception as _error:
        wgtrial.failed(_error)
        raise
finally:
    micropython.kbd_intr(3)
del micropython, sys


# A boot.py on the flash runs after it, but not in the safe mode. What it raises is printed and costs nothing else.
# Modules that it takes away are put back: imported again, a second copy of the firmware would run beside the first.
def _run(text):
    import sys

    loaded = dict(sys.modules)
    try:
        exec(text, globals())
    except BaseException as error:  # SystemExit, too: it would be a soft reset without end
        sys.print_exception(error)
    sys.modules.update(loaded)


_text = wg._console.startup_file()
if _text:
    _run(_text)
del _run, _text
