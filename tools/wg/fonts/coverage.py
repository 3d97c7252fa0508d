"""Which code points the display's fonts carry, as far as the outline font has them."""

from collections.abc import Iterator

# (first, last, why)
TEXT = (
    (0x0020, 0x007E, "Basic Latin"),
    (0x00A0, 0x00FF, "Latin-1 Supplement"),
    (0x0100, 0x017F, "Latin Extended-A"),
    (0x0192, 0x0192, "florin"),
    (0x0218, 0x021B, "Romanian comma below"),
    (0x02C6, 0x02DD, "spacing accents"),
    (0x0384, 0x03CE, "Greek"),
    (0x0400, 0x045F, "Cyrillic"),
    (0x0490, 0x0491, "Ukrainian ghe"),
    (0x1E80, 0x1E85, "Welsh w"),
    (0x1E9E, 0x1E9E, "capital sharp s"),
    (0x1EF2, 0x1EF3, "Welsh y"),
    (0x2000, 0x200A, "spaces of all widths"),
    (0x2010, 0x2027, "dashes, quotes, bullets, ellipsis"),
    (0x202F, 0x203A, "narrow space, per mille, primes, angle quotes"),
    (0x2044, 0x2044, "fraction slash"),
    (0x2070, 0x208E, "super- and subscripts"),
    (0x20A0, 0x20BF, "currency"),
    (0x2103, 0x2103, "degree Celsius"),
    (0x2109, 0x2109, "degree Fahrenheit"),
    (0x2116, 0x2116, "numero"),
    (0x2122, 0x2122, "trade mark"),
    (0x2126, 0x2126, "ohm"),
    (0x2150, 0x215E, "fractions"),
    (0x2190, 0x21FF, "arrows"),
    (0x2200, 0x226F, "mathematics"),
    (0x2300, 0x2300, "diameter"),
    (0x231A, 0x231B, "watch, hourglass"),
    (0xFFFD, 0xFFFD, "replacement character"),
)
# For the largest size, which is for a few words: it must not cost more flash than all the others.
SHORT = (
    (0x0020, 0x007E, "Basic Latin"),
    (0x00A0, 0x00FF, "Latin-1 Supplement"),
    (0x2007, 0x2007, "figure space"),
    (0x2009, 0x2009, "thin space"),
    (0x2013, 0x2014, "dashes"),
    (0x2018, 0x201E, "quotes"),
    (0x2022, 0x2022, "bullet"),
    (0x2026, 0x2026, "ellipsis"),
    (0x202F, 0x202F, "narrow space"),
    (0x2032, 0x2033, "primes"),
    (0x20AC, 0x20AC, "euro"),
    (0x2103, 0x2103, "degree Celsius"),
    (0x2190, 0x2199, "arrows"),
    (0xFFFD, 0xFFFD, "replacement character"),
)
GRAPHICS = (
    (0x2500, 0x257F, "box drawing"),
    (0x2580, 0x259F, "blocks: bars and simple charts"),
    (0x25A0, 0x25FF, "geometric shapes"),
    (0x2600, 0x2613, "weather, stars, cross"),
    (0x2639, 0x2642, "faces, planets"),
    (0x2660, 0x266F, "suits, hot springs, notes"),
    (0x2690, 0x26A1, "flags, anchor, warning, high voltage"),
    (0x26F5, 0x26F5, "boat"),
    (0x2708, 0x2709, "aeroplane, envelope"),
    (0x2713, 0x2718, "ticks and crosses"),
    (0x2744, 0x2746, "snowflakes"),
    (0x2764, 0x2764, "heart"),
    (0x279C, 0x27A1, "dingbat arrows"),
)


def code_points(*tables: tuple[tuple[int, int, str], ...]) -> Iterator[int]:
    """All code points of the tables, ascending within each."""
    for table in tables:
        for first, last, _ in table:
            yield from range(first, last + 1)
