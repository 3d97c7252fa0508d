"""Who is trusted on https: the root certificates, and nobody without them.

Roots are DER certificates. They come from the frozen module `wgroots` (made at build time: `CERTIFICATES`, a tuple of
bytes) and from files `*.der` in /data/roots. Certificate and host name are always verified; there is no way round it.
"""

import os

FOLDER = "/data/roots"

_context = None


class TrustError(OSError):
    """https can't be had; the sentence says why."""


def wrap(plain, host):
    """A TLS socket on a connected non-blocking socket; the handshake happens with the first write."""
    global _context
    try:
        import tls
    except ImportError:
        raise TrustError("https is not supported by this firmware: it has no TLS")
    if _context is None:
        _context = _make(tls)
    s = _context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    s.setblocking(False)
    return s


def reload():
    """Reads the roots again at the next https request."""
    global _context
    _context = None


def _make(tls):
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    count = 0
    for der in _roots():
        context.load_verify_locations(der)
        count += 1
    if not count:
        raise TrustError(
            "no root certificates installed: put one or more .der files into {} and try again".format(FOLDER)
        )
    return context


def _roots():
    try:
        from wgroots import CERTIFICATES
    except ImportError:
        CERTIFICATES = ()
    for der in CERTIFICATES:
        yield der
    try:
        files = os.listdir(FOLDER)
    except OSError:
        files = ()
    for file in files:
        if file.endswith(".der"):
            with open(FOLDER + "/" + file, "rb") as f:
                yield f.read()


def explained(error):
    """What a TLS error means, as a sentence, or None if it is none of TLS."""
    if isinstance(error, TrustError):
        return str(error)
    if isinstance(error, ValueError):
        # mbedTLS says in words what is wrong with a certificate.
        return "the server's certificate was refused: {}".format(" ".join(str(error).split()))
    if len(error.args) == 2 and isinstance(error.args[0], int) and error.args[0] < -1000:
        return "no secure connection: {}".format(error.args[1])
    return None
