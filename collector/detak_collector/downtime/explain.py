"""Why each second of an outage is counted or not: its layer, group, rule, the spans it rests on, what excluded it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from detak_collector.downtime.accounts import REASONS, Account
from detak_collector.downtime.assess import Month
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Correction, Group, Service
from detak_collector.downtime.derive import Result
from detak_collector.downtime.intervals import Interval, Intervals
from detak_collector.downtime.outages import Outage, causes
from detak_collector.downtime.reading import Passage
from detak_collector.downtime.scopes import Scopes

COUNTED = "counted"
ASSUMED = "certain by the watchdog assumption"


@dataclass(frozen=True, slots=True)
class Layer:
    """A group that was down: by which rule, and for `lowest_member` which member stood for it in that month."""

    group: str
    category: str
    rule: str
    stands_for_it: str | None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an outage in which nothing changes. `fate` is `counted`, or the reason for which it is not."""

    begin: int
    end: int
    fate: str
    cause: str
    layers: tuple[Layer, ...]
    evidence: tuple[tuple[str, Passage], ...]
    corrections: tuple[Correction, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """One outage in pieces; the pieces that are counted add up to what it counts."""

    outage: Outage
    pieces: tuple[Piece, ...]


def explain(result: Result, service: str, within: Interval | None = None) -> tuple[Explained, ...]:
    """Every outage of a service in the period, or those that touch [begin, end), as far as seconds differ.

    The result must have the details of all its months.
    """
    (one,) = (found for found in result.services if found.service.id == service)
    tellers = [_Teller(result.case, one.service, month) for month in result.details]
    return tuple(
        Explained(outage, tuple(piece for teller in tellers for piece in teller.pieces(outage)))
        for outage in one.outages
        if within is None or (outage.begin < within[1] and within[0] < outage.end)
    )


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells of one service in one month."""

    case: Case
    service: Service
    month: Month

    @property
    def account(self) -> Account:
        return self.month.accounts[self.service.id]

    def pieces(self, outage: Outage) -> Iterator[Piece]:
        """The part of the outage in this month, cut wherever one of its circumstances changes."""
        begin, end = max(outage.begin, self.month.begin), min(outage.end, self.month.end)
        if begin >= end:
            return
        by_cause = causes(self.service, self.account)
        sets = [self.account.net.counted, *self.account.left.values(), *by_cause.values()]
        sets += [part.gross.counted for part in self.account.layers.values()]
        sets += [
            group.category.when(begin, end, category)
            for group in self.service.groups
            for category in group.category.values()[1:]
        ]
        for since, until in pairwise(_edges(sets, begin, end)):
            yield Piece(
                since,
                until,
                fate=self._fate(since),
                cause=next((cause for cause, where in by_cause.items() if since in where), ""),
                layers=tuple(self._layers(since)),
                evidence=tuple(self._evidence(since, until)),
                corrections=tuple(self._corrections(since)),
            )

    def _fate(self, instant: int) -> str:
        if instant in self.account.net.counted:
            return COUNTED
        return next((reason for reason in REASONS if instant in self.account.left[reason]), "")

    def _layers(self, instant: int) -> Iterator[Layer]:
        for group in self.service.groups:
            part = self.account.layers.get(group.key)
            if part is not None and instant in part.gross.counted:
                yield self._layer(group, instant)

    def _layer(self, group: Group, instant: int) -> Layer:
        stretches = (
            stretch for stretch in self.account.chosen.get(group.key, ()) if stretch.begin <= instant < stretch.end
        )
        stretch, category = next(stretches, None), group.category.value_at(instant)
        if stretch is None or len(stretch.labels) == 1:
            return Layer(group.name, category, "", None)
        chosen = stretch.labels[stretch.chosen] if len(stretch.options) > 1 else None
        return Layer(group.name, category, stretch.rule, chosen)

    def _evidence(self, begin: int, end: int) -> Iterator[tuple[str, Passage]]:
        for check in dict.fromkeys(self.service.checks()):
            reading = self.month.readings[check]
            assumed = (Passage(*where, ASSUMED) for where in reading.assumed)
            for passage in (*reading.passages, *assumed):
                if passage.touches(begin, end):
                    yield check, passage

    def _corrections(self, instant: int) -> Iterator[Correction]:
        scopes = Scopes.of(self.case.catalogue, self.case.exclusions)
        yield from (one for one in scopes.exclusions if instant in scopes.reach(one, self.service))
        yield from (
            one
            for one in self.case.declarations
            if one.in_force and one.begin <= instant < one.end and one.scope == self.service.id
        )


def _edges(sets: Iterable[Intervals], begin: int, end: int) -> list[int]:
    inside = {edge for one in sets for part in one.clip(begin, end) for edge in part}
    return sorted({begin, *inside, end})
