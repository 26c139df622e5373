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
from detak_collector.report.wording import SHOWN
from detak_collector.translation.language import Language, mark
from detak_collector.web.present import ENGLISH, format_duration_ms

WORST_FIRST = (Condition.DOWN, Condition.PRESUMED_DOWN, Condition.DEGRADED, Condition.UNOBSERVED, Condition.UP)
BROKEN = (Condition.DOWN, Condition.PRESUMED_DOWN)

WORDS = {
    Condition.UP: mark("up"),
    Condition.DEGRADED: mark("degraded"),
    Condition.UNOBSERVED: mark("not observed"),
    Condition.PRESUMED_DOWN: mark("presumed down"),
    Condition.DOWN: mark("down"),
}
HOURS = {
    Hours.WITHIN: mark("within service hours"),
    Hours.OUTSIDE: mark("outside service hours"),
    Hours.UNKNOWN: mark("service hours not known"),
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
    "power": mark("power"),
    "network": mark("network"),
    "device": mark("main device"),
    "server": mark("server"),
    "database": mark("database"),
    "application": mark("application"),
    "office-network": mark("user-office network"),
    "provider-network": mark("provider network"),
    "probe only": mark("probe only"),
    "declared": mark("declared"),
}
PROBE_ONLY = "probe only"
RULES = {
    "lowest_member": mark("the member with the least downtime counts"),
    "all_down": mark("down only while all are down"),
    "any_down": mark("down while any is down"),
    "k_of_n": mark("down while fewer than required are up"),
}

Stated = TypeVar("Stated", ServiceState, NodeState)


@dataclass(frozen=True, slots=True)
class Headline:
    """One sentence on everything, how serious it is, and since when (the earliest of what is broken)."""

    condition: Condition
    text: str
    since: int | None = None


def headline(board: Board, spoken: Language = ENGLISH) -> Headline:
    """What somebody who reads one line should know."""
    services = board.services
    if not services:
        return Headline(Condition.UNOBSERVED, spoken.say("No services yet"))
    broken = [service for service in services if service.condition in BROKEN]
    if not broken:
        return _unbroken(services, spoken)
    due = [service for service in broken if service.hours is not Hours.OUTSIDE]
    if due:
        return _broken(due, len(services), spoken)
    told = _broken(broken, len(services), spoken)
    return replace(told, text=spoken.say("Outside service hours: {told}", told=told.text))


def _broken(broken: Sequence[ServiceState], total: int, spoken: Language) -> Headline:
    since = min((service.since for service in broken if service.since is not None), default=None)
    worst = worst_first(broken)[0].condition
    if len(broken) == 1:
        return Headline(worst, _one(broken[0], spoken), since)
    down = sum(service.condition is Condition.DOWN for service in broken)
    presumed, all_ = len(broken) - down, spoken.whole(total)
    if not down or not presumed:
        state, number = spoken.say(WORDS[worst]), spoken.whole(len(broken))
        return Headline(
            worst, spoken.say("{number} of {all} services are {state}", number=number, all=all_, state=state), since
        )
    text = spoken.count(
        "{number} of {all} services is down, {presumed} presumed down",
        "{number} of {all} services are down, {presumed} presumed down",
        down, all=all_, presumed=spoken.whole(presumed),
    )  # fmt: skip
    return Headline(worst, text, since)


def _one(service: ServiceState, spoken: Language) -> str:
    return spoken.say("{name} is {state}", name=service.name, state=spoken.say(WORDS[service.condition]))


def _unbroken(services: tuple[ServiceState, ...], spoken: Language) -> Headline:
    total = len(services)
    counts = Counter(service.condition for service in services)
    degraded, hidden, all_ = counts[Condition.DEGRADED], counts[Condition.UNOBSERVED], spoken.whole(total)
    if total == 1:
        return Headline(services[0].condition, _one(services[0], spoken))
    if hidden == total:
        return Headline(Condition.UNOBSERVED, spoken.say("None of the {all} services is observed", all=all_))
    up = spoken.whole(total - hidden)
    if hidden:
        text = spoken.say("{number} of {all} services are up", number=up, all=all_)
    else:
        text = spoken.say("All {all} services are up", all=all_)
    if degraded:
        told = spoken.count("{number} of them degraded", "{number} of them degraded", degraded)
        text = f"{text}, {told}"
    if hidden:
        told = spoken.count("{number} is not observed", "{number} are not observed", hidden)
        text = f"{text}; {told}"
    worst = Condition.DEGRADED if degraded else Condition.UNOBSERVED if hidden else Condition.UP
    return Headline(worst, text)


