"""Interface `widget:widget/clocks`."""

from struct import pack


async def now(run, arguments, _realloc):
    """now: func() -> datetime. Core: (retptr) -> (); seconds u64 @0, nanoseconds u32 @8, 16 bytes, align 8."""
    (retptr,) = arguments
    seconds, nanoseconds = run.host.now()
    memory = run.memory
    memory.check(retptr, 16, 8, "the time")
    memory.write(retptr, pack("<QI", seconds & 0xFFFFFFFFFFFFFFFF, nanoseconds & 0xFFFFFFFF))
