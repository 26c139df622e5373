"""What certificates say of themselves: when they end, and whose key they hold. It reads no file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from detak_collector.translation.saying import Saying, counted, saying

DAY_MS = 86_400_000
WARN_DAYS = (60, 30, 7)
"""How long before the end of a certificate or an authority somebody is told, in days."""

WHOSE = {"collector": saying("the collector's certificate"), "authority": saying("the authority's certificate")}
"""What is called so, by whose it is."""


class CertificateError(Exception):
    """A certificate or key that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Period:
    """When a certificate is good: [begin, end) in UTC milliseconds."""

    begin_utc: int
    end_utc: int

    def days_left(self, now_utc: int) -> int:
        """Whole days until it ends, rounded down; negative once it has ended."""
        return (self.end_utc - now_utc) // DAY_MS

    def __str__(self) -> str:
        return f"good from {_shown(self.begin_utc)} to {_shown(self.end_utc)}"


def certificates_in(pem: bytes) -> Sequence[x509.Certificate]:
    """All certificates of a PEM file in their order, at least one; raises CertificateError."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise CertificateError("there is no PEM certificate in it that can be read") from error


def period_of(certificate: x509.Certificate) -> Period:
    """When it is good."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return Period(_ms(begin), _ms(end))


def key_fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of its public key (SubjectPublicKeyInfo, DER): the same for every certificate of one key."""
    info = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(info).hexdigest()}"


def end_warning(name: str, period: Period, now_utc: int) -> tuple[int, Saying] | None:
    """The nearest of WARN_DAYS that has come, and a sentence; None while the end is far. `name` is one of WHOSE."""
    left = period.days_left(now_utc)
    reached = [days for days in WARN_DAYS if left < days]
    if not reached:
        return None
    what, end = WHOSE[name], _shown(period.end_utc)
    if left < 0:
        return min(reached), saying("{what} has ended on {end}", what=what, end=end)
    said = counted(
        "{what} ends on {end}, in {number} day", "{what} ends on {end}, in {number} days", left, what=what, end=end
    )
    return min(reached), said


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)


def _shown(utc: int) -> str:
    return f"{datetime.fromtimestamp(utc / 1_000, UTC):%Y-%m-%d %H:%M} UTC"
