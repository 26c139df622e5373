"""Where the days of a service and the bounds of the figure are drawn."""

import re
from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from browser.fabricated import DAY, HOUR, MINUTE, days, figure
from detak_collector.board.board import Day
from detak_collector.web.drawing import BAR, HEIGHT, PARTS, STEP, day_words, gauge, segments, strip


@st.composite
def any_day(draw: st.DrawFn) -> Day:
    elapsed = draw(st.integers(1, DAY))
    parts, left = [], elapsed
    for _ in range(4):
        parts.append(draw(st.just(0) | st.integers(0, left)))
        left -= parts[-1]
    return Day("2026-11-24", elapsed, *parts)


@given(any_day())
def test_a_days_bar_is_filled_exactly_and_shows_every_part_that_is_there(day: Day) -> None:
    drawn = segments(day)
    assert sum(piece.height for piece in drawn) == HEIGHT
    assert all(piece.height > 0 for piece in drawn)
    assert min(piece.top for piece in drawn) == 0
    shown = {piece.kind for piece in drawn}
    assert {part.kind for part in PARTS if part.of(day)} == shown - {"up"}


@given(any_day(), any_day())
def test_more_downtime_never_draws_a_lower_bar(one: Day, other: Day) -> None:
    def height(day: Day) -> int:
        alone = replace(day, excluded_ms=0, unobserved_ms=0, degraded_ms=0, elapsed_ms=DAY)
        return sum(piece.height for piece in segments(alone) if piece.kind == "counted")

    less, more = sorted((one, other), key=lambda day: day.counted_ms)
    assert height(less) <= height(more)


def test_quiet_days_are_one_mark_and_eventful_days_stand_alone() -> None:
    drawn = strip(days(counted_ms={34: 18 * MINUTE}))
    assert [mark.kind for mark in drawn.marks] == ["up", "mixed", "up"]
    assert drawn.marks[1].text == "18 min 00 s counted as downtime"
    assert drawn.marks[1].days == "Wed 21 Oct 2026"
    assert [mark.date for mark in drawn.eventful] == ["2026-10-21"]
    assert drawn.marks[2].days == "Thu 22 Oct 2026 \N{EN DASH} Tue 24 Nov 2026"
    assert drawn.summary == "Last 90 days: 89 days up throughout, 18 min 00 s counted as downtime on 1 day"


def test_every_day_has_its_own_place_and_today_is_at_the_right_edge() -> None:
    drawn = strip(days(number=5, counted_ms={2: MINUTE}))
    places = [int(left) for mark in drawn.marks for left in re.findall(r"M(\d+) ", mark.path) or [mark.left]]
    assert places == [85 * STEP, 86 * STEP, 87 * STEP, 88 * STEP, 89 * STEP]
    assert places[-1] + BAR == 90 * STEP - (STEP - BAR)


def test_only_the_last_ninety_days_are_drawn() -> None:
    assert strip(days(number=400)).summary == "Last 90 days: 90 days up throughout"


def test_days_before_the_first_evidence_are_told_apart_from_days_not_observed() -> None:
    drawn = strip(days(evidence_from=80, unobserved_ms={3: DAY}))
    assert [mark.kind for mark in drawn.marks] == ["before", "up", "mixed", "up"]
    assert drawn.marks[2].text == "1 d 0 h not observed"
    assert [piece.kind for piece in drawn.marks[2].segments] == ["unobserved"]
    assert [mark.text for mark in drawn.eventful] == ["1 d 0 h not observed"]


def test_a_closed_day_is_neither_up_nor_before_the_evidence() -> None:
    shown = list(days(number=3))
    shown[1] = Day(shown[1].date, 0, 0, 0, 0, 0)
    drawn = strip(tuple(shown))
    assert [(mark.kind, mark.text) for mark in drawn.marks[1:2]] == [("closed", "outside the service's hours")]
    assert drawn.summary == "Last 3 days: 2 days up throughout"


def test_time_excluded_outside_the_service_time_is_drawn_all_the_same() -> None:
    assert [piece.kind for piece in segments(Day("2026-11-24", 0, 0, HOUR, 0, 0))] == ["excluded"]


def test_a_service_without_any_evidence_says_so() -> None:
    assert strip(days(evidence_from=90)).summary == "Nothing observed yet"
    assert strip(()).summary == "Nothing observed yet"


def test_a_days_words_name_all_its_parts() -> None:
    day = Day("2026-11-24", DAY, 12 * MINUTE, HOUR, 3 * HOUR, 1)
    told = "12 min 00 s counted as downtime, 1 h 00 min excluded, under 1 s degraded, 3 h 00 min not observed"
    assert day_words(day) == told
    assert day_words(Day("2026-11-24", DAY, 0, 0, 0, 0)) == "up throughout"


def test_the_target_stays_in_sight_however_much_is_possible() -> None:
    near = gauge(figure(36 * MINUTE, 34 * MINUTE, 82 * MINUTE, services=2))
    assert (near.target, near.beyond) == ("62.50%", False)
    far = gauge(figure(0, 0, 300 * DAY))
    assert (far.target, far.possible, far.beyond) == ("25.00%", "100.00%", True)


def test_a_gauge_without_service_time_or_target_is_still_drawn() -> None:
    assert gauge(figure(0, 0, 0, services=0)).counted == "0.00%"
    assert gauge(replace(figure(0, 0, 0), target_percent=Fraction(0))).target == "0.00%"


@given(st.lists(st.integers(0, 300 * DAY), min_size=3, max_size=3).map(sorted))
def test_the_bounds_are_drawn_nested(lengths: list[int]) -> None:
    certain, counted, possible = lengths
    drawn = gauge(figure(counted, certain, possible))
    places = [float(place.rstrip("%")) for place in (drawn.certain, drawn.counted, drawn.possible)]
    assert places == sorted(places)
    assert places[-1] <= 100
