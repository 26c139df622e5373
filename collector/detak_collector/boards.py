"""From a derived result to what the status page shows: states as of now, days, outages, the running year's figure.

Pure: everything is given, nothing is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from detak_collector.board import (
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
from detak_collector.board_days import Year, days_of
from detak_collector.downtime.accounts import Account
from detak_collector.downtime.calendars import Unknown
from detak_collector.downtime.catalogue import Catalogue, Group, Member
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.figure import summed
from detak_collector.downtime.groups import members_at, rule_at
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.outages import Outage
from detak_collector.downtime.parts import Part
from detak_collector.downtime.reading import Reading

RECENT_OUTAGES = 10

_SAID = {"up": Condition.UP, "degraded": Condition.DEGRADED, "down": Condition.DOWN, "unknown": Condition.UNOBSERVED}
_DOWN = (Condition.DOWN, Condition.PRESUMED_DOWN)


def board_of(
    catalogue: Catalogue,
    zone: tzinfo,
    result: Result,
    year: Year,
    nodes: Sequence[NodeState],
    unknown: Sequence[Unknown] = (),
) -> Board:
    """The board as of the result's moment; the result reaches back to the year's begin and over the last days.

    Where hours of the year are `unknown`, it shows states and why there is no figure.
    """
    teller = _Teller(catalogue, zone, result, year, frozenset(one.calendar.id for one in unknown))
    services = tuple(teller.service(one) for one in result.services)
    by_id = {service.id: service for service in services}
    told = [_outage(outage, by_id[outage.service]) for one in result.services for outage in one.outages]
    running = sorted((one for one in told if one.end is None), key=lambda one: one.begin)
    ended = sorted((one for one in told if one.end is not None), key=lambda one: -one.begin)
    ha_rule = catalogue.ha_rule.at(result.as_of)
    return Board(
        organisation=catalogue.organisation,
        timezone=catalogue.timezone,
        now=result.as_of,
        figure=_withheld(_figure(result, year)) if unknown else _figure(result, year),
        services=services,
        running=tuple(running),
        recent=tuple(ended[:RECENT_OUTAGES]),
        nodes=tuple(nodes),
        ha_rule=ha_rule or "",
        notices=tuple(one.line for one in unknown),
    )


def _withheld(figure: FigureState) -> FigureState:
    return replace(figure, percent=None, certain_percent=None, possible_percent=None, verdict=None, proof=None)


def _figure(result: Result, year: Year) -> FigureState:
    counted = [one for one in result.services if one.counting.clip(year.begin, year.end)]
    totals = summed(one.counted_within(year.begin, year.end) for one in counted)
    target = result.target_percent
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

    catalogue: Catalogue
    zone: tzinfo
    result: Result
    year: Year
    unknown: frozenset[str]

    @property
    def instant(self) -> int:
        """The last instant that is over: sets are half open."""
        return self.result.as_of - 1

    def service(self, one: ServiceResult) -> ServiceState:
        """One service as it is now."""
        totals = one.within(self.year.begin, self.year.end)
        groups = tuple(self._group(group, one.joined) for group in one.service.groups)
        probes = self._members(one.service.probes)
        condition = self._condition(one, groups, probes)
        if probes:
            probe_group = GroupState("probe", "probe only", "", _worst(probes), _standing(probes), probes)
            groups = (*groups, probe_group)
        return ServiceState(
            id=one.service.id,
            name=one.service.name,
            criticality=one.criticality or "",
            in_figure=self.instant in one.counting,
            public=one.service.public,
            condition=condition,
            since=self._since(one, condition, groups),
            days=days_of(one.joined, self.result.as_of, self.zone) if one.joined is not None else (),
            counted_ms=totals.counted_ms,
            certain_ms=totals.certain_ms,
            possible_ms=totals.possible_ms,
            service_time_ms=totals.service_time_ms,
            coverage=totals.coverage or 0 * self.result.target_percent,
            groups=groups,
            hours=self._hours(one),
        )

    def _hours(self, one: ServiceResult) -> Hours:
        if any(key in self.unknown for _, _, key in one.service.hours.entries):
            return Hours.UNKNOWN
        within = one.joined is None or self.instant in one.joined.hours
        return Hours.WITHIN if within else Hours.OUTSIDE

    def _condition(self, one: ServiceResult, groups: Sequence[GroupState], probes: Sequence[MemberState]) -> Condition:
        account = one.joined
        if account is not None and self.instant in account.gross.counted:
            return Condition.PRESUMED_DOWN if self.instant in account.presumed else Condition.DOWN
        lesser = [group.condition for group in groups]
        if not groups:
            lesser = [probe.condition for probe in probes]
        return _worst_of([one for one in lesser if one not in _DOWN])

    def _group(self, group: Group, account: Account | None) -> GroupState:
        part = account.layers.get(group.key, Part()) if account is not None else Part()
        members_now = members_at(group, self.instant)
        members = self._members(members_now)
        rule, down_when = rule_at(group, self.catalogue, self.instant, max(len(members), 1))
        return GroupState(
            name=group.name,
            category=group.category,
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
        reading = self.result.readings[check]
        condition = condition_at(reading, self.instant)
        message, since = "", None
        if reading.latest is not None:
            message, since = reading.latest.message, reading.latest.since
        if condition in {Condition.PRESUMED_DOWN, Condition.UNOBSERVED}:
            message = next(
                (one.shown_as for one in reversed(reading.passages) if one.begin <= self.instant < one.end), message
            )
            since = _begin_of(reading.presumed | reading.unobserved, self.instant)
        return MemberState(check, condition, since, message)

    def _since(self, one: ServiceResult, condition: Condition, groups: Sequence[GroupState]) -> int | None:
        account = one.joined
        if account is None:
            return None
        if condition in _DOWN:
            return _begin_of(account.gross.counted, self.instant)
        sinces = [
            member.since
            for group in groups
            for member in group.members
            if member.since is not None and member.condition is condition
        ]
        if condition is Condition.UP:
            ended = [end for _, end in account.gross.counted if end <= self.instant]
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


def _begin_of(where: Intervals, instant: int) -> int | None:
    return next((begin for begin, end in where if begin <= instant < end), None)


def _standing(members: Sequence[MemberState]) -> int:
    return sum(one.condition in {Condition.UP, Condition.DEGRADED} for one in members)


def _worst(members: Sequence[MemberState]) -> Condition:
    return _worst_of([one.condition for one in members])


def _worst_of(conditions: Sequence[Condition]) -> Condition:
    order = list(Condition)
    return max(conditions, key=order.index, default=Condition.UP)
