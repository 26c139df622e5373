"""The time since a check's last sample: what it says of a month that is over does not depend on who is heard by now."""

from __future__ import annotations

import pytest

from detak_collector.downtime.facts import ALIVE, Run
from detak_collector.downtime.intervals import EMPTY, Intervals
from reading_cases import at, read, run, span

HOURS = 3 * 3_600


def agent(state: str, until: float, ticks: float) -> Run:
    """Its check said so until then, and the agent itself went on ticking."""
    return run("r1", span(ALIVE, 1, "up", 0, ticks), span("c", 2, state, 0, until))


@pytest.mark.parametrize("state", ["up", "down"])
def test_a_last_word_does_not_stand_for_longer_than_the_next_may_take(state: str) -> None:
    reading = read("c", agent(state, 20, 100), now=100, heard=100)
    assert reading.unobserved == Intervals.span(at(20), at(100))
    assert reading.down.counted == (EMPTY if state == "up" else Intervals.span(at(0), at(20)))


def test_the_next_word_is_due_only_while_the_collector_is_there_to_hear_it() -> None:
    returned = Intervals.of([(at(0), at(21)), (at(95), at(100))])
    reading = read("c", agent("up", 20, 20), now=100, heard=20, watched=returned)
    assert reading.unobserved == EMPTY
    assert reading.down.possible.covers(Intervals.span(at(21), at(100)))


def test_what_failed_before_the_agent_fell_silent_is_not_taken_to_have_failed_unseen() -> None:
    reading = read("c", agent("down", 20, 100), now=200, heard=100)
    assert reading.down.counted == Intervals.of([(at(0), at(20)), (at(101), at(200))])
    assert reading.unobserved == Intervals.span(at(20), at(101))


@pytest.mark.parametrize("heard", [20, HOURS - 1])
def test_old_liveness_that_arrives_late_does_not_make_a_node_heard(heard: int) -> None:
    reading = read("c", agent("up", 20, 20), now=HOURS, heard=heard)
    assert reading.down.counted == reading.presumed == Intervals.span(at(21), at(HOURS))
