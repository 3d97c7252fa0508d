"""What a person wants to know of an X.509 certificate (RFC 5280) in DER: who issued it to whom, and for which days."""

from binascii import a2b_base64

from micropython import const

_SEQUENCE = const(0x30)
_SET = const(0x31)
_OID = const(0x06)
_UTC_TIME = const(0x17)
_GENERALIZED_TIME = const(0x18)
_VERSION = const(0xA0)
_COMMON_NAME = b"\x55\x04\x03"
_ORGANIZATION = b"\x55\x04\x0a"


def _element(der, at):
    """-> (tag, first byte of the content, the byte after it) of the element at `at`."""
    tag = der[at]
    size = der[at + 1]
    at += 2
    if size & 0x80:
        count = size & 0x7F
        if not 0 < count <= 3:
            raise ValueError
        size = 0
        for _ in range(count):
            size = size << 8 | der[at]
            at += 1
    if at + size > len(der):
        raise ValueError
    return tag, at, at + size


def facts(der):
    """-> (issuer, subject, first day, last day): names as DER, days as "2026-11-25". ValueError or IndexError if it is
    no certificate."""
    tag, at, end = _element(der, 0)
    if tag != _SEQUENCE or end != len(der):
        raise ValueError
    tag, at, _ = _element(der, at)
    if tag != _SEQUENCE:
        raise ValueError
    tag, _, after = _element(der, at)
    if tag == _VERSION:
        _, _, after = _element(der, after)
    _, _, issuer = _element(der, after)  # over the serial number and the kind of the signature
    tag, _, dates = _element(der, issuer)
    _, first, subject = _element(der, dates)
    _, _, end = _element(der, subject)
    if tag != _SEQUENCE or der[subject] != _SEQUENCE:
        raise ValueError
    _, _, last = _element(der, first)
    return bytes(der[issuer:dates]), bytes(der[subject:end]), _day(der, first), _day(der, last)


def _day(der, at):
    tag, start, end = _element(der, at)
    text = str(bytes(der[start:end]), "ascii")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError
    return "{}-{}-{}".format(text[:4], text[4:6], text[6:8])


def name(der):
    """The common name in a Name, or its organization, for a sentence."""
    found = {}
    try:
        _, at, end = _element(der, 0)
        while at < end:
            _, part, at = _element(der, at)  # a set
            _, part, _ = _element(der, part)  # of a sequence
            tag, start, stop = _element(der, part)
            oid = bytes(der[start:stop])
            _, start, stop = _element(der, stop)
            found[oid] = bytes(der[start:stop])
    except (ValueError, IndexError):
        pass
    text = found.get(_COMMON_NAME) or found.get(_ORGANIZATION) or b"a nameless one"
    return "".join([chr(b) if 32 <= b < 127 else "?" for b in text[:64]])


def from_pem(data):
    """The first certificate of a PEM text as DER; ValueError if there is none."""
    text = bytes(data)
    start = text.find(b"-----BEGIN CERTIFICATE-----")
    end = text.find(b"-----END CERTIFICATE-----", start)
    if start < 0 or end < 0:
        raise ValueError("there is no certificate in this text")
    return a2b_base64(b"".join(text[start + 27 : end].split()))
