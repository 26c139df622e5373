"""Each row of the reading table by example, on a clock that is known to within its 100 ms allowance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from detak_collector.downtime.catalogue import Catalogue, Dated, NodeEntry
from detak_collector.downtime.derive import Case, derive
from detak_collector.downtime.evidence import read_all
from detak_collector.downtime.facts import ALIVE, Exchange, Facts, Node, Previous, Run, Settings
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.periods import Period
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.tail import Beside
from downtime_cases import UTC, group, service
from reading_cases import BEFORE, BOOTED, EARLY, LATE, SECOND, at, read, run, shown, span


def test_a_failure_is_counted_from_its_first_bad_sample_to_the_next_good_one() -> None:
    reading = read(
        "c",
        run(
            "r1",
            span(ALIVE, 1, "up", 0, 60),
            span("c", 2, "up", 0, 20),
            span("c", 3, "down", 25, 35),
            span("c", 4, "up", 40, 60),
        ),
        now=61,
    )
    assert reading.down.counted == Intervals.span(at(25), at(40))
    assert reading.down.certain == Intervals.span(at(25) + LATE, at(35) - EARLY)
    assert reading.down.possible.clip(at(0.2), at(59)) == Intervals.span(at(20) - EARLY, at(40) + LATE)


@pytest.mark.parametrize(("took", "until"), [(0.9, 40.0), (1.5, 40.5), (4.0, 43.0)])
def test_a_failure_is_counted_until_a_second_before_the_end_of_a_good_sample_that_waited(
    took: float, until: float
) -> None:
    waited = replace(span("c", 4, "degraded", 40, 60), first_end=round((40 + took) * SECOND))
    reading = read(
        "c",
        run("r1", span(ALIVE, 1, "up", 0, 60), span("c", 2, "up", 0, 20), span("c", 3, "down", 25, 35), waited),
        now=61,
    )
    assert reading.down.counted == Intervals.span(at(25), at(until))
    assert reading.down.possible.clip(at(0.2), at(59)) == Intervals.span(at(20) - EARLY, at(40 + took) + LATE)


def test_a_bad_sample_that_took_long_ends_no_failure_and_begins_one_where_it_began() -> None:
    stuck = [replace(span("c", number, "down", at_s, at_s), first_end=(at_s + 4) * SECOND, last_end=(at_s + 4) * SECOND)
             for number, at_s in ((3, 25), (4, 30))]  # fmt: skip
    reading = read(
        "c",
        run("r1", span(ALIVE, 1, "up", 0, 60), span("c", 2, "up", 0, 20), *stuck, span("c", 5, "up", 35, 60)),
        now=61,
    )
    assert reading.down.counted == Intervals.span(at(25), at(35))


def test_a_changed_mark_between_two_good_samples_is_possible_time_only() -> None:
    marks = (("started", "1"),), (("started", "2"),)
    reading = read(
        "c",
        run(
            "r1",
            span(ALIVE, 1, "up", 0, 30),
            span("c", 2, "up", 0, 10, marks=marks[0]),
            span("c", 3, "up", 15, 30, marks=marks[1]),
        ),
        now=31,
    )
    assert not reading.down.counted
    assert at(12) in reading.down.possible
    assert "possibly restarted between samples" in shown(reading)


def test_an_agent_that_died_and_came_back_in_the_same_boot_saw_nothing_meanwhile() -> None:
    before = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 20))
    after = run(
        "r2",
        span(ALIVE, 1, "up", 80, 100),
        span("c", 2, "up", 80, 100),
        opened=80,
        previous=Previous("r1", "b1", 20_000, 2),
    )
    reading = read("c", before, after, now=101)
    assert not reading.down.counted
    assert reading.unobserved.clip(at(1), at(100)) == Intervals.span(at(20), at(80))
    assert "not observed: agent" in shown(reading)
    alive = read(ALIVE, before, after, now=100)
    assert not alive.down.possible.clip(at(1), at(99))


def test_a_gap_of_the_agents_own_making_does_not_end_a_failure() -> None:
    before = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "down", 5, 20))
    after = run(
        "r2",
        span(ALIVE, 1, "up", 80, 100),
        span("c", 2, "down", 80, 90),
        span("c", 3, "up", 95, 100),
        opened=80,
        previous=Previous("r1", "b1", 20_000, 2),
    )
    reading = read("c", before, after, now=101)
    assert reading.down.counted == Intervals.span(at(5), at(95))
    assert not reading.down.certain & Intervals.span(at(20), at(80))


@pytest.mark.parametrize(("kind", "is_ruled_out"), [("systemd", True), ("process", False), ("tcp", False)])
def test_an_unchanged_mark_rules_an_outage_out_while_the_agent_was_away_if_to_run_is_all_that_is_asked(
    kind: str, *, is_ruled_out: bool
) -> None:
    marks, checks = (("started", "7"),), (Settings("p", kind, 5_000, 1_000),)
    before = run("r1", span(ALIVE, 1, "up", 0, 20), span("p", 2, "up", 0, 20, marks=marks), checks=checks)
    after = run(
        "r2",
        span(ALIVE, 1, "up", 80, 100),
        span("p", 2, "up", 80, 100, marks=marks),
        opened=80,
        checks=checks,
        previous=Previous("r1", "b1", 20_000, 2),
    )
    possible = read("p", before, after, now=100).down.possible.clip(at(1), at(99))
    assert possible.covers(Intervals.span(at(20), at(80))) != is_ruled_out
    assert bool(possible) != is_ruled_out


REBOOTED = BOOTED + 60 * SECOND


def test_a_machine_that_was_suspended_while_its_agent_was_away_did_not_run_throughout() -> None:
    marks = (("started", "7"),)
    before = run("r1", span(ALIVE, 1, "up", 0, 20), span("p", 2, "up", 0, 20, marks=marks))
    after = run(
        "r2", span(ALIVE, 1, "up", 40, 60), span("p", 2, "up", 41, 60, marks=marks), opened=40,
        previous=Previous("r1", "b1", 20_000, 2), suspended_ms=8_000,
    )  # fmt: skip
    for check in ("p", ALIVE):
        assert read(check, before, after, now=61).down.possible.covers(Intervals.span(at(21), at(40)))


def _crash(previous: Previous | None, opened: float = 5, **more: object) -> tuple[Run, Run]:
    before = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 18), **more)  # type: ignore[arg-type]
    after = run(
        "r2", span(ALIVE, 1, "up", opened, 40), span("c", 2, "up", opened + 1, 40),
        boot="b2", booted=REBOOTED, opened=opened, previous=previous,
    )  # fmt: skip
    return before, after


def test_a_crash_counts_from_one_tick_after_the_last_to_the_next_good_sample() -> None:
    reading = read("c", *_crash(Previous("r1", "b1", 20_000, 2)), now=101)
    assert reading.down.counted == Intervals.span(at(21), at(66))
    assert reading.down.possible.clip(at(1), at(99)) == Intervals.span(at(18) - EARLY, at(66) + LATE)
    assert not reading.down.certain
    assert "down: rebooted" in shown(reading)


def test_a_crash_under_a_watchdog_is_certain_until_the_new_boot() -> None:
    before, after = _crash(Previous("r1", "b1", 20_000, 2), watchdog_ms=10_000)
    reading = read("c", before, after, now=101)
    assert reading.down.certain == Intervals.span(at(50) + LATE, at(60) - BEFORE)


def test_a_host_that_came_back_long_before_its_agent_is_not_counted_down_for_that() -> None:
    reading = read("c", *_crash(Previous("r1", "b1", 20_000, 2), opened=600), now=1_000)
    assert reading.down.counted.clip(at(0), at(600)) == Intervals.span(at(21), at(60 + 120))


def test_an_administrators_stop_before_a_reboot_is_not_observed() -> None:
    reading = read("c", *_crash(Previous("r1", "b1", 20_000, 2, stopped="stop", stopped_at=20_000)), now=101)
    assert not reading.down.counted
    assert "not observed: stopped" in shown(reading)


def test_a_crash_after_the_agent_gave_up_is_not_observed_from_then_on() -> None:
    previous = Previous("r1", "b1", 20_000, 2)
    runs = _crash(previous, watchdog_ms=10_000, stopped="failed", stopped_at=20_500)
    reading = read("c", *runs, now=101)
    assert reading.down.counted == reading.down.certain == EMPTY
    assert reading.unobserved.covers(Intervals.span(at(18), at(66)))
    assert "not observed: agent" in shown(reading)


def test_silence_after_the_agent_gave_up_is_the_agents_own() -> None:
    silent = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 18), stopped="failed", stopped_at=20_500)
    reading = read("c", silent, now=60, heard=20)
    assert reading.down.counted == EMPTY
    assert "not observed: agent" in shown(reading)


def test_an_orderly_shutdown_counts_from_its_record() -> None:
    previous = Previous("r1", "b1", 20_000, 2, stopped="shutdown", stopped_at=20_500, slowest_stop_ms=10_000)
    reading = read("c", *_crash(previous), now=101)
    assert reading.down.counted == Intervals.span(at(20.5), at(66))
    assert reading.down.certain == Intervals.span(at(30.5) + LATE, at(60) - BEFORE)


def test_a_crash_whose_evidence_has_not_all_arrived_reads_as_silence() -> None:
    watched = Intervals.span(at(0), at(40))
    reading = read("c", *_crash(Previous("r1", "b1", 30_000, 9)), now=101, watched=watched)
    assert reading.down.counted == Intervals.span(at(21), at(40))
    assert reading.presumed == reading.down.counted


QUIET = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 18), span("r", 3, "up", 0, 18))


def test_silence_past_the_deadline_is_presumed_down_and_lies_outside_certain() -> None:
    reading = read("c", QUIET, now=60, heard=20)
    assert reading.down.counted == reading.presumed == Intervals.span(at(21), at(60))
    assert not reading.down.certain
    assert "presumed down: missing heartbeats" in shown(reading)


def test_before_the_deadline_the_next_evidence_is_merely_due() -> None:
    reading = read("c", QUIET, now=34, heard=20)
    assert not reading.down.counted
    assert not reading.unobserved.clip(at(1), at(34))
    assert at(30) in reading.down.possible
    assert reading.latest is not None
    assert reading.latest.pending_from == at(18)


def test_a_remote_check_of_a_silent_node_says_nothing_of_its_target() -> None:
    assert not read("r", QUIET, now=60, heard=20).down.counted


def test_silence_while_this_collector_was_not_there_is_its_own() -> None:
    watched = Intervals.of([(at(0), at(22)), (at(50), at(60))])
    reading = read("c", QUIET, now=60, heard=20, watched=watched)
    assert not reading.down.counted, "the deadline runs from when this collector came back"
    late = read("c", QUIET, now=80, heard=20, watched=Intervals.of([(at(0), at(22)), (at(50), at(80))]))
    assert late.down.counted == Intervals.of([(at(21), at(22)), (at(50), at(80))])
    assert "not observed: collector" in shown(late)


def test_a_witness_that_reaches_the_host_makes_its_silence_isolation() -> None:
    reading = read("c", QUIET, now=60, heard=20, beside=Beside(host_up=Intervals.span(at(20), at(61))))
    assert not reading.down.counted
    assert "not observed: isolated" in shown(reading)


def test_a_stop_record_without_return_is_not_observed() -> None:
    reading = read("c", replace(QUIET, stopped="stop", stopped_at=20_000), now=60, heard=20)
    assert not reading.down.counted
    assert "not observed: stopped" in shown(reading)


def test_a_check_that_could_not_run_is_not_observed() -> None:
    reading = read(
        "c",
        run(
            "r1",
            span(ALIVE, 1, "up", 0, 40),
            span("c", 2, "up", 0, 10),
            span("c", 3, "unknown", 15, 20),
            span("c", 4, "up", 25, 40),
        ),
        now=41,
    )
    assert reading.unobserved.clip(at(1), at(39)) == Intervals.span(at(10), at(25))
    assert "not observed: check" in shown(reading)


def test_ticks_too_far_apart_are_starvation() -> None:
    ticks = span(ALIVE, 1, "up", 0, 20), span(ALIVE, 2, "up", 50, 70)
    reading = read("c", run("r1", *ticks, span("c", 3, "up", 0, 20), span("c", 4, "up", 50, 70)), now=71)
    assert "not observed: starved" in shown(reading)
    assert not reading.down.counted


def test_late_evidence_replaces_the_presumption() -> None:
    presumed = read("c", QUIET, now=60, heard=20)
    delivered = run("r1", span(ALIVE, 1, "up", 0, 60), span("c", 2, "up", 0, 58))
    assert presumed.down.counted
    assert not read("c", delivered, now=60).down.counted


@pytest.mark.parametrize("references", [(), ("n/ref",)])
def test_a_remote_failure_is_certain_only_while_a_reference_is_certainly_up(references: tuple[str, ...]) -> None:
    spans = (
        span(ALIVE, 1, "up", 0, 60),
        span("r", 2, "up", 0, 15),
        span("r", 3, "down", 20, 30),
        span("r", 4, "up", 35, 60),
        span("ref", 5, "up", 0, 60),
    )
    checks = Settings("r", "tcp", 5_000, 1_000, remote=True), Settings("ref", "ping", 5_000, 1_000, remote=True)
    reading = _weighed(run("r1", *spans, checks=checks), references)
    assert reading.down.counted == Intervals.span(at(20), at(35))
    assert bool(reading.down.certain) == bool(references)


def test_while_all_references_are_down_the_node_is_an_observer_cut_off() -> None:
    spans = (
        span(ALIVE, 1, "up", 0, 60),
        span("r", 2, "up", 0, 15),
        span("r", 3, "down", 20, 30),
        span("r", 4, "up", 35, 60),
    )
    reference = span("ref", 5, "up", 0, 15), span("ref", 6, "down", 20, 30), span("ref", 7, "up", 35, 60)
    checks = Settings("r", "tcp", 5_000, 1_000, remote=True), Settings("ref", "ping", 5_000, 1_000, remote=True)
    reading = _weighed(run("r1", *spans, *reference, checks=checks), ("n/ref",))
    assert reading.down.counted == EMPTY
    assert reading.unobserved.clip(at(1), at(59)) == Intervals.span(at(20), at(35))
    assert "not observed: observer" in shown(reading)


@pytest.mark.parametrize(
    ("bad", "good", "counted"),
    [
        ((18, 28), 33, ()),
        ((22, 32), 37, ()),
        ((13, 28), 33, [(13, 20)]),
        ((22, 37), 42, [(35, 42)]),
        ((13, 37), 42, [(13, 20), (35, 42)]),
    ],
)
def test_beside_a_cut_off_only_what_failed_while_a_reference_was_up_is_counted(
    bad: tuple[int, int], good: int, counted: Sequence[tuple[int, int]]
) -> None:
    spans = span(ALIVE, 1, "up", 0, 60), span("r", 2, "up", 0, bad[0] - 5), span("r", 3, "down", *bad)
    reference = span("ref", 5, "up", 0, 15), span("ref", 6, "down", 20, 30), span("ref", 7, "up", 35, 60)
    checks = Settings("r", "tcp", 5_000, 1_000, remote=True), Settings("ref", "ping", 5_000, 1_000, remote=True)
    one = run("r1", *spans, span("r", 4, "up", good, 60), *reference, checks=checks)
    reading = _weighed(one, ("n/ref",))
    assert reading.down.counted == Intervals.of((at(begin), at(end)) for begin, end in counted)
    assert reading.down.possible.covers(Intervals.span(at(bad[0]), at(good)))
    unobserved = Intervals.span(at(min(20, bad[0])), at(max(35, good))) - reading.down.counted
    assert reading.unobserved.clip(at(1), at(59)) == unobserved
    for edge in range(1, 60):
        halves = [_weighed(one, ("n/ref",), *window) for window in ((0, edge), (edge, 61))]
        assert halves[0].down | halves[1].down == reading.down, f"in two windows that meet at {edge}"


def _weighed(one: Run, references: tuple[str, ...], begin: int = 0, end: int = 61) -> Reading:
    nodes = (NodeEntry("n", references=references),)
    catalogue = Catalogue(Dated.always("org"), "UTC", (service(group(["n/r"])),), nodes)
    facts = Facts({"n": Node("n", runs=(one,), heard_utc=at(60))}, watched=Intervals.span(at(0), at(61)))
    return read_all(Case(catalogue, UTC, facts, (), at(61)), at(begin), at(end))["n/r"]


def test_a_probe_whose_node_fell_silent_does_not_outvote_one_whose_next_sample_is_merely_due() -> None:
    silent = Node("m", runs=(QUIET,), heard_utc=at(20))
    fresh = run("r1", span(ALIVE, 1, "up", 0, 59), span("c", 2, "up", 0, 58))
    facts = Facts({"n": Node("n", runs=(fresh,), heard_utc=at(59)), "m": silent}, watched=Intervals.span(at(0), at(60)))
    catalogue = Catalogue(Dated.always("org"), "UTC", (service(probes=["n/c", "m/c"]),))
    (one,) = derive(Case(catalogue, UTC, facts, (), at(60)), Period("p", at(0), at(60))).services
    assert one.totals.counted_ms == 0


def test_a_machine_set_back_to_a_snapshot_was_down_until_it_went_on_from_there() -> None:
    before = run("r1", span(ALIVE, 1, "up", 0, 60), span("c", 2, "up", 0, 60))
    back = Exchange(30 * SECOND, at(100), at(100), 30 * SECOND)
    after = run(
        "r2", span(ALIVE, 1, "up", 30, 50), span("c", 2, "up", 31, 50), opened=30, exchanges=(back,),
        previous=Previous("r1", "b1", 60_000, 2),
    )  # fmt: skip
    reading = read("c", before, after, now=121)
    assert reading.down.counted == Intervals.span(at(61), at(101))
    assert not reading.down.certain
    assert "down: restored" in shown(reading)


def test_of_a_machine_set_back_nothing_is_certain_until_it_is_heard_since_it_may_have_been_set_back_again() -> None:
    before = run("r1", span(ALIVE, 1, "up", 0, 60), span("c", 2, "up", 0, 60))
    heard = Exchange(50 * SECOND, at(200), at(200), 50 * SECOND)
    after = run(
        "r2", span(ALIVE, 1, "up", 30, 90), span("c", 2, "down", 31, 60), span("c", 3, "up", 62, 90), opened=30,
        exchanges=(heard,), previous=Previous("r1", "b1", 60_000, 2), complete_to=3,
    )  # fmt: skip
    reading = read("c", before, after, now=241)
    assert reading.down.certain == Intervals.span(at(200) + LATE, at(210) - EARLY)
    assert reading.down.possible.clip(at(1), at(239)) == Intervals.span(at(60) - EARLY, at(212) + LATE)


def test_a_boot_from_an_older_disk_proves_nothing_of_how_its_predecessor_ended() -> None:
    before, after = _crash(Previous("r1", "b1", 5_000, 2), watchdog_ms=10_000)
    reading = read("c", before, after, now=101)
    assert reading.down.counted == Intervals.span(at(21), at(66))
    assert not reading.down.certain
    assert "down: restored" in shown(reading)


def test_a_run_goes_on_with_the_clock_of_the_one_before_it_whatever_agent_time_says() -> None:
    """Twice set back: agent time puts the third run before the second, and its successor must not take the second's."""
    first = run("r1", span(ALIVE, 1, "up", 0, 60), span("c", 2, "up", 0, 60))
    runs = [
        run(
            name, span(ALIVE, 1, "up", opened, reached), span("c", 2, "up", opened, reached), opened=opened,
            exchanges=(Exchange(opened * SECOND, at(utc), at(utc), opened * SECOND),),
            previous=Previous(before, "b1", opened * SECOND - 500, 2),
        )
        for name, before, opened, reached, utc in
        [("r2", "r1", 40, 50, 100), ("r3", "r1", 30, 90, 200), ("r4", "r3", 80, 120, 400)]
    ]  # fmt: skip
    reading = read("c", first, *(runs[place] for place in (1, 0, 2)), now=441)
    assert shown(reading).count("down: restored") == 3
    assert "down: frozen" not in shown(reading)


def test_time_in_which_two_agents_spoke_as_one_node_is_not_observed() -> None:
    one = run("r1", span(ALIVE, 1, "up", 0, 60), span("c", 2, "up", 0, 60))
    other = run("r2", span(ALIVE, 1, "up", 20, 50), span("c", 2, "down", 20, 50), boot="b2", booted=BOOTED, opened=20)
    reading = read("c", one, other, now=61)
    doubled = Intervals.span(at(20) + LATE, at(50) - EARLY)
    assert reading.unobserved.covers(doubled)
    assert not reading.down.counted & doubled
    assert "not observed: two agents with one identity" in shown(reading)


def test_a_check_that_was_down_when_its_node_fell_silent_is_counted_without_a_break() -> None:
    falling = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "down", 5, 18))
    assert read("c", falling, now=60, heard=20).down.counted == Intervals.span(at(5), at(60))
