"""From a derived result to what the status page shows: states as of now, days, outages, the running year's figure.

Pure: everything is given, nothing is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from heapq import nlargest
from operator import attrgetter

from detak_collector.board.board import (
    Board,
    Condition,
    FigureState,
    GroupState,
    Hours,
    MemberState,
    NodeState,
    OutageState,
    ServiceState,
)
from detak_collector.board.days import DAYS, Year, shown_days
from detak_collector.catalogue.unknown_hours import unknown_hours_words
from detak_collector.downtime.accounts import Account
from detak_collector.downtime.assess import Month, counts_at
from detak_collector.downtime.calendars import Unknown
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Group, Member, Service
from detak_collector.downtime.days import DayTotals
from detak_collector.downtime.derive import target_at
from detak_collector.downtime.figure import Totals, summed
from detak_collector.downtime.groups import members_at, rule_at
from detak_collector.downtime.months import ServiceMonth, joined
from detak_collector.downtime.outages import Outage
from detak_collector.downtime.parts import Part
from detak_collector.downtime.reading import Reading

RECENT_OUTAGES = 10
LATELY_MS = 3_600_000

_SAID = {"up": Condition.UP, "degraded": Condition.DEGRADED, "down": Condition.DOWN, "unknown": Condition.UNOBSERVED}
_DOWN = (Condition.DOWN, Condition.PRESUMED_DOWN)
NONE = Totals()
_BEGIN = attrgetter("begin")


@dataclass(frozen=True, slots=True)
class Standing:
    """One service by now: what the running year's months come to, its latest outages, its days."""

    service: Service
    totals: Totals = NONE
    in_figure: Totals | None = None
    outages: tuple[Outage, ...] = ()
    days: tuple[DayTotals, ...] = ()

    def and_then(self, month: ServiceMonth, days: Sequence[DayTotals], year: Year) -> Standing:
        """The same with the month that follows."""
        in_year = year.begin <= month.begin
        counted = [one for one in (self.in_figure, month.in_figure if in_year else None) if one is not None]
        return Standing(
            self.service,
            self.totals + month.totals if in_year else self.totals,
            summed(counted) if counted else None,
            joined([*self.outages, *month.outages])[-RECENT_OUTAGES:],
            (*self.days, *days)[-DAYS:],
        )


def service_state(
    case: Case,
    month: Month,
    standing: Standing,
    unknown: Sequence[Unknown] = (),
    watched_since: int | None = None,
) -> ServiceState:
    """One service as of the case's moment. `month` is what was derived of the running one.

    Where hours of the year are `unknown`, its own may be. Of a check that never said a word, nobody could know anything
    before `watched_since`, the first moment of the month in which this collector was there.
    """
    return _Teller(case, month, frozenset(one.calendar.id for one in unknown), watched_since).service(standing)


def board_of(
    case: Case,
    standings: Sequence[Standing],
    services: Sequence[ServiceState],
    year: Year,
    nodes: Sequence[NodeState],
    unknown: Sequence[Unknown] = (),
) -> Board:
    """The board as of the case's moment, of services that stand so and are in such a state.

    Where hours of the year are `unknown`, it shows states and why there is no figure.
    """
    catalogue = case.catalogue
    by_id = {service.id: service for service in services}
    running = sorted((last for one in standings for last in one.outages[-1:] if last.running), key=_BEGIN)
    latest = (past for one in standings for past in one.outages[-RECENT_OUTAGES - 1 :] if not past.running)
    ended = nlargest(RECENT_OUTAGES, latest, key=_BEGIN)
    since = case.as_of - LATELY_MS
    lately = (past for one in standings for past in one.outages if not past.running and past.end >= since)
    figure = _figure(case, standings, year)
    return Board(
        organisation=catalogue.organisation.value_at(case.as_of - 1),
        timezone=catalogue.timezone,
        now=case.as_of,
        figure=_withheld(figure) if unknown else figure,
        services=tuple(services),
        running=tuple(_outage(one, by_id[one.service]) for one in running),
        recent=tuple(_outage(one, by_id[one.service]) for one in ended),
        nodes=tuple(nodes),
        ha_rule=catalogue.ha_rule.at(case.as_of) or "",
        notices=tuple(unknown_hours_words(one) for one in unknown),
        lately=tuple(_outage(one, by_id[one.service]) for one in lately),
    )


def _withheld(figure: FigureState) -> FigureState:
    return replace(figure, percent=None, certain_percent=None, possible_percent=None, verdict=None, proof=None)


def _figure(case: Case, standings: Sequence[Standing], year: Year) -> FigureState:
    counted = [one.in_figure for one in standings if one.in_figure is not None]
    totals = summed(counted)
    target = target_at(case.catalogue.target_percent, year.begin, case.as_of)
    return FigureState(
        period=year.name,
        target_percent=target,
        percent=totals.percent,
        certain_percent=totals.ratio(totals.certain_ms),
        possible_percent=totals.ratio(totals.possible_ms),
        counted_ms=totals.counted_ms,
        certain_ms=totals.certain_ms,
        possible_ms=totals.possible_ms,
        service_time_ms=totals.service_time_ms,
        remaining_ms=totals.remaining_ms(target),
        coverage=totals.coverage,
        verdict=totals.verdict(target),
        proof=totals.proof(target),
        services=len(counted),
    )


