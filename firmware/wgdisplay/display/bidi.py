"""Text of both directions, from the order of reading to the order on the screen.

The algorithm is Unicode's (UAX #9) without its explicit embeddings and without pairing brackets: controls are left
out, brackets take the direction of what is around them. Base and combining marks stay together. Text without a letter
that is written from right to left (`pixels.is_rtl`) never comes here.
"""

# Bidirectional classes, as in UAX #9.
_L, _R, _AL, _EN, _AN, _ES, _ET, _CS, _ON, _WS, _NSM = range(11)
_RIGHT_MARK = 0x200F  # shows nothing, and counts as a letter
_LEFT_MARK = 0x200E
_MIRRORED = "()[]{}<>\u00ab\u00bb\u2039\u203a\u2264\u2265"
# (first, last, class) beyond ASCII, ascending; what is between is _ON below 0x2c00 from 0x2000 on, else _L.
_RANGES = (
    (0xA0, 0xA0, _CS),
    (0xA2, 0xA5, _ET),
    (0xA6, 0xA9, _ON),
    (0xAB, 0xAF, _ON),
    (0xB0, 0xB1, _ET),
    (0xB2, 0xB3, _EN),
    (0xB4, 0xB4, _ON),
    (0xB6, 0xB8, _ON),
    (0xB9, 0xB9, _EN),
    (0xBB, 0xBF, _ON),
    (0xD7, 0xD7, _ON),
    (0xF7, 0xF7, _ON),
    (0x2B9, 0x2BA, _ON),
    (0x300, 0x36F, _NSM),
    (0x483, 0x489, _NSM),
    (0x591, 0x5BD, _NSM),
    (0x5BF, 0x5BF, _NSM),
    (0x5C1, 0x5C2, _NSM),
    (0x5C4, 0x5C5, _NSM),
    (0x5C7, 0x5C7, _NSM),
    (0x590, 0x5FF, _R),
    (0x60C, 0x60C, _CS),
    (0x610, 0x61A, _NSM),
    (0x64B, 0x65F, _NSM),
    (0x660, 0x669, _AN),
    (0x66A, 0x66A, _ET),
    (0x66B, 0x66C, _AN),
    (0x670, 0x670, _NSM),
    (0x6F0, 0x6F9, _EN),
    (0x600, 0x7BF, _AL),
    (0x7C0, 0x85F, _R),
    (0x860, 0x8FF, _AL),
    (0x2000, 0x200A, _WS),
    (0x200E, 0x200E, _L),
    (0x200F, 0x200F, _R),
    (0x202F, 0x202F, _CS),
    (0x2030, 0x2034, _ET),
    (0x2044, 0x2044, _CS),
    (0x2070, 0x2079, _EN),
    (0x207A, 0x207B, _ES),
    (0x2080, 0x2089, _EN),
    (0x208A, 0x208B, _ES),
    (0x20A0, 0x20CF, _ET),
    (0x20D0, 0x20FF, _NSM),
    (0x2103, 0x2103, _ON),
    (0x2109, 0x2109, _ON),
    (0x2116, 0x2116, _ON),
    (0x2122, 0x2122, _ON),
    (0x2126, 0x2126, _L),
    (0x2212, 0x2212, _ES),
    (0x2213, 0x2213, _ET),
    (0xFB1D, 0xFB4F, _R),
    (0xFB50, 0xFDFF, _AL),
    (0xFE70, 0xFEFE, _AL),
    (0x10800, 0x10FFF, _R),
    (0x1E800, 0x1EFFF, _R),
    (0x1F000, 0x1FAFF, _ON),
)


def _is_control(code):
    return 0x200B <= code <= 0x200D or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069


def _class(code):
    if code < 0x80:
        if 0x30 <= code <= 0x39:
            return _EN
        char = chr(code)
        if char.isalpha():
            return _L
        if char in "+-":
            return _ES
        if char in "#$%":
            return _ET
        if char in ",./:":
            return _CS
        return _WS if char in " \t" else _ON
    for first, last, kind in _RANGES:
        if first <= code <= last:
            return kind
    return _ON if 0x2000 <= code < 0x2C00 else _L


