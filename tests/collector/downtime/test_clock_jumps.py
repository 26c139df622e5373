"""Where UTC and agent time part: a standstill stays, a collector whose UTC was off comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.downtime.clocks import Clock, clock_of
from detak_collector.downtime.facts import Claim, Exchange, Facts, Run
from detak_collector.downtime.jumps import Freeze

BOOTED = 1_780_000_000_000
SECOND = 1_000
EXACT = Facts({}, drift_ppm=0, freeze_allowance_ms=100, utc_error_ms=50)


def clock(*stamps: tuple[int, int]) -> Clock:
    """The clock of exchanges given as (second of agent time, milliseconds by which UTC is ahead of the boot's)."""
    exchanges = tuple(
        Exchange(at * SECOND, BOOTED + ahead + at * SECOND, BOOTED + ahead + at * SECOND, at * SECOND)
        for at, ahead in stamps
    )
    run = Run("r", "b", 0, 0, SECOND, Claim(0, BOOTED, None), (), (), exchanges)
    found = clock_of([run], EXACT)
    assert found is not None
    return found


def theta(found: Clock, second: int) -> tuple[int, int]:
    """The bound at a second of agent time, less the boot."""
    least, greatest = found.theta(second * SECOND)
    return least - BOOTED, greatest - BOOTED


def test_a_standstill_is_as_long_as_utc_ran_ahead_for_good() -> None:
    found = clock((0, 0), (10, 0), (15, 60_000), (30, 60_000))
    assert found.freezes == (Freeze(10_000, 15_000, 59_900, 60_100),)
    assert theta(found, 5) == (-50, 50)
    assert theta(found, 20) == (59_950, 60_050)
    assert theta(found, 12) == (-150, 60_150)


@pytest.mark.parametrize("off", [5_000, -5_000])
def test_a_collector_whose_utc_was_off_for_a_while_is_nobodys_standstill(off: int) -> None:
    found = clock((0, 0), (10, 0), (15, off), (20, off), (25, 0), (40, 0))
    assert all(freeze.most_ms == 0 for freeze in found.freezes)
    assert theta(found, 5) == theta(found, 30) == (-50, 50)
    least, greatest = theta(found, 18)
    assert least <= min(0, off)
    assert max(0, off) <= greatest


def test_a_standstill_that_a_wrong_utc_may_have_hidden_stays_in_doubt() -> None:
    up_and_back = clock((0, 0), (10, 0), (15, 5_000), (25, 0))
    down_and_back = clock((0, 0), (10, 0), (15, -5_000), (25, 0))
    assert up_and_back.freezes == (Freeze(10_000, 15_000, 0, 0),)
    assert down_and_back.freezes == (Freeze(15_000, 25_000, 0, 0),)


def test_a_standstill_before_a_wrong_utc_is_still_one() -> None:
    found = clock((0, 0), (5, 0), (10, 8_000), (20, 1_000), (25, 8_000))
    assert Freeze(5_000, 10_000, 7_900, 8_100) in found.freezes
    assert theta(found, 12)[1] >= 8_000 >= theta(found, 12)[0]


def test_two_collectors_that_differ_by_less_than_their_errors_do_not_contradict_each_other() -> None:
    found = clock((0, 40), (5, -40), (10, 40), (15, -40))
    assert not found.freezes
    assert not found.disputes
    assert theta(found, 7) == (-10, 10)


@pytest.mark.parametrize(("ahead", "frozen"), [(200, False), (201, True)])
def test_an_exchange_may_be_ahead_by_both_errors_and_the_allowance_before_it_tells_of_a_standstill(
    ahead: int, frozen: bool
) -> None:
    assert bool(clock((0, 0), (10, ahead)).freezes) == frozen


@pytest.mark.parametrize(("behind", "disputed"), [(100, False), (101, True)])
def test_an_exchange_may_be_behind_by_both_errors_before_it_is_one_that_was_off(behind: int, disputed: bool) -> None:
    """What rises after it is a standstill, unless it only takes back what was off."""
    found = clock((0, 0), (10, -behind), (20, 200))
    assert bool(found.disputes) == disputed
    assert found.freezes[0].most_ms == (0 if disputed else 300)


@given(st.lists(st.integers(-30, 30), min_size=2, max_size=12), st.integers(0, 11))
def test_the_true_offset_is_in_the_bound_however_collectors_err(errors: list[int], second: int) -> None:
    found = clock(*((10 * place, error) for place, error in enumerate(errors)))
    least, greatest = theta(found, second)
    assert least <= 0 <= greatest
