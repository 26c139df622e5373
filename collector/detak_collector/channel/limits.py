"""How much one node and one address may ask of this collector. Pure: it is given the time in seconds.

A valid key is never held back for its address: hundreds of agents may share one. What is limited by address is what
comes without one.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address

MOST_KEPT = 20_000
"""Of how many nodes or addresses something is remembered; the ones unused for longest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, and `per_s` in the long run."""

    per_s: float
    burst: float


NODE_MESSAGES = Rate(50, 500)
"""A node that catches up sends as fast as it is answered; one that runs wild must not take all others' place."""

STRANGER_REQUESTS = Rate(100, 2_000)
"""Requests of one address that are refused for want of a key: enough for a site whose keys were all revoked."""

STRANGER_CONNECTIONS = 2_000
"""Open connections of one address over which no valid key has come: enough for a site that comes back at once."""

STRANGERS_RESTING = 500
"""Of these, how many may stay open once they were answered; beyond that the one answered longest ago is closed."""

MOST_STRANGERS = 10_000
"""Of all addresses together: with TLS each takes about 30 KiB."""

WATCHERS = 1_000
"""Pages that are kept current at once. A fifth of them are kept for people who have signed in."""

STRANGER_WATCHERS = 100
"""Of these, those of one address by people who have not signed in."""


@lru_cache(MOST_KEPT)
def place_of(address: str) -> str:
    """What counts as one address: of IPv6 the first 64 bits, since the others are at the choice of whoever has them."""
    if ":" not in address:
        return address
    found = IPv6Address(address.partition("%")[0])
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> 64 << 64)}/64"


@dataclass(slots=True)
class Allowances:
    """What is left of a rate to each of many."""

    rate: Rate
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict, init=False)

    def take(self, whose: str, now_s: float) -> bool:
        """Takes one; False where there is none left."""
        left = self._now(whose, now_s)
        if left < 1:
            self._keep(whose, left, now_s)
            return False
        self._keep(whose, left - 1, now_s)
        return True

    def wait_s(self, whose: str, now_s: float) -> int:
        """In how many seconds there is one again, at least 1."""
        return max(1, round((1 - self._now(whose, now_s)) / self.rate.per_s))

    def _now(self, whose: str, now_s: float) -> float:
        left, at_s = self._left.get(whose, (self.rate.burst, now_s))
        return min(self.rate.burst, left + max(0.0, now_s - at_s) * self.rate.per_s)

    def _keep(self, whose: str, left: float, now_s: float) -> None:
        self._left[whose] = (left, now_s)
        self._left.move_to_end(whose)
        if len(self._left) > MOST_KEPT:
            self._left.popitem(last=False)


class OfAddresses(Allowances):
    """Allowances of addresses."""

    def take(self, whose: str, now_s: float) -> bool:
        """As for any."""
        return super().take(place_of(whose), now_s)

    def wait_s(self, whose: str, now_s: float) -> int:
        """As for any."""
        return super().wait_s(place_of(whose), now_s)
