"""The quotas of a widget, in one place. A program may replace any of them: `Runtime(host, limits=MyLimits)`."""


class Limits:
    """Defaults for every widget. Passing one ends the run with a QuotaError that names it."""

    # Wall clock of one call from outside (run, name...), its host calls included, in milliseconds.
    DEADLINE_MS = 30_000
    # The same for the calls that describe a widget (name, version...), all of them together, without an owner's choice:
    # they have nothing to wait for.
    DESCRIBE_MS = 5_000
    # Budget of loop iterations and calls of each call into the widget; None: only the deadline counts.
    FUEL = None
    # Linear memory in pages of 64 KiB. `memory.grow` past it returns -1, as the specification lets it.
    MEMORY_PAGES = 64
    # The interpreter's value stack and the C stack of the thread that runs it, in bytes; None: what the engine has for
    # the board (settings.h). Passing either is a trap, "call stack exhausted", as the specification calls it.
    WASM_STACK_BYTES = 64 * 1024
    NATIVE_STACK_BYTES = None
    # A file offered as a widget, in bytes. The core module in it may have 1 MiB, the engine's limit.
    FILE_BYTES = 2 * 1024 * 1024
    # Calls of host functions in one run.
    HOST_CALLS = 20_000
    # Log lines in one run, and bytes of a line's context and message that are kept (the rest is cut off).
    LOG_LINES = 1_000
    LOG_BYTES = 1_024
    # HTTP in one run: requests, bytes of an address, of a request's body, of a response's body, of all bodies together.
    HTTP_REQUESTS = 32
    HTTP_URL_BYTES = 8 * 1024
    HTTP_BODY_BYTES = 1024 * 1024
    HTTP_TOTAL_BYTES = 4 * 1024 * 1024
    # Texts from the widget: the text to show, its name and version, its JSON schema, in bytes.
    RESULT_BYTES = 64 * 1024
    NAME_BYTES = 256
    SCHEMA_BYTES = 64 * 1024
    # The widget's configuration as JSON, in bytes.
    CONFIG_BYTES = 64 * 1024
    # What all widgets together hold between their runs, in bytes: modules (their code and lists) and instances that
    # wait for the next run (compiled code, tables, stack, linear memory). What was used longest ago goes first:
    # instances, then modules, which are read from flash again. An instance of more than half of it does not wait.
    KEPT_BYTES = 3 * 1024 * 1024
