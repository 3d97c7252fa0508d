"""The time: from the board's clock, corrected once by SNTP (RFC 4330).

`now()` counts from 1970 whatever the port's epoch is, and in integers: a float of single precision has no room for the
time. A board whose clock was never set starts in its epoch; `known` is False until the time is plausible.
"""

import asyncio
import socket
import struct
import time

from micropython import const

from . import resolver

NTP_PORT = const(123)
ANSWER_MS = const(3000)  # for one answer
TRIES = const(3)
_PACKET = const(48)
_1900_TO_1970 = 2208988800
_ERA = 1 << 32
_EARLIEST = 1704067200  # 2024-01-01: no clock that was ever set is earlier

# Seconds from 1970 to the epoch of this port's time functions: 0 or, on the ESP32, thirty years.
EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0


class Clock:
    """`synced` is True after an answer of a time server."""

    def __init__(self, log=None, port=NTP_PORT, answer_ms=ANSWER_MS):
        self.synced = False
        self._correction = 0  # ns, where the board's own clock could not be set
        self._log = log
        self._port = port
        self._answer_ms = answer_ms

    def now(self):
        """-> (seconds since 1970, nanoseconds)."""
        ns = time.time_ns() + self._correction
        return ns // 1_000_000_000 + EPOCH, ns % 1_000_000_000

    @property
    def known(self):
        return self.now()[0] >= _EARLIEST

    async def sync(self, server):
        """Asks a time server; True if the clock was set. No answer is no failure: the clock stays as it is."""
        if not server:
            return False
        host, found, port = server.partition(":")
        port = int(port) if found and port.isdigit() else self._port
        for _ in range(TRIES):
            try:
                await asyncio.wait_for_ms(self._ask(host, port), self._answer_ms)
                return True
            except (OSError, ValueError, asyncio.TimeoutError) as error:
                reason = str(error) or "no answer"
        if self._log:
            self._log.warn("clock", "no time from {}: {}".format(server, reason))
        return False

    async def _ask(self, host, port):
        family, address = (await resolver.resolve(host, port))[0]
        s = socket.socket(family, socket.SOCK_DGRAM)
        try:
            s.setblocking(False)
            s.connect(address)  # only this server's answers are received
            request = bytearray(_PACKET)
            request[0] = 0x23  # version 4, client
            # The transmit time comes back as the answer's originate time: it proves that this request was answered.
            struct.pack_into(">Q", request, 40, time.ticks_us() ^ (time.time_ns() & 0xFFFFFFFFFFFF))
            sent = time.ticks_us()
            s.write(request)
            yield asyncio.core._io_queue.queue_read(s)
            answer = s.read(_PACKET)
            self._set(request, answer, time.ticks_diff(time.ticks_us(), sent))
        finally:
            s.close()

    def _set(self, request, answer, round_trip_us):
        if answer is None or len(answer) < _PACKET:
            raise ValueError("a malformed answer")
        leap, mode, stratum = answer[0] >> 6, answer[0] & 7, answer[1]
        if mode != 4 or leap == 3 or not 0 < stratum < 16 or answer[24:32] != request[40:48]:
            raise ValueError("an answer that is not usable")
        seconds, fraction = struct.unpack_from(">II", answer, 40)
        unix = seconds - _1900_TO_1970
        if unix < _EARLIEST:
            unix += _ERA  # after 2036
        ns = unix * 1_000_000_000 + (fraction * 1_000_000_000 >> 32) + round_trip_us * 500
        self._adjust(ns - EPOCH * 1_000_000_000)
        self.synced = True
        if self._log:
            self._log.info("clock", "time set by the network")

    def _adjust(self, ns):
        """Sets the board's clock to `ns` of its own epoch, and keeps what it would not take as a correction."""
        started = time.ticks_us()
        if abs(ns - time.time_ns()) > 500_000_000:
            try:
                import machine

                t = time.gmtime(ns // 1_000_000_000)
                micros = ns % 1_000_000_000 // 1000
                machine.RTC().datetime((t[0], t[1], t[2], t[6], t[3], t[4], t[5], micros))
            except (ImportError, AttributeError, OSError, ValueError):
                pass
        ns += time.ticks_diff(time.ticks_us(), started) * 1000
        self._correction = ns - time.time_ns()
