"""The host interfaces of the world, one file each: a coroutine per function that lifts, acts and lowers.

A function is called as `await function(run, arguments, realloc)`: `run` is the running widget (execution.py),
`arguments` the core values, `realloc` the name of the guest's allocator for the result or None. It returns the core
result or None. What it raises ends the run.
"""

from . import clocks, http, logging, random

# (interface, function) -> coroutine
FUNCTIONS = {
    ("clocks", "now"): clocks.now,
    ("http", "request"): http.request,
    ("logging", "log"): logging.log,
    ("random", "get-random"): random.get_random,
}
