"""The quotas that an owner may set for a widget: their names, ranges, and how they reach the runtime.

Stored are only those that were set; the defaults are the runtime's, `runtime/limits.py`, which is imported late: the
storage works on a board whose engine doesn't.
"""

# name: (least, most, what it limits). The runtime's name is the same in capitals.
RANGES = {
    "deadline_ms": (100, 30_000, "ms of a run, the network's included"),
    "fuel": (1_000, (1 << 53) - 1, "loop iterations and calls of a run"),
    "memory_pages": (1, 1024, "memory in pages of 64 KiB"),
    "wasm_stack_bytes": (4 * 1024, 1024 * 1024, "the stack of the widget's code"),
    "host_calls": (0, 1_000_000, "calls of the display in a run"),
    "log_lines": (0, 100_000, "lines logged in a run"),
    "http_requests": (0, 1_000, "HTTP requests in a run"),
    "http_body_bytes": (0, 4 * 1024 * 1024, "bytes of one answer"),
    "http_total_bytes": (0, 64 * 1024 * 1024, "bytes of all answers of a run"),
    "result_bytes": (1, 64 * 1024, "bytes of the text to show"),
}


def default(name):
    """The value of a quota that was not set; None: without limit."""
    from .runtime.limits import Limits

    return getattr(Limits, name.upper())


def changed(stored, values):
    """The quotas `stored` with `values` put in; None puts a default back. ValueError, one sentence, on misuse."""
    result = dict(stored)
    for name in values:
        if name not in RANGES:
            raise ValueError("there is no limit {!r}; there are: {}".format(name, ", ".join(sorted(RANGES))))
        value = values[name]
        least, most, what = RANGES[name]
        if value is not None:
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise ValueError("{} is a whole number from {} to {}: {}".format(name, least, most, what))
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result


def kept(stored):
    """What of a stored value can be used; the rest, of another firmware's making, is passed over."""
    result = {}
    if isinstance(stored, dict):
        for name in stored:
            try:
                result = changed(result, {name: stored[name]})
            except ValueError:
                pass
    return result


def limits(stored):
    """The runtime's Limits for the stored quotas, or None if all are the defaults."""
    if not stored:
        return None
    from .runtime.limits import Limits

    result = Limits()
    for name in stored:
        setattr(result, name.upper(), stored[name])
    return result
