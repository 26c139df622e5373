"""When any check of a service was observed, month by month out of the store's evidence: there nothing is imported."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from detak_collector.downtime.evidence import read_these
from detak_collector.downtime.intervals import EMPTY, Interval, Intervals, union
from detak_collector.downtime.periods import months
from detak_collector.rules import checks_by_service
from detak_collector.stored_months import View

MOST_SEEN = 60
"""So many that are observed are looked for: more is told nobody."""


@dataclass(frozen=True, slots=True)
class ObservedSheet:
    """Asks the process that derives: of each service and [begin, end), from when on in it any check was observed."""

    spans: tuple[tuple[str, int, int], ...]


def observed_json(view: View, sheet: ObservedSheet) -> bytes:
    """The answer: an instant or nothing for each, in order."""
    observed, seen, found = ObservedTime(view), 0, list[int | None]()
    for service, begin, end in sheet.spans:
        first = next((at for at, _ in observed(service, begin, end)), None) if seen < MOST_SEEN else None
        seen += first is not None
        found.append(first)
    return msgspec.json.encode(found)


def read_observed(sheet: ObservedSheet, content: bytes) -> dict[tuple[str, int, int], Intervals]:
    """The answer, read: what is known of each to be observed."""
    found = msgspec.json.decode(content, type=list[int | None])
    return {
        span: EMPTY if at is None else Intervals.span(at, span[2]) for span, at in zip(sheet.spans, found, strict=True)
    }


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
        self._view.refuse_disposed(facts, begin)
        readings = read_these(self._view.case(facts), self._checks[service], begin, end)
        whole = Intervals.span(begin, end)
        return union(
            whole - one.unobserved - one.presumed - one.proven_up
            for check, one in readings.items()
            if check in self._checks[service]
        )
