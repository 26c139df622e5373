"""What a service's page and an outage's page say: states, lanes, a list, and why each second counts or not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detak_collector.board.board import Board, Condition, GroupState, ServiceState
from detak_collector.downtime.derive import Result
from detak_collector.downtime.explain import COUNTED, Explained, Piece
from detak_collector.downtime.outages import LAYERS, PROBE_ONLY
from detak_collector.downtime.reading import Passage
from detak_collector.report.wording import scope_words
from detak_collector.translation.language import mark
from detak_collector.web.drawing import HEIGHT, PARTS, PLAIN, STRIP_DAYS, segments
from detak_collector.web.outage_rows import EXCLUDED, NOT, PARTLY, Listed, listed
from detak_collector.web.sheet import Filter, query
from detak_collector.web.swimlanes import COLUMNS, Lane
from detak_collector.web.telling import Telling
from detak_collector.web.windows import ZOOM_WORDS, ZOOMS, Window, around
from detak_collector.web.wording import service_percent

STEP, BAR = 4, 3
DAY_PARTS = {
    "counted": mark("counted as downtime"),
    "excluded": mark("excluded"),
    "degraded": mark("degraded"),
    "unobserved": mark("not observed"),
}
PLAIN_DAYS = {
    "up": mark("up throughout"), "before": mark("before the first evidence"), "closed": mark("outside service hours"),
}  # fmt: skip
LANE_KINDS = {
    "up": mark("up"),
    "down": mark("down"),
    "presumed": mark("presumed down"),
    "excluded": mark("excluded"),
    "degraded": mark("degraded"),
    "unobserved": mark("not observed"),
    "closed": mark("outside service hours"),
    "ahead": mark("still to come"),
}
RULES = {
    "ha": mark("high availability"),
    "lowest_member": mark("the member with the least downtime counts"),
    "all_down": mark("down only while all are down"),
    "any_down": mark("down while any is down"),
    "k_of_n": mark("down while fewer than required are up"),
}
FATES = {COUNTED: mark("counted")}
MOST_EVIDENCE = 40
"""Of one piece so many passages are written out; a check that flaps has thousands."""


@dataclass(frozen=True, slots=True)
class DayMark:
    """One of the last days (`date` by ISO): its pieces as (kind, top, height), and in words what happened on it."""

    left: int
    kind: str
    pieces: tuple[tuple[str, int, int], ...]
    label: str
    words: str
    date: str


def days(service: ServiceState, tell: Telling) -> tuple[DayMark, ...]:
    """At most the last 90, the last one at the right edge."""
    shown = service.days[-STRIP_DAYS:]
    found: list[DayMark] = []
    seen = False
    for place, day in enumerate(shown, STRIP_DAYS - len(shown)):
        lengths = [(part.kind, part.of(day)) for part in PARTS if part.of(day) > 0]
        is_blank = day.unobserved_ms >= day.elapsed_ms and not seen
        seen = seen or not is_blank
        label = tell.day(day.date)
        if is_blank or not lengths:
            kind = ("before" if day.elapsed_ms else "closed") if is_blank else "up" if day.elapsed_ms else "closed"
            assert kind in PLAIN
            calm = tell.language.say(PLAIN_DAYS[kind])
            found.append(DayMark(place * STEP, kind, ((kind, 0, HEIGHT),), label, calm, day.date))
            continue
        words = ", ".join(f"{tell.length(length)} {tell.language.say(DAY_PARTS[kind])}" for kind, length in lengths)
        drawn = tuple((one.kind, one.top, one.height) for one in segments(day))
        found.append(DayMark(place * STEP, "mixed", drawn, label, words, day.date))
    return tuple(found)


def layer_words(category: str, tell: Telling) -> str:
    """What a group stands for."""
    return tell.language.say("the service as its users reach it") if category == PROBE_ONLY else tell.cause(category)


def rule_words(rule: str, tell: Telling) -> str:
    """How members back each other."""
    return tell.language.say(RULES[rule]) if rule in RULES else rule


def group_words(group: GroupState, tell: Telling) -> str:
    """How many of a group stand, and by which rule."""
    if len(group.members) < 2:
        return ""
    told = tell.language.say(
        "{standing} of {all} up", standing=tell.whole(group.standing), all=tell.whole(len(group.members))
    )
    return f"{told}; {rule_words(group.rule, tell)}" if group.rule else told


def lane_words(lane: Lane, tell: Telling) -> str:
    """What a lane shows, for who cannot see it."""
    counts = {kind: lane.told(kind) for kind in LANE_KINDS if kind not in {"up", "ahead"}}
    kinds = {kind: tell.language.say(words) for kind, words in LANE_KINDS.items()}
    told = [f"{kinds[kind]} {number}x" for kind, number in counts.items() if number]
    calm = tell.language.say("up throughout")
    return f"{lane.label}: {', '.join(told) or calm}"


def timeline(window: Window, lanes: tuple[Lane, ...], tell: Telling) -> dict[str, object]:
    """What the template of a timeline needs."""
    say = tell.language.say
    return {
        "window": window,
        "lanes": lanes,
        "columns": COLUMNS,
        "ticks": window.ticks(tell.language, tell.zone),
        "zooms": [(zoom, say(ZOOM_WORDS[zoom])) for zoom in ZOOMS],
        "lane_kinds": {kind: say(words) for kind, words in LANE_KINDS.items()},
        "lane_words": lambda lane: lane_words(lane, tell),
        "has_more": window.end <= tell.now,
    }


def outage_list(
    result: Result, wanted: Filter, names: Mapping[str, str], tell: Telling, **more: str
) -> dict[str, object]:
    """What the template of a list of outages needs. `more` belongs into each link beside the filter."""
    found: Listed = listed(result, wanted, names)
    say = tell.language.say
    reasons = {PARTLY: say("partly or wholly not counted"), NOT: say("wholly counted")}
    return {
        "listed": found,
        "wanted": wanted,
        "total_words": tell.language.count("{number} outage", "{number} outages", found.total),
        "page_words": say("Page {page} of {pages}", page=tell.whole(found.page), pages=tell.whole(found.pages)),
        "causes_known": [(cause, tell.cause(cause)) for cause in LAYERS],
        "excluded_known": [(one, reasons.get(one) or tell.reason(one)) for one in EXCLUDED],
        "to_page": lambda page: query(Filter(wanted.service, wanted.cause, wanted.excluded, page), **more) or "?",
    }


def service_values(board: Board, tell: Telling) -> dict[str, object]:
    """What is known of the one service of a board, as of now."""
    (service,) = board.services
    return {
        "service": service,
        "condition": service.condition,
        "days": days(service, tell),
        "strip_width": STRIP_DAYS * STEP - (STEP - BAR),
        "strip_height": HEIGHT,
        "bar": BAR,
        "layer_words": lambda category: layer_words(category, tell),
        "group_words": lambda group: group_words(group, tell),
        "percent": service_percent(service),
        "is_down": service.condition in {Condition.DOWN, Condition.PRESUMED_DOWN},
        "title": service.name,
    }


def outage_values(explained: Explained, result: Result, name: str, tell: Telling) -> dict[str, object]:
    """What is said of one outage, piece by piece."""
    outage, number = explained.outage, result.numbers.get(explained.outage.key)
    say = tell.language.say
    title = say("Outage {number}", number=str(number)) if number is not None else say("Outage without a number so far")
    return {
        "outage": outage,
        "shown_in": around(outage.begin, outage.end, tell.zone),
        "number": number,
        "name": name,
        "pieces": explained.pieces,
        "not_counted_ms": outage.end - outage.begin - outage.counted_ms,
        "drills": result.drills or (),
        "fate": lambda piece: fate_words(piece, tell),
        "rule_words": lambda rule: rule_words(rule, tell),
        "scope_words": lambda one: scope_words(one.scope_kind, one.scope, tell.language),
        "evidence": evidence,
        "title": title,
    }


def fate_words(piece: Piece, tell: Telling) -> str:
    """Whether a piece is counted, or why it is not."""
    if piece.fate == COUNTED:
        return tell.language.say(FATES[COUNTED])
    return tell.language.say("not counted: {reason}", reason=tell.reason(piece.fate))


def evidence(piece: Piece) -> tuple[tuple[tuple[str, Passage], ...], int]:
    """The passages that are written out, and how many more there are."""
    return piece.evidence[:MOST_EVIDENCE], max(0, len(piece.evidence) - MOST_EVIDENCE)
