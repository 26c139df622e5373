"""What is measured and by which rules: services.toml, checked and with every reference resolved.

Dates are integer milliseconds UTC; `None` is open. `check` names are `node/check`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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

    def node(self, name: str) -> NodeEntry:
        """The entry of a node, or one that says nothing."""
        return next((node for node in self.nodes if node.name == name), NodeEntry(name))


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Time that an approved record takes out. `scope_kind` is one of all, site, node, check, group, service."""

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
        """Whether it subtracts: approved, by somebody other than its proposer."""
        return self.approved_by is not None and self.approved_by != self.proposed_by
