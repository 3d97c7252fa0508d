"""WiFi as a state machine that never blocks: `step()` is called once a second and looks at the radio.

off -> connecting -> connected -> (lost) -> connecting ...
            |  8 tries of one network after the other failed, or no network is known
            v
           ap: the board's own access point; the known networks are tried again every few minutes
"""

import hashlib
from binascii import hexlify

from micropython import const

TRIES = const(8)  # of connecting before the access point is opened
TRY_S = const(10)  # of one try
PAUSE_S = const(5)  # between tries
AP_RETRY_S = const(300)  # the access point's patience before the known networks are tried again

OFF, CONNECTING, CONNECTED, AP = "off", "connecting", "connected", "ap"


class Wifi:
    """`networks` is a callable giving [(ssid, password)...], newest first. `network` is MicroPython's module, or None.

    `state`, `address` ("" while there is none), `ssid`, `ap_ssid` and `ap_password` are for the screen and the console.
    `access_password` is a callable giving the access point's password, called when it is first opened. Not derived of
    the board's id: that is its radio address, which anyone near can hear.
    """

    def __init__(self, networks, log, access_password, network=None, hostname="wg-display"):
        if network is None:
            try:
                import network
            except ImportError:
                network = None
        self.state = OFF
        self.address = ""
        self.ssid = ""
        self.generation = 0  # counts connections made
        self.ap_ssid = _own_name()
        self.ap_password = ""
        self._access_password = access_password
        self._networks = networks
        self._log = log
        self._network = network
        self._failed = 0
        self._timer = 0  # steps left of the present try or pause
        self._trying = False
        self._sta = self._ap = None
        self.hostname = hostname  # taken over by start()

    def start(self):
        """Begins anew with the known networks: at boot and when they have changed."""
        if self._network is None:
            self._log.warn("wifi", "this board has no WiFi")
            return
        try:
            self._network.hostname(self.hostname)
        except (AttributeError, OSError, ValueError) as error:
            self._log.warn("wifi", "the host name {} was not taken: {}".format(self.hostname, error))
        self._failed = 0
        self._trying = False
        self._timer = 0
        self.address = ""
        self._known = self._networks()
        if self._known:
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
            self._log.warn("wifi", "the radio failed: {}".format(error))
            self._try_failed()

    def _step(self):
        up = bool(self._known) and self._sta.isconnected()
        if self.state == CONNECTED:
            if not up:
                self._log.warn("wifi", "the connection to {} was lost".format(self.ssid))
                self.state, self.address = CONNECTING, ""
                self._trying, self._failed, self._timer = False, 0, 0
            return
        if up and self._trying:
            self._connected()
            return
        if self._timer > 0:
            self._timer -= 1
            return
        if self.state == AP:
            if self._known:
                self._failed = TRIES - 1  # one try, then the access point again
                self._begin_try()
                self.state = CONNECTING
        elif self._trying:
            self._try_failed()
        else:
            self._begin_try()

    def _begin_try(self):
        self.ssid, password = self._known[self._failed % len(self._known)]
        self._log.info("wifi", "connecting to {}".format(self.ssid))
        self._open_station()
        self._trying = True
        self._timer = TRY_S
        self._sta.connect(self.ssid, password)

    def _try_failed(self):
        self._failed += 1
        self._trying = False
        self._timer = PAUSE_S
        try:
            self._sta.disconnect()
        except OSError:
            pass
        if self._failed >= TRIES:
            self._open_ap("{} can't be reached".format(self.ssid))

    def _connected(self):
        self.state = CONNECTED
        self.generation += 1
        self._trying = False
        self._failed = 0
        self.address = self._sta.ifconfig()[0]
        if self._ap is not None:
            self._ap.active(False)
            self._ap = None
        self._log.info("wifi", "connected to {} as {}".format(self.ssid, self.address))

    def _open_station(self):
        if self._sta is None:
            self._sta = self._network.WLAN(self._network.STA_IF)
        if not self._sta.active():
            self._sta.active(True)

    def _open_ap(self, why):
        self._timer = AP_RETRY_S
        self._trying = False
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
            self.address = self._ap.ifconfig()[0]
        except (OSError, ValueError) as error:
            self._log.warn("wifi", "the access point can't be opened: {}".format(error))
            self.state, self.address = OFF, ""

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
