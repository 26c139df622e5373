"""What is known of a node besides its own evidence: witnesses, its site, its retirement, checks that were removed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detak_collector.downtime.catalogue import Catalogue, Dated, NodeEntry
from detak_collector.downtime.derive import Case
from detak_collector.downtime.evidence import read_all
from detak_collector.downtime.facts import ALIVE, Facts, Node, Previous, Run, Settings, Span
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.lives import history_of
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.sampled import Window, read_sampled
from detak_collector.downtime.tail import Beside
from downtime_cases import UTC, group, service
from reading_cases import EARLY, LATE, at, read, run, shown, span

ORGANISATION = Dated.always("org")
QUIET = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 18))
WHOLE = Intervals.span(at(0), at(61))


def both(silent: Run, *witnessing: Span, kind: str = "ping", now: float = 60, heard: float = 20) -> Reading:
    """Node `n` fell silent; on node `w` the check `see` looks at it, and the check `ref` at what is always there."""
    checks = Settings("see", kind, 5_000, 1_000, remote=True), Settings("ref", kind, 5_000, 1_000, remote=True)
    beats = span(ALIVE, 1, "up", 0, now), span("ref", 2, "up", 0, now)
    seeing = run("r1", *beats, *witnessing, checks=checks)
    entries = NodeEntry("n", witnesses=("w/see",)), NodeEntry("w", references=("w/ref",))
    catalogue = Catalogue(ORGANISATION, "UTC", (service(group(["n/c"])),), entries)
    nodes = {"n": Node("n", runs=(silent,), heard_utc=at(heard)), "w": Node("w", runs=(seeing,), heard_utc=at(now))}
    facts = Facts(nodes, watched=Intervals.span(at(0), at(now)), drift_ppm=0)
    return read_all(Case(catalogue, UTC, facts, (), at(now)), at(0), at(now))["n/c"]


def test_while_a_witness_fails_to_reach_a_silent_host_its_certain_time_is_certain() -> None:
    reading = both(QUIET, span("see", 3, "up", 0, 20), span("see", 4, "down", 25, 60))
    assert reading.down.counted == reading.presumed == Intervals.span(at(21), at(60))
    assert reading.down.certain == Intervals.span(at(25) + LATE, at(60) - EARLY)


def test_a_witness_of_something_on_the_host_does_not_speak_for_the_host() -> None:
    reading = both(QUIET, span("see", 3, "up", 0, 20), span("see", 4, "down", 25, 60), kind="tcp")
    assert reading.down.counted == Intervals.span(at(21), at(60))
    assert reading.down.certain == EMPTY


def test_as_long_as_a_witness_reaches_it_a_silent_host_is_isolated() -> None:
    reading = both(QUIET, span("see", 3, "up", 0, 40), span("see", 4, "down", 45, 60), kind="tcp")
    assert reading.down.counted == Intervals.span(at(40) - EARLY, at(60))
    assert "not observed: isolated" in shown(reading)


def lost_end(**more: object) -> tuple[Run, Run]:
    """A crash of which not all evidence has arrived."""
    after = run(
        "r2", span(ALIVE, 1, "up", 5, 40), span("c", 2, "up", 6, 40),
        boot="b2", booted=at(60), opened=5, previous=Previous("r1", "b1", 20_000, 9),
    )  # fmt: skip
    return replace(QUIET, **more), after  # type: ignore[arg-type]


def test_a_silence_between_two_runs_gives_way_to_a_witness_too() -> None:
    beside = Beside(host_up=Intervals.span(at(30), at(50)), host_down=Intervals.span(at(52), at(58)))
    reading = read("c", *lost_end(), now=101, beside=beside)
    assert reading.down.counted == reading.presumed == Intervals.of([(at(21), at(30)), (at(50), at(66))])
    assert reading.down.certain == Intervals.span(at(52), at(58))
    assert reading.unobserved.clip(at(1), at(99)) == Intervals.of([(at(18), at(21)), (at(30), at(50))])
    assert "not observed: isolated" in shown(reading)


def _late_boot(seconds: float) -> tuple[Run, Run]:
    before = replace(QUIET, watchdog_ms=10_000)
    after = run(
        "r2", span(ALIVE, 1, "up", 5, 40), span("c", 2, "up", 6, 40),
        boot="b2", booted=at(seconds), opened=5, previous=Previous("r1", "b1", 20_000, 2),
    )  # fmt: skip
    return before, after


def test_the_watchdog_proves_a_crash_for_a_quarter_of_an_hour() -> None:
    soon, late = 920.1, 920.101
    assert read("c", *_late_boot(soon), now=1_000).down.certain == Intervals.span(at(50) + LATE, at(soon) - LATE)
    assert read("c", *_late_boot(late), now=1_000).down.certain == EMPTY


@pytest.mark.parametrize("until", [3_000, 2_999])
def test_and_longer_if_a_witness_failed_to_reach_the_host_throughout(until: int) -> None:
    beside = Beside(host_unreached=Intervals.span(at(50), at(until)))
    reading = read("c", *_late_boot(3_000), now=3_100, beside=beside)
    proven = Intervals.span(at(50) + LATE, at(3_000) - LATE)
    assert reading.down.certain == (proven if until == 3_000 else EMPTY)


def silent_site(*, other_unheard: Intervals, retired: int | None = None) -> Reading:
    dc = Dated.always("DC")
    entries = NodeEntry("n", site=dc), NodeEntry("m", site=dc, retired=retired), NodeEntry("never", site=dc)
    catalogue = Catalogue(ORGANISATION, "UTC", (service(group(["n/c"])),), entries)
    unheard = {"n": Intervals.span(at(20), at(60)), "m": other_unheard}
    facts = Facts({"n": Node("n", runs=(QUIET,), heard_utc=at(20))}, WHOLE, drift_ppm=0, unheard=unheard)
    return read_all(Case(catalogue, UTC, facts, (), at(60)), at(0), at(60))["n/c"]


def _presumed(reading: Reading) -> list[tuple[int, int, str]]:
    return [(one.begin, one.end, one.shown_as) for one in reading.passages if one.shown_as.startswith("presumed")]


NODE_ALONE = [(at(21), at(60), "presumed down: missing heartbeats")]


def test_a_site_of_which_no_node_is_heard_is_told_as_one() -> None:
    reading = silent_site(other_unheard=Intervals.span(at(30), at(60)))
    assert _presumed(reading) == [
        (at(21), at(30), "presumed down: missing heartbeats"),
        (at(30), at(60), "presumed down: site"),
    ]
    assert reading.down.counted == Intervals.span(at(21), at(60))


def test_a_silence_within_the_deadline_is_none() -> None:
    assert _presumed(silent_site(other_unheard=Intervals.span(at(45), at(60)))) == NODE_ALONE
    assert len(_presumed(silent_site(other_unheard=Intervals.span(at(44.999), at(60))))) == 2


def test_a_site_with_one_node_left_is_not_told_as_a_site() -> None:
    assert _presumed(silent_site(other_unheard=Intervals.span(at(30), at(60)), retired=at(30))) == NODE_ALONE
    assert _presumed(silent_site(other_unheard=EMPTY)) == NODE_ALONE


@pytest.mark.parametrize("state", ["up", "down"])
def test_from_its_retirement_on_nothing_of_a_silent_node_is_counted(state: str) -> None:
    last = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, "up", 0, 10), span("c", 3, state, 15, 18))
    reading = read("c", last, now=60, heard=20, beside=Beside(retired=at(40)))
    assert reading.down.counted.clip(at(19), at(60)) == Intervals.span(at(21 if state == "up" else 19), at(40))
    assert reading.unobserved.clip(at(39), at(60)) == Intervals.span(at(40), at(60))
    assert reading.down.possible.clip(at(40), at(60)) == Intervals.span(at(40), at(60))
    assert shown(reading)[-1] == "not observed: removed"


def test_a_retirement_to_come_changes_nothing_yet() -> None:
    assert read("c", QUIET, now=60, heard=20, beside=Beside(retired=at(60))) == read("c", QUIET, now=60, heard=20)


def test_what_a_node_says_after_its_retirement_is_evidence_all_the_same() -> None:
    down = run("r1", span(ALIVE, 1, "up", 0, 60), span("c", 2, "up", 0, 30), span("c", 3, "down", 35, 59))
    reading = read("c", down, now=60, beside=Beside(retired=at(10)))
    assert reading.down.counted == Intervals.span(at(35), at(60))


def test_a_stop_before_the_retirement_is_told_as_a_stop() -> None:
    stopped = replace(QUIET, stopped="stop", stopped_at=20_000)
    reading = read("c", stopped, now=60, heard=20, beside=Beside(retired=at(40)))
    assert [(one.begin, one.shown_as) for one in reading.passages] == [
        (at(18), "not observed: stopped"),
        (at(40), "not observed: removed"),
    ]


def removed(state: str, *more: Run) -> tuple[Run, ...]:
    """A check that the agent no longer has after a reload at 30 s."""
    before = run(
        "r1", span(ALIVE, 1, "up", 0, 30), span("c", 2, "up", 0, 20), span("c", 3, state, 25, 30),
        stopped="reload", stopped_at=30_000,
    )  # fmt: skip
    without = run(
        "r2", span(ALIVE, 1, "up", 31, 100), opened=31, checks=(Settings("p", "process", 5_000, 1_000),),
        previous=Previous("r1", "b1", 30_000, 3, stopped="reload", stopped_at=30_000),
    )  # fmt: skip
    return before, without, *more


def test_a_check_that_was_removed_is_not_observed_from_then_on() -> None:
    reading = read("c", *removed("up"), now=100)
    assert reading.down.counted == EMPTY
    assert reading.unobserved.clip(at(1), at(100)) == Intervals.span(at(30), at(100))
    assert shown(reading)[-1] == "not observed: removed"


@pytest.mark.parametrize("heard", [100, 60])
def test_a_check_removed_while_it_was_down_stays_counted_whatever_becomes_of_the_node(heard: float) -> None:
    watched = Intervals.span(at(0), at(50))
    reading = read("c", *removed("down"), now=100, heard=heard, watched=watched)
    assert reading.down.counted == Intervals.span(at(25), at(100))
    assert reading.presumed == Intervals.span(at(30), at(100))


def test_until_the_catalogue_retires_its_node() -> None:
    reading = read("c", *removed("down"), now=100, beside=Beside(retired=at(70)))
    assert reading.down.counted == Intervals.span(at(25), at(70))


@pytest.mark.parametrize("state", ["up", "down"])
def test_taking_a_check_up_again_does_not_undo_what_was_counted_meanwhile(state: str) -> None:
    again = run(
        "r3", span(ALIVE, 1, "up", 101, 130), span("c", 2, "up", 105, 130), opened=101,
        previous=Previous("r2", "b1", 100_000, 1, stopped="reload", stopped_at=100_000),
    )  # fmt: skip
    reading = read("c", *removed(state, again), now=131)
    assert reading.down.counted == (EMPTY if state == "up" else Intervals.span(at(25), at(105)))
    assert reading.unobserved.clip(at(1), at(129)) == Intervals.span(at(30), at(105))
    assert "not observed: removed" in shown(reading)


def test_an_agent_that_did_not_come_back_from_a_reload_is_silent() -> None:
    reading = read("c", replace(QUIET, stopped="reload", stopped_at=20_000), now=60, heard=20)
    assert reading.down.counted == reading.presumed == Intervals.span(at(21), at(60))


def cut_off(*references: str, unheard: dict[str, Intervals], now: float = 60) -> Reading:
    nodes = {"n": Node("n", runs=(QUIET,), heard_utc=at(20))}
    facts = Facts(nodes, Intervals.span(at(0), at(now)), drift_ppm=0, unheard=unheard).unless_cut_off(references)
    window = Window(at(0), at(now), at(now))
    return read_sampled("c", history_of(nodes["n"], facts), facts, window)


LOST_AT_ONCE = {"x": Intervals.span(at(25), at(60)), "y": Intervals.of([(at(0), at(10)), (at(22), at(50))])}


def test_while_all_its_references_are_lost_at_once_silence_is_the_collectors_own() -> None:
    reading = cut_off("x", "y", unheard=LOST_AT_ONCE, now=70)
    assert reading.down.counted == reading.presumed == Intervals.of([(at(21), at(25)), (at(50), at(70))])
    assert "not observed: collector" in shown(reading)
    assert reading.unobserved.clip(at(21), at(70)) == Intervals.span(at(25), at(50))


def test_after_it_was_cut_off_the_deadline_runs_anew() -> None:
    assert not cut_off("x", "y", unheard=LOST_AT_ONCE, now=65).down.counted


@pytest.mark.parametrize("references", [(), ("x", "never heard"), ("z",)])
def test_without_references_or_while_one_is_heard_silence_is_never_laid_to_the_collector(
    references: tuple[str, ...],
) -> None:
    unheard = {**LOST_AT_ONCE, "z": Intervals.span(at(45), at(60))}
    assert cut_off(*references, unheard=unheard, now=70).down.counted == Intervals.span(at(21), at(70))


def test_while_a_witness_s_next_sample_is_merely_due_the_host_is_not_given_up() -> None:
    reading = both(QUIET, span("see", 3, "up", 0, 58))
    assert not reading.down.counted
    assert at(60) - 1 not in reading.presumed


def test_a_shutdown_that_the_agent_told_of_waits_for_no_witness() -> None:
    told = replace(QUIET, stopped="shutdown", stopped_at=20_500)
    assert both(told, span("see", 3, "up", 0, 20), now=24).down.counted == Intervals.span(at(20.5), at(24))
