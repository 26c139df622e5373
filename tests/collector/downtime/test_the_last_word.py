"""The time since the last sample: when it is merely due, when it is silence, and what to call it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detak_collector.downtime.facts import ALIVE, Facts, Node, Run
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.lives import lives_of
from detak_collector.downtime.tail import BACKLOG_MS, is_silent, last_heard
from reading_cases import LATE, SECOND, at, read, run, shown, span

HOUR = 3_600
REACH = 8.5
"""Seconds for which a sample of the check speaks."""
MS = 0.001


@pytest.mark.parametrize(
    ("heard", "watched", "silent"),
    [
        (85, [(0, 100)], False),
        (84, [(0, 100)], True),
        (84, [(0, 99)], False),
        (50, [(0, 65)], False),
        (50, [(0, 66)], True),
        (50, [(0, 60), (86, 200)], False),
        (50, [(0, 60), (84, 200)], True),
        (120, [(0, 200)], False),
        (None, [], True),
    ],
)
def test_a_node_is_silent_if_the_collector_listened_for_longer_than_the_deadline_and_in_one_piece(
    heard: int | None, watched: list[tuple[int, int]], silent: bool
) -> None:
    assert is_silent(heard, Facts({}, watched=Intervals.of(watched), down_after_ms=15), now=100) == silent


def test_liveness_that_arrives_an_hour_late_tells_nothing_of_now() -> None:
    assert BACKLOG_MS == HOUR * SECOND
    (final,) = lives_of(Node("n", runs=(run("r1", span(ALIVE, 1, "up", 0, 20)),)), Facts({}, drift_ppm=0))
    ticked = at(20) + LATE
    assert last_heard(at(9_000), final, ticked + BACKLOG_MS) == at(9_000)
    assert last_heard(at(9_000), final, ticked + BACKLOG_MS + 1) == ticked
    assert last_heard(None, final, ticked + BACKLOG_MS + 1) is None


def stuck(state: str = "up", until: float = 5_000) -> Run:
    """A check last sampled at 18 s, by an agent that goes on ticking."""
    return run("r1", span(ALIVE, 1, "up", 0, until), span("c", 2, state, 0, 18))


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("state", ["up", "down"])
def test_a_check_is_due_until_the_deadline_after_its_last_sample_spoke_for_no_more_time(state: str, late: bool) -> None:
    now = 18 + REACH + 15 + (MS if late else 0)
    reading = read("c", stuck(state, now), now=now)
    assert reading.latest is not None
    assert (reading.latest.pending_from is None) == late
    assert reading.unobserved.clip(at(1), at(now)) == (Intervals.span(at(18), at(now)) if late else EMPTY)
    assert ("not observed: agent" in shown(reading)) == late


@pytest.mark.parametrize("late", [False, True])
def test_while_nobody_listens_a_check_is_due_for_an_hour(late: bool) -> None:
    now = 18 + REACH + HOUR + (MS if late else 0)
    reading = read("c", stuck(until=now), now=now, watched=Intervals.span(at(0), at(20)))
    assert reading.latest is not None
    assert (reading.latest.pending_from is None) == late


def test_a_check_that_could_not_run_last_is_not_observed_for_that_reason() -> None:
    seen = run("r1", span(ALIVE, 1, "up", 0, 40), span("c", 2, "up", 0, 18), span("c", 3, "unknown", 23, 38))
    reading = read("c", seen, now=41)
    assert "not observed: check" in shown(reading)
    assert "not observed: agent" not in shown(reading)


@pytest.mark.parametrize(("state", "said"), [("down", "refused"), ("up", "")])
def test_silence_repeats_what_the_check_said_only_if_that_was_bad(state: str, said: str) -> None:
    quiet = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, state, 0, 18, message="refused"))
    reading = read("c", quiet, now=60, heard=20)
    (presumed,) = (one for one in reading.passages if one.shown_as == "presumed down: missing heartbeats")
    assert (presumed.message, presumed.evidence) == (said, ("r1/2",))


@pytest.mark.parametrize(("ticked", "counted_from"), [(18 + REACH, 18), (18 + REACH + MS, 18 + REACH + MS + 1)])
def test_a_failure_goes_on_into_silence_only_if_its_last_sample_was_no_older_than_its_reach(
    ticked: float, counted_from: float
) -> None:
    quiet = run("r1", span(ALIVE, 1, "up", 0, ticked), span("c", 2, "up", 0, 10), span("c", 3, "down", 15, 18))
    counted = read("c", quiet, now=60, heard=ticked).down.counted.clip(at(18), at(60))
    assert counted == Intervals.span(at(counted_from), at(60))


@pytest.mark.parametrize(
    ("stopped", "why"), [("stop", "not observed: stopped"), ("failed", "not observed: agent"), ("shutdown", None)]
)
def test_an_end_that_the_agent_told_is_the_reason_that_is_shown(stopped: str, why: str | None) -> None:
    quiet = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 18))
    reading = read("c", replace(quiet, stopped=stopped, stopped_at=20_500), now=60, heard=20)
    assert (why or "down: shut down") in shown(reading)
    assert bool(reading.down.counted) == (why is None)
