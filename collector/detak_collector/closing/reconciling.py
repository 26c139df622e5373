"""What a figure rests on, held against what others have: a decree that names services, and a service desk. Pure.

A ticket and an outage are of one thing where they are of one service and lie no further apart than `near_ms`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from detak_collector.downtime.catalogue import Catalogue, Service
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.outages import Outage


@dataclass(frozen=True, slots=True)
class Decreed:
    """A service that a decree names, by its id or its name; `line` is where in the file."""

    line: int
    service: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket of the service desk, UTC ms. `end` is None while it is open."""

    line: int
    name: str
    service: str
    begin: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What does not fit. `unknown` are names of services that the catalogue has not, with their lines.

    `uncounted` are decreed, and not of counted criticality at the period's end; `undecreed` the other way round.
    """

    unknown: tuple[Decreed, ...] = ()
    uncounted: tuple[ServiceResult, ...] = ()
    undecreed: tuple[ServiceResult, ...] = ()
    astray: tuple[Ticket, ...] = ()
    """Tickets of services that the catalogue has not."""
    without_outage: tuple[Ticket, ...] = ()
    without_ticket: tuple[Outage, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether everything fits."""
        return self == Reconciled()


def reconcile(
    result: Result, decreed: Sequence[Decreed] | None, tickets: Sequence[Ticket] | None, near_ms: int
) -> Reconciled:
    """Holds the result against what was given; None where a file was not."""
    found = Reconciled() if decreed is None else _by_decree(result, decreed)
    if tickets is None:
        return found
    names = _Names(result)
    mine = [one for one in tickets if one.begin < result.end and result.period.begin <= _end(one, result)]
    placed = [(one, names.of(one.service)) for one in mine]
    known = [(one, service.service.id) for one, service in placed if service is not None]
    return Reconciled(
        found.unknown, found.uncounted, found.undecreed,
        astray=tuple(one for one, service in placed if service is None),
        without_outage=tuple(_without_outage(result, known, near_ms)),
        without_ticket=tuple(_without_ticket(result, known, near_ms)),
    )  # fmt: skip


class _Names:
    """The services by id and by name, however these are written."""

    def __init__(self, result: Result) -> None:
        self._known: dict[str, ServiceResult] = {}
        for one in result.services:
            self._known.setdefault(_plain(one.service.name.value_at(result.last)), one)
        for one in result.services:
            self._known[_plain(one.service.id)] = one

    def of(self, words: str) -> ServiceResult | None:
        return self._known.get(_plain(words))


def _plain(words: str) -> str:
    return " ".join(words.casefold().split())


def _by_decree(result: Result, decreed: Sequence[Decreed]) -> Reconciled:
    names, catalogue = _Names(result), result.case.catalogue
    placed = [(one, names.of(one.service)) for one in decreed]
    named = {service.service.id: service for _, service in placed if service is not None}
    return Reconciled(
        unknown=tuple(one for one, service in placed if service is None),
        uncounted=tuple(one for one in named.values() if not _counts(one.service, catalogue, result)),
        undecreed=tuple(
            one for one in result.services if one.service.id not in named and _counts(one.service, catalogue, result)
        ),
    )


def _counts(service: Service, catalogue: Catalogue, result: Result) -> bool:
    return service.criticality.at(result.last) in catalogue.counted_criticality


def _end(ticket: Ticket, result: Result) -> int:
    return result.end if ticket.end is None else ticket.end


def _without_outage(result: Result, tickets: Iterable[tuple[Ticket, str]], near_ms: int) -> Iterator[Ticket]:
    outages = {one.service.id: one.outages for one in result.services}
    for ticket, service in tickets:
        begin, end = ticket.begin - near_ms, _end(ticket, result) + near_ms
        if not any(one.begin <= end and begin <= one.end for one in outages[service]):
            yield ticket


def _without_ticket(result: Result, tickets: Iterable[tuple[Ticket, str]], near_ms: int) -> Iterator[Outage]:
    by_service: dict[str, list[Ticket]] = {}
    for ticket, service in tickets:
        by_service.setdefault(service, []).append(ticket)
    for one in result.services:
        mine = by_service.get(one.service.id, [])
        for outage in one.outages if one.in_figure is not None else ():
            begin, end = outage.begin - near_ms, outage.end + near_ms
            if outage.counted_ms and not any(each.begin <= end and begin <= _end(each, result) for each in mine):
                yield outage
