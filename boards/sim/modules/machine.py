# Module `machine` of the simulated board, with the interface of the ESP32's.
import time

import _faults
import _simhw
import _touch
import micropython
from _simhw import reset, reset_cause
from micropython import const

PWRON_RESET = const(1)
HARD_RESET = const(2)
WDT_RESET = const(3)
DEEPSLEEP_RESET = const(4)
SOFT_RESET = const(5)


def soft_reset():
    raise SystemExit


def unique_id():
    return b"\x02WGSIM"


def freq(hz=None):
    if hz is None:
        return 240_000_000
    if hz not in (80_000_000, 160_000_000, 240_000_000):
        raise ValueError("frequency must be 80MHz, 160MHz or 240MHz")


def idle():
    time.sleep_ms(1)


def lightsleep(ms=0):
    time.sleep_ms(ms)


def disable_irq():
    return 0


def enable_irq(state):
    pass


class Pin:
    IN = const(1)
    OUT = const(3)
    OPEN_DRAIN = const(7)
    PULL_DOWN = const(1)
    PULL_UP = const(2)
    IRQ_RISING = const(1)
    IRQ_FALLING = const(2)
    IRQ_LOW_LEVEL = const(4)
    IRQ_HIGH_LEVEL = const(5)
    DRIVE_0 = const(0)
    DRIVE_1 = const(1)
    DRIVE_2 = const(2)
    DRIVE_3 = const(3)

    _pins = {}  # number: the one object of that pin

    def __new__(cls, id, *args, **kwargs):
        if isinstance(id, Pin):
            return id
        if not 0 <= id < _simhw.PINS or 22 <= id <= 25:
            raise ValueError("invalid pin")
        pin = cls._pins.get(id)
        if pin is None:
            pin = cls._pins[id] = object.__new__(cls)
            pin._id = id
            pin._mode = cls.IN
            pin._level = 0
            pin._handler = None
            pin._trigger = 0
        return pin

    def __init__(self, id, mode=-1, pull=-1, value=None, *, drive=None, hold=None):
        if mode != -1 or value is not None:
            self.init(mode, pull, value)

    def init(self, mode=-1, pull=-1, value=None, *, drive=None, hold=None):
        if value is not None:
            self._level = 1 if value else 0
        if mode not in (-1, None):
            if mode not in (self.IN, self.OUT, self.OPEN_DRAIN):
                raise ValueError("invalid pin mode")
            self._mode = mode
        self._drive()

    def _drive(self):
        if self._mode == self.OUT:
            _simhw.pin_set(self._id, self._level)
        elif self._mode == self.OPEN_DRAIN:
            _simhw.pin_set(self._id, None if self._level else 0)
        else:
            _simhw.pin_set(self._id, _faults.held.get(self._id))

    def value(self, level=None):
        if level is None:
            return _simhw.pin_get(self._id)
        self._level = 1 if level else 0
        if self._mode == self.OUT:
            _simhw.pin_set(self._id, self._level)
        elif self._mode == self.OPEN_DRAIN:
            _simhw.pin_set(self._id, None if self._level else 0)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(1 - self._level)

    def irq(self, handler=None, trigger=IRQ_RISING | IRQ_FALLING, wake=None, hard=False):
        self._handler = handler
        self._trigger = trigger
        return self

    # What an outside world does to an input pin (a key, for instance): for tests and for `wg sim`.
    def _outside(self, level):
        before = _simhw.pin_get(self._id)
        _simhw.pin_set(self._id, level)
        edge = self.IRQ_RISING if level else self.IRQ_FALLING
        if before != level and self._handler and self._trigger & edge:
            micropython.schedule(self._handler, self)

    def __repr__(self):
        return "Pin(%d)" % self._id


class SPI:
    MSB = const(0)
    LSB = const(1)

    # The default pins of the two buses (machine_hw_spi.c for the ESP32-S3).
    _DEFAULTS = {1: (36, 35, 37), 2: (12, 11, 13)}

    def __init__(self, id=1, *args, **kwargs):
        if id not in self._DEFAULTS:
            raise ValueError("SPI(%d) doesn't exist" % id)
        self._id = id
        self._sck, self._mosi, self._miso = self._DEFAULTS[id]
        self._baudrate = 500_000
        self.init(*args, **kwargs)

    def init(
        self, baudrate=None, polarity=0, phase=0, bits=8, firstbit=MSB, *, sck=None, mosi=None, miso=None
    ):
        if baudrate is not None:
            # The ESP32-S3 divides 80 MHz by a whole number.
            self._baudrate = 80_000_000 // max(1, (80_000_000 + baudrate - 1) // baudrate)
        if bits != 8:
            raise ValueError("bits must be 8")
        if polarity or phase or firstbit != self.MSB:
            self._heard = False  # the panel needs mode 0 (or 3), most significant bit first
        else:
            self._heard = True
        if sck is not None:
            self._sck = Pin(sck)._id
        if mosi is not None:
            self._mosi = Pin(mosi)._id
        if miso is not None:
            self._miso = Pin(miso)._id

    def deinit(self):
        self._heard = False

    def write(self, buffer):
        if self._heard:
            _simhw.spi_write(self._sck, self._mosi, buffer)

    def readinto(self, buffer, write=0):
        # The panel's data output is not wired: the line floats low.
        self.write(bytes((write,)) * len(buffer))
        for i in range(len(buffer)):
            buffer[i] = 0

    def read(self, count, write=0):
        buffer = bytearray(count)
        self.readinto(buffer, write)
        return bytes(buffer)

    def write_readinto(self, out, buffer):
        if len(out) != len(buffer):
            raise ValueError("buffers must be the same length")
        self.write(out)
        for i in range(len(buffer)):
            buffer[i] = 0

    def __repr__(self):
        return "SPI(id=%d, baudrate=%d, sck=%d, mosi=%d, miso=%d)" % (
            self._id,
            self._baudrate,
            self._sck,
            self._mosi,
            self._miso,
        )


