"""What a record that is missing, and one that contradicts itself, make of the time around it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detak_collector.downtime.facts import ALIVE, Contradiction, Lost, Previous, Run
from detak_collector.downtime.intervals import EMPTY, Intervals
from reading_cases import EARLY, LATE, SECOND, at, read, run, shown, span

ALIVE_SPAN = span(ALIVE, 1, "up", 0, 60)
TOLD = Lost(3, 3, told=True)
NOT_TOLD = Lost(3, 3)
UNKNOWN = Intervals.span(at(20) - EARLY, at(25) + LATE)
"""What is possible between a sample at 20 s and one at 25 s if the one says nothing of the time up to the other."""


def two(before: str, after: str, *lost: Lost, until: float = 60) -> Run:
    """A check seen up to 20 s, and from 25 s on under number 4."""
    return run("r1", ALIVE_SPAN, span("c", 2, before, 0, 20), span("c", 4, after, 25, until), complete_to=4, lost=lost)


def test_between_two_good_samples_a_lost_record_may_tell_of_an_outage() -> None:
    reading = read("c", two("up", "up", TOLD), now=61)
    assert reading.down.counted == EMPTY
    assert reading.down.possible.clip(at(1), at(59)) == UNKNOWN
    assert reading.unobserved.clip(at(1), at(59)) == Intervals.span(at(20), at(25))
    assert "not observed: lost" in shown(reading)


def test_nothing_missing_means_nothing_possible() -> None:
    assert read("c", two("up", "up"), now=61).down.possible.clip(at(1), at(59)) == EMPTY


def test_a_record_that_is_merely_missing_is_late_until_the_deadline_and_lost_after_it() -> None:
    late = read("c", two("up", "up", NOT_TOLD, until=40), now=40)
    assert late.down.possible.clip(at(1), at(39)) == UNKNOWN
    assert late.unobserved.clip(at(1), at(40)) == EMPTY
    assert "not observed: lost" not in shown(late)
    lost = read("c", two("up", "up", NOT_TOLD, until=40), now=40.001)
    assert lost.down.possible.clip(at(1), at(39)) == UNKNOWN
    assert lost.unobserved.clip(at(1), at(40)) == Intervals.span(at(20), at(25))


@pytest.mark.parametrize("lost", [TOLD, NOT_TOLD])
def test_a_loss_between_two_bad_samples_is_counted_and_never_certain(lost: Lost) -> None:
    for now in (61, 30):
        reading = read("c", two("down", "down", lost, until=30), now=now)
        assert reading.down.counted.clip(at(0), at(30)) == Intervals.span(at(0), at(30))
        assert reading.down.certain == Intervals.of([(at(0) + LATE, at(20) - EARLY), (at(25) + LATE, at(30) - EARLY)])


def test_what_is_late_lets_a_failure_end_where_the_next_good_sample_is() -> None:
    reading = read("c", two("down", "up", NOT_TOLD, until=30), now=30)
    assert reading.down.counted == Intervals.span(at(0), at(25))
    told = two("down", "up", NOT_TOLD, until=30)
    *before, good = told.spans
    waited = replace(told, spans=(*before, replace(good, first_end=28_000)))
    assert read("c", waited, now=30).down.counted == Intervals.span(at(0), at(27)), "as where nothing is late"


@pytest.mark.parametrize(
    ("lost", "matters"),
    [
        (Lost(3, 3, after=25_000, before=30_000, told=True), True),
        (Lost(3, 3, after=25_001, before=30_000, told=True), False),
        (Lost(3, 3, after=0, before=20_000, told=True), True),
        (Lost(3, 3, after=0, before=19_999, told=True), False),
        (Lost(1, 3, told=True), True),
        (Lost(3, 9, told=True), True),
        (Lost(2, 2, told=True), False),
        (Lost(4, 4, told=True), False),
    ],
)
def test_only_what_can_have_begun_between_the_two_samples_matters(lost: Lost, matters: bool) -> None:
    assert bool(read("c", two("up", "up", lost), now=61).down.possible.clip(at(1), at(59))) == matters


def test_joined_spans_are_told_from_their_last_record_on() -> None:
    one = run(
        "r1", ALIVE_SPAN, span("c", 2, "up", 0, 20, through=3), span("c", 4, "up", 25, 60), complete_to=4, lost=(TOLD,)
    )
    assert read("c", one, now=61).down.possible.clip(at(1), at(59)) == EMPTY


def test_the_agents_own_ticks_can_only_have_said_up() -> None:
    ticks = span(ALIVE, 1, "up", 0, 20), span(ALIVE, 4, "up", 21, 60)
    reading = read(ALIVE, run("r1", *ticks, complete_to=4, lost=(TOLD,)), now=61)
    assert reading.down.possible.clip(at(1), at(59)) == EMPTY


def _reloaded(*, told: int, lost: tuple[Lost, ...] = (), after_lost: tuple[Lost, ...] = ()) -> tuple[Run, Run]:
    previous = Previous("r1", "b1", 20_000, told, stopped="reload", stopped_at=20_000)
    before = run(
        "r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 20), stopped="reload", stopped_at=20_000, lost=lost,
        complete_to=max(2, *(one.last for one in lost), 0),
    )  # fmt: skip
    after = run(
        "r2", span(ALIVE, 1, "up", 21, 60), span("c", 4, "up", 25, 60), opened=21, previous=previous, lost=after_lost
    )
    return before, after


@pytest.mark.parametrize(
    ("runs", "matters"),
    [
        (_reloaded(told=2), False),
        (_reloaded(told=3), True),
        (_reloaded(told=3, lost=(Lost(3, 3, after=0),)), True),
        (_reloaded(told=2, after_lost=(Lost(2, 3),)), True),
        (_reloaded(told=2, after_lost=(Lost(5, 5),)), False),
    ],
)
def test_a_reload_makes_no_gap_if_the_end_of_the_one_run_and_the_begin_of_the_other_are_there(
    runs: tuple[Run, Run],
    matters: bool,
) -> None:
    assert bool(read("c", *runs, now=61).down.possible.clip(at(1), at(59))) == matters


@pytest.mark.parametrize(
    ("lost", "reads_as"),
    [
        ((), "down: rebooted"),
        ((Lost(3, 3, after=1_000, before=17_999, told=True),), "down: rebooted"),
        ((Lost(3, 3, after=1_000, before=18_000, told=True),), "presumed down: missing heartbeats"),
        ((Lost(3, 3),), "presumed down: missing heartbeats"),
    ],
)
def test_a_crash_needs_all_evidence_since_the_last_sample_and_none_from_before_it(
    lost: tuple[Lost, ...], reads_as: str
) -> None:
    ticks = span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 18)
    before = run("r1", *ticks, complete_to=4, lost=lost)
    after = run(
        "r2", span(ALIVE, 1, "up", 5, 40), span("c", 2, "up", 6, 40),
        boot="b2", booted=at(60), opened=5, previous=Previous("r1", "b1", 20_000, 4),
    )  # fmt: skip
    reading = read("c", before, after, now=101)
    assert reads_as in shown(reading)
    assert reading.down.counted == Intervals.span(at(21), at(66))
    assert bool(reading.presumed) == reads_as.startswith("presumed")


def contradicting(*ranges: Contradiction, state: str = "up") -> Run:
    return run(
        "r1", ALIVE_SPAN, span("c", 2, "up", 0, 20), span("c", 3, state, 25, 30), span("c", 4, "up", 35, 60),
        contradicted=ranges,
    )  # fmt: skip


REACH = 8_500


@pytest.mark.parametrize("state", ["up", "down"])
def test_where_a_run_contradicts_itself_nothing_is_observed_as_far_as_its_samples_would_reach(state: str) -> None:
    reading = read("c", contradicting(Contradiction("c", 25_000, 30_000), state=state), now=61)
    around = Intervals.span(at(25) - REACH - EARLY, at(30) + REACH + LATE)
    assert reading.down.counted == reading.down.certain == EMPTY
    assert reading.down.possible.clip(at(1), at(59)) == reading.unobserved.clip(at(1), at(59)) == around
    assert "not observed: contradicted" in shown(reading)


def test_a_contradiction_of_another_check_changes_nothing() -> None:
    doubted = contradicting(Contradiction("p", 25_000, 30_000), state="down")
    assert read("c", doubted, now=61) == read("c", contradicting(state="down"), now=61)


def test_a_run_whose_opening_is_contradicted_proves_nothing_at_all() -> None:
    reading = read("c", contradicting(Contradiction(None, 0, 60_000), state="down"), now=60)
    assert reading.down.counted == EMPTY
    assert reading.unobserved == reading.down.possible == Intervals.span(at(0), at(60))


@pytest.mark.parametrize("earlier", ["g1", None])
def test_another_generation_of_a_virtual_machine_in_the_same_boot_is_a_restored_snapshot(earlier: str | None) -> None:
    before = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 18), generation=earlier)
    after = run(
        "r2", span(ALIVE, 1, "up", 30, 60), span("c", 2, "up", 31, 60), opened=30, generation="g2",
        previous=Previous("r1", "b1", 20_000, 2),
    )  # fmt: skip
    reading = read("c", before, after, now=61)
    assert "down: restored" in shown(reading)
    assert reading.down.counted.clip(at(0), at(60)) == Intervals.span(at(21), at(31))


PROCESS = "process_start"


def _rebooted(started: str, first: float = 6, **more: object) -> tuple[Run, Run]:
    marks = (((PROCESS, "41:77"),), ((PROCESS, started),))
    before = run("r1", span(ALIVE, 1, "up", 0, 20), span("p", 2, "up", 0, 18, marks=marks[0]))
    settings: dict[str, object] = {"opened": 5, "previous": Previous("r1", "b1", 20_000, 2), **more}
    after = run(
        "r2", span(ALIVE, 1, "up", 5, first + 34), span("p", 2, "up", first, first + 34, marks=marks[1]),
        boot="b2", booted=at(60), **settings,  # type: ignore[arg-type]
    )  # fmt: skip
    return before, after


def test_after_a_crash_a_process_was_down_until_it_began() -> None:
    reading = read("p", *_rebooted("77:450"), now=101)
    assert reading.down.counted == Intervals.span(at(21), at(64.5))
    assert reading.down.certain == EMPTY, "another process may have run and ended before the agent looked"
    assert reading.down.possible.clip(at(1), at(99)) == Intervals.span(at(18) - EARLY, at(66) + LATE)


def test_a_process_that_began_long_after_the_boot_was_down_all_the_while_though_the_agent_came_late() -> None:
    before, after = _rebooted("77:30000", first=601, opened=600)
    reading = read("p", before, after, now=900)
    assert reading.down.counted == Intervals.span(at(21), at(360))
    assert reading.unobserved.clip(at(1), at(640)) == EMPTY


@pytest.mark.parametrize("started", ["77:700", "77", "", "77:soon"])
def test_a_mark_that_tells_no_earlier_start_leaves_it_at_the_next_sample(started: str) -> None:
    reading = read("p", *_rebooted(started), now=101)
    assert reading.down.counted == Intervals.span(at(21), at(66))
    assert reading.down.certain == EMPTY


def test_a_process_that_began_with_the_first_sample_of_a_late_agent_is_not_observed_before_it() -> None:
    before, after = _rebooted("77:60100", first=601, opened=600)
    reading = read("p", before, after, now=900)
    assert reading.down.counted == Intervals.span(at(21), at(180))
    assert reading.unobserved.clip(at(1), at(661)) == Intervals.span(at(180), at(661))


def test_the_same_holds_after_an_orderly_shutdown() -> None:
    previous = Previous("r1", "b1", 20_000, 2, stopped="shutdown", stopped_at=20_500)
    reading = read("p", *_rebooted("77:450", previous=previous), now=101)
    assert reading.down.counted == Intervals.span(at(20.5), at(64.5))


def test_the_start_of_something_else_than_a_process_is_not_read() -> None:
    before = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 18))
    after = run(
        "r2", span(ALIVE, 1, "up", 5, 40), span("c", 2, "up", 6, 40, marks=((PROCESS, "77:450"),)),
        boot="b2", booted=at(60), opened=5, previous=Previous("r1", "b1", 20_000, 2),
    )  # fmt: skip
    assert read("c", before, after, now=101).down.counted == Intervals.span(at(21), at(60) + 6 * SECOND)
