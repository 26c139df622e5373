"""How often somebody may try to sign in: by account and address together, by account alone, by address alone.

Each refills by itself, so nobody is locked out for ever; and an address from which an account has signed in before
does not suffer from what others try on that account. Whether a name has an account makes no difference.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from detak_collector.channel.limits import MOST_KEPT, Allowances, Rate, place_of

BOTH = Rate(1 / 30, 6)
ACCOUNT = Rate(1 / 20, 40)
ADDRESS = Rate(1 / 2, 60)


class Returnable(Allowances):
    """Allowances of which one can be given back."""

    def give_back(self, whose: str, now_s: float) -> None:
        """What was taken was not to be counted."""
        self._keep(whose, min(self.rate.burst, self._now(whose, now_s) + 1), now_s)


@dataclass(slots=True)
class Throttle:
    """What is left to each. One for each process; `address` is what the connection came from."""

    both: Returnable = field(default_factory=lambda: Returnable(BOTH))
    accounts: Returnable = field(default_factory=lambda: Returnable(ACCOUNT))
    addresses: Returnable = field(default_factory=lambda: Returnable(ADDRESS))
    _known: OrderedDict[str, None] = field(default_factory=OrderedDict, init=False)

    def take(self, name: str, address: str, now_s: float) -> int:
        """Counts one attempt: 0 where it may be made, else in how many seconds the next one may."""
        kinds = self._kinds(name, address)
        for at, (allowances, whose) in enumerate(kinds):
            if not allowances.take(whose, now_s):
                for taken, by in kinds[:at]:
                    taken.give_back(by, now_s)
                return allowances.wait_s(whose, now_s)
        return 0

    def succeeded(self, name: str, address: str, now_s: float) -> None:
        """The attempt was a good one: it does not count, and this address is known from now on."""
        for allowances, whose in self._kinds(name, address):
            allowances.give_back(whose, now_s)
        pair = _pair(name, address)
        self._known[pair] = None
        self._known.move_to_end(pair)
        if len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)

    def _kinds(self, name: str, address: str) -> list[tuple[Returnable, str]]:
        pair = _pair(name, address)
        found = [(self.addresses, place_of(address)), (self.both, pair)]
        return found if pair in self._known else [*found, (self.accounts, name)]


def _pair(name: str, address: str) -> str:
    return f"{place_of(address)} {name}"