def _outage(outage: Outage, service: ServiceState) -> OutageState:
    """An outage of the service, running or ended."""
    return OutageState(
        id=outage.id,
        service_id=outage.service,
        service_name=service.name,
        in_figure=service.in_figure,
        begin=outage.begin,
        end=None if outage.running else outage.end,
        counted_ms=outage.counted_ms,
        certain_ms=outage.certain_ms,
        possible_ms=outage.possible_ms,
        cause=outage.cause,
        shown_as=outage.shown_as,
        detail=outage.detail,
        hours=service.hours if outage.running else Hours.WITHIN,
    )


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells of one service after another, as of the result's moment."""

    case: Case
    month: Month
    unknown: frozenset[str]
    watched_since: int | None

    @property
    def instant(self) -> int:
        """The last instant that is over: sets are half open."""
        return self.case.as_of - 1

    def service(self, one: Standing) -> ServiceState:
        """One service as it is now."""
        account, totals = self.month.accounts[one.service.id], one.totals
        groups = tuple(self._group(group, account) for group in one.service.groups if members_at(group, self.instant))
        probes = self._members([probe for probe in one.service.probes if probe.in_force(self.instant)])
        condition = self._condition(account, groups, probes)
        if probes:
            probe_group = GroupState("probe", "probe only", "", _worst(probes), _standing(probes), probes)
            groups = (*groups, probe_group)
        return ServiceState(
            id=one.service.id,
            name=one.service.name.value_at(self.instant),
            criticality=one.service.criticality.at(self.instant) or "",
            in_figure=counts_at(self.case.catalogue, one.service, self.instant),
            public=one.service.public.value_at(self.instant),
            condition=condition,
            since=self._since(one, condition, groups),
            days=shown_days(one.days),
            counted_ms=totals.counted_ms,
            certain_ms=totals.certain_ms,
            possible_ms=totals.possible_ms,
            service_time_ms=totals.service_time_ms,
            coverage=totals.coverage or Fraction(0),
            groups=groups,
            hours=self._hours(one.service, account),
        )

    def _hours(self, service: Service, account: Account) -> Hours:
        if any(key in self.unknown for _, _, key in service.hours.entries):
            return Hours.UNKNOWN
        return Hours.WITHIN if self.instant in account.hours else Hours.OUTSIDE

    def _condition(self, account: Account, groups: Sequence[GroupState], probes: Sequence[MemberState]) -> Condition:
        if self.instant in account.gross.counted:
            return Condition.PRESUMED_DOWN if self.instant in account.presumed else Condition.DOWN
        if not groups and not probes:
            return Condition.UNOBSERVED
        lesser = [group.condition for group in groups] or [probe.condition for probe in probes]
        return _worst_of([one for one in lesser if one not in _DOWN])

    def _group(self, group: Group, account: Account) -> GroupState:
        part = account.layers.get(group.key, Part())
        members = self._members(members_at(group, self.instant))
        rule, down_when = rule_at(group, self.case.catalogue, self.instant, len(members))
        return GroupState(
            name=group.name,
            category=group.category.value_at(self.instant),
            rule=rule if len(members) > 1 else "",
            condition=self._group_condition(part, members, down_when),
            standing=_standing(members),
            members=members,
        )

    def _group_condition(self, part: Part, members: Sequence[MemberState], down_when: int) -> Condition:
        if self.instant in part.gross.counted:
            return Condition.PRESUMED_DOWN if self.instant in part.presumed else Condition.DOWN
        lost = [one.condition for one in members if one.condition is not Condition.UP]
        if len(lost) < down_when:
            return Condition.UP
        return Condition.UNOBSERVED if Condition.UNOBSERVED in lost else Condition.DEGRADED

    def _members(self, members: Sequence[Member]) -> tuple[MemberState, ...]:
        return tuple(self._check(check) for member in members for check in member.checks)

    def _check(self, check: str) -> MemberState:
        reading = self.month.readings[check]
        condition = condition_at(reading, self.instant)
        message, since = "", None
        if reading.latest is not None:
            message, since = reading.latest.message, reading.latest.since
        if condition in {Condition.PRESUMED_DOWN, Condition.UNOBSERVED}:
            unseen = [one for one in reading.passages if one.begin <= self.instant < one.end]
            message = unseen[-1].shown_as if unseen else message
            since = unseen[-1].begin if unseen else since
        if reading.latest is None and since is not None and self.watched_since is not None:
            since = max(since, self.watched_since)
        return MemberState(check, condition, since, message)

    def _since(self, one: Standing, condition: Condition, groups: Sequence[GroupState]) -> int | None:
        if condition in _DOWN:
            return next((outage.begin for outage in reversed(one.outages) if outage.running), None)
        sinces = [
            member.since
            for group in groups
            for member in group.members
            if member.since is not None and member.condition is condition
        ]
        if condition is Condition.UP:
            ended = [outage.end for outage in one.outages if outage.end <= self.instant]
            return max([*ended, *([min(sinces)] if sinces else [])], default=None)
        return min(sinces, default=None)


def condition_at(reading: Reading, instant: int) -> Condition:
    """What is known of a check at an instant: its sets, or its last word while newer evidence is merely due."""
    if instant in reading.presumed:
        return Condition.PRESUMED_DOWN
    if instant in reading.down.counted:
        return Condition.DOWN
    latest = reading.latest
    if latest is not None and latest.pending_from is not None:
        return _SAID[latest.state]
    if instant in reading.unobserved or latest is None:
        return Condition.UNOBSERVED
    return _SAID[latest.state]


def _standing(members: Sequence[MemberState]) -> int:
    return sum(one.condition in {Condition.UP, Condition.DEGRADED} for one in members)


def _worst(members: Sequence[MemberState]) -> Condition:
    return _worst_of([one.condition for one in members])


def _worst_of(conditions: Sequence[Condition]) -> Condition:
    order = list(Condition)
    return max(conditions, key=order.index, default=Condition.UP)
