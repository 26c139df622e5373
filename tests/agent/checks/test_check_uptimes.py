from hypothesis import given
from hypothesis import strategies as st

from detak_agent.checks.uptimes import UptimeMark

DAY_S = 86_400.0


@given(st.lists(st.tuples(st.floats(0.1, 3_600), st.floats(0, 1)), max_size=20), st.floats(0, 10_000))
def test_an_uptime_in_whole_seconds_keeps_its_mark(steps: list[tuple[float, float]], uptime_s: float) -> None:
    mark, at_s = UptimeMark(), 0.0
    marks = {mark.of(int(uptime_s), at_s, 1_000_000.0)}
    for step_s, wobble_s in steps:
        at_s += step_s
        # The wall clock steps by days: what it says does not matter once the start is known.
        marks.add(mark.of(int(uptime_s + at_s + wobble_s), at_s, 1_000_000.0 + at_s * DAY_S))
    assert len(marks) == 1


def test_the_mark_is_the_start_in_unix_time() -> None:
    assert UptimeMark().of(60, 5.0, 1_000_000.0) == "999940"


@given(st.floats(10, 1e7), st.floats(0.1, 1e5), st.floats(0, 1))
def test_a_restart_changes_the_mark(uptime_s: float, elapsed_s: float, share: float) -> None:
    mark = UptimeMark()
    before = mark.of(uptime_s, 0.0, 1e9)
    assert mark.of(elapsed_s * share, elapsed_s, 1e9 + elapsed_s + 1) != before


def test_an_uptime_that_stands_still_for_a_while_is_no_restart() -> None:
    mark = UptimeMark()
    before = mark.of(5_000, 0.0, 1e9)
    assert mark.of(5_000, 30.0, 1e9 + 30) == before
    assert mark.of(5_060, 60.0, 1e9 + 60) == before


def test_a_counter_that_wraps_is_no_restart() -> None:
    mark = UptimeMark(wraps_s=1_000.0)
    before = mark.of(998, 0.0, 1e9)
    assert mark.of(3, 5.0, 1e9 + 5) == before
    assert mark.of(8, 10.0, 1e9 + 10) == before
    assert mark.of(0, 15.0, 1e9 + 15) != before
