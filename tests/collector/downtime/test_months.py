"""Months are derived one by one, and a period is what its months add up to."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from detak_collector.downtime.days import days_of, split
from detak_collector.downtime.derive import Result, derive
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.months import VARIANTS
from detak_collector.downtime.outages import Outage
from detak_collector.downtime.periods import Period
from downtime_cases import DAY, HOUR, MINUTE, UTC, Stretches, excluded, facts, figures, group, only, service, stated

NOVEMBER, DECEMBER, JANUARY = 1_698_796_800_000, 1_701_388_800_000, 1_704_067_200_000


def two_months(*down: Stretches, rule: str | None = None, end: int = JANUARY) -> Result:
    """A service of as many members as there are lists of when each was down."""
    checks = {f"n{at}/c": stretches for at, stretches in enumerate(down)}
    known = {name: stated(name, NOVEMBER, JANUARY, when, message="refused") for name, when in checks.items()}
    return figures([service(group(list(checks), rule))], facts(known), NOVEMBER, end)


def outages(result: Result) -> tuple[Outage, ...]:
    return only(result).outages


def test_an_outage_over_the_turn_of_a_month_is_one() -> None:
    (one,) = outages(two_months([(DECEMBER - HOUR, DECEMBER + 2 * HOUR)]))
    assert (one.begin, one.end, one.counted_ms, one.certain_ms, one.possible_ms) == (
        DECEMBER - HOUR,
        DECEMBER + 2 * HOUR,
        3 * HOUR,
        3 * HOUR,
        3 * HOUR,
    )
    assert (one.cause, one.causes, one.detail) == ("database", {"database": 3 * HOUR}, "n0/c: refused")


def test_outages_that_end_and_begin_a_millisecond_apart_at_the_turn_are_two() -> None:
    found = outages(two_months([(DECEMBER - HOUR, DECEMBER - 1), (DECEMBER, DECEMBER + HOUR)]))
    assert [(one.begin, one.end) for one in found] == [(DECEMBER - HOUR, DECEMBER - 1), (DECEMBER, DECEMBER + HOUR)]


def test_what_different_members_did_in_the_two_months_is_said_together() -> None:
    # a is the lowest of November, b of December: the outage goes on from one to the other
    a = [(DECEMBER - HOUR, DECEMBER + 5 * HOUR)]
    b = [(DECEMBER - 5 * HOUR, DECEMBER + HOUR)]
    (one,) = outages(two_months(a, b, rule="lowest_member"))
    assert (one.begin, one.end, one.counted_ms) == (DECEMBER - HOUR, DECEMBER + HOUR, 2 * HOUR)
    assert one.said == ("n0/c: refused", "n1/c: refused")


def test_an_outage_that_runs_at_the_end_is_running_though_it_began_in_another_month() -> None:
    (one,) = outages(two_months([(DECEMBER - HOUR, JANUARY)], end=DECEMBER + HOUR))
    assert one.running
    assert one.end == DECEMBER + HOUR


def test_the_cause_of_an_outage_is_the_layer_that_was_down_longest_over_both_months() -> None:
    network = group(["n/net"], name="net", category="network")
    server = group(["n/srv"], name="srv", category="server")
    known = facts(
        {
            "n/net": stated("n/net", NOVEMBER, JANUARY, [(DECEMBER - HOUR, DECEMBER)]),
            "n/srv": stated("n/srv", NOVEMBER, JANUARY, [(DECEMBER - HOUR, DECEMBER + 2 * HOUR)]),
        }
    )
    (one,) = outages(figures([service(network, server)], known, NOVEMBER, JANUARY))
    assert one.causes == {"network": HOUR, "server": 2 * HOUR}
    assert list(one.causes) == ["network", "server"]
    assert one.cause == "server"


def test_of_layers_that_were_down_equally_long_the_lowest_is_the_cause() -> None:
    network = group(["n/net"], name="net", category="network")
    server = group(["n/srv"], name="srv", category="server")
    known = facts(
        {
            "n/net": stated("n/net", NOVEMBER, JANUARY, [(DECEMBER, DECEMBER + HOUR)]),
            "n/srv": stated("n/srv", NOVEMBER, JANUARY, [(DECEMBER - HOUR, DECEMBER)]),
        }
    )
    (one,) = outages(figures([service(network, server)], known, NOVEMBER, JANUARY))
    assert one.cause == "network"


def test_the_only_outage_has_all_that_is_possible_around_it() -> None:
    unseen = [(DECEMBER + 8 * HOUR, DECEMBER + 10 * HOUR), (DECEMBER + 11 * HOUR, DECEMBER + 14 * HOUR)]
    down = [(DECEMBER + 10 * HOUR, DECEMBER + 11 * HOUR)]
    known = facts({"n/c": stated("n/c", DECEMBER, JANUARY, down, unseen)})
    (one,) = outages(figures([service(group(["n/c"]))], known, DECEMBER, JANUARY))
    assert (one.counted_ms, one.possible_ms) == (HOUR, 6 * HOUR)


def test_of_two_outages_each_has_what_is_possible_nearer_to_it() -> None:
    down = [(DECEMBER + HOUR, DECEMBER + 2 * HOUR), (DECEMBER + 8 * HOUR, DECEMBER + 9 * HOUR)]
    known = facts({"n/c": stated("n/c", DECEMBER, JANUARY, down, [(DECEMBER + 2 * HOUR, DECEMBER + 8 * HOUR)])})
    first, second = outages(figures([service(group(["n/c"]))], known, DECEMBER, JANUARY))
    assert (first.possible_ms, second.possible_ms) == (4 * HOUR, 4 * HOUR)


minutes = st.lists(st.tuples(st.integers(0, 61 * 24 * 60), st.integers(1, 3 * 24 * 60)), max_size=6)


def as_stretches(drawn: list[tuple[int, int]]) -> list[tuple[int, int]]:
    pairs = ((NOVEMBER + begin * MINUTE, NOVEMBER + (begin + length) * MINUTE) for begin, length in drawn)
    return list(Intervals.of(pairs).clip(NOVEMBER, JANUARY))


@given(minutes, minutes, st.integers(0, 60), st.integers(1, 1_439))
def test_any_cut_of_the_period_adds_up_to_the_whole(
    first: list[tuple[int, int]], second: list[tuple[int, int]], day: int, minute: int
) -> None:
    result = two_months(as_stretches(first), as_stretches(second), rule="lowest_member")
    middle = NOVEMBER + day * DAY + minute * MINUTE
    whole = only(result)
    parts = [only(derive(result.case, Period("", begin, end))) for begin, end in pairwise([NOVEMBER, middle, JANUARY])]
    for name in ("counted_ms", "gross_ms", "service_time_ms", "unobserved_ms", "degraded_ms"):
        assert getattr(whole.totals, name) == sum(getattr(part.totals, name) for part in parts)
    for variant in VARIANTS:
        assert whole.beside[variant][0].counted_ms == sum(part.beside[variant][0].counted_ms for part in parts)
    assert sum(whole.causes.values()) == sum(sum(part.causes.values()) for part in parts) == whole.totals.counted_ms


@given(minutes)
def test_a_period_has_the_outages_that_its_evidence_has_whatever_months_they_cross(down: list[tuple[int, int]]) -> None:
    stretches = as_stretches(down)
    assert [(one.begin, one.end) for one in outages(two_months(stretches))] == stretches


def test_an_exclusion_in_one_month_leaves_the_other_alone() -> None:
    known = facts({"n/c": stated("n/c", NOVEMBER, JANUARY, [(DECEMBER - HOUR, DECEMBER + HOUR)])})
    window = excluded(DECEMBER - 2 * HOUR, DECEMBER, check="n/c")
    one = only(figures([service(group(["n/c"]))], known, NOVEMBER, JANUARY, window))
    assert [month.totals.counted_ms for month in one.months] == [0, HOUR]
    assert one.beside["without_exclusions"][0].counted_ms == 2 * HOUR
    assert set(one.months[0].beside) == {"without_exclusions"}
    assert not one.months[1].beside


edges = st.lists(st.integers(0, 100), min_size=2, max_size=12).map(sorted)


@given(edges, st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=8))
def test_a_set_is_split_at_edges_as_counting_instants_would(cuts: list[int], pairs: list[tuple[int, int]]) -> None:
    where = Intervals.of(pairs).clip(cuts[0], cuts[-1])
    counted = [sum(instant in where for instant in range(begin, end)) for begin, end in pairwise(cuts)]
    assert split(where, cuts) == counted


@given(minutes, minutes)
def test_the_days_of_a_month_are_what_the_same_days_are_as_periods(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    result = two_months(as_stretches(first), as_stretches(second), rule="all_down")
    (account,) = result.details[0].accounts.values()
    told = days_of(account, UTC)
    assert [one.date for one in told] == [str(date(2023, 11, 1) + timedelta(days=at)) for at in range(30)]
    for at in (0, 13, 29):
        day = only(derive(result.case, Period("", NOVEMBER + at * DAY, NOVEMBER + (at + 1) * DAY))).totals
        assert told[at].service_time_ms == day.service_time_ms
        assert told[at].counted_ms == day.counted_ms
        assert told[at].unobserved_ms == day.unobserved_ms
        assert told[at].known


def test_a_day_of_which_nothing_was_observed_is_not_known() -> None:
    known = facts({"n/c": stated("n/c", NOVEMBER + 2 * DAY + HOUR, DECEMBER)})
    result = figures([service(group(["n/c"]))], known, NOVEMBER, DECEMBER)
    (account,) = result.details[0].accounts.values()
    assert [one.known for one in days_of(account, UTC)][:4] == [False, False, True, True]
