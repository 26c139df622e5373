"""What the laboratory makes of what is said: of sets that fit the truth, of some that do not, and of any at all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.triple import Triple
from lab.scores import Expected, Said, Scores, Shown, at_most, score, wrongly_excluded
from lab.things import Pace
from lab.truth import Outage
from lab.verdicts import Evidence, in_classes, last_line, limits, table
from lab.watching import Sight

KIND = "process killed"
EXPECTED = {KIND: Expected("down", "process"), "node crashes": Expected("down: rebooted", "crash")}
NOTHING = Evidence((), ())


def outage(begin: int = 10_000, end: int = 30_000, kind: str = KIND, slack: int = 0) -> Outage:
    return Outage("s", kind, begin, end, begin + slack, end - slack)


def triple(certain: tuple[int, int], counted: tuple[int, int], possible: tuple[int, int]) -> Triple:
    return Triple(*(Intervals.span(*one) for one in (certain, counted, possible)))


FITTING = triple((12_000, 28_000), (11_000, 32_000), (8_000, 33_000))


def scored(sets: Triple, *outages: Outage, sights: tuple[Sight, ...] = (), shown: tuple[Shown, ...] = ()) -> Scores:
    return score(outages, Said({"s": sets}, shown), sights, EXPECTED, {"s": "application"})


def test_an_outage_inside_the_bounds_has_the_error_and_the_width_of_what_was_said() -> None:
    (one,) = scored(FITTING, outage()).verdicts
    assert (one.outside, one.error_ms, one.width_ms) == ("", 1_000, 9_000)


def test_certain_time_in_which_it_was_not_down_is_outside() -> None:
    scores = scored(triple((9_000, 28_000), (9_000, 30_000), (8_000, 33_000)), outage())
    assert scores.outside == 1
    assert scores.verdicts[0].outside == "certain -1000..0"


def test_down_time_that_is_not_possible_is_outside() -> None:
    scores = scored(triple((12_000, 28_000), (12_000, 29_000), (12_000, 29_000)), outage())
    assert scores.verdicts[0].outside == "not possible 0..2000 not possible 19000..20000"


def test_what_the_breaking_itself_took_is_held_against_nobody() -> None:
    edges = triple((10_000, 30_000), (10_000, 30_000), (10_300, 29_700))
    assert scored(edges, outage(slack=300)).outside == 0
    assert scored(edges, outage(slack=299)).outside == 1


def test_certain_time_of_what_was_never_broken_is_outside_and_false() -> None:
    scores = scored(FITTING)
    assert (scores.outside, len(scores.false)) == (1, 1)


def test_a_counted_outage_that_touches_no_true_one_is_false() -> None:
    counted = Intervals.of([(11_000, 29_000), (50_000, 51_000)])
    assert scored(Triple(EMPTY, counted, Intervals.span(0, 60_000)), outage()).false == [("s", 50_000, 51_000)]


def test_each_outage_is_held_against_what_was_said_near_it() -> None:
    counted = Intervals.of([(11_000, 31_000), (50_500, 70_000)])
    scores = scored(Triple(EMPTY, counted, Intervals.span(0, 90_000)), outage(), outage(50_000, 70_000))
    assert [one.error_ms for one in scores.verdicts] == [0, -500]


def test_detection_is_from_the_begin_until_it_was_first_shown_down() -> None:
    sights = (Sight(9_000, "s", "down"), Sight(10_500, "s", "degraded"), Sight(14_000, "s", "presumed down"))
    assert scored(FITTING, outage(), sights=sights).verdicts[0].seen_ms == 4_000
    assert scored(FITTING, outage(), sights=sights[:2]).verdicts[0].seen_ms is None


def test_another_name_or_another_cause_than_its_own_is_wrong() -> None:
    def named(shown_as: str, cause: str) -> str:
        shown = Shown("s", 11_000, 32_000, shown_as, cause)
        return scored(FITTING, outage(), shown=(shown,)).verdicts[0].wrong

    assert not named("down", "application")
    assert named("down: rebooted", "application") == "shown as 'down: rebooted', was 'down'"
    assert named("down", "network") == "laid to 'network', was 'application'"


def test_of_planned_work_just_what_was_counted_in_its_window_is_to_be_excluded() -> None:
    def excluded(planned: int, *windows: tuple[str, int, int]) -> list[str]:
        return wrongly_excluded(Said({"s": FITTING}, (), {"s": planned}), windows)

    assert not excluded(0)
    assert not excluded(9_000, ("s", 5_000, 20_000), ("other", 0, 90_000))
    assert excluded(9_100, ("s", 5_000, 20_000)) == ["s: 9100 ms are excluded as planned, and should be 9000"]
    assert excluded(0, ("s", 5_000, 20_000))
    assert excluded(100)


def test_a_missed_limit_is_told_and_everything_stands_in_the_last_line() -> None:
    late = (Sight(16_001, "s", "down"),)
    scores = scored(FITTING, outage(), sights=late)
    told = [str(one) for one in limits(scores, scores, Evidence(("x",), ()), EXPECTED, Pace()) if not one.is_met]
    assert told == [
        "MISSED  records that a store lacks: 1 (at most 0)",
        "MISSED  a killed process is shown, p99: 6001 ms (at most 6000 ms)",
    ]
    assert last_line(scores, scores, Evidence(("x",), ()), Pace()) == (
        "proof outages=1 outside_bounds=0 mean_abs_error_ms=1000 check_interval_ms=5000 false_outages=0 lost=1"
    )


def test_an_outage_that_was_never_shown_counts_as_detected_at_its_end() -> None:
    scores = scored(FITTING, outage())
    missed = [one.measured for one in limits(scores, scores, NOTHING, EXPECTED, Pace()) if not one.is_met]
    assert missed == [20_000]


def test_the_table_has_a_row_for_each_kind_whatever_it_was_done_to() -> None:
    scores = scored(FITTING, outage(), outage(100_000, 120_000, f"{KIND}:a"), outage(200_000, 210_000, "node crashes"))
    rows = [row.split(" | ")[:2] for row in list(table(scores, EXPECTED, "alone"))[2:]]
    assert rows == [["| node crashes", "1"], [f"| {KIND}", "2"]]


stretches = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 90)), max_size=5).map(
    lambda pairs: Intervals.of((begin, begin + length) for begin, length in pairs)
)


@given(truth=stretches, missing=stretches, more=stretches, sooner=stretches)
def test_nested_sets_around_the_truth_are_never_outside_and_any_others_are(
    truth: Intervals, missing: Intervals, more: Intervals, sooner: Intervals
) -> None:
    outages = [outage(*part) for part in truth]
    certain, possible = truth - missing, truth | more
    assert scored(Triple(certain, truth, possible), *outages).outside == 0
    wrongly = Triple(certain | sooner, truth | sooner, possible | sooner)
    assert (scored(wrongly, *outages).outside > 0) is not truth.covers(sooner)
    lacking = Triple(EMPTY, EMPTY, possible - missing)
    assert (scored(lacking, *outages).outside > 0) is not (possible - missing).covers(truth)


@given(st.lists(st.integers(), min_size=1), st.integers(1, 100))
def test_so_many_in_a_hundred_are_no_greater_than_a_percentile(numbers: list[int], percent: int) -> None:
    found = at_most(numbers, percent)
    assert found in numbers
    assert sum(one <= found for one in numbers) * 100 >= percent * len(numbers)


def test_what_is_detected_alike_has_a_row_for_all_of_it_and_the_last_one_is_of_every_outage() -> None:
    scores = scored(FITTING, outage(), outage(200_000, 210_000, "node crashes"), outage(300_000, 310_000, "told"))
    wanted = [("a process that ends", "1"), ("a node that crashes", "1"), ("other", "1"), ("all", "3")]
    rows = [row.split(" | ")[:2] for row in list(in_classes(scores, EXPECTED, "alone"))[2:]]
    assert rows == [[f"| {name}", number] for name, number in wanted]
