"""What a node's page says: its checks, its clock, its agent, its charts, and what went wrong lately. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from detak_collector.board.node_detail import CheckDetail, NodeDetail
from detak_collector.downtime.periods import local_instant
from detak_collector.metrics import SERIES, Moment
from detak_collector.translation.language import mark
from detak_collector.web.metric_charts import HEIGHT, POINTS, WIDTH, amount, charts, plot_words
from detak_collector.web.service_page import LANE_KINDS, lane_words
from detak_collector.web.swimlanes import COLUMNS, Lane, check_lane
from detak_collector.web.telling import Telling
from detak_collector.web.windows import ZOOM_WORDS

__all__ = ["POINTS", "begin_of", "values"]

DAY_MS = 86_400_000
CHART_ZOOMS = {zoom: ZOOM_WORDS[zoom] for zoom in ("hour", "day", "week", "month", "year")}
STOPS = {"stop": mark("stopped by an operator"), "reload": mark("restarting after a reload")}
_BEGIN = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)")


def begin_of(name: str, zone: ZoneInfo) -> int | None:
    """The instant by which an outage without a number is called (`20261124T021405`), UTC ms; None for no such time."""
    form = _BEGIN.fullmatch(name)
    if form is None:
        return None
    year, month, day, hour, minute, second = map(int, form.groups())
    try:
        return local_instant(datetime(year, month, day, hour, minute, second), zone)  # noqa: DTZ001 - a wall clock's
    except (ValueError, OverflowError):
        return None


def values(
    detail: NodeDetail, moments: Sequence[Moment], span: tuple[int, int], zoom: str, tell: Telling
) -> dict[str, object]:
    """What the template needs."""
    day = (detail.now - DAY_MS, detail.now)
    lanes = {one.name: check_lane(one.name, one.reading, day, detail.now) for one in detail.checks}
    say = tell.language.say

    def lane(check: CheckDetail) -> Lane:
        return lanes[check.name]

    return {
        "node": detail.state,
        "row": detail.row,
        "condition": detail.state.condition,
        "checks": detail.checks,
        "lane_of": lane,
        "lane_words": lambda one: lane_words(one, tell),
        "lane_kinds": {kind: say(words) for kind, words in LANE_KINDS.items()},
        "columns": COLUMNS,
        "clock": detail.clock,
        "errors": detail.errors,
        "backlog": _latest(moments, "journal_bytes", tell),
        "memory": _latest(moments, "agent_memory_bytes", tell),
        "stopped": _stopped(detail.row.stopped or "", tell),
        "conflicts": tell.whole(detail.row.conflicts) if detail.row.conflicts else "",
        "charts": charts(moments, *span, tell.language),
        "plot_words": plot_words(tell.language, tell.zone),
        "chart_width": WIDTH,
        "chart_height": HEIGHT,
        "zooms": [(one, say(words)) for one, words in CHART_ZOOMS.items()],
        "zoom": zoom,
        "since_words": tell.stamp(span[0]),
        "title": detail.state.name,
    }


def _stopped(reason: str, tell: Telling) -> str:
    return tell.language.say(STOPS[reason]) if reason in STOPS else reason


def _latest(moments: Sequence[Moment], name: str, tell: Telling) -> str:
    """The last that was said of one series of the machine; empty where nothing was."""
    place = next(at for at, one in enumerate(SERIES) if one.name == name)
    for moment in reversed(moments):
        whole = moment.values.get(place, {}).get("")
        if whole is not None:
            mean = whole if isinstance(whole, int) else whole[0]
            return amount(mean / SERIES[place].parts, "B", tell.language)
    return ""
