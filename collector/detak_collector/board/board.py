"""What the status page shows, as plain data: made by `figures` from facts, drawn by `web`. All times UTC ms."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Condition(StrEnum):
    """What is known of a service, a member or a node at this moment, worst last."""

    UP = "up"
    DEGRADED = "degraded"
    UNOBSERVED = "not observed"
    PRESUMED_DOWN = "presumed down"
    DOWN = "down"


class Hours(StrEnum):
    """Whether a service is due at this moment. `UNKNOWN`: its calendar does not say whether today is joint leave."""

    WITHIN = "within service hours"
    OUTSIDE = "outside service hours"
    UNKNOWN = "service hours not known"


@dataclass(frozen=True, slots=True)
class Day:
    """One local day of one service. The parts are disjoint; what is left of `elapsed_ms` was up."""

    date: str
    elapsed_ms: int
    counted_ms: int
    excluded_ms: int
    unobserved_ms: int
    degraded_ms: int


@dataclass(frozen=True, slots=True)
class MemberState:
    """One member of a group as it is now. `message` is what its check last said."""

    check: str
    condition: Condition
    since: int | None
    message: str


@dataclass(frozen=True, slots=True)
class GroupState:
    """One group of a service as it is now. `standing` of its members are up, `rule` is how they back each other."""

    name: str
    category: str
    rule: str
    condition: Condition
    standing: int
    members: tuple[MemberState, ...]


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service: its state now, its days, and its own share in the figure of the running year."""

    id: str
    name: str
    criticality: str
    in_figure: bool
    public: bool
    condition: Condition
    since: int | None
    days: tuple[Day, ...]
    counted_ms: int
    certain_ms: int
    possible_ms: int
    service_time_ms: int
    coverage: Fraction
    groups: tuple[GroupState, ...]
    hours: Hours = Hours.WITHIN


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Since when somebody looks after an outage, who, and what he does about it. In public without `by` and `note`."""

    at: int
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class NoteState:
    """A note of people's, `texts` by language. `number` and the service are those of its outage, if it is about one.

    In public without `by` and `number`, and with the service only where that is public.
    """

    id: str
    at: int
    by: str
    role: str
    public: bool
    texts: tuple[tuple[str, str], ...]
    number: int | None = None
    service_id: str = ""
    service_name: str = ""

    def text(self, code: str) -> tuple[str, str]:
        """The text in a language, or in the other where it is not in that: with its language."""
        return next((one for one in self.texts if one[0] == code), self.texts[0])


@dataclass(frozen=True, slots=True)
class OutageState:
    """An outage, running (`end` is None) or ended. `cause` is a category, `detail` what the checks said.

    `number` is the one it keeps for good, None where no register was asked. Of a running one, `units` has those whose
    service it is, `effect` what people wrote of it for those who use that; in public neither.
    """

    id: str
    service_id: str
    service_name: str
    in_figure: bool
    begin: int
    end: int | None
    counted_ms: int
    certain_ms: int
    possible_ms: int
    cause: str
    shown_as: str
    detail: str
    hours: Hours = Hours.WITHIN
    number: int | None = None
    acknowledged: Acknowledged | None = None
    units: tuple[str, ...] = ()
    effect: str = ""


@dataclass(frozen=True, slots=True)
class PlannedState:
    """A window of approved planned work, with the ids and names of the services that it touches.

    `drill`: it is a drill, such as a switch-over from one site to the other. In public it has no `id`.
    """

    id: str
    category: str
    begin: int
    end: int
    drill: bool
    services: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NodeState:
    """One node: whether it is heard, since when its agent runs, and how far its clock is known.

    `warning` is what is wrong with it besides, and what to do.
    """

    name: str
    site: str | None
    condition: Condition
    heard: int | None
    agent_version: str
    checks: int
    clock_uncertainty_ms: int | None
    warning: str = ""


@dataclass(frozen=True, slots=True)
class FigureState:
    """The running year's figure with its bounds. Percentages are exact; `remaining_ms` is what the target leaves."""

    period: str
    target_percent: Fraction
    percent: Fraction | None
    certain_percent: Fraction | None
    possible_percent: Fraction | None
    counted_ms: int
    certain_ms: int
    possible_ms: int
    service_time_ms: int
    remaining_ms: int
    coverage: Fraction | None
    verdict: str | None
    proof: str | None
    services: int

    @property
    def is_unobserved(self) -> bool:
        """Whether nobody watched and nothing was counted, so that a verdict would praise silence."""
        return not self.coverage and not self.counted_ms and self.proof != "met"


@dataclass(frozen=True, slots=True)
class Board:
    """Everything the status page needs, in one piece, as of `now`. With `notices` the year has no figure, and why.

    `recent` are the latest outages that ended, `lately` all that ended within the last hour. `alarms` are about the
    collector itself.
    """

    organisation: str
    timezone: str
    now: int
    figure: FigureState
    services: tuple[ServiceState, ...]
    running: tuple[OutageState, ...]
    recent: tuple[OutageState, ...]
    nodes: tuple[NodeState, ...]
    ha_rule: str
    notices: tuple[str, ...] = ()
    lately: tuple[OutageState, ...] = ()
    alarms: tuple[str, ...] = ()
    notes: tuple[NoteState, ...] = ()
    planned: tuple[PlannedState, ...] = ()
