"""How many pages are kept current at once, and for whom. Pure.

People who have not signed in share a part of them, and of one address only some: nobody can use up what others need.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from detak_collector.channel.limits import STRANGER_WATCHERS, place_of

RESERVED = 5
"""One in so many is kept for those who have signed in."""


@dataclass(slots=True)
class Watchers:
    """Those who watch now, at most so many. An address is told of who has not signed in, and of nobody else."""

    most: int
    all: int = field(default=0, init=False)
    _strangers: Counter[str] = field(default_factory=Counter, init=False)

    def enter(self, address: str | None) -> bool:
        """Counts one in, if there is room for him."""
        if self.all >= self.most or (address is not None and not self._has_room(address)):
            return False
        self.all += 1
        if address is not None:
            self._strangers[place_of(address)] += 1
        return True

    def leave(self, address: str | None) -> None:
        """Counts one out who was counted in."""
        self.all -= 1
        if address is not None:
            self._strangers[place_of(address)] -= 1
            self._strangers = +self._strangers

    def _has_room(self, address: str) -> bool:
        shared = self.most - self.most // RESERVED
        return self._strangers.total() < shared and self._strangers[place_of(address)] < STRANGER_WATCHERS
