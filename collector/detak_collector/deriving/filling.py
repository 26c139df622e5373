"""Derives and keeps closed months before anybody asks for them: a few services at a time, the latest month first.

So the first figure of a year costs no more than the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

from detak_collector.clocks import Clock
from detak_collector.downtime.calendars import unknown_hours
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.periods import local_year, midnight, months
from detak_collector.rules import Rules
from detak_collector.store.base import DerivedMonths, StoreUnavailableError
from detak_collector.stored_months import FactSource, StoredMonths, View

AT_ONCE = 50
"""So many services' month in one step, after which it rests: some seconds, since services share nodes."""


@dataclass(slots=True)
class Filling:
    """Of one store. `known_since` tells when its first evidence was recorded, None where there is none."""

    evidence: FactSource
    derived: DerivedMonths
    rules: Callable[[], Rules]
    clock: Clock
    known_since: Callable[[], int | None]
    _whole: set[int] = field(default_factory=set, init=False)
    """When the months begin of which every service is kept, under these rules and while no fact has touched any."""
    _as: tuple[Rules, int] | None = field(default=None, init=False)

    def step(self, *, only_look: bool = False) -> bool:
        """Keeps some months that are not kept; False where there is none, or the store keeps nothing now.

        `only_look`: keeps none, and tells whether there is any.
        """
        view = View(self.evidence, self.rules(), self.clock())
        try:
            self._follow(view.rules)
        except StoreUnavailableError:
            return False
        for cell in self._open(view):
            stored = StoredMonths(view, self.derived)
            missing = stored.missing(cell)
            if missing and only_look:
                return True
            if missing:
                services = [one for one in view.rules.catalogue.services if one.id in missing]
                some = StoredMonths(view.only(services[:AT_ONCE]), self.derived)
                some.settled(cell, days=False)
                return some.all_kept
            self._whole.add(cell[0])
        return False

    def _follow(self, rules: Rules) -> None:
        """Forgets what is whole where other rules, or facts that came late, may have undone it."""
        touched = self.derived.catch_up().touched
        if self._as is None or self._as[0] is not rules or self._as[1] != touched:
            self._as = (rules, touched)
            self._whole.clear()

    def _open(self, view: View) -> Iterator[Interval]:
        """The settled months that are not known to be whole, the latest first; of the first year all of them."""
        since, now, zone = self.known_since(), view.moment.utc, view.rules.zone
        if since is None:
            return
        begin = midnight(date(local_year(since, zone), 1, 1), zone)
        for cell in reversed(list(months(begin, now, zone))):
            # Where joint leave is unknown there is no figure, and nothing to keep.
            if cell[0] not in self._whole and view.is_settled(cell) and not self._is_unknown(view, cell):
                yield cell

    @staticmethod
    def _is_unknown(view: View, cell: Interval) -> bool:
        return bool(unknown_hours(view.rules.catalogue, *cell))