class I2C:
    # The bus of the touch controller; nothing else is on it.
    def __init__(self, id=0, *, scl=None, sda=None, freq=400_000, timeout=50_000):
        if id not in (0, 1):
            raise ValueError("I2C(%d) doesn't exist" % id)
        self._wired = (Pin(scl)._id, Pin(sda)._id) == (_touch.PIN_SCL, _touch.PIN_SDA)

    def _device(self, address):
        if not self._wired or address != _touch.ADDRESS:
            raise OSError(19)  # ENODEV: nobody acknowledges
        return _touch.device

    def scan(self):
        return [_touch.ADDRESS] if self._wired else []

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        self._device(addr).read(memaddr, buf)

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        buf = bytearray(nbytes)
        self.readfrom_mem_into(addr, memaddr, buf, addrsize=addrsize)
        return bytes(buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self._device(addr).write(memaddr, buf)


SoftI2C = I2C


class PWM:
    def __init__(self, dest, freq=None, duty=None, duty_u16=None, duty_ns=None, invert=0):
        self._pin = Pin(dest)
        self._freq = 5000
        self._duty = 32768
        self._invert = 0
        self.init(freq=freq, duty=duty, duty_u16=duty_u16, duty_ns=duty_ns, invert=invert)

    def init(self, freq=None, duty=None, duty_u16=None, duty_ns=None, invert=None):
        if invert is not None:
            self._invert = invert
        if freq is not None:
            self.freq(freq)
        if duty is not None:
            self.duty(duty)
        elif duty_u16 is not None:
            self.duty_u16(duty_u16)
        elif duty_ns is not None:
            self.duty_ns(duty_ns)
        else:
            self._apply()

    def _apply(self):
        _simhw.pwm(self._pin._id, 65535 - self._duty if self._invert else self._duty)

    def freq(self, hz=None):
        if hz is None:
            return self._freq
        if not 0 < hz <= 40_000_000:
            raise ValueError("frequency must be from 1Hz to 40MHz")
        self._freq = hz

    def duty_u16(self, value=None):
        if value is None:
            return self._duty
        if not 0 <= value <= 65535:
            raise ValueError("duty_u16 must be from 0 to 65535")
        self._duty = value
        self._apply()

    def duty(self, value=None):
        if value is None:
            return self._duty >> 6
        if not 0 <= value <= 1023:
            raise ValueError("duty must be from 0 to 1023")
        self.duty_u16(value * 65535 // 1023)

    def duty_ns(self, value=None):
        if value is None:
            return self._duty * (1_000_000_000 // self._freq) // 65535
        self.duty_u16(min(65535, value * 65535 // (1_000_000_000 // self._freq)))

    def deinit(self):
        _simhw.pwm(self._pin._id, 0)


class RTC:
    def __init__(self, id=0):
        pass

    def datetime(self, value=None):
        if value is None:
            now = time.time_ns()
            y, mo, d, h, mi, s, wd, _ = time.gmtime(now // 1_000_000_000)[:8]
            return (y, mo, d, wd, h, mi, s, now // 1000 % 1_000_000)
        y, mo, d, _, h, mi, s, us = value
        _simhw.clock_set(time.mktime((y, mo, d, h, mi, s, 0, 0)) * 1_000_000_000 + us * 1000)

    init = datetime

    def memory(self, data=None):
        if data is None:
            return _simhw.rtc_memory()
        if len(data) > 2048:
            raise ValueError("buffer too long")
        _simhw.rtc_memory(data)


class WDT:
    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        self._timeout = timeout
        self.feed()

    def feed(self):
        _simhw.watchdog(self._timeout)


class Timer:
    # A thread that schedules the callback, as the ESP32's timers do from their interrupt.
    ONE_SHOT = const(0)
    PERIODIC = const(1)

    def __init__(self, id, **kwargs):
        self._run = None
        if kwargs:
            self.init(**kwargs)

    def init(self, *, mode=PERIODIC, freq=None, period=-1, callback=None, hard=None):
        import _thread

        self.deinit()
        ms = int(1000 / freq) if freq else period
        run = self._run = [True]

        def loop():
            while run[0]:
                time.sleep_ms(ms)
                if run[0] and callback:
                    try:
                        micropython.schedule(callback, self)
                    except RuntimeError:  # the queue is full: this tick is lost
                        pass
                if mode == self.ONE_SHOT:
                    return

        _thread.start_new_thread(loop, ())

    def deinit(self):
        if self._run:
            self._run[0] = False
