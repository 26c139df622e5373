"""TLS for checks: whom a check trusts, until when a certificate holds, and words for what is wrong with a server's.

The expiry is read from the certificate itself, since the standard library tells it for verified ones only.
"""

from __future__ import annotations

import datetime as dt
import ssl
import weakref
from collections.abc import Iterator
from pathlib import Path

from detak_agent.checks.base import CouldNotCheckError

_SEQUENCE, _CONTEXT_0, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
_LONG_FORM = 0x80
_WINDOW_OF_TWO_DIGIT_YEARS = 50

NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
"""The reasons of an SSLError by which OpenSSL calls an answer that is something else."""

_VERIFY_WORDS = {
    9: "the certificate of {0} is not valid yet",
    10: "the certificate of {0} has expired: renew it",
    18: "the certificate of {0} is self-signed: name it in ca_file to trust it",
    19: "the certificate of {0} comes from an authority that this node does not know: name that in ca_file",
    20: "the certificate of {0} comes from an authority that this node does not know, or an intermediate is not sent",
    62: "the certificate of {0} is for another name",
    64: "the certificate of {0} is for another address",
}


_shared: weakref.WeakValueDictionary[tuple[bool, str, int], ssl.SSLContext] = weakref.WeakValueDictionary()


def shared_context(*, verify: bool, ca_file: str) -> ssl.SSLContext:
    """As `client_context`, one for all checks that trust the same, never to be changed: each takes half a MiB."""
    key = (verify, ca_file, changed_at(ca_file) if ca_file else 0)
    context = _shared.get(key)
    if context is None:
        context = _shared[key] = client_context(verify=verify, ca_file=ca_file)
    return context


def changed_at(file: str) -> int:
    """When it was last written, in nanoseconds; -1 where that cannot be told: whoever reads it says why."""
    try:
        return Path(file).stat().st_mtime_ns
    except OSError:
        return -1


def client_context(*, verify: bool, ca_file: str) -> ssl.SSLContext:
    """A context by the system's authorities or by `ca_file`; CouldNotCheckError if that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file:
        _trust(context, ca_file)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def _trust(context: ssl.SSLContext, ca_file: str) -> None:
    try:
        context.load_verify_locations(cafile=ca_file)
    except ssl.SSLError:
        raise CouldNotCheckError(f"ca_file {ca_file} holds no certificate in PEM form") from None
    except OSError as error:
        raise CouldNotCheckError(f"ca_file {ca_file} cannot be read: {error.strerror}") from None


def present(context: ssl.SSLContext, certificate_file: str, key_file: str) -> None:
    """Let the context show a client certificate, and its key from `key_file` or the same file; both in PEM form."""
    files = f"certificate_file {certificate_file}" + (f" with key_file {key_file}" if key_file else "")
    try:
        # Without a password of its own the library would ask for one at the terminal.
        context.load_cert_chain(certificate_file, key_file or None, password="")
    except ssl.SSLError as error:
        reason = (error.reason or "no certificate with its key in PEM form, or an encrypted key").lower()
        raise CouldNotCheckError(f"{files} cannot be used: {reason.replace('_', ' ')}") from None
    except OSError as error:
        raise CouldNotCheckError(f"{files} cannot be read: {error.strerror}") from None


def not_after(certificate: bytes) -> dt.datetime:
    """Until when a DER certificate holds (RFC 5280, 4.1.2.5); ValueError if it is none."""
    try:
        outer = next(elements(certificate))[1]
        fields = [field for field in elements(next(elements(outer))[1]) if field[0] != _CONTEXT_0]
        _, (tag, text) = elements(fields[3][1])
        return _time(tag, text.decode("ascii"))
    except (IndexError, StopIteration, UnicodeDecodeError) as error:
        raise ValueError("not a certificate") from error


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a DER sequence's content: tag and content of each."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & _LONG_FORM:
            digits = length & ~_LONG_FORM
            length = int.from_bytes(data[at : at + digits], "big")
            at += digits
        yield tag, data[at : at + length]
        at += length


def _time(tag: int, text: str) -> dt.datetime:
    if tag == _UTC_TIME:
        century = "20" if int(text[:2]) < _WINDOW_OF_TWO_DIGIT_YEARS else "19"
        text = century + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("not a time")
    return dt.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=dt.timezone.utc)


def days_left(certificates: list[bytes], now: dt.datetime) -> float | None:
    """Days until the first of them expires, negative if one has; None where there is none."""
    ends = [not_after(certificate) for certificate in certificates]
    return (min(ends) - now).total_seconds() / 86_400 if ends else None


def refusal(error: ssl.SSLError, host: str) -> str:
    """What is wrong with a server's TLS, for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        words = _VERIFY_WORDS.get(error.verify_code, "the certificate of {0} is not trusted: " + error.verify_message)
        return words.format(host)
    reason = (error.reason or str(error)).lower().replace("_", " ")
    return f"{host} does not speak TLS as it should: {reason}"