def base_level(text):
    """0 for a paragraph that is written from left to right, 1 for the other: what its first letter says (P2, P3)."""
    for char in text:
        kind = _class(ord(char))
        if kind == _L:
            return 0
        if kind == _R or kind == _AL:
            return 1
    return 0


def visual(text, base):
    """A line in the order on the screen, from the left, for its paragraph's `base_level`."""
    clusters = []
    kinds = []
    for char in text:
        code = ord(char)
        if _is_control(code):
            continue
        kind = _class(code)
        if kind == _NSM and clusters:
            clusters[-1] += char  # W1, and so it stays behind its base when the order is reversed (L3)
        else:
            clusters.append(char)
            kinds.append(_ON if kind == _NSM else kind)
    levels = _levels(kinds, base)
    _reverse(clusters, levels)
    return "".join(clusters)


def _levels(kinds, base):
    original = list(kinds)
    outside = _R if base else _L
    n = len(kinds)
    # W2, W3: numbers after Arabic letters are Arabic numbers.
    strong = outside
    for i in range(n):
        kind = kinds[i]
        if kind in (_L, _R, _AL):
            strong = kind
            if kind == _AL:
                kinds[i] = _R
        elif kind == _EN and strong == _AL:
            kinds[i] = _AN
    # W4: one separator between two numbers of a kind belongs to them.
    for i in range(1, n - 1):
        before, after = kinds[i - 1], kinds[i + 1]
        if before == after and (
            (kinds[i] == _CS and before in (_EN, _AN)) or (kinds[i] == _ES and before == _EN)
        ):
            kinds[i] = before
    # W5, W6: signs beside a number belong to it; other separators are neutral.
    i = 0
    while i < n:
        if kinds[i] != _ET:
            i += 1
            continue
        end = i
        while end < n and kinds[end] == _ET:
            end += 1
        touches = (i > 0 and kinds[i - 1] == _EN) or (end < n and kinds[end] == _EN)
        for k in range(i, end):
            kinds[k] = _EN if touches else _ON
        i = end
    # W7: numbers after Latin letters are as those.
    strong = outside
    for i in range(n):
        if kinds[i] in (_ES, _ET, _CS):
            kinds[i] = _ON
        elif kinds[i] in (_L, _R):
            strong = kinds[i]
        elif kinds[i] == _EN and strong == _L:
            kinds[i] = _L
    # N1, N2: what is neutral takes the direction of both sides, if it is the same, else the paragraph's.
    i = 0
    while i < n:
        if kinds[i] not in (_ON, _WS):
            i += 1
            continue
        end = i
        while end < n and kinds[end] in (_ON, _WS):
            end += 1
        before = outside if i == 0 else _L if kinds[i - 1] == _L else _R
        after = outside if end == n else _L if kinds[end] == _L else _R
        for k in range(i, end):
            kinds[k] = before if before == after else outside
        i = end
    # I1, I2
    levels = []
    for kind in kinds:
        if base:
            levels.append(1 if kind == _R else 2)
        else:
            levels.append(0 if kind == _L else 1 if kind == _R else 2)
    # L1: space at the end of the line belongs to the paragraph.
    for i in range(n - 1, -1, -1):
        if original[i] != _WS:
            break
        levels[i] = base
    return levels


def _reverse(clusters, levels):
    # L4, then L2: from the highest level down, what is at that level or above is turned round.
    for i in range(len(clusters)):
        at = _MIRRORED.find(clusters[i][0]) if levels[i] & 1 else -1
        if at >= 0:
            clusters[i] = _MIRRORED[at ^ 1] + clusters[i][1:]
    for level in (2, 1):
        i = 0
        while i < len(clusters):
            if levels[i] < level:
                i += 1
                continue
            end = i
            while end < len(clusters) and levels[end] >= level:
                end += 1
            clusters[i:end] = list(reversed(clusters[i:end]))
            levels[i:end] = list(reversed(levels[i:end]))
            i = end
