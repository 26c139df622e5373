"""The one place where store and catalogue meet the engine: page, report and recompute all ask here.

So they can never disagree. It reads the store and the clock that it was given, and decides nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from detak_collector.board.board import Board
from detak_collector.board.days import DAY_MS, year_of
from detak_collector.board.node_detail import NodeDetail, node_detail
from detak_collector.board.one_check import OneCheck, is_known, one_check, reading_of
from detak_collector.board.running import LEISURE, NoNodes, RunningBoard
from detak_collector.clocks import Clock
from detak_collector.closing.sealed_view import SealedView
from detak_collector.decisions.corrections import Corrections
from detak_collector.decisions.effect import Change, changes
from detak_collector.downtime.calendars import Unknown, refuse_unknown, unknown_hours
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.downtime.derive import Result, cells_of, put_together, with_incidents
from detak_collector.downtime.evidence import bearing_on
from detak_collector.downtime.facts import ALIVE, Node
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.lanes import MonthLanes
from detak_collector.downtime.periods import Period, midnight, year_to_date
from detak_collector.records import LatestNumbers, Records
from detak_collector.rules import Rules
from detak_collector.store.base import DerivedMonths, NodeRegistry
from detak_collector.stored_months import EarlierMonths, FactSource, Made, StoredMonths, View

LATELY_MS = 31 * DAY_MS
"""From how far back it is told what a check said last."""

AHEAD_MS = 92 * DAY_MS
"""How long before a year begins its holidays are asked for: joint leave is decreed in the autumn."""


@dataclass(frozen=True, slots=True)
class OneService:
    """One service for its page: `lanes` are those of the months that a window touches."""

    board: Board
    lanes: tuple[MonthLanes, ...]
    outages: Result


class Figures:
    """Derives figures from what the store holds now. `rules` is asked each time, so a reload takes effect at once.

    Without `records` outages have no numbers, and no ruling or published figure is told.
    """

    def __init__(
        self,
        evidence: FactSource,
        derived: DerivedMonths,
        registry: NodeRegistry,
        rules: Callable[[], Rules],
        clock: Clock,
        records: Records | None = None,
    ) -> None:
        self._evidence = evidence
        self._derived = derived
        self._rules = rules
        self._clock = clock
        self._registry = registry
        self._records = records
        self._sealed: SealedView | None = None
        self._board = RunningBoard(derived, registry, LatestNumbers(records.outages) if records is not None else None)

    def under_seals(self, sealed: SealedView) -> None:
        """From now on what is sealed stands."""
        self._sealed = sealed

    def seal_of(self, period: Period) -> str:
        """The number of the seal of a period; empty where it is not sealed."""
        return "" if self._sealed is None else self._sealed.label(period)

    def at_once(self) -> View:
        """What figures are derived from at this moment: reports that are given it share what they derive."""
        return replace(self._view(), made=Made())

    def report(self, period: Period, as_of: int | None = None, view: View | None = None) -> Result:
        """The figure of a period, and of its year to date, as the facts stand now or stood at an earlier moment.

        Where the period is sealed, what its seal says stands, whatever later facts say. `view` is what `at_once` gave.
        Raises JointLeaveUnknownError.
        """
        result = self._derived_from(period, view or self._view(as_of))
        return result if self._sealed is None else self._sealed.on(result)

    def derived(self, period: Period, as_of: int | None = None) -> Result:
        """The same by the facts alone, whatever is sealed.

        What is kept of closed months serves only for now: it holds what came later.
        """
        return self._derived_from(period, self._view(as_of))

    def _derived_from(self, period: Period, view: View) -> Result:
        case = view.case()
        year = year_to_date(period, case.zone)
        refuse_unknown(case.catalogue, cells_of(case, year))
        stored = (EarlierMonths if view.earlier else StoredMonths)(view, self._derived)
        months = {cell: stored.services(period, cell) for cell in cells_of(case, period)}
        result = put_together(case, period, list(months.values()))
        if year.begin < period.begin:
            whole = [
                months[cell] if cell in months and period.begin <= cell[0] else stored.services(year, cell)
                for cell in cells_of(case, year)
            ]
            result = replace(result, year=put_together(case, year, whole, beside=False))
        return replace(self._completed(result, view), drills=view.rules.drills)

    def explained(self, service: str, period: Period, as_of: int | None = None) -> Result:
        """The same for one service alone, with all the details of its months and under the declared rules alone."""
        view = _only(self._view(as_of), service)
        cells = cells_of(view.case(), period)
        details = [view.month(period, cell, beside=False) for cell in cells]
        result = put_together(view.case(), period, [detail.services for detail in details], details, beside=False)
        return replace(self._recalled(result), drills=view.rules.drills)

    def report_of(self, service: str, period: Period) -> Result:
        """The outages of one service, from kept months: what its page lists. No number is given."""
        return self._listed(_only(self._view(), service), period)

    def _listed(self, view: View, period: Period) -> Result:
        case = view.case()
        cells = cells_of(case, period)
        refuse_unknown(case.catalogue, cells)
        stored = StoredMonths(view, self._derived)
        found = [stored.services(period, cell, beside=False) for cell in cells]
        return self._recalled(put_together(case, period, found, beside=False))

    def one_service(self, service: str, window: Interval, period: Period) -> OneService:
        """What a page of one service shows: how it stands, the lanes of a window, the outages of a period.

        Closed months are taken as they are kept; an open one is derived once for all three.
        """
        view = _only(self.at_once(), service)
        board = RunningBoard(self._derived, NoNodes()).draw(view)
        stored = StoredMonths(view, self._derived)
        (known,) = view.rules.catalogue.services
        lanes = tuple(stored.lanes(known, cell) for cell in cells_of(view.case(), Period("", *window)))
        return OneService(board, lanes, self._listed(view, period))

    def effect(self, before: Corrections, after: Corrections) -> list[Change]:
        """What other corrections make of the periods that they touch; raises JointLeaveUnknownError."""
        return changes(self._view(), self._derived, before, after)

    def board_of(self, service: str) -> Board:
        """What the status page shows of one service at this moment, derived by itself; its outages have no numbers."""
        return RunningBoard(self._derived, NoNodes()).draw(_only(self._view(), service))

    def node_now(self, name: str) -> NodeDetail | None:
        """One node with the last day of its checks; None where there is no such node."""
        view = self._view()
        now = view.moment.utc
        for row in self._registry.listing(view.moment, [name]):
            runs = view.facts(now - DAY_MS, now, frozenset({f"{name}/{ALIVE}"})).nodes.get(name, Node(name)).runs
            # An agent that has stopped has nothing open; what it ran is told by its runs.
            checks = {ALIVE, *row.states, *(one.name for run in runs for one in run.checks)}
            facts = view.facts(now - DAY_MS, now, frozenset(f"{name}/{check}" for check in checks))
            return node_detail(view.rules.catalogue, row, facts, now)
        return None

    def check_now(self, name: str, window: Interval, period: Interval) -> OneCheck | None:
        """One check (`node/check`), with its readings of two stretches of time; None where nothing tells of it."""
        view = self._view()
        now = view.moment.utc
        entries = {node.name: node for node in view.rules.catalogue.nodes}
        checks = frozenset({*bearing_on([name], entries), f"{name.partition('/')[0]}/{ALIVE}"})

        def case(stretch: Interval) -> Case:
            return view.case(view.facts(*stretch, checks))

        lately, over = case((now - LATELY_MS, now)), case(period)
        if not (is_known(name, lately) or is_known(name, over)):
            return None
        timeline = reading_of(name, case(window), window)
        return one_check(name, lately, (now - DAY_MS, now), timeline, reading_of(name, over, period))

    def board_now(self, leisure: int = LEISURE) -> Board:
        """What the status page shows at this moment, derived anew as a whole as seldom as `leisure` says."""
        return self._board.draw(self._view(), leisure)

    def _view(self, as_of: int | None = None) -> View:
        view = View(self._evidence, self._rules(), self._clock())
        return view if as_of is None else view.as_of(as_of)

    def _recalled(self, result: Result) -> Result:
        return with_incidents(result) if self._records is None else self._records.recall(result)

    def _completed(self, result: Result, view: View) -> Result:
        if self._records is None:
            return with_incidents(result)
        return self._records.recall(result) if view.earlier else self._records.complete(result, view.moment)


def _only(view: View, service: str) -> View:
    return view.only([one for one in view.rules.catalogue.services if one.id == service])


def unfilled(catalogue: Catalogue, now: int) -> tuple[list[Unknown], list[Unknown]]:
    """The calendars whose joint leave is unknown: in the running year, and in one that begins within three months."""
    zone = ZoneInfo(catalogue.timezone)
    year = year_of(now, zone)
    end = max(midnight(date(int(year.name) + 1, 1, 1), zone), now + AHEAD_MS)
    unknown = unknown_hours(catalogue, year.begin, end)
    running = [one for one in unknown if one.year <= int(year.name)]
    return running, [one for one in unknown if one not in running]
