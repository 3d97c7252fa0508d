"""Local time by a POSIX time zone rule (IEEE 1003.1-2017, 8.3, TZ), in integers: "CET-1CEST,M3.5.0,M10.5.0/3".

A rule is a name, the offset *west* of UTC, and, with daylight saving, its name, its offset (default: one hour more to
the east) and the days and local times when it begins and ends: Mmonth.week.weekday (week 5 is the last, weekday 0 is
Sunday), Jn (1 to 365, without 29 February) or n (0 to 365). Times may be -167 to 167 hours, as RFC 8536 has it.
"""

from micropython import const

_DAY = const(86400)


def _days_before(year):
    """Days from 1970-01-01 to the first day of a year."""
    y = year - 1
    return 365 * (year - 1970) + y // 4 - y // 100 + y // 400 - 477


def _leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _month_length(year, month):
    if month == 2:
        return 29 if _leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


class _Reader:
    def __init__(self, text):
        self.text = text
        self.at = 0

    def peek(self):
        return self.text[self.at] if self.at < len(self.text) else ""

    def take(self, expected):
        if self.peek() != expected:
            raise ValueError
        self.at += 1

    def has(self, wanted):
        if self.peek() != wanted:
            return False
        self.at += 1
        return True

    def number(self, least, most):
        value = 0
        start = self.at
        while self.peek().isdigit() and self.at - start < 3:
            value = value * 10 + int(self.peek())
            self.at += 1
        if start == self.at or not least <= value <= most:
            raise ValueError
        return value

    def name(self):
        start = self.at
        if self.has("<"):
            while self.peek().isalpha() or self.peek().isdigit() or self.peek() in ("+", "-"):
                self.at += 1
            size = self.at - start - 1
            self.take(">")
        else:
            while self.peek().isalpha():
                self.at += 1
            size = self.at - start
        if size < 3:
            raise ValueError

    def time(self, hours):
        sign = -1 if self.has("-") else 1
        if sign == 1:
            self.has("+")
        seconds = self.number(0, hours) * 3600
        if self.has(":"):
            seconds += self.number(0, 59) * 60
            if self.has(":"):
                seconds += self.number(0, 59)
        return sign * seconds

    def day(self):
        """-> (kind, numbers..., seconds of the day)."""
        if self.has("M"):
            month = self.number(1, 12)
            self.take(".")
            week = self.number(1, 5)
            self.take(".")
            found = ("M", month, week, self.number(0, 6))
        elif self.has("J"):
            found = ("J", self.number(1, 365))
        else:
            found = ("n", self.number(0, 365))
        return found + (self.time(167) if self.has("/") else 7200,)


def _moment(day, year):
    """Seconds of local time since 1970 at which a day of a rule comes in a year."""
    first = _days_before(year)
    if day[0] == "M":
        for month in range(1, day[1]):
            first += _month_length(year, month)
        # 1970-01-01 was a Thursday, 4
        n = (day[3] - (first + 4)) % 7 + 7 * (day[2] - 1)
        if n >= _month_length(year, day[1]):
            n -= 7
    elif day[0] == "J":
        n = day[1] - 1 + (1 if _leap(year) and day[1] >= 60 else 0)
    else:
        n = day[1]
    return (first + n) * _DAY + day[-1]


def named(name):
    """The rule of a zone that has a name, "Europe/Zurich" or "UTC", from the frozen module `wgzones`; None if it is
    not known."""
    try:
        from wgzones import ZONES
    except ImportError:
        ZONES = b""
    if name == "UTC":
        return "UTC0"
    start = name.encode() + b"="
    at = 0 if ZONES.startswith(start) else ZONES.find(b"\n" + start) + 1
    if not name or not (at or ZONES.startswith(start)):
        return None
    return str(ZONES[at + len(start) : ZONES.find(b"\n", at)], "ascii")


def days(year, month, day):
    """Days from 1970-01-01 to a date."""
    count = _days_before(year) + day - 1
    for m in range(1, month):
        count += _month_length(year, m)
    return count


class Zone:
    """A time zone, of a rule or a name. ValueError, one sentence, if it can't be right."""

    def __init__(self, rule):
        said = rule
        rule = named(rule) or rule
        self._starts = self._ends = None
        self._year = None
        try:
            r = _Reader(rule)
            r.name()
            self._standard = -r.time(24)
            if r.peek():
                r.name()
                self._summer = self._standard + 3600
                if r.peek() not in ("", ","):
                    self._summer = -r.time(24)
                r.take(",")
                self._starts = r.day()
                r.take(",")
                self._ends = r.day()
            if r.peek():
                raise ValueError
        except ValueError:
            raise ValueError(
                "{!r} is no time zone: give a name like Europe/Zurich, or a rule like "
                "CET-1CEST,M3.5.0,M10.5.0/3".format(said)
            )

    def offset(self, seconds):
        """Seconds east of UTC at a time in seconds since 1970."""
        if self._starts is None:
            return self._standard
        year = 1970 + (seconds + self._standard) // 31556952
        # The quotient is that of mean years: it may be one off around New Year.
        day = (seconds + self._standard) // _DAY
        if day < _days_before(year):
            year -= 1
        elif day >= _days_before(year + 1):
            year += 1
        if year != self._year:
            self._year = year
            self._start = _moment(self._starts, year) - self._standard
            self._end = _moment(self._ends, year) - self._summer
        if self._start < self._end:
            summer = self._start <= seconds < self._end
        else:
            summer = not self._end <= seconds < self._start
        return self._summer if summer else self._standard

    def clock(self, seconds):
        """The time of day, "HH:MM", at a time in seconds since 1970."""
        minutes = (seconds + self.offset(seconds)) // 60
        return "{:02d}:{:02d}".format(minutes // 60 % 24, minutes % 60)
