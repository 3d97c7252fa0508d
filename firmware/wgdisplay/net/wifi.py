"""WiFi as a state machine that never blocks: `step()` is called once a second and looks at the radio.

off -> connecting -> connected -> (lost) -> connecting ...
            |  8 tries failed, or no network is known
            v
           ap: the board's own access point; the known networks are tried again in the background, every minute

Each try takes the strongest of the known networks that a scan finds, after a failure the next one, and those that it
does not find (they may be hidden) last. Between tries are pauses that grow. So after the network is there again, the
board is connected within the longest pause and two tries, 60 s (`BACK_S`), and with its own access point open within
AP_RETRY_S more.
"""

import hashlib
from binascii import hexlify

from micropython import const

from . import background

TRIES = const(8)  # of connecting before the access point is opened
TRY_S = const(15)  # of one try, if the radio does not say before that it failed
PAUSES_S = (1, 2, 4, 8, 15, 15, 15)  # after the first failed try, the second...
SCAN_S = const(6)  # the patience with a scan
AP_RETRY_S = const(60)  # between tries while the access point is open
BACK_S = const(60)  # see above

OFF, CONNECTING, CONNECTED, AP = "off", "connecting", "connected", "ap"

_NO_ADDRESS = ("", "0.0.0.0")


class Wifi:
    """`networks` is a callable giving [(ssid, password)...], newest first. `network` is MicroPython's module, or None.

    `state`, `address` ("" while there is none), `ssid`, `ap_ssid` and `ap_password` are for the screen and the console;
    `problem` says in one sentence why the last try failed, "" if it did not. `generation` counts connections made:
    another address of the same network is another connection.
    `access_password` is a callable giving the access point's password, called when it is first opened. Not derived of
    the board's id: that is its radio address, which anyone near can hear.
    """

    def __init__(
        self, networks, log, access_password, network=None, hostname="wg-display", start=background.start
    ):
        if network is None:
            try:
                import network
            except ImportError:
                network = None
        self.state = OFF
        self.address = ""
        self.ssid = ""
        self.problem = ""
        self.generation = 0
        self.ap_ssid = _own_name()
        self.ap_password = ""
        self.hostname = hostname  # taken over by start()
        self._access_password = access_password
        self._networks = networks
        self._log = log
        self._network = network
        self._start = start
        self._known = []
        self._failed = 0  # tries in a row
        self._timer = 0  # steps left of the present try, scan or pause
        self._trying = ""  # the network of the present try
        self._scan = None  # the list that a scan's result will be in
        self._order = []  # networks to try, the next one first
        self._sta = self._ap = None

    def start(self):
        """Begins anew with the known networks: at boot and when they have changed."""
        if self._network is None:
            self._log.warn("wifi", "this board has no WiFi")
            return
        try:
            self._network.hostname(self.hostname)  # mDNS answers to it where the port has that
        except (AttributeError, OSError, ValueError) as error:
            self._log.warn("wifi", "the host name {} was not taken: {}".format(self.hostname, error))
        self._failed = self._timer = 0
        self._trying = self.address = self.ssid = self.problem = ""
        self._scan = None
        self._order = []
        self._known = self._networks()
        if self._known:
            self._close_ap()
            self.state = CONNECTING
            self._open_station()
        else:
            self._open_ap("no network is known")

    def step(self):
        """One second has passed."""
        if self._sta is None:
            return
        try:
            self._step()
        except OSError as error:
            self._try_failed("the radio failed: {}".format(error))

    def _step(self):
        if self.state == CONNECTED:
            self._look()
        elif not self._known:
            return
        elif self._trying:
            self._look_at_try()
        elif self._scan is not None:
            self._look_at_scan()
        elif self._timer > 0:
            self._timer -= 1
        elif self._order:
            self._begin_try()
        else:
            self._begin_scan()

    def _look(self):
        address = self._sta.ifconfig()[0] if self._sta.isconnected() else ""
        if address in _NO_ADDRESS:
            self._log.warn("wifi", "the connection to {} was lost".format(self.ssid))
            self.problem = "the connection to {} was lost".format(self.ssid)
            self.state, self.address = CONNECTING, ""
            self._failed = self._timer = 0
            self._order = []
        elif address != self.address:
            self._log.info("wifi", "{} gave another address, {}".format(self.ssid, address))
            self.address = address
            self.generation += 1

    # ---- which network ----

    def _begin_scan(self):
        self._open_station()
        self._timer = SCAN_S
        self._scan = self._start(self._sta.scan) if hasattr(self._sta, "scan") else [()]
        self._look_at_scan()

    def _look_at_scan(self):
        if not self._scan and self._timer > 0:
            self._timer -= 1
            return
        seen = self._scan[0] if self._scan else ()
        self._scan = None
        self._timer = 0
        strength = {}
        if not isinstance(seen, Exception):
            for found in seen:
                ssid = bytes(found[0])
                strength[ssid] = max(found[3], strength.get(ssid, -1000))
        # sorted() is not stable here: the place in the list of the known ones, the newest first, is part of the key.
        order = [(-strength.get(n[0].encode(), -1000), i, n) for i, n in enumerate(self._known)]
        self._order = [entry[2] for entry in sorted(order)]
        self._begin_try()

    # ---- one try ----

    def _begin_try(self):
        self._trying, password = self._order.pop(0)
        if self.state == CONNECTING:
            self.ssid = self._trying
        self._log.info("wifi", "connecting to {}".format(self._trying))
        self._open_station()
        self._timer = TRY_S
        self._sta.connect(self._trying, password)

    def _look_at_try(self):
        if self._sta.isconnected() and self._sta.ifconfig()[0] not in _NO_ADDRESS:
            self._connected()
            return
        said = self._refusal()
        self._timer -= 1
        if said:
            self._try_failed("{} {}".format(self._trying, said))
        elif self._timer <= 0:
            self._try_failed("{} gave no address within {} s".format(self._trying, TRY_S))

    def _refusal(self):
        # What the radio says of a failed try; None while it is at it, or if it does not say.
        try:
            status = self._sta.status()
        except (OSError, TypeError):
            return None
        for name, said in (
            ("STAT_NO_AP_FOUND", "is not in reach"),
            ("STAT_WRONG_PASSWORD", "refuses the password"),
            ("STAT_HANDSHAKE_TIMEOUT", "refuses the password"),
            ("STAT_ASSOC_FAIL", "refuses the connection"),
            ("STAT_CONNECT_FAIL", "refuses the connection"),
            ("STAT_BEACON_TIMEOUT", "went out of reach"),
        ):
            if status == getattr(self._network, name, None):
                return said
        return None

    def _try_failed(self, why):
        self._log.warn("wifi", why)
        self.problem = why
        self._trying = ""
        self._scan = None
        try:
            self._sta.disconnect()
        except OSError:
            pass
        if self.state == AP:
            self._timer = 0 if self._order else AP_RETRY_S
            return
        self._failed += 1
        if self._failed >= TRIES:
            self._open_ap(why)
        else:
            self._timer = PAUSES_S[self._failed - 1]

    def _connected(self):
        self.state = CONNECTED
        self.generation += 1
        self.ssid, self._trying = self._trying, ""
        self._failed = self._timer = 0
        self._order = []
        self.problem = ""
        self.address = self._sta.ifconfig()[0]
        self._close_ap()
        self._log.info("wifi", "connected to {} as {}".format(self.ssid, self.address))

    # ---- the radio's two sides ----

    def _open_station(self):
        if self._sta is None:
            self._sta = self._network.WLAN(self._network.STA_IF)
        if not self._sta.active():
            self._sta.active(True)
            try:
                self._sta.config(reconnects=0)  # this state machine does that, and knows all networks
            except (AttributeError, OSError, ValueError, TypeError):
                pass

    def _close_ap(self):
        if self._ap is not None:
            self._ap.active(False)
            self._ap = None

    def _open_ap(self, why):
        self._timer = AP_RETRY_S
        self._trying = ""
        self._order = []
        try:
            if self._sta is None:
                self._sta = self._network.WLAN(self._network.STA_IF)
            if not self.ap_password:
                self.ap_password = self._access_password()
            if self._ap is None:
                self._ap = self._network.WLAN(self._network.AP_IF)
                self._ap.active(True)
                security = getattr(self._network, "AUTH_WPA_WPA2_PSK", 4)
                self._ap.config(ssid=self.ap_ssid, key=self.ap_password, security=security)
                self._log.info("wifi", "{}: access point {} opened".format(why, self.ap_ssid))
            self.state = AP
            self.ssid = ""
            self.address = self._ap.ifconfig()[0]
        except (OSError, ValueError) as error:
            self._log.warn("wifi", "the access point can't be opened: {}".format(error))
            self.state, self.address = OFF, ""
            self._failed = 0  # and the known networks are tried again

    def rssi(self):
        """Signal strength in dBm, or None."""
        if self.state != CONNECTED:
            return None
        try:
            return self._sta.status("rssi")
        except (OSError, ValueError, TypeError):
            return None


def _own_name():
    """The access point's name: different on every board, the same at every boot."""
    try:
        import machine

        unique = machine.unique_id()
    except (ImportError, AttributeError):
        unique = b""
    digest = hexlify(hashlib.sha256(b"wg-display access point" + unique).digest()).decode()
    return "WG Display " + digest[:4].upper()
