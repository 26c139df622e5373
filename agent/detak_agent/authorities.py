"""Certificate authorities that are known by the fingerprint of their key alone: pure.

The certificates themselves may come from anyone: whichever holds a pinned key is the right one.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Sequence
from itertools import islice

MOST_KEYS = 2
"""The present authority's, and during a roll-over the next one's."""

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_MOST_CERTIFICATES = 10
_VERSION_TAG = 0xA0
_FIELDS_BEFORE_KEY = 5
"""Serial number, algorithm, issuer, validity, subject (RFC 5280, section 4.1)."""


class NotDerError(ValueError):
    """This is not a certificate in DER."""


def certificates_in(text: str) -> list[bytes]:
    """The certificates of a PEM text, in DER; what is none is passed over."""
    found = (_der(one[0]) for one in islice(_PEM.finditer(text), _MOST_CERTIFICATES))
    return [one for one in found if one is not None]


def _der(pem: str) -> bytes | None:
    try:
        return ssl.PEM_cert_to_DER_cert(pem)
    except ValueError:
        return None


def key_fingerprint(certificate: bytes) -> str:
    """SHA-256 of the public key (SubjectPublicKeyInfo) of a certificate in DER; raises NotDerError."""
    outer = _Reader(certificate)
    inner = _Reader(_Reader(outer.element()[1]).element()[1])
    if inner.tag() == _VERSION_TAG:
        inner.element()
    for _ in range(_FIELDS_BEFORE_KEY):
        inner.element()
    return f"sha256:{hashlib.sha256(inner.element()[0]).hexdigest()}"


def holding(certificates: Sequence[bytes], keys: Sequence[str]) -> list[bytes]:
    """Those whose key is one of these."""
    return [one for one in certificates if _key_or_none(one) in keys]


def keys_of(certificates: Sequence[bytes]) -> list[str]:
    """The fingerprints of their keys, each once, in order."""
    found = (_key_or_none(one) for one in certificates)
    return list(dict.fromkeys(key for key in found if key is not None))


def _key_or_none(certificate: bytes) -> str | None:
    try:
        return key_fingerprint(certificate)
    except NotDerError:
        return None


class _Reader:
    """Goes through the elements of one DER value (X.690, section 8.1)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def tag(self) -> int:
        """Of the next element."""
        if self._at >= len(self._data):
            raise NotDerError("the certificate ends early")
        return self._data[self._at]

    def element(self) -> tuple[bytes, bytes]:
        """The next element, whole and without its head."""
        begin = self._at
        self.tag()
        length, content = self._length(begin + 1)
        self._at = content + length
        if self._at > len(self._data):
            raise NotDerError("the certificate ends early")
        return self._data[begin : self._at], self._data[content : self._at]

    def _length(self, at: int) -> tuple[int, int]:
        """The length that is written there, and where what it measures begins."""
        first = self._data[at : at + 1]
        if not first:
            raise NotDerError("the certificate ends early")
        if first[0] < 0x80:
            return first[0], at + 1
        end = at + 1 + (first[0] & 0x7F)
        if not at + 1 < end <= min(at + 5, len(self._data)):
            raise NotDerError("the certificate's lengths are not those of DER")
        return int.from_bytes(self._data[at + 1 : end], "big"), end
