# Module `network` of the simulated board: WiFi that behaves in time as a radio does, over the PC's own
# network. Sockets are the PC's. What goes wrong is said in _faults.py.
import time

import _faults
import _simhw
from micropython import const

STA_IF = const(0)
AP_IF = const(1)
MODE_11B = const(1)
MODE_11G = const(2)
MODE_11N = const(4)
AUTH_OPEN = const(0)
AUTH_WEP = const(1)
AUTH_WPA_PSK = const(2)
AUTH_WPA2_PSK = const(3)
AUTH_WPA_WPA2_PSK = const(4)
AUTH_WPA3_PSK = const(6)
AUTH_WPA2_WPA3_PSK = const(7)

STAT_IDLE = const(1000)
STAT_CONNECTING = const(1001)
STAT_GOT_IP = const(1010)
STAT_BEACON_TIMEOUT = const(200)
STAT_NO_AP_FOUND = const(201)
STAT_WRONG_PASSWORD = const(202)
STAT_ASSOC_FAIL = const(203)
STAT_HANDSHAKE_TIMEOUT = const(204)

_FAILURES = {
    "no_ap": STAT_NO_AP_FOUND,
    "wrong_password": STAT_WRONG_PASSWORD,
    "refuse": STAT_ASSOC_FAIL,
    "drop": STAT_BEACON_TIMEOUT,
}
_NO_ADDRESS = ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")

_hostname = "mpy-esp32s3"
_country = "XX"


def hostname(name=None):
    global _hostname
    if name is None:
        return _hostname
    if len(name) > 32:
        raise ValueError("hostname too long")
    _hostname = name


def country(code=None):
    global _country
    if code is None:
        return _country
    if len(code) != 2:
        raise ValueError("country must be two characters")
    _country = code.upper()


def phy_mode(mode=None):
    return MODE_11B | MODE_11G | MODE_11N


class WLAN:
    IF_STA = const(0)
    IF_AP = const(1)
    SEC_OPEN = const(0)
    SEC_WEP = const(1)
    SEC_WPA = const(2)
    SEC_WPA2 = const(3)
    SEC_WPA_WPA2 = const(4)
    SEC_WPA3 = const(6)
    SEC_WPA2_WPA3 = const(7)
    PM_NONE = const(0)
    PM_PERFORMANCE = const(1)
    PM_POWERSAVE = const(2)

    _interfaces = {}

    def __new__(cls, interface=STA_IF):
        if interface not in (STA_IF, AP_IF):
            raise ValueError("invalid WLAN interface identifier")
        self = cls._interfaces.get(interface)
        if self is None:
            self = cls._interfaces[interface] = object.__new__(cls)
            self._id = interface
            self._active = False
            self._joining = None  # ticks of connect()
            self._failed = None  # how that ended, if the radio was told not to try again by itself
            self._ssid = ""
            self._password = ""
            self._static = None
            self._options = {"reconnects": -1, "pm": self.PM_PERFORMANCE, "txpower": 20, "channel": 6}
            if interface == AP_IF:
                self._options.update({"ssid": "ESP_SIM", "security": 0, "hidden": False, "max_clients": 4})
        return self

    def __init__(self, interface=STA_IF):
        pass

    def active(self, on=None):
        if on is None:
            return self._active
        self._active = bool(on)
        if not on:
            self._joining = None
        return self._active

    def connect(self, ssid=None, key=None, *, bssid=None):
        if not self._active:
            raise OSError("Wifi Internal Error")  # as the ESP32 says it when the radio is off
        if ssid is not None:
            self._ssid = ssid if isinstance(ssid, str) else bytes(ssid).decode()
            self._password = key or ""
        if not self._ssid:
            raise OSError("Wifi Invalid SSID")
        self._joining = time.ticks_ms()
        self._failed = None

    def disconnect(self):
        self._joining = None

    def status(self, what=None):
        if what == "rssi":
            if not self.isconnected():
                raise OSError("Wifi Not Connected")
            heard = [ap[3] for ap in _faults.access_points if ap[0] == self._ssid.encode()]
            return max(heard) if heard else -48
        if what == "stations" and self._id == AP_IF:
            return []
        if what is not None:
            raise ValueError("unknown status param")
        if self._id == AP_IF:
            return None
        if self._joining is None:
            return STAT_IDLE
        waited = time.ticks_diff(time.ticks_ms(), self._joining)
        if waited < _faults.wifi_delay_ms:
            return STAT_CONNECTING
        if self._failed is not None:
            return self._failed
        fault = _faults.wifi.get(self._ssid) if isinstance(_faults.wifi, dict) else _faults.wifi
        if fault == "no_address":
            return STAT_CONNECTING
        if fault in _FAILURES and self._options["reconnects"] == 0:
            self._failed = _FAILURES[fault]
        return _FAILURES.get(fault, STAT_GOT_IP)

    def isconnected(self):
        if self._id == AP_IF:
            return False  # no station ever joins
        return self.status() == STAT_GOT_IP

    def scan(self):
        if not self._active:
            raise OSError("STA must be active")
        time.sleep_ms(100)
        return [] if _faults.wifi == "no_ap" else list(_faults.access_points)

    def config(self, *args, **kwargs):
        if args:
            name = args[0]
            if name == "mac":
                return b"\x02WGS\x00" + bytes((self._id,))
            if name in ("ssid", "essid"):
                return self._ssid if self._id == STA_IF else self._options["ssid"]
            if name in ("hostname", "dhcp_hostname"):
                return _hostname
            if name in self._options:
                return self._options[name]
            raise ValueError("unknown config param")
        for name, value in kwargs.items():
            name = {"essid": "ssid", "authmode": "security"}.get(name, name)
            if name in ("hostname", "dhcp_hostname"):
                hostname(value)
            elif name in ("key", "password", "mac", "protocol"):
                pass
            elif name in self._options:
                self._options[name] = value
            else:
                raise ValueError("unknown config param")

    def ifconfig(self, config=None):
        if config is not None:
            self._static = None if config == "dhcp" else tuple(config)
            return None
        if self._id == AP_IF:
            return ("192.168.4.1", "255.255.255.0", "192.168.4.1", "0.0.0.0") if self._active else _NO_ADDRESS
        if not self.isconnected():
            return _NO_ADDRESS
        if self._static:
            return self._static
        address, netmask = _simhw.host_address() or ("127.0.0.1", "255.0.0.0")
        address = _faults.wifi_address or address
        gateway = address.rsplit(".", 1)[0] + ".1"
        return (address, netmask, gateway, gateway)

    def ipconfig(self, *args, **kwargs):
        if kwargs:
            return None
        address, netmask, gateway, _ = self.ifconfig()
        if args[0] == "addr4":
            return (address, netmask)
        if args[0] == "gw4":
            return gateway
        if args[0] == "dhcp4":
            return self._static is None
        if args[0] == "has_dhcp4":
            return self.isconnected()
        if args[0] == "addr6":
            return []
        raise ValueError("unknown config param")


def ipconfig(*args, **kwargs):
    if args and args[0] == "dns":
        return WLAN(STA_IF).ifconfig()[3]
