"""Who is trusted on https: the root certificates, and nobody without them.

Roots are DER certificates. They come from the frozen module `wgroots` (made at build time: `CERTIFICATES`, a tuple of
bytes, and `SUBJECTS`, the first 8 bytes of the SHA-256 of each one's subject), and from files `*.der` in /data/roots,
the owner's. Certificate, host name and dates are always verified; there is no way round it.

All roots parsed would take a third of a megabyte. Of the frozen ones, a host's connections get those that its chain
asks for: the first connection is refused for want of a root, says who issued what it was shown, and is made again with
the roots of those names. Which ones a host needs is remembered.
"""

import hashlib
import os
import time

from micropython import const

from . import certificate
from .clock import EARLIEST, EPOCH
from .errors import TrustError

FOLDER = "/data/roots"
MAX_OWN = const(8)  # files of the owner's
MAX_OWN_BYTES = const(4096)  # of one
MAX_CANDIDATES = const(4)  # frozen roots for one host
MAX_HOSTS = const(16)  # whose roots are remembered
MAX_CONTEXTS = const(3)  # sets of roots that stay parsed
_DIGEST = const(8)

# Of Mbed TLS (ssl.h, x509.h).
_CA_CHAIN_REQUIRED = -0x7680
_BAD_PROTOCOL_VERSION = -0x6E80
_FATAL_ALERT = -0x7780
_CONNECTION_EOF = -0x7280
_INVALID_RECORD = -0x7200
_UNEXPECTED_MESSAGE = -0x7700
_HANDSHAKE_FAILURE = -0x6E00
_NOT_TLS = (_INVALID_RECORD, _UNEXPECTED_MESSAGE)

_contexts = []  # [(indices of frozen roots, SSLContext)...], the last used last
_hosts = {}  # host: indices of frozen roots
_chain = []  # [(depth, issuer, subject, first day, last day)...] of the last handshake's certificates, top first


def context(host):
    """The SSLContext for a host, with the roots that its chain needed so far."""
    try:
        import tls
    except ImportError:
        raise TrustError("https is not supported by this firmware: it has no TLS")
    if time.time() + EPOCH < EARLIEST:
        raise TrustError("the time is not known yet, and without it no certificate can be checked")
    wanted = _hosts.get(host, ())
    for i, (indices, found) in enumerate(_contexts):
        if indices == wanted:
            _contexts.append(_contexts.pop(i))
            return found
    found = _make(tls, wanted)
    _contexts.append((wanted, found))
    if len(_contexts) > MAX_CONTEXTS:
        _contexts.pop(0)
    return found


def learn(host, error):
    """After a refused handshake: whether it lacked roots that are known and that the next context() has."""
    if not _lacks_root(error):
        return False
    wanted = []
    subjects, certificates = _frozen()
    for _, issuer, _, _, _ in _chain:
        digest = hashlib.sha256(issuer).digest()[:_DIGEST]
        for i in range(len(certificates)):
            if subjects[i * _DIGEST : (i + 1) * _DIGEST] == digest and i not in wanted:
                wanted.append(i)
    wanted = tuple(sorted(wanted[:MAX_CANDIDATES]))
    if not wanted or wanted == _hosts.get(host):
        return False
    if len(_hosts) >= MAX_HOSTS:
        _hosts.clear()
    _hosts[host] = wanted
    return True


def reload():
    """Reads the roots again at the next https request."""
    _contexts.clear()
    _hosts.clear()


def _frozen():
    try:
        import wgroots
    except ImportError:
        return b"", ()
    return getattr(wgroots, "SUBJECTS", b""), wgroots.CERTIFICATES


def _make(tls, wanted):
    made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    made.verify_mode = tls.CERT_REQUIRED
    made.verify_callback = _note
    certificates = _frozen()[1]
    for i in wanted:
        made.load_verify_locations(certificates[i])
    count = len(certificates)
    for file in own():
        with open(FOLDER + "/" + file, "rb") as f:
            der = f.read(MAX_OWN_BYTES)
        try:
            made.load_verify_locations(der)
            count += 1
        except (OSError, ValueError):
            pass  # a damaged file trusts nobody
    if not count:
        raise TrustError(
            'no root certificates are installed: wg.trust("/ca.pem") adds one, or put .der files into '
            + FOLDER
        )
    return made


def _note(der, depth):
    # Called by Mbed TLS for each certificate of a chain, the topmost first, the server's (depth 0) last. It must not
    # raise: the exception would pass through Mbed TLS's frames.
    try:
        if _chain and _chain[-1][0] == 0:
            _chain.clear()
        _chain.append((depth,) + certificate.facts(der))
    except Exception:
        _chain.append((depth, b"", b"", "", ""))
    return 0


# ---- the owner's roots ----


