"""Why each second of an outage is counted or not: its layer, group, rule, the spans it rests on, what excluded it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from detak_collector.downtime.accounts import REASONS, Account
from detak_collector.downtime.assess import ServiceResult
from detak_collector.downtime.catalogue import Correction, Group
from detak_collector.downtime.derive import Result
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.outages import Outage, causes
from detak_collector.downtime.reading import Passage
from detak_collector.downtime.scopes import Scopes

COUNTED = "counted"


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


def explain(result: Result, service: str) -> tuple[Explained, ...]:
    """Every outage of a service in the period, second by second as far as seconds differ."""
    (one,) = (found for found in result.services if found.service.id == service)
    if one.joined is None:
        return ()
    teller = _Teller(result, one, one.joined)
    return tuple(Explained(outage, tuple(teller.pieces(outage))) for outage in one.outages)


@dataclass(frozen=True, slots=True)
class _Teller:
    result: Result
    one: ServiceResult
    account: Account

    def pieces(self, outage: Outage) -> Iterator[Piece]:
        """The outage, cut wherever one of its circumstances changes."""
        by_cause = causes(self.one.service, self.account)
        sets = [self.account.net.counted, *self.account.left.values(), *by_cause.values()]
        sets += [part.gross.counted for part in self.account.layers.values()]
        months = [(cell.begin, cell.end) for cell in self.one.accounts]
        for begin, end in pairwise(_edges([*sets, *(Intervals.span(*month) for month in months)], outage)):
            yield Piece(
                begin,
                end,
                fate=self._fate(begin),
                cause=next((cause for cause, where in by_cause.items() if begin in where), ""),
                layers=tuple(self._layers(begin)),
                evidence=tuple(self._evidence(begin, end)),
                corrections=tuple(self._corrections(begin)),
            )

    def _fate(self, instant: int) -> str:
        if instant in self.account.net.counted:
            return COUNTED
        return next((reason for reason in REASONS if instant in self.account.left[reason]), "")

    def _layers(self, instant: int) -> Iterator[Layer]:
        for group in self.one.service.groups:
            part = self.account.layers.get(group.key)
            if part is not None and instant in part.gross.counted:
                yield self._layer(group, instant)

    def _layer(self, group: Group, instant: int) -> Layer:
        stretches = (
            stretch
            for cell in self.one.accounts
            if cell.begin <= instant < cell.end
            for stretch in cell.chosen.get(group.key, ())
            if stretch.begin <= instant < stretch.end
        )
        stretch = next(stretches, None)
        if stretch is None or len(stretch.labels) == 1:
            return Layer(group.name, group.category, "", None)
        chosen = stretch.labels[stretch.chosen] if len(stretch.options) > 1 else None
        return Layer(group.name, group.category, stretch.rule, chosen)

    def _evidence(self, begin: int, end: int) -> Iterator[tuple[str, Passage]]:
        for check in dict.fromkeys(self.one.service.checks()):
            for passage in self.result.readings[check].passages:
                if passage.touches(begin, end):
                    yield check, passage

    def _corrections(self, instant: int) -> Iterator[Correction]:
        case = self.result.case
        scopes = Scopes.of(case.catalogue, case.exclusions)
        yield from (one for one in scopes.touching(self.one.service) if one.begin <= instant < one.end)
        yield from (
            one
            for one in case.declarations
            if one.in_force and one.begin <= instant < one.end and one.scope == self.one.service.id
        )


def _edges(sets: Iterable[Intervals], outage: Outage) -> list[int]:
    inside = {edge for one in sets for part in one for edge in part if outage.begin < edge < outage.end}
    return [outage.begin, *sorted(inside), outage.end]
