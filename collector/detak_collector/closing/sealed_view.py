"""A result of a sealed period as it stands: that of the seal, with what later facts would make of it beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from detak_collector.closing.account import AccountError, account_of
from detak_collector.closing.bodies import SEALS, read
from detak_collector.closing.seals import Seal, Seals
from detak_collector.downtime.derive import Result
from detak_collector.downtime.figure import Totals, summed
from detak_collector.downtime.periods import Period
from detak_collector.downtime.sealed import Disposed, Sealed
from detak_collector.downtime.summary import months_of
from detak_collector.errors import EvidenceDisposedError
from detak_collector.pair.entry import DISPOSED, Entry, in_order
from detak_collector.retention.bodies import DisposedBody

Earlier = Callable[[Period, int], Result]
"""The result of a period as it was known at a moment."""


class Log(Protocol):
    """Of the log of entries what is needed here."""

    def of(self, kind: str) -> Sequence[Entry]:
        """All entries of a kind."""
        ...

    def mark(self) -> int:
        """How many entries there are."""
        ...


@dataclass(slots=True)
class KnownSeals:
    """The seals as the log has them, read again only when something was entered. Any thread may ask."""

    log: Log
    _known: tuple[int, list[Entry], list[Entry]] = field(default=(-1, [], []), init=False)

    def read(self, moment: int | None = None) -> Seals:
        """As they are now, or were at an earlier moment."""
        return Seals.of(self._entries()[1], moment)

    def disposed(self, period: Period) -> Disposed | None:
        """Under what evidence of this period was disposed of, at any collector; None where all of it is kept."""
        for entry in in_order(self._entries()[2]):
            told = read(entry, DisposedBody)
            if told is not None and period.begin < told.until:
                return Disposed(str(told.number), told.document, entry.recorded_utc, told.until)
        return None

    def _entries(self) -> tuple[int, list[Entry], list[Entry]]:
        mark, known = self.log.mark(), self._known
        if known[0] != mark:
            seals = [entry for kind in SEALS for entry in self.log.of(kind)]
            known = self._known = (mark, seals, list(self.log.of(DISPOSED)))
        return known


@dataclass(frozen=True, slots=True)
class SealedView:
    """Puts what is sealed in the place of what later facts say."""

    seals: KnownSeals
    earlier: Earlier

    def label(self, period: Period) -> str:
        """The number of the seal of a period; empty where none is in force."""
        seal = self.seals.read().in_force(period)
        return "" if seal is None else seal.label

    def on(self, result: Result) -> Result:
        """The result as it stands. Where this program does not come to the seal's account any more, that is told."""
        seals = self.seals.read(result.as_of if result.case.earlier else None)
        seal = seals.in_force(result.period)
        try:
            result = replace(result, overtaken=tuple(_overtaken(result, seals)))
            return result if seal is None else self._sealed(result, seal)
        except AccountError:
            return result

    def _sealed(self, result: Result, seal: Seal) -> Result:
        told = replace(sealed(seal), disposed=self.seals.disposed(result.period))
        account = account_of(result)
        if account.digest == seal.body.digest:
            return replace(result, seal=told)
        told = replace(told, now=result.figure)
        try:
            then = self.earlier(result.period, seal.body.as_of)
        except EvidenceDisposedError:
            return replace(result, seal=replace(told, reproduced=False))
        if account_of(then).digest == seal.body.digest:
            return replace(then, seal=told, overtaken=result.overtaken)
        return replace(result, seal=replace(told, reproduced=False))


def _overtaken(result: Result, seals: Seals) -> Iterator[Sealed]:
    """The sealed parts of the period that come to another figure in this result, each with both."""
    months = {one.name: one.totals for one in months_of(result)}
    for seal in seals.touching(result.period.begin, result.period.end):
        is_same = (seal.body.begin, seal.body.end) == (result.period.begin, result.period.end)
        if is_same or seal.body.begin < result.period.begin or result.period.end < seal.body.end:
            continue
        told, account = sealed(seal), seal.account
        names = [one["name"] for one in account.told["months"]]
        now = summed(months[name] for name in names if name in months)
        if _sums(now) != _sums(told.figure):
            yield replace(told, now=now)


def _sums(totals: Totals) -> tuple[int, ...]:
    return totals.counted_ms, totals.certain_ms, totals.possible_ms, totals.service_time_ms, totals.unobserved_ms


def sealed(seal: Seal) -> Sealed:
    """What a report says of a seal; raises AccountError where it cannot be read."""
    account = seal.account
    return Sealed(
        period=seal.body.period,
        label=seal.label,
        by=seal.author,
        approved_by=seal.approved_by,
        at=seal.since,
        as_of=seal.body.as_of,
        head=seal.body.head,
        figure=account.figure,
        target_percent=account.target_percent,
        restates=None if seal.restates is None else seal.restates.label,
    )