def own():
    """The files of the owner's roots, sorted."""
    try:
        return sorted([file for file in os.listdir(FOLDER) if file.endswith(".der")])[:MAX_OWN]
    except OSError:
        return []


def add(data):
    """Trusts one more root: a certificate in DER or PEM, bytes. -> its name. TrustError if it is none."""
    try:
        der = certificate.from_pem(data) if b"-----BEGIN" in data else bytes(data)
        if len(der) > MAX_OWN_BYTES:
            raise ValueError
        _, subject, _, _ = certificate.facts(der)
        import tls

        tls.SSLContext(tls.PROTOCOL_TLS_CLIENT).load_verify_locations(der)
    except (ValueError, IndexError, OSError):
        raise TrustError("this is no certificate in DER or PEM form")
    digest = "".join("{:02x}".format(b) for b in hashlib.sha256(der).digest()[:_DIGEST])
    if digest + ".der" not in own() and len(own()) >= MAX_OWN:
        raise TrustError("{} roots of one's own are the limit; remove one".format(MAX_OWN))
    try:
        os.mkdir(FOLDER)
    except OSError:
        pass
    path = "{}/{}.der".format(FOLDER, digest)
    with open(path + ".new", "wb") as f:
        f.write(der)
    os.rename(path + ".new", path)
    reload()
    return certificate.name(subject)


def listed():
    """The owner's roots: [(name, file, last day)...]."""
    found = []
    for file in own():
        with open(FOLDER + "/" + file, "rb") as f:
            der = f.read(MAX_OWN_BYTES)
        try:
            _, subject, _, last = certificate.facts(der)
            found.append((certificate.name(subject), file, last))
        except (ValueError, IndexError):
            found.append(("damaged", file, ""))
    return found


def remove(name):
    """Trusts the owner's roots of that name, or file name, no longer; TrustError if there is none."""
    count = 0
    for found, file, _ in listed():
        if name in (found, file):
            os.remove(FOLDER + "/" + file)
            count += 1
    if not count:
        raise TrustError("there is no root called {!r}; wg.trust() lists them".format(name))
    reload()


# ---- refusals ----


def _lacks_root(error):
    if isinstance(error, ValueError):
        return "not correctly signed by the trusted CA" in str(error)
    return isinstance(error, OSError) and error.args[:1] == (_CA_CHAIN_REQUIRED,)


def explained(error, authority):
    """What an error of TLS means, as a sentence, or None if it is none of TLS."""
    if isinstance(error, TrustError):
        return str(error)
    if isinstance(error, ValueError) or error.args[:1] == (_CA_CHAIN_REQUIRED,):
        return "the certificate of {} was refused: {}".format(authority, _fault(error))
    if len(error.args) != 2 or not isinstance(error.args[0], int) or error.args[0] > -1000:
        return None
    code = error.args[0]
    if code == _BAD_PROTOCOL_VERSION:
        said = "it offers only versions of TLS before 1.2"
    elif code == _FATAL_ALERT:
        said = "the server refused every way of encryption that is on offer here"
    elif code == _CONNECTION_EOF:
        said = "the connection ended during the handshake"
    elif code in _NOT_TLS:
        said = "the server does not speak TLS on that port"
    elif code == _HANDSHAKE_FAILURE:
        said = "there is no way of encryption that both sides know"
    else:
        said = str(error.args[1])
    return "no secure connection to {}: {}".format(authority, said)


def _fault(error):
    text = " ".join(str(error).split())
    said = []
    if _lacks_root(error):
        said.append(_unknown_issuer())
    if "does not match" in text:
        said.append("it was issued for another host")
    if "has expired" in text:
        said.append("it expired on {}".format(_worst(4, min) or "a day in the past"))
    if "starts in the future" in text:
        said.append("it is not valid before {}".format(_worst(3, max) or "a day to come"))
    if "unacceptable key" in text or "PK alg" in text:
        said.append("its key is too weak")
    if "unacceptable hash" in text:
        said.append("its signature is of a kind that is too weak")
    return " and ".join(said) or text


def _worst(index, choose):
    # Which certificate of the chain is past or to come is not said; the first to expire, or the last to begin, is.
    days = [entry[index] for entry in _chain if entry[index]]
    return choose(days) if days else ""


def _unknown_issuer():
    if not _chain:
        return "it was not issued by anybody who is known here"
    top, leaf = _chain[0], _chain[-1]
    if leaf[1] == leaf[2]:
        return "it is signed by itself, by nobody who is known here"
    if top[1] == top[2]:
        return "its root, {}, is not one of those that are trusted".format(certificate.name(top[2]))
    return "the certificate of its issuer, {}, was not sent along and is not known here".format(
        certificate.name(top[1])
    )
