"""The one place where store and catalogue meet the engine: page, report and recompute all ask here.

So they can never disagree. It reads the store and the clock that it was given, and decides nothing itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from detak_collector import catalogue
from detak_collector.board import Board, Condition, NodeState
from detak_collector.board_days import DAY_MS, DAYS, midnight_before, year_of
from detak_collector.boards import board_of, condition_at
from detak_collector.clocks import Clock
from detak_collector.clocks import Reading as Moment
from detak_collector.config import Config
from detak_collector.downtime.calendars import (
    JointLeaveUnknownError,
    Unknown,
    unknown_hours,
    without_joint_leave,
)
from detak_collector.downtime.catalogue import Catalogue, Exclusion
from detak_collector.downtime.derive import Case, Result, derive, needs_neighbours
from detak_collector.downtime.facts import ALIVE, Facts, Node
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.lives import history_of
from detak_collector.downtime.periods import Period, midnight, months
from detak_collector.downtime.sampled import Window, read_sampled
from detak_collector.store.base import EvidenceStore, NodeRegistry, NodeRow
from detak_collector.watch import LAG_MS

LONGEST_MONTH_MS = 32 * DAY_MS
AHEAD_MS = 92 * DAY_MS
"""How long before a year begins its holidays are asked for: joint leave is decreed in the autumn."""


@dataclass(frozen=True, slots=True)
class Rules:
    """By what evidence is read: the catalogue in force, what was excluded, and the collector's own settings."""

    catalogue: Catalogue
    exclusions: tuple[Exclusion, ...] = ()
    down_after_ms: int = 15_000
    drift_ppm: int = 100

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's zone, which the catalogue has checked to exist."""
        return ZoneInfo(self.catalogue.timezone)


def rules_of(config: Config) -> Rules:
    """The rules as the configuration's files have them now; raises CatalogueError."""
    return Rules(catalogue.load(config.services), down_after_ms=config.down_after_ms, drift_ppm=config.drift_ppm)


class Figures:
    """Derives figures from what the store holds now. `rules` is asked each time, so a reload takes effect at once."""

    def __init__(
        self, evidence: EvidenceStore, registry: NodeRegistry, rules: Callable[[], Rules], clock: Clock
    ) -> None:
        self._evidence = evidence
        self._registry = registry
        self._rules = rules
        self._clock = clock

    def report(self, period: Period) -> Result:
        """The figure of a period as the facts stand now; raises JointLeaveUnknownError."""
        moment, rules = self._clock(), self._rules()
        facts = self._facts(rules, period.begin, min(period.end, moment.utc), moment)
        return derive(Case(rules.catalogue, rules.zone, facts, rules.exclusions, moment.utc), period)

    def board_now(self) -> Board:
        """What the status page shows at this moment."""
        moment, rules = self._clock(), self._rules()
        year = year_of(moment.utc, rules.zone)
        begin = min(year.begin, midnight_before(moment.utc, rules.zone) - (DAYS - 1) * DAY_MS)
        facts = self._facts(rules, begin, moment.utc, moment)
        case = Case(rules.catalogue, rules.zone, facts, rules.exclusions, moment.utc)
        result, unknown = _shown(case, Period(year.name, begin, moment.utc))
        of_this_year = [one for one in unknown if one.year >= int(year.name)]
        return board_of(rules.catalogue, rules.zone, result, year, self._nodes(rules, facts, moment), of_this_year)

    async def board(self) -> Board:
        """The same, derived in a thread so that evidence is still received meanwhile."""
        return await asyncio.to_thread(self.board_now)

    def _facts(self, rules: Rules, begin: int, end: int, moment: Moment) -> Facts:
        """The evidence of whole months, which the choice of a lowest member needs."""
        whole = list(months(begin, max(end, begin + 1), rules.zone))
        first, last = whole[0][0], whole[-1][1]
        if needs_neighbours(rules.catalogue):
            first, last = first - LONGEST_MONTH_MS, last + LONGEST_MONTH_MS
        facts = self._evidence.facts(first, last, moment)
        watched = up_to_now(facts.watched, moment.utc)
        return replace(facts, watched=watched, down_after_ms=rules.down_after_ms, drift_ppm=rules.drift_ppm)

    def _nodes(self, rules: Rules, facts: Facts, moment: Moment) -> Sequence[NodeState]:
        rows = {row.name: row for row in self._registry.listing(moment)}
        return [_node_state(rules, rows[name], facts, moment.utc) for name in sorted(rows)]


def _shown(case: Case, period: Period) -> tuple[Result, tuple[Unknown, ...]]:
    """What the status page draws, which goes on where joint leave is unknown: as if there were none."""
    try:
        return derive(case, period, beside=False), ()
    except JointLeaveUnknownError as error:
        assumed = replace(case, catalogue=without_joint_leave(case.catalogue, error.unknown))
        return derive(assumed, period, beside=False), error.unknown


def unfilled(catalogue: Catalogue, now: int) -> tuple[list[Unknown], list[Unknown]]:
    """The calendars whose joint leave is unknown: in the running year, and in one that begins within three months."""
    zone = ZoneInfo(catalogue.timezone)
    year = year_of(now, zone)
    end = max(midnight(date(int(year.name) + 1, 1, 1), zone), now + AHEAD_MS)
    unknown = unknown_hours(catalogue, year.begin, end)
    running = [one for one in unknown if one.year <= int(year.name)]
    return running, [one for one in unknown if one not in running]


def up_to_now(watched: Intervals, now: int) -> Intervals:
    """A collector whose last tick is not overdue is there: the time since that tick is watched too."""
    latest = max((end for _, end in watched if end <= now), default=None)
    if latest is None or now - latest > LAG_MS:
        return watched
    return watched | Intervals.span(latest, now)


def _node_state(rules: Rules, row: NodeRow, facts: Facts, now: int) -> NodeState:
    node = facts.nodes.get(row.name, Node(row.name))
    history = history_of(node, facts)
    lives = history.lives
    reading = read_sampled(ALIVE, history, facts, Window(now - DAY_MS, now, now))
    condition = condition_at(reading, now - 1) if lives else Condition.UNOBSERVED
    return NodeState(
        name=row.name,
        site=rules.catalogue.node(row.name).site,
        condition=condition,
        heard=row.heard_utc,
        agent_version=row.agent_version,
        checks=len(lives[-1].run.checks) if lives else 0,
        clock_uncertainty_ms=lives[-1].clock.uncertainty_ms if lives else None,
    )
