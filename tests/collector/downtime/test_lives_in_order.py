"""In which order runs lived, which of them share a clock, and what the last of them said of its predecessor."""

from __future__ import annotations

import pytest

from detak_collector.downtime.facts import ALIVE, Claim, Exchange, Facts, Lost, Node, Previous, Run
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.lives import Life, lives_of
from reading_cases import BOOTED, SECOND, at, read, run, shown, span

DAY_MS = 86_400_000


def lived(*runs: Run) -> tuple[Life, ...]:
    return lives_of(Node("n", runs=runs), Facts({}, drift_ppm=0))


def ticking(name: str, first: float, last: float, **more: object) -> Run:
    return run(name, span(ALIVE, 1, "up", first, last), opened=first, **more)  # type: ignore[arg-type]


def test_a_run_that_opens_at_its_predecessor_s_last_tick_goes_on_with_its_clock() -> None:
    after = ticking("r2", 20, 40, previous=Previous("r1", "b1", 20_000, 1))
    assert [life.segment for life in lived(ticking("r1", 0, 20), after)] == ["b1", "b1"]


@pytest.mark.parametrize("told", [20_001, None], ids=["the journal tells of a later tick", "a later tick has arrived"])
def test_a_run_that_opens_before_that_was_set_back(told: int | None) -> None:
    reached = 20 if told is not None else 20.001
    previous = Previous("r1", "b1", told, 1) if told is not None else None
    found = lived(ticking("r1", 0, reached), ticking("r2", 20, 40, previous=previous))
    assert [life.segment for life in found] == ["b1", "b1/r2"]


def test_a_run_without_exchanges_follows_its_predecessor_whatever_it_claims() -> None:
    """Set back to 50 s, and then its agent began anew before it could ask a collector: its own clock was a day off."""
    exchange = Exchange(50 * SECOND, at(500), at(500), 50 * SECOND)
    restored = ticking("r2", 50, 60, exchanges=(exchange,), previous=Previous("r1", "b1", 100_000, 1))
    wrong = Claim(61 * SECOND, at(61) - DAY_MS, None)
    last = ticking("r3", 61, 70, exchanges=(), claim=wrong, previous=Previous("r2", "b1", 60_000, 1))
    found = lived(ticking("r1", 0, 100), restored, last)
    assert [(life.run.run, life.segment) for life in found] == [("r1", "b1"), ("r2", "b1/r2"), ("r3", "b1/r2")]


@pytest.mark.parametrize("by", ["exchange", "claim"])
def test_the_order_of_runs_is_that_of_utc_and_not_of_agent_time(by: str) -> None:
    def placed(name: str, agent: int, utc: int) -> Run:
        stamps = {"exchanges": (Exchange(agent, utc, utc, agent),)} if by == "exchange" else {"exchanges": ()}
        claim = Claim(agent, utc, 5)
        return ticking(name, agent / SECOND, agent / SECOND + 5, claim=claim, **stamps)

    found = lived(placed("second", 20_000, BOOTED + 50_000), placed("first", 100_000, BOOTED))
    assert [(life.run.run, life.segment) for life in found] == [("first", "b1"), ("second", "b1/second")]


def checked(name: str, first: float, last: float, **more: object) -> Run:
    spans = span(ALIVE, 1, "up", first, last), span("c", 2, "up", first, last)
    return run(name, *spans, opened=first, **more)  # type: ignore[arg-type]


def test_how_a_run_ended_is_told_by_the_one_that_followed_it() -> None:
    """The check was not seen by the run between: what counts is how that one ended."""
    between = ticking("r2", 25, 30, previous=Previous("r1", "b1", 20_000, 2))
    last = checked("r3", 60, 80, previous=Previous("r2", "b1", 30_000, 1, stopped="stop", stopped_at=30_000))
    assert "not observed: stopped" in shown(read("c", checked("r1", 0, 20), between, last, now=81))


@pytest.mark.parametrize(
    ("stopped", "back", "unseen"),
    [("reload", 23, False), ("reload", 40, True), ("stop", 23, True), ("failed", 23, True), (None, 23, True)],
)
def test_only_a_reload_within_the_check_s_reach_makes_no_gap(stopped: str | None, back: float, unseen: bool) -> None:
    previous = Previous("r1", "b1", 20_000, 2, stopped=stopped, stopped_at=20_000)
    reading = read("c", checked("r1", 0, 20), checked("r2", back, 60, previous=previous), now=61)
    assert reading.unobserved.clip(at(1), at(60)) == Intervals.span(at(20), at(back) if unseen else at(20))


def test_what_a_run_still_owes_is_asked_of_its_own_successor() -> None:
    """The first run had a third record; that a later run owes nothing does not change it."""
    second = checked("r2", 23, 40, previous=Previous("r1", "b1", 20_000, 3, stopped="reload", stopped_at=20_000))
    third = checked("r3", 43, 60, previous=Previous("r2", "b1", 40_000, 2, stopped="reload", stopped_at=40_000))
    reading = read("c", checked("r1", 0, 20), second, third, now=61)
    assert reading.unobserved.clip(at(1), at(60)) == Intervals.span(at(20), at(23))


def test_a_record_that_arrived_is_not_missed_at_a_crash() -> None:
    before = checked("r1", 0, 20, lost=(Lost(2, 2, told=True),))
    after = checked("r2", 5, 40, boot="b2", booted=BOOTED + 60_000, previous=Previous("r1", "b1", 20_000, 2))
    assert "down: rebooted" in shown(read("c", before, after, now=110))


def test_a_shutdown_of_unknown_time_is_told_as_a_crash() -> None:
    previous = Previous("r1", "b1", 20_000, 2, stopped="shutdown", stopped_at=None)
    after = checked("r2", 5, 40, boot="b2", booted=BOOTED + 60_000, previous=previous)
    reading = read("c", checked("r1", 0, 20), after, now=101)
    assert "down: rebooted" in shown(reading)
    assert reading.down.counted == Intervals.span(at(21), at(65))
