from hypothesis import given
from hypothesis import strategies as st

from detak_agent.exchanges import HOUR_MS, Choice, Stamps


def stamps(at: int, width: int, theta: int = 1_000) -> Stamps:
    return Stamps("c0c0c0c0", at, at + theta, at + theta + 3, at + 3 + width)


@given(st.lists(st.tuples(st.integers(0, HOUR_MS // 2), st.integers(0, 500)), min_size=1, max_size=40))
def test_of_each_hour_the_narrowest_is_kept(pace: list[tuple[int, int]]) -> None:
    now = 10 * HOUR_MS
    made = []
    for distance, width in pace:
        now += distance
        made.append(stamps(now, width))
    choice = Choice()
    kept = [one for each in made for one in choice.offer(each, after_edge=False)] + choice.rest()
    assert kept[0] == made[0]
    for hour in {one.received_agent // HOUR_MS for one in made[1:]}:
        others = [one.width_ms for one in made[1:] if one.received_agent // HOUR_MS == hour]
        assert min(others) in [one.width_ms for one in kept[1:] if one.received_agent // HOUR_MS == hour]
    assert len(kept) <= 1 + len({one.received_agent // HOUR_MS for one in made})


def test_the_exchange_after_an_edge_is_kept_at_once() -> None:
    choice = Choice()
    choice.offer(stamps(0, 5), after_edge=False)
    after = stamps(10, 50)
    assert choice.offer(after, after_edge=True) == [after]
    assert choice.offer(stamps(20, 50), after_edge=False) == []


def test_both_exchanges_around_a_jump_of_the_clocks_are_kept_once_each() -> None:
    choice = Choice()
    first, quiet, after, later = (
        stamps(0, 5),
        stamps(5_000, 9),
        stamps(10_000, 5, theta=61_000),
        stamps(15_000, 5, 61_000),
    )
    assert choice.offer(first, after_edge=False) == [first]
    assert choice.offer(quiet, after_edge=False) == []
    assert choice.offer(after, after_edge=False) == [quiet, after]
    assert choice.offer(later, after_edge=False) == []
    back = stamps(20_000, 5)
    assert choice.offer(back, after_edge=False) == [later, back]


def test_what_drift_and_a_short_freeze_explain_is_no_jump() -> None:
    choice = Choice()
    choice.offer(stamps(0, 5), after_edge=False)
    assert choice.offer(stamps(1_000_000, 5, theta=1_000 + 100 + 100), after_edge=False) == []
