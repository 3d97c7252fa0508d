"""Interface `widget:widget/logging`."""

from ..abi import discriminant


async def log(run, arguments, _realloc):
    """log: func(level, context: string, message: string). Core: (level, ptr, len, ptr, len) -> ()."""
    level, context, context_size, message, message_size = arguments
    memory = run.memory
    limit = run.limits.LOG_BYTES
    level = discriminant(level, 4, "log level")
    context_text = memory.read_string(context, context_size, limit, "log context", True)
    message_text = memory.read_string(message, message_size, limit, "log message", True)
    run.spend("LOG_LINES", 1, "log lines")
    run.host.log(run.name, level, context_text, message_text)
