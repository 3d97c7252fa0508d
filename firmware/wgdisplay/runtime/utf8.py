"""Strict UTF-8. MicroPython's own decoder lets surrogates, overlong forms and numbers past U+10FFFF through."""


def decode(data):
    """The text in `data` (bytes). ValueError if it isn't UTF-8 as the Unicode Standard defines it (table 3-7)."""
    text = str(data, "utf-8")  # a UnicodeError is a ValueError
    if len(text) != len(data):
        _check(data)
    return text


def _check(data):
    n = len(data)
    i = 0
    while i < n:
        lead = data[i]
        i += 1
        if lead < 0x80:
            continue
        low, high = 0x80, 0xBF
        if 0xC2 <= lead <= 0xDF:
            more = 1
        elif 0xE0 <= lead <= 0xEF:
            more = 2
            if lead == 0xE0:
                low = 0xA0
            elif lead == 0xED:
                high = 0x9F
        elif 0xF0 <= lead <= 0xF4:
            more = 3
            if lead == 0xF0:
                low = 0x90
            elif lead == 0xF4:
                high = 0x8F
        else:
            raise ValueError("not UTF-8")
        if i + more > n or not low <= data[i] <= high:
            raise ValueError("not UTF-8")
        for k in range(i + 1, i + more):
            if data[k] & 0xC0 != 0x80:
                raise ValueError("not UTF-8")
        i += more
