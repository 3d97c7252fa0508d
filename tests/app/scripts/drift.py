# A board whose clock runs 80 millionths too slow is told the time once a day. Prints how far the display's clock is off
# at noon between the days (ms), and whether the next question is due in time.
import json

from wgdisplay.net import clock

DAY = 86400 * 10**9
START = 1_800_000_000 * 10**9
true = [START]


def board():
    return START // 2 + (true[0] - START) * (1_000_000 - 80) // 1_000_000


c = clock.Clock(source=board)
noons = []
for day in range(6):
    true[0] = START + day * DAY
    c.adjust(true[0] - c._ns())
    c.synced = True
    true[0] += DAY // 2
    noons.append((true[0] - c._ns()) // 1_000_000)
waits = []
for synced in (False, False, False, True):
    c.synced = synced
    c._plan()
    waits.append(c._wait_s)
dates = {
    text: clock.http_date(text)
    for text in (
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Thu, 29 Feb 2096 23:59:59 GMT",
        "Wed, 25 Nov 2026 18:24:41 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Xxx 1994 08:49:37 GMT",
        "Sun, 06 anF 1994 08:49:37 GMT",
        "Sun, 99 Nov 1994 08:49:37 GMT",
        "",
    )
}
print(json.dumps({"noons": noons, "waits": waits, "dates": dates}))
