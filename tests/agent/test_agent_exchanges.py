from hypothesis import given
from hypothesis import strategies as st

from detak_agent.exchanges import HOUR_MS, Choice, Stamps


def stamps(at: int, width: int) -> Stamps:
    return Stamps("c0c0c0c0", at, 1_000, 1_003, at + 3 + width)


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
