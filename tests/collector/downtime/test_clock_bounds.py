"""What one exchange, two exchanges or a claim say of UTC, to the millisecond and at every distance."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from detak_collector.downtime import clocks
from detak_collector.downtime.clocks import Clock, clock_of
from detak_collector.downtime.facts import Claim, Exchange, Facts, Run
from detak_collector.downtime.jumps import Freeze, drifted, hull

BOOTED = 1_780_000_000_000
FAR = 10_000_000
"""Over which 100 ppm come to a second."""
FACTS = Facts({}, drift_ppm=100, freeze_allowance_ms=100, utc_error_ms=50)
STEADY = Facts({}, drift_ppm=0, freeze_allowance_ms=100, utc_error_ms=50)


def run(*exchanges: Exchange, claim: Claim | None = None, name: str = "r") -> Run:
    return Run(name, "b", 0, 0, 1_000, claim or Claim(0, BOOTED, None), (), (), exchanges)


def at_once(agent: int, ahead: int = 0) -> Exchange:
    """An exchange that took no time, at which UTC was so far ahead of the boot's."""
    return Exchange(agent, BOOTED + ahead + agent, BOOTED + ahead + agent, agent)


def clock(*exchanges: Exchange, facts: Facts = FACTS) -> Clock:
    found = clock_of([run(*exchanges)], facts)
    assert found is not None
    return found


def theta(found: Clock, agent: int) -> tuple[int, int]:
    least, greatest = found.theta(agent)
    return least - BOOTED, greatest - BOOTED


LONG = Exchange(sent=0, arrived_utc=BOOTED + 30, answered_utc=BOOTED + 1_980, received=2_000)
"""Two seconds long: UTC was at most 30 ms ahead when it was sent, at least 20 ms behind when it was answered."""


@pytest.mark.parametrize(
    ("distance", "before", "after"),
    [
        (0, None, (-70, 181)),
        (1, (-171, 82), (-71, 182)),
        (10_000, (-171, 82), (-71, 182)),
        (10_001, (-172, 83), (-72, 183)),
        (FAR, (-1_170, 1_081), (-1_070, 1_181)),
    ],
)
def test_a_bound_widens_with_drift_and_a_freeze_widens_it_on_one_side(
    distance: int, before: tuple[int, int] | None, after: tuple[int, int]
) -> None:
    found = clock(LONG)
    assert theta(found, 2_000 + distance) == after
    assert before is None or theta(found, 2_000 - distance) == before
    assert found.latest(2_000 + distance) - found.earliest(2_000 + distance) == after[1] - after[0]


def test_counted_edges_take_the_middle_of_what_was_said_without_the_allowance() -> None:
    found = clock(LONG)
    assert [found.middle(agent) - BOOTED - agent for agent in (0, 2_000, FAR)] == [5, 5, 5]
    assert found.after(2_000) == BOOTED + 2_005
    assert found.uncertainty_ms == 126
    assert clock(at_once(0)).uncertainty_ms == 100


def test_between_two_exchanges_both_bind() -> None:
    found = clock(at_once(0, 30), at_once(FAR, -20))
    assert theta(found, 0) == (-20, 80 + 100)
    assert theta(found, FAR) == (-70, 30 + 100)
    middle = FAR // 2
    assert theta(found, middle) == (-520, 530)
    assert found.middle(middle) == BOOTED + middle + 5


def test_an_exchange_within_drift_of_another_narrows_it() -> None:
    found = clock(at_once(0, 60), at_once(10_000, -20), facts=STEADY)
    assert found.measured == ((BOOTED + 10, BOOTED + 110), (BOOTED - 70, BOOTED + 30))
    assert found.forward == ((BOOTED + 10, BOOTED + 110), (BOOTED + 10, BOOTED + 30))
    assert found.backward == ((BOOTED + 10, BOOTED + 30), (BOOTED - 70, BOOTED + 30))
    assert theta(found, 5_000) == (10, 30)
    assert found.middle(5_000) == BOOTED + 5_020


@pytest.mark.parametrize(("ahead", "frozen"), [(0, 0), (200, 0), (201, 1), (-100, 0)])
def test_a_jump_is_a_standstill_once_errors_and_short_freezes_cannot_explain_it(ahead: int, frozen: int) -> None:
    found = clock(at_once(0), at_once(10_000, ahead), facts=STEADY)
    assert len(found.freezes) == frozen
    assert not found.disputes
    assert all(freeze == Freeze(0, 10_000, ahead - 100, ahead + 100) for freeze in found.freezes)


@pytest.mark.parametrize(("back", "carried"), [(-100, (-50, -50)), (-101, (-151, -51))])
def test_a_utc_that_fell_behind_by_more_than_its_error_begins_anew(back: int, carried: tuple[int, int]) -> None:
    found = clock(at_once(0), at_once(10_000, back), facts=STEADY)
    assert found.forward[1] == (BOOTED + carried[0], BOOTED + carried[1])


