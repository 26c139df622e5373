"""What a check's page says: what it is, its state, what it said, where it was not up, and what rests on it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from detak_collector.board.one_check import KINDS, OneCheck, counts_by_kind, stretches
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.periods import Period
from detak_collector.downtime.reading import Passage
from detak_collector.metrics import Moment
from detak_collector.report.wording import period_words
from detak_collector.translation.language import mark
from detak_collector.web.metric_charts import HEIGHT, WIDTH, latency_chart, plot_words
from detak_collector.web.outage_rows import AT_ONCE
from detak_collector.web.service_page import layer_words, timeline
from detak_collector.web.sheet import CheckSheet, check_query
from detak_collector.web.swimlanes import check_lane
from detak_collector.web.telling import Telling
from detak_collector.web.windows import Window

KIND_WORDS = {
    "down": mark("down"), "presumed": mark("presumed down"), "degraded": mark("degraded"),
    "unobserved": mark("not observed"),
}  # fmt: skip
STATE_WORDS = {
    "up": mark("up"), "down": mark("down"), "degraded": mark("degraded"), "unknown": mark("could not run"),
}  # fmt: skip
ICONS = {"up": "up", "degraded": "degraded", "down": "down", "unknown": "not observed"}
"""The condition whose icon stands beside what a check said."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the stretches, latest first; `pages` counts all of them."""

    rows: tuple[Passage, ...]
    total: int
    page: int
    pages: int


def values(
    one: OneCheck, frame: Window, period: Period, moments: Sequence[Moment], sheet: CheckSheet, tell: Telling
) -> dict[str, object]:
    """What the template needs."""
    say, span = tell.language.say, (period.begin, period.end)
    end = max(frame.begin + 1, min(frame.end, tell.now))
    lane = check_lane(sheet.check, one.timeline, (frame.begin, frame.end), tell.now)
    found = listed(one, span, sheet.kind, sheet.page)
    counts = counts_by_kind(one.over, span)
    return {
        **timeline(frame, (lane,), tell),
        "one": one,
        "title": one.name,
        "condition": one.condition,
        "state_words": {state: say(words) for state, words in STATE_WORDS.items()},
        "icons_of": ICONS,
        "layer_words": lambda category: layer_words(category, tell),
        "chart": latency_chart(moments, sheet.check, frame.begin, end, tell.language),
        "plot_words": plot_words(tell.language, tell.zone),
        "chart_width": WIDTH,
        "chart_height": HEIGHT,
        "period": period,
        "period_words": period_words(period, tell.language),
        "listed": found,
        "total_words": tell.language.count("{number} stretch", "{number} stretches", found.total),
        "page_words": say("Page {page} of {pages}", page=tell.whole(found.page), pages=tell.whole(found.pages)),
        "kinds_known": [(kind, f"{say(KIND_WORDS[kind])} ({tell.whole(counts[kind])})") for kind in KINDS],
        "to_page": lambda page: check_query(sheet, page) or "?",
    }


def listed(one: OneCheck, span: Interval, kind: str, wanted: int) -> Listed:
    """The wanted page; the last one where there are not so many."""
    found = stretches(one.over, span, kind)
    pages = max(1, -(-len(found) // AT_ONCE))
    page = min(max(1, wanted), pages)
    return Listed(tuple(found[(page - 1) * AT_ONCE : page * AT_ONCE]), len(found), page, pages)


def asked(node: str, check: str, language: str, query: Mapping[str, str], longest: int) -> CheckSheet | None:
    """What a query string asks for; None where it asks for what there never is."""
    kind, page = query.get("kind", ""), query.get("page", "1")
    if kind not in {"", *KINDS} or not (page.isascii() and page.isdigit()):
        return None
    at, period = query.get("at", "")[:longest], query.get("period", "")[:longest]
    return CheckSheet(language, node, check, query.get("zoom", "day"), at, period, kind, int(page[:6]))
