"""When any check of a service was observed, month by month out of the store's evidence: there nothing is imported."""

from __future__ import annotations

from detak_collector.downtime.evidence import read_these
from detak_collector.downtime.intervals import EMPTY, Interval, Intervals, union
from detak_collector.downtime.periods import months
from detak_collector.rules import checks_by_service
from detak_collector.stored_months import View


class ObservedTime:
    """Answers for one command: each month of a service is read once. What people declared is no observation."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._bearing = checks_by_service(view.rules)
        self._checks = {one.id: frozenset(one.checks()) for one in view.rules.catalogue.services}
        self._known: dict[tuple[str, Interval], Intervals] = {}

    def __call__(self, service: str, begin: int, end: int) -> Intervals:
        """When in [begin, end) a check of the service was observed: neither unobserved nor only presumed."""
        found = [self._month(service, cell) for cell in months(begin, end, self._view.rules.zone)]
        return union(found).clip(begin, end)

    def _month(self, service: str, cell: Interval) -> Intervals:
        known = self._known.get((service, cell))
        if known is None:
            known = self._known[service, cell] = self._read(service, *cell)
        return known

    def _read(self, service: str, begin: int, end: int) -> Intervals:
        end = min(end, self._view.moment.utc)
        if end <= begin:
            return EMPTY
        facts = self._view.facts(begin, end, self._bearing[service])
        readings = read_these(self._view.case(facts), self._checks[service], begin, end)
        whole = Intervals.span(begin, end)
        return union(
            whole - one.unobserved - one.presumed - one.proven_up
            for check, one in readings.items()
            if check in self._checks[service]
        )
