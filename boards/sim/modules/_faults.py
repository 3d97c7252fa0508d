# Faults of the hardware, for tests: assigned over the REPL until the next reset of either kind, or by the program's
# option --faults "wifi = 'no_ap'; cut_power_after(7)" at each start of Python.
#
# WiFi: `wifi` is None (all is well) or one of "no_ap" (the access point is away), "wrong_password",
# "refuse" (it refuses everybody), "no_address" (joined, but no DHCP answer), "drop" (an existing
# connection is lost, and none comes up again until it is None).
# `wifi_delay_ms` is the time from connect() to an address.
#
# Flash: `cut_power_after(n)` lets the power fail during the n-th write or erase from now.
# The process ends with exit code 86; a torn write or erase has done its first half.
import _simhw
from _simhw import flash_cut_power_after as cut_power_after

wifi = None
wifi_delay_ms = 300
# What a scan finds: (ssid, bssid, channel, RSSI in dBm, security as network.AUTH_*, hidden).
access_points = [
    (b"sim", b"\x02\x00\x00\x00\x00\x01", 6, -48, 3, False),
    (b"Guest", b"\x02\x00\x00\x00\x00\x02", 11, -71, 0, False),
]

exec(_simhw.faults(), globals())