def window_title(board: Board, spoken: Language = ENGLISH) -> str:
    """What the browser's tab says: what is broken comes first, for it is cut at the end."""
    broken = sum(service.condition in BROKEN for service in board.services)
    organisation = board.organisation
    place = spoken.say("{organisation} status", organisation=organisation) if organisation else spoken.say("Status")
    return f"({spoken.whole(broken)} {spoken.say(WORDS[Condition.DOWN])}) {place}" if broken else place


def verdict_words(figure: FigureState, spoken: Language = ENGLISH) -> str:
    """The verdict of record and how firm it is, in plain words."""
    if figure.verdict is None:
        return spoken.say("No verdict yet: there is no service time in this period")
    if figure.is_unobserved:
        return spoken.say("Nothing was watched so far, so nothing is said of the target")
    if figure.verdict == "met":
        if figure.proof == "met":
            return spoken.say("Met so far, and proven")
        open_time = format_duration_ms(figure.possible_ms - figure.counted_ms, spoken)
        return spoken.say("Met so far; undecided: {length} not observed", length=open_time)
    if figure.proof == "missed":
        return spoken.say("Missed, and proven")
    certain = format_duration_ms(figure.certain_ms, spoken)
    return spoken.say("Missed so far; undecided: {length} of it is certain", length=certain)


def assurance(outage: OutageState, spoken: Language = ENGLISH) -> str:
    """How sure it is that the service was down."""
    if outage.certain_ms > 0:
        return spoken.say("certain for {length}", length=format_duration_ms(outage.certain_ms, spoken))
    if is_presumed(outage):
        return spoken.say("presumed: no evidence either way")
    return spoken.say("seen, not certain")


def is_presumed(outage: OutageState) -> bool:
    """Whether the outage rests on missing heartbeats alone."""
    return outage.shown_as.startswith("presumed")


def cause_words(cause: str, spoken: Language = ENGLISH) -> str:
    """A cause (a category, or `probe only`) as people call it."""
    return spoken.say(CATEGORIES[cause]) if cause in CATEGORIES else cause


def shown_words(shown_as: str, spoken: Language = ENGLISH) -> str:
    """How an outage was read, as a terminal calls it; what is no known reading stands as it is."""
    return spoken.say(shown_as) if shown_as in SHOWN else shown_as


def layer_words(category: str, spoken: Language = ENGLISH) -> str:
    """What a group stands for: its category, or the service itself where it holds the probes."""
    return spoken.say("the service as its users reach it") if category == PROBE_ONLY else cause_words(category, spoken)


def group_words(group: GroupState, spoken: Language = ENGLISH) -> str:
    """How many of a group stand, and how they back each other."""
    if len(group.members) < 2:
        return ""
    standing = spoken.say(
        "{standing} of {all} up", standing=spoken.whole(group.standing), all=spoken.whole(len(group.members))
    )
    rule = rule_words(group.rule, spoken)
    return f"{standing}; {rule}" if rule else standing


def rule_words(rule: str, spoken: Language = ENGLISH) -> str:
    """How components back each other."""
    return spoken.say(RULES[rule]) if rule in RULES else rule


def service_percent(service: ServiceState) -> Fraction | None:
    """One service's own downtime rate, exact; none without service time, or where that is not known."""
    if service.hours is Hours.UNKNOWN:
        return None
    return Fraction(100 * service.counted_ms, service.service_time_ms) if service.service_time_ms else None


def node_words(node: NodeState, spoken: Language = ENGLISH) -> str:
    """The state of a node as its heartbeats tell it."""
    heartbeat = {Condition.UP: mark("heard"), Condition.PRESUMED_DOWN: mark("silent")}
    return spoken.say(heartbeat.get(node.condition, WORDS[node.condition]))


def worst_first(stated: Iterable[Stated]) -> list[Stated]:
    """Worst condition first; within one condition the order of the catalogue stands."""
    return sorted(stated, key=lambda one: WORST_FIRST.index(one.condition))


def outdated(as_of: str, spoken: Language = ENGLISH) -> str:
    """Of a page that is not kept current at this moment."""
    return spoken.say(
        "Not renewed since {moment}; what you see is from then. Evidence is received meanwhile, and kept.", moment=as_of
    )
