# Runs the loop that argument 2 names, inline, until Ctrl-C; then shows that the board goes on.
import sys

from check import equal, instance

i = instance("loops", host=lambda index, args: None)
print("running")
try:
    i.call(sys.argv[2])
except KeyboardInterrupt:
    print("interrupted")
equal(instance("loops").call("fib", 10), 55)
print("goes on")
