"""What a catalogue says of the time before a moment, in a form that compares: how things are written does not matter.

Pure. Two catalogues that say the same of it give the same figures of it, whatever the evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from detak_collector.downtime.catalogue import Calendar, Catalogue, Dated, Group, Member, Service
from detak_collector.downtime.evidence import bearing_on
from detak_collector.downtime.intervals import EMPTY, Intervals, at_least, union
from detak_collector.downtime.periods import local_instant, local_year

EVER = 2**62
"""Before and after all time that a catalogue may name."""

GONE = "is gone"
NEW = "is new, and read for the time before too: date its criticality"

T = TypeVar("T")
Said = Mapping[str, object]
"""What is said, by what it is said of."""
Years = frozenset[int] | None
"""The years whose hours are known; None: all are."""


@dataclass(frozen=True, slots=True)
class _Until:
    """Reads a catalogue up to a moment. Of the years that are not in `years` nothing was ever said: no figure was."""

    catalogue: Catalogue
    moment: int
    years: Years

    def organisation(self) -> Iterator[tuple[str, object]]:
        one = self.catalogue
        yield "timezone", one.timezone
        yield "target_percent", self._dated(one.target_percent)
        yield "planned_in_denominator", self._dated(one.planned_in_denominator)
        yield "ha_rule", self._dated(one.ha_rule)
        yield "counted_exclusions", frozenset(one.counted_exclusions)
        yield "incident_gap_ms", self._dated(one.incident_gap_ms)
        yield "minimum_outage_ms", self._dated(one.minimum_outage_ms)
        yield "freeze_degraded_below_ms", self._dated(one.freeze_degraded_below_ms)

    def services(self) -> dict[str, Said]:
        """Those that are there at all: from the first date of its criticality on a service is."""
        there = (one for one in self.catalogue.services if self._dated(one.criticality))
        return {one.id: dict(self._service(one)) for one in there}

    def units(self, services: Mapping[str, Said]) -> dict[str, Said]:
        return {
            one.id: {
                "services": frozenset(one.services) & services.keys(),
                "target_percent": None if one.target_percent is None else self._dated(one.target_percent),
            }
            for one in self.catalogue.units
        }

    def _service(self, one: Service) -> Iterator[tuple[str, object]]:
        counted = set(self.catalogue.counted_criticality)
        yield "criticality", self._dated(one.criticality)
        yield "whether it is counted", union(self._when(one.criticality, word) for word in counted)
        yield "hours", self._hours(one.hours)
        yield "probe_guard", self._dated(one.probe_guard) if one.probes else None
        yield "probes", self._members(one.probes, ordered=False)
        for group in one.groups:
            yield from self._group(group)
        yield from self._nodes(one)

    def _group(self, one: Group) -> Iterator[tuple[str, object]]:
        present = [self._in_force(member) for member in one.members]
        if not union(present):
            return
        several = at_least(2, present)
        rules = self._dated(one.rule, several)
        # Of any other rule the report tells the lowest or the worst member too, and ties go to the one listed first.
        chooses = any(rule != "any_down" for rule, _ in rules)
        counted = union(where for rule, where in rules if rule == "k_of_n")
        cuts = self._cuts(one) if chooses else frozenset()
        yield f"members of {one.key}", (self._members(one.members, ordered=chooses), cuts)
        yield f"rule of {one.key}", (rules, self._dated(one.k, counted))
        yield f"category of {one.key}", self._dated(one.category, union(present))
        yield f"third_party of {one.key}", self._dated(one.third_party, union(present))

    def _cuts(self, one: Group) -> frozenset[int]:
        """Where a month is cut, and the lowest member chosen anew, though the same ones go on."""
        changes = [change for member in one.members for change in member.changes()]
        for dated in (one.rule, one.k, self.catalogue.ha_rule):
            changes.extend(() if dated is None else dated.changes())
        return frozenset(each for each in changes if each < self.moment)

    def _members(self, members: Iterable[Member], *, ordered: bool) -> object:
        found: dict[tuple[str, ...], Intervals] = {}
        for one in members:
            where = self._in_force(one)
            if where:
                checks = tuple(sorted(one.checks))
                found[checks] = found.get(checks, EMPTY) | where
        return tuple(found.items()) if ordered else frozenset(found.items())

    def _nodes(self, one: Service) -> Iterator[tuple[str, object]]:
        entries = {node.name: node for node in self.catalogue.nodes}
        checks = (check for member in one.members() if self._in_force(member) for check in member.checks)
        for name in sorted({check.partition("/")[0] for check in bearing_on(checks, entries)}):
            node = self.catalogue.node(name)
            retired = None if node.retired is None or node.retired >= self.moment else node.retired
            said = (frozenset(node.witnesses), frozenset(node.references), retired)
            yield f"node {name}", (*said, frozenset() if node.site is None else self._dated(node.site))

    def _hours(self, hours: Dated[str]) -> object:
        calendars = {one.id: one for one in self.catalogue.calendars}
        found: dict[object, Intervals] = {}
        for key in dict.fromkeys(hours.values()):
            where = self._when(hours, key)
            if where:
                said = self._calendar(calendars[key]) if key in calendars else key
                found[said] = found.get(said, EMPTY) | where
        return frozenset(found.items())

    def _calendar(self, one: Calendar) -> object:
        exceptions = {day: windows for day, windows in one.exceptions if self._has_begun(day, one)}
        closed = {holiday.day for holiday in one.holidays if self._has_begun(holiday.day, one)} - exceptions.keys()
        seasons = frozenset(
            (season.since, season.until if season.until < self.moment else None, season.weekly)
            for season in one.seasons
            if season.since < self.moment
        )
        known = known_years(one)
        if known is not None:
            this_year = local_year(min(self.moment, _LAST_MOMENT), one.zone)
            known = frozenset(year for year in known if year <= this_year and self._is_told(year))
        return str(one.zone), one.weekly, seasons, frozenset(exceptions.items()), frozenset(closed), known

    def _has_begun(self, day: date, calendar: Calendar) -> bool:
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock's reading
        return self._is_told(day.year) and local_instant(midnight, calendar.zone) < self.moment

    def _is_told(self, year: int) -> bool:
        return self.years is None or year in self.years

    def _in_force(self, one: Member) -> Intervals:
        since = -EVER if one.since is None else one.since
        return Intervals.span(since, self.moment if one.until is None else min(one.until, self.moment))

    def _when(self, value: Dated[T], one: T) -> Intervals:
        return value.when(-EVER, self.moment, one)

    def _dated(self, value: Dated[T] | None, within: Intervals | None = None) -> frozenset[tuple[T, Intervals]]:
        """Each value with the time in which it was in force."""
        if value is None:
            return frozenset()
        spans = ((one, self._when(value, one)) for one in dict.fromkeys(value.values()))
        clipped = ((one, where if within is None else where & within) for one, where in spans)
        return frozenset((one, where) for one, where in clipped if where)


_LAST_MOMENT = 4_102_444_800_000
"""2100: after the last year of which a calendar says anything."""


def known_years(calendar: Calendar) -> Years:
    """The years whose joint leave it knows; None where it has none, ever."""
    if calendar.holidays_file is None:
        return None
    joint_leave = (one.day.year for one in calendar.holidays if one.kind == "joint-leave")
    return frozenset(joint_leave) | frozenset(calendar.joint_leave_none)


def differences(before: Catalogue, after: Catalogue, moment: int = EVER) -> tuple[str, ...]:
    """What both say differently of the time before the moment, for people; none where they read it alike.

    Of a year of which `before` refuses any figure, since joint leave is unknown, nothing has been said.
    """
    years = _years_of_figures(before)
    old, new = _Until(before, moment, years), _Until(after, moment, years)
    services = old.services(), new.services()
    return (
        *_differing("", dict(old.organisation()), dict(new.organisation())),
        *_each("service", *services, NEW),
        # Another unit is another figure, and changes none.
        *_each("unit", old.units(services[0]), new.units(services[1]), None),
    )


def _years_of_figures(catalogue: Catalogue) -> Years:
    used = {key for service in catalogue.services for key in service.hours.values()}
    known = [years for one in catalogue.calendars if one.id in used and (years := known_years(one)) is not None]
    return frozenset.intersection(*known) if known else None


def _each(kind: str, before: Mapping[str, Said], after: Mapping[str, Said], new: str | None) -> Iterator[str]:
    for key in sorted({*before, *after}):
        if key not in after:
            yield f"{kind} {key}: {GONE}"
        elif key in before:
            yield from _differing(f"{kind} {key}: ", before[key], after[key])
        elif new is not None:
            yield f"{kind} {key}: {new}"


def _differing(where: str, before: Said, after: Said) -> Iterator[str]:
    for key in (*before, *(one for one in after if one not in before)):
        if before.get(key) != after.get(key):
            yield where + key
