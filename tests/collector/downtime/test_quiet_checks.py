"""A check that one span calls up for all of a window is read at a glance: when that is right, and when it is not."""

from __future__ import annotations

import pytest

from detak_collector.downtime.facts import ALIVE, Contradiction, Exchange, Facts, Node, Run
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.lives import history_of
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.sampled import Window, read_sampled
from reading_cases import BOOTED, EARLY, LATE, SECOND, at, run, shown, span

MINUTE = 60 * SECOND
WHOLE = Intervals.span(at(20), at(60))


def glanced(*runs: Run, begin: int = at(20), end: int = at(60)) -> Reading:
    """The check `c` from 20 to 60 s, unless said otherwise, as it is read at 200 s."""
    facts = Facts({"n": Node("n", runs=runs, heard_utc=at(200))}, watched=Intervals.span(at(0), at(200)), drift_ppm=0)
    return read_sampled("c", history_of(facts.nodes["n"], facts), facts, Window(begin, end, at(200)))


def seen(state: str = "up", first: float = 0, last: float = 100, **more: object) -> Run:
    """A run that saw the check in one state from the first second to the last."""
    return run("r1", span(ALIVE, 1, "up", 0, 100), span("c", 2, state, first, last, message="slow"), **more)  # type: ignore[arg-type]


def test_a_check_that_one_span_calls_up_throughout_was_up_and_nothing_is_told_of_it() -> None:
    reading = glanced(seen())
    assert reading.quiet
    assert (reading.check, reading.kind, reading.remote, reading.passages) == ("n/c", "os", False, ())
    assert reading.latest is not None
    assert (reading.latest.state, reading.latest.since, reading.latest.pending_from) == ("up", at(0), None)


@pytest.mark.parametrize(
    ("begin", "doubt"), [(LATE, EMPTY), (LATE - 1, Intervals.span(at(20) + LATE - 1, at(20) + LATE))]
)
def test_what_lies_before_its_first_sample_was_over_is_possible(begin: int, doubt: Intervals) -> None:
    assert glanced(seen(first=20), begin=at(20) + begin).down.possible == doubt


@pytest.mark.parametrize(("end", "doubt"), [(0, EMPTY), (1, Intervals.span(at(60) - EARLY, at(60) - EARLY + 1))])
def test_what_lies_after_its_last_sample_began_is_possible(end: int, doubt: Intervals) -> None:
    assert glanced(seen(last=60), end=at(60) - EARLY + end).down.possible == doubt


def test_a_span_that_says_down_throughout_is_an_outage() -> None:
    reading = glanced(seen("down"))
    assert (reading.down.certain, reading.down.counted) == (WHOLE, WHOLE)
    assert shown(reading)[0] == "down"


def test_a_span_that_says_degraded_throughout_is_degraded() -> None:
    reading = glanced(seen("degraded"))
    assert (reading.degraded, reading.down.possible) == (WHOLE, EMPTY)


def test_a_second_span_after_the_window_changes_nothing_in_it() -> None:
    later = run("r1", span(ALIVE, 1, "up", 0, 100), span("c", 2, "up", 0, 80), span("c", 3, "down", 85, 100))
    assert glanced(later).quiet
    assert glanced(later, end=at(90)).down.counted == Intervals.span(at(85), at(90))


def test_a_contradiction_within_its_only_span_is_not_observed() -> None:
    doubtful = seen(contradicted=(Contradiction("c", 40 * SECOND, 40 * SECOND),))
    assert "not observed: contradicted" in shown(glanced(doubtful))
    assert glanced(doubtful).unobserved.covers(Intervals.span(at(35), at(45)))


def test_a_standstill_within_its_only_span_counts() -> None:
    stamps = [(0, BOOTED), (30, BOOTED), (35, BOOTED + MINUTE), (100, BOOTED + MINUTE)]
    exchanges = tuple(Exchange(s * SECOND, s * SECOND + theta, s * SECOND + theta, s * SECOND) for s, theta in stamps)
    reading = glanced(seen(exchanges=exchanges), end=at(120))
    assert reading.down.counted == Intervals.span(at(35), at(95))


def test_while_another_agent_spoke_as_its_node_its_only_span_is_worth_nothing() -> None:
    other = run("r2", span(ALIVE, 1, "up", 30, 50), boot="b2", opened=30)
    reading = glanced(seen(), other)
    assert reading.unobserved == Intervals.span(at(30) + LATE, at(50) - EARLY)
    assert "not observed: two agents with one identity" in shown(reading)
