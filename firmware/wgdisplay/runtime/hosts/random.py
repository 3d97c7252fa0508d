"""Interface `widget:widget/random`."""


async def get_random(run, _arguments, _realloc):
    """get-random: func() -> u64, cryptographically secure. Core: () -> i64."""
    return run.host.random() & 0xFFFFFFFFFFFFFFFF
