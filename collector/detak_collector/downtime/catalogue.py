"""What is measured and by which rules: services.toml, checked and with every reference resolved.

Dates are integer milliseconds UTC; `None` is open. `check` names are `node/check`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, tzinfo
from fractions import Fraction
from typing import Generic, TypeVar

from detak_collector.downtime.intervals import Intervals

CATEGORIES = (
    "power", "network", "device", "server", "database", "application", "office-network", "provider-network",
)  # fmt: skip
"""The component layers, lowest first: a counted second belongs to the lowest layer that is down."""

RULES = ("ha", "lowest_member", "all_down", "any_down", "k_of_n")
HA_RULES = ("lowest_member", "all_down")
EXCLUSION_CATEGORIES = ("planned", "preventive", "third_party", "force_majeure", "measurement_error")
ALWAYS_OPEN = "24x7"
HOLIDAY_KINDS = ("national", "joint-leave")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """A value that may change on given dates: entries (from, until, value), in order, without overlap."""

    entries: tuple[tuple[int | None, int | None, T], ...]

    @staticmethod
    def always(value: T) -> Dated[T]:
        """A value without dates."""
        return Dated(((None, None, value),))

    def at(self, instant: int) -> T | None:
        """The value in force at `instant`, or None."""
        for since, until, value in self.entries:
            if (since is None or since <= instant) and (until is None or instant < until):
                return value
        return None

    def value_at(self, instant: int) -> T:
        """The same, of a value that is in force at every date."""
        found = self.at(instant)
        assert found is not None, "the catalogue refuses gaps in such a value"
        return found

    def when(self, begin: int, end: int, value: T) -> Intervals:
        """The part of [begin, end) in which `value` is in force."""
        return Intervals.of(
            (begin if since is None else max(begin, since), end if until is None else min(end, until))
            for since, until, one in self.entries
            if one == value
        )

    def was(self, value: T, begin: int, end: int) -> bool:
        """Whether `value` was in force at any time in [begin, end)."""
        for since, until, one in self.entries:
            if one == value and (since is None or since < end) and (until is None or begin < until):
                return True
        return False

    def values(self) -> tuple[T, ...]:
        """Every value that it ever has."""
        return tuple(value for _, _, value in self.entries)

    def changes(self) -> Iterator[int]:
        """The instants at which the value begins or ends to be in force."""
        for since, until, _ in self.entries:
            yield from (instant for instant in (since, until) if instant is not None)


@dataclass(frozen=True, slots=True)
class Member:
    """A check in a group, or one thing seen by several `checks` (observers), in force from `since` to `until`."""

    checks: tuple[str, ...]
    since: int | None = None
    until: int | None = None

    @property
    def label(self) -> str:
        """What people call it: the check, or its observers joined."""
        return " + ".join(self.checks)

    def in_force(self, instant: int) -> bool:
        """Whether it is a member at `instant`."""
        return (self.since is None or self.since <= instant) and (self.until is None or instant < self.until)

    def was_in_force(self, begin: int, end: int) -> bool:
        """Whether it is a member at any time in [begin, end)."""
        return (self.since is None or self.since < end) and (self.until is None or begin < self.until)

    def changes(self) -> Iterator[int]:
        """The instants at which it begins or ends to be a member."""
        yield from (instant for instant in (self.since, self.until) if instant is not None)


@dataclass(frozen=True, slots=True)
class Group:
    """The components of one layer that a service needs. `key` is `service/name`, or the id of a shared group."""

    key: str
    name: str
    category: Dated[str]
    members: tuple[Member, ...]
    rule: Dated[str] | None = None
    k: Dated[int] | None = None
    third_party: Dated[bool] = Dated.always(value=False)


@dataclass(frozen=True, slots=True)
class Service:
    """What external users use. `groups` are its own, then the shared ones it uses."""

    id: str
    name: Dated[str]
    criticality: Dated[str]
    groups: tuple[Group, ...] = ()
    probes: tuple[Member, ...] = ()
    hours: Dated[str] = Dated.always(ALWAYS_OPEN)
    public: Dated[bool] = Dated.always(value=False)
    probe_guard: Dated[bool] = Dated.always(value=True)

    def members(self) -> Iterator[Member]:
        """The members of its groups, then its probes, in the order of the catalogue."""
        for group in self.groups:
            yield from group.members
        yield from self.probes

    def checks(self) -> Iterator[str]:
        """Every check this service ever rests on, in that order."""
        for member in self.members():
            yield from member.checks

    def checks_in_force(self, begin: int, end: int) -> Iterator[str]:
        """The checks that it rests on at some instant of [begin, end)."""
        for member in self.members():
            if member.was_in_force(begin, end):
                yield from member.checks


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """Optional facts about a node. Witnesses are checks elsewhere that reach it, references checks of its own."""

    name: str
    site: Dated[str] | None = None
    witnesses: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    retired: int | None = None

    def site_at(self, instant: int) -> str | None:
        """Where it stands at `instant`."""
        return None if self.site is None else self.site.at(instant)


Windows = tuple[tuple[int, int], ...]
"""The hours of one day, [begin, end) in minutes of its wall clock, in order and apart; none where it is closed."""

Week = tuple[Windows, ...]
"""The hours of Monday to Sunday."""


@dataclass(frozen=True, slots=True)
class Season:
    """Time in which other weekly hours are in force, such as Ramadan."""

    since: int
    until: int
    weekly: Week


@dataclass(frozen=True, slots=True)
class Holiday:
    """A closed day, and the decree that says so."""

    day: date
    name: str
    kind: str
    decree: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Service hours in the civil time of `zone`. An exception wins over a holiday, both win over the weekly hours.

    `holidays_file` is None where it has no holidays at all. `joint_leave_none`: years decreed to have no joint leave.
    """

    id: str
    zone: tzinfo
    weekly: Week
    seasons: tuple[Season, ...] = ()
    exceptions: tuple[tuple[date, Windows], ...] = ()
    holidays_file: str | None = None
    holidays: tuple[Holiday, ...] = ()
    joint_leave_none: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of the organisation with a figure of its own; without a target it has the organisation's."""

    id: str
    name: str
    services: tuple[str, ...]
    target_percent: Dated[Fraction] | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The organisation, its rules, services and nodes."""

    organisation: Dated[str]
    timezone: str
    services: tuple[Service, ...]
    nodes: tuple[NodeEntry, ...] = ()
    target_percent: Dated[Fraction] = Dated.always(Fraction(1, 10))
    counted_criticality: tuple[str, ...] = ("sangat kritis",)
    planned_in_denominator: Dated[bool] = Dated.always(value=True)
    ha_rule: Dated[str] = Dated.always("lowest_member")
    counted_exclusions: tuple[str, ...] = ("planned", "preventive", "third_party", "measurement_error")
    incident_gap_ms: Dated[int] = Dated.always(60_000)
    minimum_outage_ms: Dated[int] = Dated.always(0)
    freeze_degraded_below_ms: Dated[int] = Dated.always(0)
    units: tuple[Unit, ...] = ()
    calendars: tuple[Calendar, ...] = ()

    def node(self, name: str) -> NodeEntry:
        """The entry of a node, or one that says nothing."""
        return next((node for node in self.nodes if node.name == name), NodeEntry(name))


@dataclass(frozen=True, slots=True)
class Correction:
    """A record with four eyes on it. `scope_kind` is one of all, site, node, check, group, service."""

    id: str
    category: str
    scope_kind: str
    scope: str
    begin: int
    end: int
    document: str
    reason: str
    proposed_by: str
    proposed_at: int
    approved_by: str | None = None
    approved_at: int | None = None

    @property
    def label(self) -> str:
        """What people call it."""
        return self.id

    @property
    def in_force(self) -> bool:
        """Whether it has effect: approved, by somebody other than its proposer."""
        return self.approved_by is not None and self.approved_by != self.proposed_by

    @property
    def late(self) -> bool:
        """Whether it was proposed only after its window had begun."""
        return self.proposed_at > self.begin


@dataclass(frozen=True, slots=True)
class Exclusion(Correction):
    """Time that leaves the figure; its category is one of EXCLUSION_CATEGORIES.

    One that recurs is many of these, with one id; `window` is the place of each among them, from 1.
    """

    window: int | None = None

    @property
    def label(self) -> str:
        """What people call it."""
        return self.id if self.window is None else f"{self.id} (window {self.window})"


class Declaration(Correction):
    """Time that no check can tell of: a service's `down` that nobody saw, or a check's or node's proven `up`."""

    __slots__ = ()
