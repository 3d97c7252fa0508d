"""Damaged files for hypothesis: flips, cuts, insertions, repetitions, and numbers whose LEB encoding is a trap."""

from __future__ import annotations

from hypothesis import strategies as st

_TRICKS = st.sampled_from(
    [
        b"\x80",
        b"\xff" * 5,
        b"\x80" * 9,
        b"\xff\xff\xff\xff\x0f",
        b"\x80\x80\x80\x80\x10",
        b"\x00",
        b"\x7f",
        b"\x0a\x01",
        b"\x04\x08",
    ]
)


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    content = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        if not content:
            break
        # The wrapper's bytes lie behind the core module's; both ends are worth trying.
        at = draw(
            st.one_of(
                st.integers(0, len(content) - 1), st.integers(max(0, len(content) - 1500), len(content) - 1)
            )
        )
        at = min(at, len(content) - 1)
        kind = draw(st.sampled_from(["flip", "set", "cut", "insert", "delete", "repeat", "trick"]))
        if kind == "flip":
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "set":
            content[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del content[at:]
        elif kind == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=8))
        elif kind == "delete":
            del content[at : at + draw(st.integers(1, 40))]
        elif kind == "repeat":
            content[at:at] = content[at : at + draw(st.integers(1, 300))]
        else:
            trick = draw(_TRICKS)
            content[at : at + 1] = trick
    return bytes(content)
