"""The lanes and windows of a timeline: no outage is lost in them, however short, and no lane is ever long."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.periods import to_ms
from detak_collector.translation.language import language
from detak_collector.web.swimlanes import AHEAD, COLUMNS, UP, pieces
from detak_collector.web.windows import ZOOMS, around, window

JAKARTA, BERLIN = ZoneInfo("Asia/Jakarta"), ZoneInfo("Europe/Berlin")
HOUR, DAY = 3_600_000, 86_400_000
NOW = 1_795_461_963_000
"""02:26:03 in Jakarta on 24 November 2026."""

spans = st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**7)), max_size=40)


@given(spans, spans, st.integers(1, 10**9), st.integers(1, 2 * 10**9))
def test_a_lane_covers_its_window_once_and_loses_no_outage(
    slow: list[tuple[int, int]], down: list[tuple[int, int]], end: int, now: int
) -> None:
    sets = [Intervals.of((begin, begin + length) for begin, length in one) for one in (slow, down)]
    found = pieces([("degraded", sets[0]), ("down", sets[1])], (0, end), now)
    assert found[0].left == 0
    assert sum(piece.width for piece in found) == COLUMNS
    assert len(found) <= COLUMNS
    assert all(before.left + before.width == after.left for before, after in pairwise(found))
    for begin, until in sets[1].clip(0, min(end, now)):
        kind = next(piece.kind for piece in found if piece.begin <= begin < piece.end)
        assert kind in {"down", AHEAD}, (begin, until)


def test_a_second_of_a_year_is_seen() -> None:
    found = pieces([("down", Intervals.span(100 * DAY, 100 * DAY + 1_000))], (0, 365 * DAY), 365 * DAY)
    assert [(piece.kind, piece.part) for piece in found] == [(UP, False), ("down", True), (UP, False)]


def test_what_filled_most_of_its_columns_is_told_from_what_only_touched_them() -> None:
    found = pieces([("down", Intervals.span(0, HOUR))], (0, DAY), DAY)
    assert [(piece.kind, piece.width, piece.part) for piece in found] == [
        ("down", COLUMNS // 24, False), (UP, COLUMNS * 23 // 24, False),
    ]  # fmt: skip


def test_what_is_still_to_come_is_not_up() -> None:
    found = pieces([], (0, DAY), 6 * HOUR)
    assert [(piece.kind, piece.width) for piece in found] == [(UP, COLUMNS // 4), (AHEAD, COLUMNS * 3 // 4)]


@pytest.mark.parametrize("zoom", ZOOMS)
def test_windows_of_one_kind_follow_each_other_without_a_hole(zoom: str) -> None:
    for zone in (JAKARTA, BERLIN):
        here = window(zoom, "", zone, NOW)
        assert here is not None
        assert here.begin <= NOW < here.end
        before, after = window(zoom, here.before, zone, NOW), window(zoom, here.after, zone, NOW)
        assert before is not None
        assert after is not None
        assert (before.end, after.begin) == (here.begin, here.end)


@pytest.mark.parametrize("zoom", ZOOMS)
def test_ticks_lie_within_the_window(zoom: str) -> None:
    here = window(zoom, "2026-03-29T02", BERLIN, NOW)
    assert here is not None
    places = [tick.percent for tick in here.ticks(language("id"), BERLIN)]
    assert places[0] == 0
    assert places == sorted(places)
    assert all(0 <= place < 100 for place in places)


@pytest.mark.parametrize(
    ("length", "zoom"),
    [(1, "minute"), (60_000, "minute"), (HOUR, "hour"), (DAY, "day"), (2 * DAY, "week"), (20 * DAY, "month"),
     (40 * DAY, "year")],
)  # fmt: skip
def test_what_lasted_so_long_is_looked_at_so_closely(length: int, zoom: str) -> None:
    found = around(NOW, NOW + length, JAKARTA)
    assert found == (zoom, "2026-11-24T02:26")
    here = window(*found, JAKARTA, NOW)
    assert here is not None
    assert here.begin <= NOW < here.end


def test_a_minute_shows_seconds() -> None:
    here = window("minute", "2026-11-24T02:14", JAKARTA, NOW)
    assert here is not None
    assert here.end - here.begin == 60_000
    assert [tick.label for tick in here.ticks(language("id"), JAKARTA)][:2] == ["02.14.00", "02.14.10"]


def test_a_day_on_which_clocks_are_put_forward_is_shorter() -> None:
    here = window("day", "2026-03-29", BERLIN, NOW)
    assert here is not None
    assert here.end - here.begin == 23 * HOUR


@pytest.mark.parametrize(("zoom", "at"), [("day", "2026-02-30"), ("day", "24.11.2026"), ("era", ""), ("hour", "x")])
def test_no_such_time_has_no_window(zoom: str, at: str) -> None:
    assert window(zoom, at, JAKARTA, NOW) is None


def test_the_moment_of_these_tests_is_what_it_says() -> None:
    assert to_ms(datetime(2026, 11, 24, 2, 26, 3, tzinfo=JAKARTA)) == NOW
