"""Checks the rules of the view and the touch's axes on their own. Prints OK."""

from wgdisplay.storage.catalogue import SETTINGS
from wgdisplay.touch import Touch
from wgdisplay.view import bars, check_setting, parse_span, within_span


def refused(key, value):
    try:
        check_setting(key, value)
    except ValueError as error:
        return str(error)
    raise AssertionError((key, value))


def check_settings():
    for key, value in SETTINGS.items():
        check_setting(key, value)
    assert refused("theme", "pink") == "theme is one of auto, dark, light"
    assert refused("page_seconds", -1) == "page_seconds is from 0 to 3600"
    for value in (
        "22",
        "22:00",
        "22:00-",
        "24:00-01:00",
        "22:00-06:60",
        "a-b",
        "1:2:3-4:5",
        "22:00-06:00-08:00",
    ):
        assert "22:00-06:30" in refused("night", value), value
    for key, value in (("brightness", 0), ("brightness", 101), ("text_size", ""), ("night_brightness", -1)):
        refused(key, value)


def check_spans():
    assert parse_span("22:00-06:30") == (1320, 390)
    for text, inside, outside in (
        ("22:00-06:30", (1320, 1439, 0, 389), (390, 720, 1319)),
        ("08:00-12:00", (480, 719), (0, 479, 720, 1439)),
        ("12:00-12:00", (), (0, 719, 720, 1439)),
    ):
        span = parse_span(text)
        for minute in inside:
            assert within_span(minute, span), (text, minute)
        for minute in outside:
            assert not within_span(minute, span), (text, minute)


def check_bars():
    assert [bars(rssi, 0) for rssi in (-100, -80, -70, -60, -40)] == [0, 1, 2, 3, 4]
    # At a border the number stays what it was, from either side.
    for before in (1, 2):
        assert bars(-75, before) == before
    assert bars(-75, 4) == 2 and bars(-75, 0) == 1


def check_axes():
    """Where a finger is on the mounted glass, and where on a picture that is turned clockwise on it."""
    for rotation, wanted in ((0, (10, 20)), (90, (20, 309)), (180, (309, 219)), (270, (219, 10))):
        touch = object.__new__(Touch)
        turned = rotation in (90, 270)
        touch._width, touch._height = (240, 320) if turned else (320, 240)
        touch._rotation = rotation
        touch._settings = {}
        assert touch._seen(10, 20) == wanted, (rotation, touch._seen(10, 20))
        touch._settings = {"mirror_x": True, "mirror_y": True}
        assert touch._seen(309, 219) == wanted
        touch._settings = {"swap_xy": True}
        assert touch._seen(20, 10) == wanted


check_settings()
check_spans()
check_bars()
check_axes()
print("OK")
