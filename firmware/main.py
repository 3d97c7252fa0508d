# Runs after boot.py, before the prompt: starts the application in its own thread and leaves `wg` at the prompt.
# Nothing that fails here may cost the prompt; the reason is then in wg.status().
import wg

try:
    from wgdisplay import app

    app.start()
    del app
except Exception as error:
    wg.failed(error)
wg.greet()
