from detak_agent.metrics.waiting import POINTS_PER_MESSAGE, REFUSED_FOR_MS, WaitingPoints
from detak_wire.messages import Metrics

A, B = "https://a", "https://b"


def waiting(*at: int) -> WaitingPoints:
    points = WaitingPoints()
    for one in at:
        points.add(Metrics(one, 10))
    return points


def told(points: tuple[Metrics, ...]) -> list[int]:
    return [point.measured_agent for point in points]


def test_what_a_collector_has_taken_is_not_sent_to_it_again() -> None:
    points = waiting(10, 20)
    a, b = points.for_collector(A), points.for_collector(B)
    a.taken(a.due(99))
    points.add(Metrics(30, 10))
    assert told(a.due(99)) == [30]
    assert told(b.due(99)) == [10, 20, 30]


def test_what_was_taken_is_known_after_a_reload() -> None:
    points = waiting(10)
    before = points.for_collector(A)
    before.taken(before.due(99))
    assert points.for_collector(A).due(99) == ()


def test_only_the_latest_sixty_wait_for_a_collector_that_is_away_and_go_a_few_at_a_time() -> None:
    a = waiting(*range(1_000, 1_100)).for_collector(A)
    sent = []
    while points := a.due(9_999):
        assert len(points) == POINTS_PER_MESSAGE
        sent += told(points)
        a.taken(points)
    assert sent == list(range(1_040, 1_100))


def test_a_collector_that_refuses_metrics_gets_none_until_it_may_have_been_renewed() -> None:
    a = waiting(10).for_collector(A)
    a.refused(1_000)
    assert a.due(1_000 + REFUSED_FOR_MS - 1) == ()
    assert told(a.due(1_000 + REFUSED_FOR_MS)) == [10]
