"""What another catalogue would make of this year's figure: derived twice, kept nowhere, and printed side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.console import Console
from rich.table import Table

from detak_collector.clocks import Reading
from detak_collector.decisions.log import DecisionLog
from detak_collector.downtime.calendars import JointLeaveUnknownError
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.periods import local_year, parse_period
from detak_collector.figures import Figures
from detak_collector.report.numbers import clock_text
from detak_collector.report.tables import percent_text
from detak_collector.rules import Rules
from detak_collector.store.base import CaughtUp, DerivedMonth, DerivedMonths, News, Wanted
from detak_collector.store.parts import Store

MOST_ROWS = 40


@dataclass(frozen=True, slots=True)
class _Unkept:
    """What is kept of closed months is used; what is derived only to look at it takes the place of nothing."""

    kept: DerivedMonths

    def catch_up(self) -> CaughtUp:
        return self.kept.catch_up()

    def news(self, since: int) -> News:
        return self.kept.news(since)

    def load(self, wanted: Sequence[Wanted], *, days: bool) -> list[DerivedMonth]:
        return self.kept.load(wanted, days=days)

    def keep(self, months: Sequence[DerivedMonth], mark: int) -> bool:
        return len(months) == 0 and mark >= 0


def print_effect(store: Store, rules: Rules, other: Catalogue, now: Reading, console: Console) -> None:
    """This year's figure so far, and each service's part in it, now and by the other catalogue."""
    rules = DecisionLog(store).over(rules, now.utc)
    try:
        before, after = (_year(store, one, now) for one in (rules, replace(rules, catalogue=other, versions=None)))
    except JointLeaveUnknownError as error:
        console.print(f"What that does to this year's figure cannot be known: {error.lines[0]}")
        return
    table = Table(f"{before.period.name[:4]} so far", "now", "downtime", "then", "downtime", box=None, pad_edge=False)
    table.add_row("the figure", *_cells(before), *_cells(after))
    rows = list(_services(before, after))
    for row in rows[:MOST_ROWS]:
        table.add_row(*row)
    console.print(table)
    if len(rows) > MOST_ROWS:
        console.print(f"and {len(rows) - MOST_ROWS} more services")


def _year(store: Store, rules: Rules, now: Reading) -> Result:
    figures = Figures(store.evidence, _Unkept(store.derived), store.registry, lambda: rules, lambda: now)
    return figures.report(parse_period(f"{local_year(now.utc, rules.zone)}-ytd", rules.zone, now.utc))


def _services(before: Result, after: Result) -> list[tuple[str, ...]]:
    old, new = ({one.service.id: one for one in result.services} for result in (before, after))
    names = [*old, *(name for name in new if name not in old)]
    return [
        (f"  {name}", *_cells_of(old.get(name)), *_cells_of(new.get(name)))
        for name in names
        if _shown(old.get(name)) != _shown(new.get(name))
    ]


def _shown(one: ServiceResult | None) -> object:
    return None if one is None else (one.totals.counted_ms, one.totals.service_time_ms, one.in_figure is None)


def _cells_of(one: ServiceResult | None) -> tuple[str, str]:
    if one is None:
        return "-", "-"
    counted = "" if one.in_figure is not None else " (not in the figure)"
    return f"{percent_text(one.totals.percent)}{counted}", clock_text(one.totals.counted_ms)


def _cells(result: Result) -> tuple[str, str]:
    return percent_text(result.figure.percent), clock_text(result.figure.counted_ms)
