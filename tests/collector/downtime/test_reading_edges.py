"""The limits in the reading table, each at its exact value and a millisecond beyond."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detak_collector.downtime.facts import ALIVE, Exchange, Facts, Node, Previous, Run
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.lives import history_of
from detak_collector.downtime.reading import SHORT_FREEZE, Passage, Reading, never_seen
from detak_collector.downtime.sampled import Window, read_sampled
from reading_cases import BEFORE, BOOTED, EARLY, LATE, SECOND, at, read, run, shown, span

REACH = 8.5
"""Seconds, of a check each 5 s with a time-out of 1 s."""
MS = 0.001
REBOOTED = BOOTED + 60_000
"""UTC at agent time 0 of the second boot."""


def two_samples(apart: float, first: str = "up", second: str = "up") -> Run:
    """Two samples of a check, ten seconds after the start, while the agent ticked without a hole."""
    checked = span("c", 2, first, 10, 10), span("c", 3, second, 10 + apart, 10 + apart)
    return run("r1", span(ALIVE, 1, "up", 0, 60), *checked)


def test_two_samples_speak_for_the_time_between_them_up_to_their_reach() -> None:
    assert not read("c", two_samples(REACH), now=25).down.possible.clip(at(11), at(18))
    beyond = read("c", two_samples(REACH + MS), now=25)
    assert "not observed: lost" in shown(beyond)
    assert beyond.unobserved.clip(at(10), at(25)) == Intervals.span(at(10), at(10 + REACH + MS))


@pytest.mark.parametrize(
    ("states", "counted", "certain"),
    [
        (("up", "up"), EMPTY, EMPTY),
        (("up", "down"), EMPTY, EMPTY),
        (("down", "up"), Intervals.span(at(10), at(15)), EMPTY),
        (("down", "down"), Intervals.span(at(10), at(15)), Intervals.span(at(10) + LATE, at(15) - EARLY)),
        (("degraded", "degraded"), EMPTY, EMPTY),
    ],
)
def test_the_time_between_two_neighbouring_samples(
    states: tuple[str, str], counted: Intervals, certain: Intervals
) -> None:
    down = read("c", two_samples(5, *states), now=16).down
    assert (down.counted.clip(at(0), at(15)), down.certain.clip(at(0), at(15))) == (counted, certain)


@pytest.mark.parametrize(
    ("hole", "why"),
    [
        ((10, 20), "not observed: starved"),
        ((0, 10), "not observed: lost"),
        ((20, 30), "not observed: lost"),
        ((0, 10 + MS), "not observed: starved"),
        ((20 - MS, 30), "not observed: starved"),
    ],
)
def test_an_agent_was_starved_if_its_own_ticks_have_a_hole_between_the_samples(
    hole: tuple[float, float], why: str
) -> None:
    ticks = span(ALIVE, 1, "up", 0, hole[0]), span(ALIVE, 2, "up", hole[1], 40)
    seen = run("r1", *ticks, span("c", 3, "up", 5, 10), span("c", 4, "up", 20, 40))
    assert why in shown(read("c", seen, now=41))


def crash(*, opened: float = 5, init_started: int = 0, **more: object) -> tuple[Run, Run]:
    """The host died after its tick at 20 s; the next boot began 60 s after the first one."""
    before = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 18), **more)  # type: ignore[arg-type]
    after = run(
        "r2", span(ALIVE, 1, "up", opened, opened + 100), span("c", 2, "up", opened + 1, opened + 100), boot="b2",
        booted=REBOOTED, opened=opened, previous=Previous("r1", "b1", 20_000, 2), init_started=init_started,
    )  # fmt: skip
    return before, after


@pytest.mark.parametrize(("watchdog_ms", "guarded"), [(10_000, 30), (15_000, 30), (15_001, 30.002), (17_000, 34)])
def test_a_guarded_agent_would_have_been_back_after_twice_its_watchdog(watchdog_ms: int, guarded: float) -> None:
    reading = read("c", *crash(watchdog_ms=watchdog_ms), now=200)
    assert reading.assumed == Intervals.span(at(20 + guarded) + LATE, at(60) - BEFORE)
    assert reading.without_watchdog().down.certain == EMPTY


@pytest.mark.parametrize(("opened", "counted_until"), [(120, 181), (120 + MS, 180)])
def test_an_agent_that_came_within_two_minutes_of_the_boot_was_not_late(opened: float, counted_until: float) -> None:
    down = read("c", *crash(opened=opened), now=400).down
    assert down.counted.clip(at(0), at(250)) == Intervals.span(at(21), at(counted_until))


@pytest.mark.parametrize(("after_tick_ms", "rebooted"), [(0, False), (1, True)])
def test_a_boot_that_began_no_later_than_the_last_tick_is_the_agent_s_own_death(
    after_tick_ms: int, rebooted: bool
) -> None:
    reading = read("c", *crash(init_started=after_tick_ms - 40_000), now=166)
    assert ("down: rebooted" in shown(reading)) == rebooted
    assert bool(reading.down.counted) == rebooted


@pytest.mark.parametrize(("since_heard", "silent"), [(15, False), (15 + MS, True)])
def test_a_node_is_silent_once_its_deadline_is_past(since_heard: float, silent: bool) -> None:
    quiet = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 18))
    reading = read("c", quiet, now=20 + since_heard, heard=20)
    assert bool(reading.down.counted) == silent


def test_silence_of_a_check_that_was_down_counts_from_its_last_bad_sample_on() -> None:
    quiet = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 10), span("c", 3, "down", 15, 18))
    assert read("c", quiet, now=60, heard=20).down.counted == Intervals.span(at(15), at(60))


def test_a_sample_after_the_last_tick_moves_what_is_presumed_no_later() -> None:
    """The host went one tick after its last, whatever a check that outlived that tick says."""
    quiet = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 18))
    assert read("c", quiet, now=60, heard=20).down.counted == Intervals.span(at(21), at(60))
    stopped = replace(quiet, stopped="shutdown", stopped_at=20_500)
    assert read("c", stopped, now=60, heard=20).down.counted == Intervals.span(at(20.5), at(60))


def test_a_single_bad_sample_is_told_for_a_millisecond_of_its_own() -> None:
    seen = span("c", 2, "up", 0, 10), span("c", 3, "down", 15, 15, message="refused"), span("c", 4, "up", 20, 60)
    reading = read("c", run("r1", span(ALIVE, 1, "up", 0, 60), *seen), now=61)
    told = [one for one in reading.passages if one.shown_as == "down"]
    assert [(one.begin, one.end, one.message) for one in told] == [(at(15), at(15) + 1, "refused")]
    assert reading.down.counted == Intervals.span(at(15), at(20))


@pytest.mark.parametrize(("state", "said"), [("down", "refused"), ("up", "")])
def test_a_gap_repeats_what_the_check_said_only_if_it_was_bad_before(state: str, said: str) -> None:
    before, after = crash()
    checked = span("c", 2, state, 0, 18, message="refused")
    reading = read("c", replace(before, spans=(before.spans[0], checked)), after, now=200)
    (reboot,) = (one for one in reading.passages if one.shown_as == "down: rebooted")
    assert reboot.message == said


def test_a_gap_rests_on_the_spans_on_both_sides_of_it() -> None:
    (reboot,) = (one for one in read("c", *crash(), now=200).passages if one.shown_as == "down: rebooted")
    assert reboot.evidence == ("r1/2", "r2/2")


def test_a_state_holds_since_its_first_span_in_a_row_of_the_same_run() -> None:
    marked = [(("started", str(number)),) for number in range(3)]
    seen = (
        span("c", 2, "down", 0, 5),
        span("c", 3, "up", 10, 20, marks=marked[0]),
        span("c", 4, "up", 25, 30, marks=marked[1]),
        span("c", 5, "up", 35, 60, marks=marked[2]),
    )
    latest = read("c", run("r1", span(ALIVE, 1, "up", 0, 60), *seen), now=61).latest
    assert latest is not None
    assert (latest.state, latest.since) == ("up", at(10))
    after = read("c", *crash(), now=166).latest
    assert after is not None
    assert after.since == at(66), "a new run begins anew"


def test_a_passage_touches_what_shares_a_millisecond_with_it() -> None:
    passage = Passage(10, 20, "down")
    touched = [passage.touches(*edges) for edges in ((0, 10), (0, 11), (19, 30), (20, 30))]
    assert touched == [False, True, True, False]


def test_only_a_short_freeze_is_spared_and_only_a_check_without_evidence_never_reported() -> None:
    frozen, down = (Reading("n/c", passages=(Passage(0, 1, shown_as),)) for shown_as in (SHORT_FREEZE, "down"))
    assert (frozen.spared, down.spared) == (True, False)
    assert (never_seen("n/c", 0, 1).never, down.never) == (True, False)


@pytest.mark.parametrize(("apart", "possible"), [(1.5, False), (1.501, True)])
def test_two_ticks_speak_for_the_time_between_them_up_to_one_and_a_half_ticks(apart: float, possible: bool) -> None:
    ticks = span(ALIVE, 1, "up", 0, 20), span(ALIVE, 2, "up", 20 + apart, 40)
    assert bool(read(ALIVE, run("r1", *ticks), now=41).down.possible.clip(at(1), at(39))) == possible


def exchanges(*stamps: tuple[int, int]) -> tuple[Exchange, ...]:
    """Exchanges given as (second of agent time, seconds by which UTC was ahead of the boot's)."""
    return tuple(
        Exchange(agent * SECOND, at(agent + ahead), at(agent + ahead), agent * SECOND) for agent, ahead in stamps
    )


@pytest.mark.parametrize(
    ("stepped", "frozen"),
    [(at(20) - 150, False), (at(20) - 151, True), (at(85) + 50, False), (at(85) + 51, True), (at(50), False)],
)
def test_a_step_of_the_collector_s_utc_explains_a_freeze_around_it_and_no_other(stepped: int, frozen: bool) -> None:
    """The guest stood still for a minute, somewhere between 20 s and 25 s of its own time."""
    stood = run(
        "r1", span(ALIVE, 1, "up", 0, 40), span("c", 2, "up", 0, 40),
        exchanges=exchanges((0, 0), (20, 0), (25, 60), (40, 60)),
    )  # fmt: skip
    node = Node("n", runs=(stood,), heard_utc=at(101))
    facts = Facts({"n": node}, watched=Intervals.span(at(0), at(101)), stepped_utc=(stepped,), drift_ppm=0)
    reading = read_sampled("c", history_of(node, facts), facts, Window(at(0), at(101), at(101)))
    assert ("down: frozen" in shown(reading)) == frozen


def test_a_collector_whose_utc_was_off_takes_nothing_from_what_was_seen_of_other_hosts() -> None:
    off = exchanges((0, 0), (10, 0), (15, 5), (25, 0))
    seen = run("r1", span(ALIVE, 1, "up", 0, 40), span("r", 2, "up", 0, 40), exchanges=off)
    reading = read("r", seen, now=41)
    assert reading.unobserved.clip(at(1), at(40)) == EMPTY
    assert reading.down.possible.clip(at(11), at(14)) == Intervals.span(at(11), at(14)), "it may hide a freeze"
