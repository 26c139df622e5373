"""The sentences of the status page: what a state, a verdict or an outage is called. Pure; no markup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

from detak_collector.board.board import (
    Board,
    Condition,
    FigureState,
    GroupState,
    Hours,
    NodeState,
    OutageState,
    ServiceState,
)
from detak_collector.web.present import format_duration_ms

WORST_FIRST = (Condition.DOWN, Condition.PRESUMED_DOWN, Condition.DEGRADED, Condition.UNOBSERVED, Condition.UP)
BROKEN = (Condition.DOWN, Condition.PRESUMED_DOWN)

WORDS = {
    Condition.UP: "up",
    Condition.DEGRADED: "degraded",
    Condition.UNOBSERVED: "not observed",
    Condition.PRESUMED_DOWN: "presumed down",
    Condition.DOWN: "down",
}
SHAPES = {
    Condition.UP: "up",
    Condition.DEGRADED: "degraded",
    Condition.UNOBSERVED: "unobserved",
    Condition.PRESUMED_DOWN: "presumed",
    Condition.DOWN: "down",
}
"""The name of a condition in style sheets and icons."""

CATEGORIES = {
    "power": "power",
    "network": "network",
    "device": "main device",
    "server": "server",
    "database": "database",
    "application": "application",
    "office-network": "user-office network",
    "provider-network": "provider network",
}
PROBE_ONLY = "probe only"
RULES = {
    "lowest_member": "the member with the least downtime counts",
    "all_down": "down only while all are down",
    "any_down": "down while any is down",
    "k_of_n": "down while fewer than required are up",
}

Stated = TypeVar("Stated", ServiceState, NodeState)


@dataclass(frozen=True, slots=True)
class Headline:
    """One sentence on everything, how serious it is, and since when (the earliest of what is broken)."""

    condition: Condition
    text: str
    since: int | None = None


def headline(board: Board) -> Headline:
    """What somebody who reads one line should know."""
    services = board.services
    if not services:
        return Headline(Condition.UNOBSERVED, "No services yet")
    broken = [service for service in services if service.condition in BROKEN]
    if not broken:
        return _unbroken(services)
    due = [service for service in broken if service.hours is not Hours.OUTSIDE]
    if due:
        return _broken(due, len(services))
    told = _broken(broken, len(services))
    return replace(told, text=f"Outside service hours: {told.text}")


def _broken(broken: Sequence[ServiceState], total: int) -> Headline:
    since = min((service.since for service in broken if service.since is not None), default=None)
    worst = worst_first(broken)[0].condition
    if len(broken) == 1:
        return Headline(worst, f"{broken[0].name} is {WORDS[worst]}", since)
    down = sum(service.condition is Condition.DOWN for service in broken)
    presumed = len(broken) - down
    if down and presumed:
        return Headline(worst, f"{down} of {total} services {_are(down)} down, {presumed} presumed down", since)
    return Headline(worst, f"{len(broken)} of {total} services are {WORDS[worst]}", since)


def _unbroken(services: tuple[ServiceState, ...]) -> Headline:
    total = len(services)
    counts = Counter(service.condition for service in services)
    degraded, hidden = counts[Condition.DEGRADED], counts[Condition.UNOBSERVED]
    if total == 1:
        return Headline(services[0].condition, f"{services[0].name} is {WORDS[services[0].condition]}")
    if hidden == total:
        return Headline(Condition.UNOBSERVED, f"None of the {total} services is observed")
    text = f"All {total} services are up" if not hidden else f"{total - hidden} of {total} services are up"
    if degraded:
        text += f", {degraded} of them degraded"
    if hidden:
        text += f"; {hidden} {_are(hidden)} not observed"
    worst = Condition.DEGRADED if degraded else Condition.UNOBSERVED if hidden else Condition.UP
    return Headline(worst, text)


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def window_title(board: Board) -> str:
    """What the browser's tab says: what is broken comes first, for it is cut at the end."""
    broken = sum(service.condition in BROKEN for service in board.services)
    place = f"{board.organisation} status" if board.organisation else "Status"
    return f"({broken} down) {place}" if broken else place


def verdict_words(figure: FigureState) -> str:
    """The verdict of record and how firm it is, in plain words."""
    if figure.verdict is None:
        return "No verdict yet: there is no service time in this period"
    open_time = format_duration_ms(figure.possible_ms - figure.counted_ms)
    if figure.verdict == "met":
        return "Met so far, and proven" if figure.proof == "met" else f"Met so far; undecided: {open_time} not observed"
    if figure.proof == "missed":
        return "Missed, and proven"
    return f"Missed so far; undecided: {format_duration_ms(figure.certain_ms)} of it is certain"


def assurance(outage: OutageState) -> str:
    """How sure it is that the service was down."""
    if outage.certain_ms > 0:
        return f"certain for {format_duration_ms(outage.certain_ms)}"
    return "presumed: no evidence either way" if is_presumed(outage) else "seen, not certain"


def is_presumed(outage: OutageState) -> bool:
    """Whether the outage rests on missing heartbeats alone."""
    return outage.shown_as.startswith("presumed")


def cause_words(cause: str) -> str:
    """A cause (a category, or `probe only`) as people call it."""
    return CATEGORIES.get(cause, cause)


def layer_words(category: str) -> str:
    """What a group stands for: its category, or the service itself where it holds the probes."""
    return "the service as its users reach it" if category == PROBE_ONLY else cause_words(category)


def group_words(group: GroupState) -> str:
    """How many of a group stand, and how they back each other."""
    if len(group.members) < 2:
        return ""
    standing = f"{group.standing} of {len(group.members)} up"
    rule = RULES.get(group.rule, group.rule)
    return f"{standing}; {rule}" if rule else standing


def service_percent(service: ServiceState) -> Fraction | None:
    """One service's own downtime rate, exact; none without service time, or where that is not known."""
    if service.hours is Hours.UNKNOWN:
        return None
    return Fraction(100 * service.counted_ms, service.service_time_ms) if service.service_time_ms else None


def node_words(node: NodeState) -> str:
    """The state of a node as its heartbeats tell it."""
    return {Condition.UP: "heard", Condition.PRESUMED_DOWN: "silent"}.get(node.condition, WORDS[node.condition])


def worst_first(stated: Iterable[Stated]) -> list[Stated]:
    """Worst condition first; within one condition the order of the catalogue stands."""
    return sorted(stated, key=lambda one: WORST_FIRST.index(one.condition))


def outdated(as_of: str) -> str:
    """Of a page that is not kept current at this moment."""
    return f"Not renewed since {as_of}; what you see is from then. Evidence is received meanwhile, and kept."
