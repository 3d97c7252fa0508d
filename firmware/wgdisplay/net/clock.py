"""The time: from the board's clock, corrected by SNTP (RFC 4330), or, where no time server answers, by the Date header
of a web server.

`now()` counts from 1970 whatever the port's epoch is, and in integers: a float of single precision has no room for the
time. A board whose clock was never set starts in its epoch; `known` is False until the time is plausible. Until then a
widget's `now` is what the board's clock says: seconds since its epoch, with which it can measure, if not tell the time.

The clock is set at each connection and about once a day. From what it was off after a day follows how fast it runs, and
that is put right in between.
"""

import asyncio
import os
import socket
import struct
import time

from micropython import const

from . import resolver, zone

NTP_PORT = const(123)
ANSWER_MS = const(3000)  # for one answer
TRIES = const(3)  # of all servers
MAX_SERVERS = const(4)
AGREE_MS = const(1000)  # two servers that are not further apart agree
JUMP_S = const(3600)  # a set clock is moved further only if two servers say so, or one at two times
RESYNC_S = const(24 * 3600)
RETRY_S = const(16)  # after a failure; doubled up to RETRY_MAX_S
RETRY_MAX_S = const(3600)
MAX_PPM = const(500)  # how fast or slow a board's clock can be
_LONGEST_ROOT = const(16)  # s of a server's own delay and dispersion: above this it is not synchronised
_PACKET = const(48)
_1900_TO_1970 = 2208988800
_ERA = 1 << 32
EARLIEST = 1704067200  # 2024-01-01: no clock that was ever set is earlier
LATEST = EARLIEST + 100 * 31556952

# Seconds from 1970 to the epoch of this port's time functions: 0 or, on the ESP32, thirty years.
EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"


