# Runs before the prompt: leaves `wg` there and greets. The application was started by boot.py, in its own thread.
# Nothing that fails may cost the prompt; the reason is then in wg.status().
import wg

wg.start()
wg.greet()
