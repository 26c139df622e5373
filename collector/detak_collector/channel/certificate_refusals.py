"""Which addresses refuse this collector's certificate, and whether that is why nodes are silent. Pure.

An agent that does not trust the certificate says so with a TLS alert before it sends anything: its node is not down,
this collector cannot hear it. Anyone can send such an alert, so only addresses that beats came from count.
"""

from __future__ import annotations

import ssl
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from detak_collector.translation.saying import mark

MOST_ADDRESSES = 10_000
LASTS_MS = 180_000
"""A refusal counts for so long: agents come again within two beats, and a beat is seldom longer than a minute."""

_ALERTS = {
    "UNKNOWN_CA": mark("its authority is not trusted there"),
    "CERTIFICATE_EXPIRED": mark("it has ended, or that machine's clock is wrong"),
    "CERTIFICATE_UNKNOWN": mark("it is not accepted there"),
    "BAD_CERTIFICATE": mark("it is not for the name or address that is asked for there, or is damaged"),
    "UNSUPPORTED_CERTIFICATE": mark("its kind is not accepted there"),
    "CERTIFICATE_REVOKED": mark("it is revoked"),
}


def refusal_of(error: BaseException) -> str | None:
    """Why the other end refuses the certificate; None where a handshake failed for another reason."""
    if not isinstance(error, ssl.SSLError) or not error.reason:
        return None
    _, is_alert, alert = error.reason.partition("_ALERT_")
    return _ALERTS.get(alert) if is_alert else None


@dataclass(frozen=True, slots=True)
class Refuser:
    """One address: since when it refuses, when it did last (UTC), how often, and why."""

    address: str
    since_utc: int
    last_utc: int
    times: int
    reason: str


class CertificateRefusals:
    """The addresses that refuse the certificate and were not heard since. `known`: those that beats ever came from."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._refusers: OrderedDict[str, Refuser] = OrderedDict()
        self._known = dict.fromkeys(known)

    @property
    def known(self) -> Collection[str]:
        """The addresses that beats came from, the latest new one last."""
        return self._known

    def refused(self, address: str, reason: str, now_utc: int) -> None:
        """An address has refused the certificate."""
        before = self._refusers.pop(address, None)
        since, times = (now_utc, 0) if before is None else (before.since_utc, before.times)
        if len(self._refusers) >= MOST_ADDRESSES:
            self._refusers.popitem(last=False)
        self._refusers[address] = Refuser(address, since, now_utc, times + 1, reason)

    def heard(self, address: str) -> None:
        """A beat came from there: what was refused before it is over."""
        if address not in self._known:
            if len(self._known) >= MOST_ADDRESSES:
                del self._known[next(iter(self._known))]
            self._known[address] = None
        if self._refusers:
            self._refusers.pop(address, None)

    def standing(self, now_utc: int) -> list[Refuser]:
        """Those that count now, the longest first."""
        found = (
            one for one in self._refusers.values() if one.address in self._known and now_utc - one.last_utc <= LASTS_MS
        )
        return sorted(found, key=lambda one: one.since_utc)


def is_unheard(refusers: Collection[Refuser], heard: int, expected: int) -> bool:
    """Whether the collector cannot be said to listen: its certificate is refused, and most of its nodes are silent."""
    return bool(refusers) and heard * 2 < expected
