"""What is measured and by which rules: services.toml, checked and with every reference resolved.

Dates are integer milliseconds UTC; `None` is open. `check` names are `node/check`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, tzinfo
from fractions import Fraction
from typing import Generic, TypeVar

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


@dataclass(frozen=True, slots=True)
class Group:
    """The components of one layer that a service needs. `key` is `service/name`, or the id of a shared group."""

    key: str
    name: str
    category: str
    members: tuple[Member, ...]
    rule: Dated[str] | None = None
    k: Dated[int] | None = None
    third_party: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """What external users use. `groups` are its own, then the shared ones it uses."""

    id: str
    name: str
    criticality: Dated[str]
    groups: tuple[Group, ...] = ()
    probes: tuple[Member, ...] = ()
    hours: Dated[str] = Dated.always(ALWAYS_OPEN)
    public: bool = False
    probe_guard: bool = True

    def checks(self) -> Iterator[str]:
        """Every check this service rests on, in the order of the catalogue."""
        for member in (*(member for group in self.groups for member in group.members), *self.probes):
            yield from member.checks


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """Optional facts about a node. Witnesses are checks elsewhere that reach it, references checks of its own."""

    name: str
    site: str | None = None
    witnesses: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    retired: int | None = None


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

    organisation: str
    timezone: str
    services: tuple[Service, ...]
    nodes: tuple[NodeEntry, ...] = ()
    target_percent: Dated[Fraction] = Dated.always(Fraction(1, 10))
    counted_criticality: tuple[str, ...] = ("sangat kritis",)
    planned_in_denominator: bool = True
    ha_rule: Dated[str] = Dated.always("lowest_member")
    counted_exclusions: tuple[str, ...] = ("planned", "preventive", "third_party", "measurement_error")
    incident_gap_ms: int = 60_000
    minimum_outage_ms: Dated[int] = Dated.always(0)
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
    def in_force(self) -> bool:
        """Whether it has effect: approved, by somebody other than its proposer."""
        return self.approved_by is not None and self.approved_by != self.proposed_by

    @property
    def late(self) -> bool:
        """Whether it was proposed only after its window had begun."""
        return self.proposed_at > self.begin


class Exclusion(Correction):
    """Time that leaves the figure; its category is one of EXCLUSION_CATEGORIES."""

    __slots__ = ()


class Declaration(Correction):
    """Time that no check can tell of: a service's `down` that nobody saw, or a check's or node's proven `up`."""

    __slots__ = ()
