"""The status page's data, kept current.

Closed months are summed once. Of the months still open a drawing derives only what evidence or silence may have
changed, and everything as often as its cost allows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from detak_collector.board.board import Board, Condition, NodeState, ServiceState
from detak_collector.board.boards import Standing, board_of, service_state
from detak_collector.board.concerned import with_units
from detak_collector.board.days import DAY_MS, DAYS, Year, midnight_before, year_of
from detak_collector.board.nodes import node_states
from detak_collector.board.planned import planned_ahead
from detak_collector.clocks import Reading
from detak_collector.downtime.assess import Month
from detak_collector.downtime.calendars import Unknown, unknown_hours, without_joint_leave
from detak_collector.downtime.days import DayTotals, days_of
from detak_collector.downtime.facts import ALIVE
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.outages import Outage
from detak_collector.downtime.periods import Period, months
from detak_collector.records import LatestNumbers
from detak_collector.rules import Rules, checks_by_service
from detak_collector.store.base import CaughtUp, DerivedMonths, NodeRow, StoreUnavailableError
from detak_collector.stored_months import StoredMonths, View

LEISURE = 20
"""Everything is derived anew only after so many times as long as that takes: a twentieth of one core at most."""

NODES_AT_ONCE = 500
"""The evidence of ten thousand nodes at once would take hundreds of MiB."""


class KnownNodes(Protocol):
    """Of the registry what a board needs."""

    def listing(self, now: Reading, names: Collection[str] | None = None) -> list[NodeRow]:
        """As NodeRegistry says."""
        ...

    def heard(self, now: Reading) -> dict[str, int | None]:
        """As NodeRegistry says."""
        ...


class NoNodes:
    """For a board that shows no nodes and is drawn once."""

    def listing(self, now: Reading, names: Collection[str] | None = None) -> list[NodeRow]:  # noqa: ARG002 - the seam's
        """None at all."""
        return []

    def heard(self, now: Reading) -> dict[str, int | None]:  # noqa: ARG002 - the seam's
        """None at all."""
        return {}


@dataclass(slots=True)
class _Open:
    """A month that is not settled: what was derived of it, by service or check, each as of its own moment."""

    cell: Interval
    month: Month
    days: dict[str, tuple[DayTotals, ...]] = field(default_factory=dict)


class RunningBoard:
    """Draws the board again and again; one drawing at a time."""

    def __init__(
        self,
        derived: DerivedMonths,
        registry: KnownNodes,
        numbers: LatestNumbers | None = None,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._derived = derived
        self._registry = registry
        self._numbers = numbers
        self._timer = timer
        self._lock = threading.Lock()
        self._state: _State | None = None

    def draw(self, view: View, leisure: int = LEISURE) -> Board:
        """The board as of the view's moment. Where joint leave is unknown it goes on as if there were none.

        Everything is derived anew only after `leisure` times as long as that took the last time.
        """
        with self._lock:
            now, zone = view.moment.utc, view.rules.zone
            year = year_of(now, zone)
            begin = min(year.begin, midnight_before(now, zone) - (DAYS - 1) * DAY_MS)
            cells = tuple(months(begin, now, zone))
            unknown = unknown_hours(view.rules.catalogue, cells[0][0], now)
            state = self._current(view.rules, year)
            of_this_year = [one for one in unknown if one.year >= int(year.name)]
            state.renew(view.under(_assumed(view.rules, unknown)), cells, of_this_year, leisure)
            board = state.board(view, of_this_year)
            return self._numbers.on(board, state.outages, view.moment) if self._numbers is not None else board

    def _current(self, rules: Rules, year: Year) -> _State:
        if self._state is None or self._state.rules is not rules or self._state.year.name != year.name:
            self._state = _State(rules, self._derived, self._registry, self._timer, year)
        self._state.year = year
        return self._state


def _assumed(rules: Rules, unknown: Sequence[Unknown]) -> Rules:
    return rules.with_catalogue(without_joint_leave(rules.catalogue, unknown)) if unknown else rules


def _overdue(heard: Mapping[str, int | None], view: View) -> frozenset[str]:
    """The nodes that were last heard before the deadline."""
    since = view.moment.utc - view.rules.down_after_ms
    return frozenset(name for name, at in heard.items() if at is None or at < since)


class _State:
    """What is known of all services under one set of rules."""

    def __init__(
        self,
        rules: Rules,
        derived: DerivedMonths,
        registry: KnownNodes,
        timer: Callable[[], float],
        year: Year,
    ) -> None:
        self.rules = rules
        self.year = year
        self._derived = derived
        self._registry = registry
        self._timer = timer
        self._closed: dict[str, Standing] = {}
        self._closed_as: tuple[Sequence[Interval], int | None] | None = None
        self._open: list[_Open] = []
        self._standings: dict[str, Standing] = {}
        self._services: dict[str, ServiceState] = {}
        self._nodes: dict[str, NodeState] = {}
        self._news = 0
        self._silent: frozenset[str] = frozenset()
        self._whole_at = 0
        self._whole_cost_ms = 0.0
        self._resting_on: dict[str, set[str]] = {}
        for service, checks in checks_by_service(rules).items():
            for check in checks:
                for key in (check, check[: check.index("/") + 1]):
                    self._resting_on.setdefault(key, set()).add(service)

    def renew(self, view: View, cells: Sequence[Interval], unknown: Sequence[Unknown], leisure: int) -> None:
        """Brings everything to the view's moment, as far as it may have changed."""
        now = view.moment.utc
        everything = {service.id for service in self.rules.catalogue.services}
        caught_up = self._caught_up()
        closed_anew = self._sum_closed(view, [cell for cell in cells if view.is_settled(cell)], caught_up)
        still_open = [(cell[0], min(cell[1], now)) for cell in cells if not view.is_settled(cell)]
        heard = self._registry.heard(view.moment)
        silent = _overdue(heard, view)
        if self._is_due(view, still_open, leisure):
            mark = self._news if caught_up is None else caught_up.mark
            affected = everything
            self._derive_all(view, still_open, heard)
        else:
            mark, changed = self._changed(silent)
            affected = self._affected(changed)
            self._derive(view, still_open, affected)
            self._look_at_nodes(view, {key.partition("/")[0] for key in changed})
        for name, node in self._nodes.items():
            self._nodes[name] = replace(node, heard=heard.get(name))
        self._tell(view, everything if closed_anew else affected, unknown)
        # Only now: where anything above fails, the next drawing still finds it new.
        self._news, self._silent = mark, silent

    def board(self, view: View, unknown: Sequence[Unknown]) -> Board:
        """The board as of the view's moment."""
        order = [service.id for service in self.rules.catalogue.services]
        nodes = [self._nodes[name] for name in sorted(self._nodes)]
        standings, services = [self._standings[one] for one in order], [self._services[one] for one in order]
        board = board_of(view.case(), standings, services, self.year, nodes, unknown)
        board = with_units(board, view.rules.catalogue.units)
        return replace(board, planned=planned_ahead(view.rules, services, view.moment.utc))

    def outages(self) -> list[Outage]:
        """The latest outages of every service."""
        return [outage for standing in self._standings.values() for outage in standing.outages]

    def _tell(self, view: View, names: Collection[str], unknown: Sequence[Unknown]) -> None:
        """Tells of these services anew."""
        case, running = view.case(), self._open[-1].month
        watched = view.facts(running.begin, view.moment.utc, frozenset()).watched if names else ()
        watched_since = next((begin for begin, _ in watched), None)
        for name in names:
            standing = self._closed[name]
            for one in self._open:
                standing = standing.and_then(one.month.services[name], one.days[name], self.year)
            self._standings[name] = standing
            self._services[name] = service_state(case, running, standing, unknown, watched_since)

    def _caught_up(self) -> CaughtUp | None:
        """None where the store cannot say: it is full, or locked. Then nothing new can have come into it either."""
        try:
            return self._derived.catch_up()
        except StoreUnavailableError:
            return None

    def _sum_closed(self, view: View, closed: Sequence[Interval], caught_up: CaughtUp | None) -> bool:
        """Sums the closed months of each service: once, and again when late facts touched any. Whether it did."""
        if self._closed_as is not None:
            before, touched = self._closed_as
            if before == closed and (caught_up is None or caught_up.touched == touched):
                return False
        stored = StoredMonths(view, self._derived)
        sums = {service.id: Standing(service) for service in self.rules.catalogue.services}
        for cell in closed:
            for one in stored.settled(cell, days=True):
                sums[one.of.service] = sums[one.of.service].and_then(one.month, one.days, self.year)
        # What is not kept is noticed by nobody when it is touched.
        self._closed, self._closed_as = sums, (closed, caught_up.touched if caught_up and stored.all_kept else None)
        return True

    def _changed(self, silent: frozenset[str]) -> tuple[int, frozenset[str]]:
        """The mark up to which it knows, and what may have changed: `node/check`, or `node/` for all of a node.

        A node that is overdue and still shown as up has fallen silent only since this collector is there to hear it.
        """
        news = self._derived.news(self._news)
        begun = {check for check, state in news.said.items() if self._said(check) != state}
        flipped = silent ^ self._silent | {
            name for name in silent if name in self._nodes and self._nodes[name].condition is Condition.UP
        }
        return news.mark, news.checks.union(begun, (f"{name}/" for name in flipped))

    def _said(self, check: str) -> str | None:
        """What it was known to have said last."""
        reading = self._open[-1].month.readings.get(check)
        return reading.latest.state if reading is not None and reading.latest is not None else None

    def _affected(self, changed: Collection[str]) -> set[str]:
        """The services that rest on any of that, and those that are down: their outages grow with time alone."""
        resting = (service for key in changed for service in self._resting_on.get(key, ()))
        down = (
            name
            for one in self._open
            for name, month in one.month.services.items()
            if month.outages and month.outages[-1].running
        )
        return {*resting, *down}

    def _is_due(self, view: View, still_open: Sequence[Interval], leisure: int) -> bool:
        """Whether all is to be derived anew: nothing is there yet, a month has begun, or it has been long enough."""
        if [one.cell[0] for one in self._open] != [cell[0] for cell in still_open]:
            return True
        return view.moment.boottime - self._whole_at >= leisure * self._whole_cost_ms

    def _derive_all(self, view: View, still_open: Sequence[Interval], nodes: Collection[str]) -> None:
        begun = self._timer()
        self._open = []
        self._derive(view, still_open, {service.id for service in self.rules.catalogue.services})
        self._nodes = {}
        self._look_at_nodes(view, nodes)
        self._whole_at, self._whole_cost_ms = view.moment.boottime, (self._timer() - begun) * 1_000

    def _derive(self, view: View, still_open: Sequence[Interval], names: Collection[str]) -> None:
        """Derives these services' open months, and leaves the others as they were."""
        services = [service for service in view.rules.catalogue.services if service.id in names]
        if not services:
            return
        zone = view.rules.zone
        for at, cell in enumerate(still_open):
            month = view.only(services).month(Period("", *cell), cell, beside=False)
            days = {name: days_of(account, zone) for name, account in month.accounts.items()}
            if at < len(self._open):
                before = self._open[at]
                self._open[at] = _Open(cell, month.over(before.month), {**before.days, **days})
            else:
                self._open.append(_Open(cell, month, days))

    def _look_at_nodes(self, view: View, names: Collection[str]) -> None:
        """Looks at these nodes anew, some at a time."""
        now, order = view.moment.utc, sorted(names)
        for at in range(0, len(order), NODES_AT_ONCE):
            rows = self._registry.listing(view.moment, order[at : at + NODES_AT_ONCE])
            facts = view.facts(now - DAY_MS, now, frozenset(f"{row.name}/{ALIVE}" for row in rows))
            self._nodes.update(node_states(view.rules.catalogue, rows, facts, now))
