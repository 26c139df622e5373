from hypothesis import given
from hypothesis import strategies as st

from detak_agent.schedule import SETTLING_MS, first_due, next_due, phase

names = st.text(min_size=1, max_size=20)
intervals = st.integers(100, 3_600_000)
moments = st.integers(0, 10**12)


@given(names, intervals, moments)
def test_the_next_slot_is_after_now_and_within_one_interval(name: str, interval_ms: int, now: int) -> None:
    assert now < next_due(name, interval_ms, now) <= now + interval_ms


@given(names, intervals, moments, moments)
def test_all_slots_of_a_check_lie_on_one_grid(name: str, interval_ms: int, one: int, other: int) -> None:
    assert (next_due(name, interval_ms, one) - next_due(name, interval_ms, other)) % interval_ms == 0


@given(names, intervals, moments, st.integers(0, 10_000_000))
def test_slots_that_a_slow_sample_missed_are_skipped(name: str, interval_ms: int, now: int, took: int) -> None:
    due = next_due(name, interval_ms, now)
    following = next_due(name, interval_ms, due + took)
    assert following > due + took
    assert following - (due + took) <= interval_ms


@given(names, intervals, moments)
def test_the_first_sample_of_a_run_comes_soon(name: str, interval_ms: int, now: int) -> None:
    assert now <= first_due(name, interval_ms, now) < now + min(interval_ms, SETTLING_MS)


def test_checks_of_one_interval_are_spread_over_it() -> None:
    phases = {phase(f"check-{number}", 5_000) // 500 for number in range(200)}
    assert phases == set(range(10))
