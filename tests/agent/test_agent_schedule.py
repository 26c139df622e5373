from hypothesis import given
from hypothesis import strategies as st

from detak_agent.schedule import SETTLING_MS, first_due, grid_ms, next_due, phase

names = st.text(min_size=1, max_size=20)
intervals = st.integers(100, 3_600_000)
moments = st.integers(0, 10**12)
grids = st.sampled_from([1, 10, 100, 250, 500, 1_000])


@given(names, intervals, moments, grids)
def test_the_next_slot_is_after_now_and_within_one_interval(name: str, interval_ms: int, now: int, grid: int) -> None:
    assert now < next_due(name, interval_ms, now, grid) <= now + interval_ms


@given(names, intervals, moments, moments, grids)
def test_all_slots_of_a_check_lie_one_interval_apart(
    name: str, interval_ms: int, one: int, other: int, grid: int
) -> None:
    distance = next_due(name, interval_ms, one, grid) - next_due(name, interval_ms, other, grid)
    assert distance % interval_ms == 0


@given(names, st.integers(1, 600), moments)
def test_checks_of_whole_seconds_begin_with_a_tick_while_they_are_few(name: str, seconds: int, now: int) -> None:
    assert next_due(name, seconds * 1_000, now, grid_ms([seconds * 1_000])) % 1_000 == 0


@given(st.lists(st.integers(100, 60_000), max_size=300))
def test_no_more_than_four_checks_begin_at_once_on_average_where_the_grid_can_help(every_ms: list[int]) -> None:
    grid = grid_ms(every_ms)
    assert 1_000 % grid == 0
    assert sum(1_000 / one for one in every_ms) * grid / 1_000 <= 4 or grid == 10


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
    phases = [phase(f"check-{number}", 5_000, grid_ms([5_000] * 200)) for number in range(200)]
    assert {one // 500 for one in phases} == set(range(10))
    assert max(map(phases.count, phases)) <= 4 * 4
