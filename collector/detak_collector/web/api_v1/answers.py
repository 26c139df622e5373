"""What the JSON API answers. The description of the endpoints is made of these, so it cannot say anything else.

Instants are ISO 8601 in UTC with milliseconds, lengths integer milliseconds, percentages decimal text with twelve
places: nothing is rounded on the way.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

Instant = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", description="ISO 8601, UTC")]
Length = Annotated[int, Meta(description="milliseconds")]
Exact = Annotated[str, Meta(pattern=r"^-?\d+\.\d{12}$", description="a percentage or share, exact to twelve places")]
Condition = Annotated[str, Meta(description="up, degraded, not observed, presumed down or down")]


class Answer(Struct, kw_only=True):
    """What every answer says: as of when it is."""

    as_of: Instant


class Rate(Struct, kw_only=True):
    """What a service has lost in a period. `percent` is null without service time, or where hours are not known."""

    period: str
    percent: Exact | None
    counted_ms: Length
    certain_ms: Length
    possible_ms: Length
    service_time_ms: Length
    coverage: Exact


class Service(Struct, kw_only=True):
    """A service as it is now. `since` is when its condition began, null where that is not known."""

    id: str
    name: str
    criticality: str
    in_figure: bool
    public: bool
    condition: Condition
    since: Instant | None
    hours: Annotated[str, Meta(description="within, outside or not known: its service hours at this moment")]
    year: Rate


class Services(Answer, kw_only=True):
    """A page of the services, in the order of the catalogue. `next` is the cursor of the page that follows."""

    items: list[Service]
    total: int
    next: str | None


class Day(Struct, kw_only=True):
    """One local day of a service; what is left of `elapsed_ms` was up."""

    date: str
    elapsed_ms: Length
    counted_ms: Length
    excluded_ms: Length
    unobserved_ms: Length
    degraded_ms: Length


class Member(Struct, kw_only=True):
    """A check that a group rests on, and what it last said."""

    check: str
    condition: Condition
    since: Instant | None
    message: str


class Group(Struct, kw_only=True):
    """One layer that a service needs. `rule` is how its members back each other, empty where it has one alone."""

    name: str
    category: str
    rule: str
    condition: Condition
    standing: int
    members: list[Member]


class ServiceInFull(Answer, kw_only=True):
    """One service with its last 90 days and, for who may see everything, its groups."""

    service: Service
    days: list[Day]
    groups: list[Group]


class Outage(Struct, kw_only=True):
    """One outage. `number` is the one it keeps for good, null while it has none, and for who has not signed in.

    `id` names it by service and local begin, which late evidence may move. `cause` is the layer that cost most.
    """

    id: str
    number: int | None
    service: str
    begin: Instant = field(name="from")
    end: Instant | None = field(name="to")
    running: bool
    in_figure: bool
    counted_ms: Length
    certain_ms: Length
    possible_ms: Length
    cause: str
    shown_as: str
    detail: str


class Outages(Answer, kw_only=True):
    """A page of a period's outages, latest first. `total` and `counted_ms` are of all that were asked for."""

    period: str
    items: list[Outage]
    total: int
    counted_ms: Length
    next: str | None


class Layer(Struct, kw_only=True):
    """A group that was down, and by which rule."""

    group: str
    category: str
    rule: str
    stands_for_it: str | None


class Passage(Struct, kw_only=True):
    """What a check said; `spans` are those it rests on, as run/number."""

    check: str
    begin: Instant = field(name="from")
    end: Instant = field(name="to")
    shown_as: str
    message: str
    spans: list[str]


class Correction(Struct, kw_only=True):
    """An exclusion or declaration that touches a piece; `drill`: planned work that was declared as one ahead."""

    id: str
    category: str
    document: str
    reason: str
    proposed_by: str
    approved_by: str | None
    late: bool
    drill: bool


class Piece(Struct, kw_only=True):
    """A part of an outage in which nothing changes. `fate` is `counted`, or the reason for which it is not."""

    begin: Instant = field(name="from")
    end: Instant = field(name="to")
    fate: str
    cause: str
    layers: list[Layer]
    evidence: list[Passage]
    evidence_left_off: Annotated[int, Meta(description="how many passages more there are")]
    corrections: list[Correction]


class OutageInFull(Answer, kw_only=True):
    """Why each second of an outage counts or does not; the pieces that count add up to what it counts."""

    outage: Outage
    pieces: list[Piece]


class Node(Struct, kw_only=True):
    """A node. `state` is heard, silent, never heard, stopped, shut down, failed, two agents or revoked."""

    name: str
    state: str
    heard: Instant | None
    agent_version: str
    checks: int


class Nodes(Answer, kw_only=True):
    """A page of the nodes, by name."""

    items: list[Node]
    total: int
    next: str | None


class Check(Struct, kw_only=True):
    """A check as its node last told it: up, degraded, down or unknown. `heard`: whether that node still speaks."""

    check: str
    node: str
    state: str
    heard: bool


class Checks(Answer, kw_only=True):
    """A page of the checks, by name."""

    items: list[Check]
    total: int
    next: str | None


class CheckNow(Struct, kw_only=True):
    """A check of one node, by evidence. The settings are null where no run of the last day ran it."""

    name: str
    condition: Condition
    since: Instant | None
    message: str
    kind: str | None
    interval_ms: Length | None
    timeout_ms: Length | None
    remote: bool | None


class NodeInFull(Answer, kw_only=True):
    """One node with its checks, and how far its clock is known."""

    node: Node
    site: str | None
    condition: Condition
    warning: str
    clock_uncertainty_ms: Length | None
    clock_offset_ms: Length | None
    conflicts: int
    checks: list[CheckNow]


class TokenOf(Struct, kw_only=True):
    """A token; what it consists of is told to nobody a second time."""

    id: str
    owner: str
    label: str
    scopes: list[str]
    made: Instant
    made_by: str
    expires: Instant
    used: Instant | None
    used_from: str
    revoked: Instant | None
    good: bool


class Tokens(Answer, kw_only=True):
    """One's own tokens, or for an administrator everybody's."""

    items: list[TokenOf]


class Trouble(Struct, kw_only=True):
    """Why there is no answer (RFC 9457)."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
