"""A machine that stood still while time went on: frozen by its host, or suspended, on a clock known to 100 ms."""

from __future__ import annotations

from detak_collector.downtime.facts import ALIVE, Exchange, Facts, Node, Previous, Run, Span
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.lives import history_of
from detak_collector.downtime.sampled import Window, read_sampled
from reading_cases import BOOTED, SECOND, at, read, run, shown, span


def frozen_run(*spans: Span, offset: int = 60 * SECOND) -> Run:
    """A guest that stood still for a minute between two exchanges, at 20 s and 25 s of its own time."""
    stamps = [(0, BOOTED), (20, BOOTED), (25, BOOTED + offset), (40, BOOTED + offset)]
    exchanges = tuple(
        Exchange(at_ * SECOND, at_ * SECOND + theta, at_ * SECOND + theta, at_ * SECOND) for at_, theta in stamps
    )
    return run("r1", *spans, exchanges=exchanges)


def test_a_guest_that_stood_still_was_down_for_as_long_though_its_own_clock_shows_no_gap() -> None:
    reading = read("c", frozen_run(span(ALIVE, 1, "up", 0, 40), span("c", 2, "up", 0, 40)), now=101)
    assert reading.down.counted == Intervals.span(at(25), at(85))
    assert Intervals.span(at(20), at(85)).covers(reading.down.counted)
    assert "down: frozen" in shown(reading)


def test_nothing_is_certain_of_a_standstill_since_a_machine_set_back_unheard_looks_the_same() -> None:
    bad = read("c", frozen_run(span(ALIVE, 1, "up", 0, 40), span("c", 2, "down", 0, 40)), now=101)
    assert bad.down.counted.covers(Intervals.span(at(0), at(100)))
    assert not bad.down.certain.clip(at(20), at(85))
    assert bad.down.certain.covers(Intervals.span(at(1), at(19)) | Intervals.span(at(86), at(99)))


def test_a_step_of_the_collectors_own_clock_is_nobodys_freeze() -> None:
    one = frozen_run(span(ALIVE, 1, "up", 0, 40), span("c", 2, "up", 0, 40))
    node = Node("n", runs=(one,), heard_utc=at(101))
    facts = Facts({"n": node}, watched=Intervals.span(at(0), at(101)), stepped_utc=(at(22),), drift_ppm=0)
    assert not read_sampled("c", history_of(node, facts), facts, Window(at(0), at(101), at(101))).down.counted


def test_a_remote_check_of_a_frozen_guest_says_nothing_of_its_target() -> None:
    up = read("r", frozen_run(span(ALIVE, 1, "up", 0, 40), span("r", 2, "up", 0, 40)), now=101)
    down = read("r", frozen_run(span(ALIVE, 1, "up", 0, 40), span("r", 2, "down", 0, 40)), now=101)
    stood_still = Intervals.span(at(20), at(85))
    for reading in (up, down):
        assert reading.unobserved.covers(stood_still)
        assert not reading.down.counted & stood_still
    assert "not observed: frozen" in shown(up)


def suspended(check: Span, after: Span, **more: object) -> tuple[Run, Run]:
    """A machine that was suspended for 8 s somewhere between 20 s and 40 s."""
    before = run("r1", span(ALIVE, 1, "up", 0, 20), check)
    return before, run(
        "r2", span(ALIVE, 1, "up", 40, 60), after, opened=40, suspended_ms=8_000,
        previous=Previous("r1", "b1", 20_000, 2, stopped="reload"), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_machine_that_was_suspended_was_down_for_as_long_at_the_end_of_the_gap() -> None:
    reading = read("c", *suspended(span("c", 2, "up", 0, 20), span("c", 2, "up", 41, 60)), now=61)
    assert reading.down.counted == Intervals.span(at(32), at(40))
    assert reading.down.possible.covers(Intervals.span(at(20), at(40)))
    assert not reading.down.certain
    assert "down: frozen" in shown(reading)


def test_a_suspended_machine_says_nothing_of_what_its_remote_checks_ask() -> None:
    up = span("r", 2, "up", 0, 20), span("r", 2, "up", 41, 60)
    reading = read("r", *suspended(*up), now=61)
    assert not reading.down.counted
    assert "not observed: frozen" in shown(reading)


def test_a_suspend_within_the_reach_of_two_samples_is_counted_too() -> None:
    before = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 20))
    after = run(
        "r2", span(ALIVE, 1, "up", 22.5, 60), span("c", 2, "up", 22.5, 60), opened=22.5, suspended_ms=1_500,
        previous=Previous("r1", "b1", 20_000, 2, stopped="reload"),
    )  # fmt: skip
    assert read("c", before, after, now=61).down.counted == Intervals.span(at(21), at(22.5))
