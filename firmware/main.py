# Runs before the prompt and greets. The application was started by boot.py, in its own thread; what failed there is
# in wg.status().
import wg

wg.start()
wg.greet()
