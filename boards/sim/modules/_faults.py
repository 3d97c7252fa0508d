# Faults of the hardware, for tests: assigned over the REPL until the next reset of either kind, or by the program's
# option --faults "wifi = 'no_ap'; cut_power_after(7)" at each start of Python.
#
# WiFi: `wifi` is None (all is well) or one of "no_ap" (the access point is away), "wrong_password",
# "refuse" (it refuses everybody), "no_address" (joined, but no DHCP answer), "drop" (an existing
# connection is lost, and none comes up again until it is None), or a dict of these by network's name.
# `wifi_delay_ms` is the time from connect() to an address; `wifi_address` is that address, if it is not the PC's: to
# change it is what a station sees that roams into another part of the network.
#
# Flash: operations are writes and erased sectors.
# `cut_power_after(n, torn=HALF, stay=False)` lets the power fail during the n-th operation from now, of which NOTHING,
# HALF, ALL_BUT_LAST (byte), RANDOM (bits) or ALL is done. The process ends with exit code 86; with `stay` it goes on
# with a chip that fails until `power_on()`. What was mounted before then stays off: mount it again.
# `fail_after(n, count)`: from the n-th operation on, `count` do nothing and raise OSError.
# `wear_out(address, True)`: erasing that sector leaves some bits at zero, silently.
# `rot(address, bits)` changes bits of a byte. `erase_count(address)`: of its sector, since the image was made.
# `mark()` remembers the whole content, `rewind()` goes back to it, both in no time: see fs.py in tests/flash/scripts.
#
# Buttons: `held` says which input pins somebody holds at which level: {0: 0} is the button "boot".
import _simhw
from _simhw import flash_cut_power_after as cut_power_after
from _simhw import flash_erase_count as erase_count
from _simhw import flash_fail_after as fail_after
from _simhw import flash_is_off as is_off
from _simhw import flash_mark as mark
from _simhw import flash_operations as operations
from _simhw import flash_power_on as power_on
from _simhw import flash_rewind as rewind
from _simhw import flash_rot as rot
from _simhw import flash_wear_out as wear_out
from micropython import const

NOTHING = const(0)
HALF = const(1)
ALL_BUT_LAST = const(2)
RANDOM = const(3)
ALL = const(4)
TORN = (NOTHING, HALF, ALL_BUT_LAST, RANDOM, ALL)

held = {}
wifi = None
wifi_delay_ms = 300
wifi_address = None
# What a scan finds: (ssid, bssid, channel, RSSI in dBm, security as network.AUTH_*, hidden).
access_points = [
    (b"sim", b"\x02\x00\x00\x00\x00\x01", 6, -48, 3, False),
    (b"Guest", b"\x02\x00\x00\x00\x00\x02", 11, -71, 0, False),
]

exec(_simhw.faults(), globals())