class Clock:
    """`synced` is True after an answer of a time server.

    source: the board's clock, a function that gives ns since its epoch.
    """

    def __init__(self, log=None, port=NTP_PORT, answer_ms=ANSWER_MS, source=time.time_ns):
        self.synced = False
        self._log = log
        self._port = port
        self._answer_ms = answer_ms
        self._source = source
        self._correction = 0  # ns, where the board's own clock could not be set
        self._base = source()  # when it was last set
        self._rate = 0  # ns that the board's clock loses in a second
        self._set_at = None  # ticks of the last sync
        self._wait_s = 0  # from then, or from the last failure, to the next one
        self._failed_s = 0  # the last wait after a failure
        self._doubted = None  # s that a lone server wanted to move the clock by when it was last asked
        self._doubt = None  # and now
        self._syncing = False

    def now(self):
        """-> (seconds since 1970, nanoseconds)."""
        ns = self._ns()
        return ns // 1_000_000_000 + EPOCH, ns % 1_000_000_000

    def _ns(self):
        ns = self._source()
        return ns + self._correction + (ns - self._base) * self._rate // 1_000_000_000

    @property
    def known(self):
        return self.now()[0] >= EARLIEST

    @property
    def due(self):
        """Whether it is time to ask the servers again."""
        if self._syncing or self._set_at is None:
            return not self._syncing
        return time.ticks_diff(time.ticks_ms(), self._set_at) // 1000 >= self._wait_s

    async def sync(self, servers):
        """Asks time servers, "host host:port..."; True if the clock was set. Without answers it stays as it is."""
        names = servers.replace(",", " ").split()[:MAX_SERVERS]
        if not names or self._syncing:
            return False
        self._syncing = True
        try:
            said = []
            for _ in range(TRIES):
                said = await asyncio.gather(*[self._sample(name) for name in names])
                offset = self._chosen([found for found in said if isinstance(found, int)])
                if offset is not None:
                    self.adjust(offset)
                    self.synced = True
                    if self._log:
                        self._log.info("clock", "time set by the network")
                    return True
            reasons = [text for text in said if not isinstance(text, int)]
            if self._log:
                self._log.warn(
                    "clock",
                    "no time from {}: {}".format(
                        ", ".join(names), reasons[0] if reasons else "the servers don't agree"
                    ),
                )
            return False
        finally:
            self._syncing = False
            self._doubted, self._doubt = self._doubt, None
            self._plan()

    def _plan(self):
        # When to ask again: not all displays at once.
        if self._set_at is None or not self.synced:
            self._failed_s = min(2 * self._failed_s or RETRY_S, RETRY_MAX_S)
            wait = self._failed_s
        else:
            self._failed_s = 0
            wait = RESYNC_S
        self._wait_s = wait * (192 + os.urandom(1)[0] // 4) // 256
        self._set_at = time.ticks_ms()

    def _chosen(self, offsets):
        """The offset (ns) to believe among those of the servers, or None."""
        if not offsets:
            return None
        offsets.sort()
        for i in range(len(offsets) - 1):
            if offsets[i + 1] - offsets[i] <= AGREE_MS * 1_000_000:
                return (offsets[i] + offsets[i + 1]) // 2
        if len(offsets) > 1:
            return None
        seconds = offsets[0] // 1_000_000_000
        if self.synced and abs(seconds) > JUMP_S:
            self._doubt = seconds
            if self._doubted is None or abs(self._doubted - seconds) > JUMP_S:
                return None
        return offsets[0]

    async def _sample(self, server):
        """The offset (ns) that a server tells, or what was wrong."""
        host, found, port = server.partition(":")
        port = int(port) if found and port.isdigit() else self._port
        try:
            return await asyncio.wait_for_ms(self._ask(host, port), self._answer_ms)
        except (OSError, ValueError, asyncio.TimeoutError) as error:
            return str(error) or "no answer"

    async def _ask(self, host, port):
        family, address = (await resolver.resolve(host, port))[0]
        s = socket.socket(family, socket.SOCK_DGRAM)
        try:
            s.setblocking(False)
            s.connect(address)  # only this server's answers are received
            request = bytearray(_PACKET)
            request[0] = 0x23  # version 4, client
            # The transmit time comes back as the answer's originate time: it proves that this request was answered.
            request[40:48] = os.urandom(8)
            sent = time.ticks_us()
            s.write(request)
            yield asyncio.core._io_queue.queue_read(s)
            answer = s.read(_PACKET)
            return self._offset(request, answer, time.ticks_diff(time.ticks_us(), sent))
        finally:
            s.close()

    def _offset(self, request, answer, round_trip_us):
        if answer is None or len(answer) < _PACKET:
            raise ValueError("a malformed answer")
        leap, mode, stratum = answer[0] >> 6, answer[0] & 7, answer[1]
        delay, dispersion = struct.unpack_from(">HxxH", answer, 4)
        usable = mode == 4 and leap != 3 and 0 < stratum < 16 and answer[24:32] == request[40:48]
        if not usable or delay >= _LONGEST_ROOT or dispersion >= _LONGEST_ROOT:
            raise ValueError("an answer that is not usable")
        received, sent = _stamp(answer, 32), _stamp(answer, 40)
        inside_us = (sent - received) // 1000  # that the server took
        if not 0 <= inside_us <= round_trip_us:
            inside_us = 0
        ns = sent + (round_trip_us - inside_us) * 500
        if not EARLIEST <= ns // 1_000_000_000 < LATEST:
            raise ValueError("a time that can't be")
        return ns - EPOCH * 1_000_000_000 - self._ns()

    def offer(self, date):
        """A web server's Date header: taken if there is no better time. True if it was."""
        if self.synced or self.known:
            return False
        seconds = http_date(date)
        if seconds is None or not EARLIEST <= seconds < LATEST:
            return False
        self.adjust((seconds - EPOCH) * 1_000_000_000 + 500_000_000 - self._ns(), rough=True)
        if self._log:
            self._log.info("clock", "time set by a web server's date")
        return True

    def adjust(self, offset, rough=False):
        """The clock is behind by `offset` ns. Sets the board's clock, keeps what it would not take as a correction, and
        learns how fast it runs, unless the offset is a rough one."""
        started = time.ticks_us()
        now = self._source()
        target = self._ns() + offset
        since = now - self._base
        if self.synced and not rough and since > RESYNC_S // 8 * 1_000_000_000:
            rate = self._rate + offset * 1_000_000_000 // since
            if abs(rate) <= MAX_PPM * 1000:
                self._rate = rate
        if abs(target - now) > 500_000_000:
            try:
                import machine

                t = time.gmtime(target // 1_000_000_000)
                micros = target % 1_000_000_000 // 1000
                machine.RTC().datetime((t[0], t[1], t[2], t[6], t[3], t[4], t[5], micros))
            except (ImportError, AttributeError, OSError, ValueError):
                pass
        target += time.ticks_diff(time.ticks_us(), started) * 1000
        self._base = self._source()
        self._correction = target - self._base


def _stamp(packet, at):
    """An NTP time as ns since 1970."""
    seconds, fraction = struct.unpack_from(">II", packet, at)
    unix = seconds - _1900_TO_1970
    if unix < EARLIEST:
        unix += _ERA  # after 2036
    return unix * 1_000_000_000 + (fraction * 1_000_000_000 >> 32)


def http_date(text):
    """Seconds since 1970 of a Date header, "Sun, 06 Nov 1994 08:49:37 GMT"; None if it is none."""
    try:
        _, day, month, year, clock, utc = text.split(" ")
        hours, minutes, seconds = [int(part) for part in clock.split(":")]
        at = _MONTHS.find(month)
        if utc != "GMT" or len(month) != 3 or at % 4 or not 1 <= int(day) <= 31:
            return None
        if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds <= 60 and 1970 <= int(year) < 2200):
            return None
        return zone.days(int(year), at // 4 + 1, int(day)) * 86400 + hours * 3600 + minutes * 60 + seconds
    except (ValueError, AttributeError, OverflowError):
        return None