@pytest.mark.parametrize(("back", "disputes"), [(-200, 0), (-201, 1)])
def test_a_utc_that_comes_back_by_more_than_errors_explain_was_off(back: int, disputes: int) -> None:
    found = clock(at_once(0), at_once(10_000, back), at_once(20_000), facts=STEADY)
    assert len(found.disputes) == disputes


def test_a_dispute_widens_the_time_strictly_between_the_exchanges_that_agree() -> None:
    found = clock(at_once(0), at_once(10_000, -1_000), at_once(20_000), facts=STEADY)
    assert (theta(found, 0), theta(found, 20_000)) == ((-50, 50), (-50, 150))
    assert theta(found, 1) == theta(found, 19_999) == (-1_150, 150)


def test_where_nothing_was_exchanged_the_node_s_own_claim_stands() -> None:
    claimed = run(claim=Claim(at=1_000, utc=BOOTED + 1_007, error_ms=5))
    found = clock_of([claimed], FACTS)
    assert found is not None
    assert found.measured == ((BOOTED + 2, BOOTED + 12),)
    with_exchange = clock_of([claimed, run(at_once(1_000), name="s")], FACTS)
    assert with_exchange is not None
    assert with_exchange.measured == ((BOOTED - 50, BOOTED + 50),)


def test_a_clock_that_nothing_bounds_is_none() -> None:
    assert clock_of([run()], FACTS) is None


@pytest.mark.parametrize(
    ("distance", "drift"), [(0, 0), (1, 1), (9_999, 1), (10_000, 1), (10_001, 2), (FAR, 1_000), (FAR + 1, 1_001)]
)
def test_drift_is_rounded_up(distance: int, drift: int) -> None:
    assert drifted(distance, 100) == drift


def test_a_hull_holds_all_its_bounds() -> None:
    assert hull([(3, 4), (1, 2), (5, 9)]) == (1, 9)


def test_bounds_that_only_just_meet_leave_one_instant() -> None:
    found = clock(at_once(0, 50), at_once(10_000, -50), facts=STEADY)
    assert found.forward[1] == found.backward[0] == (BOOTED, BOOTED)
    assert theta(found, 5_000) == (0, 0)
    assert found.middle(5_000) == BOOTED + 5_000


def test_where_two_exchanges_disagree_only_they_bound_the_time_between_them() -> None:
    """A slow exchange before and one after, which know less, widen nothing."""
    slow, slow_later = Exchange(0, BOOTED + 4_000, BOOTED - 4_000, 0), Exchange(30_000, BOOTED + 99_000, BOOTED, 30_000)
    found = clock(slow, at_once(10_000), at_once(20_000, 60_000), slow_later, facts=STEADY)
    assert theta(found, 15_000) == (-150, 60_150)
    assert found.middle(15_000) == BOOTED + 15_000 + 30_000


def test_a_dispute_is_as_wide_as_its_exchanges_and_the_drift_between_those_that_agree() -> None:
    """A slow exchange before them, which knows less, widens nothing."""
    slow = Exchange(FAR - 10_000, BOOTED + FAR - 6_000, BOOTED + FAR - 14_000, FAR - 10_000)
    found = clock(slow, at_once(FAR), at_once(FAR + 10_000, -5_000), at_once(FAR + 20_000))
    (dispute,) = found.disputes
    assert (dispute.begin, dispute.end) == (FAR, FAR + 20_000)
    assert dispute.bound == (BOOTED - 5_050 - 102, BOOTED + 50 + 102)


def test_between_the_first_two_exchanges_a_standstill_is_bounded_by_both() -> None:
    found = clock(at_once(0), at_once(10_000, 60_000), facts=STEADY)
    assert theta(found, 5_000) == (-150, 60_150)
    assert found.middle(5_000) == BOOTED + 5_000 + 30_000


@given(
    st.lists(st.tuples(st.integers(0, 300_000), st.integers(-40, 0), st.integers(0, 40)), min_size=1, max_size=4),
    st.lists(st.integers(-FAR, 4 * FAR), min_size=3, max_size=8),
)
@example([(0, 0, 0), (10_000, -40, 0)], [0, 5_000, 20_000])
@example([(0, -40, 0), (10_000, 0, 0)], [0, 5_000, 20_000])
@example([(0, 0, 0), (10_000, 0, 40)], [0, 5_000, 20_000])
@example([(0, 0, 40), (10_000, 0, 0)], [0, 5_000, 20_000])
def test_a_clock_that_is_steady_says_what_carrying_every_bound_would(
    steps: list[tuple[int, int, int]], asked: list[int]
) -> None:
    moments = accumulate(step for step, _, _ in steps)
    exchanges = [
        Exchange(agent, BOOTED + high + agent, BOOTED + low + agent, agent)
        for agent, (_, low, high) in zip(moments, steps, strict=True)
    ]
    quick = clock(*exchanges)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clocks, "is_steady", lambda anchors, drift_ppm: False)
        carried = clock(*exchanges)
    assert quick == carried
    event("steady" if quick.measured is quick.forward else "not steady")
    for agent in asked:
        assert (quick.theta(agent), quick.middle(agent)) == (carried.theta(agent), carried.middle(agent))
