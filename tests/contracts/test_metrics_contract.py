"""What every store promises about metrics."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from contracts.kinds import OpenStore
from detak_collector.metrics import Moment, kept, unpacked
from detak_collector.store.parts import Store
from evidence_builders import NODE, START_UTC, reading

OTHER = "app-01"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BEGIN = START_UTC // DAY * DAY
FOREVER = 500 * DAY
MANY = 10**6


@pytest.fixture(autouse=True)
def enrolled(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        for number, node in enumerate((NODE, OTHER)):
            token, key = b"t%d" % number, b"k%d" % number
            store.registry.issue(node, token, START_UTC + DAY, reading(0))
            store.registry.redeem(token, node, key, reading(0))


@pytest.fixture
def store(open_store: OpenStore) -> Iterator[Store]:
    with closing(open_store()) as opened:
        opened.duty.take()
        yield opened


def moment(at: int, cpu: int = 125) -> Moment:
    return Moment(BEGIN + at, MINUTE, {0: {"": cpu}})


def minutes(begin: int, end: int, node: str = NODE) -> list[tuple[str, int, bytes]]:
    """A point each minute of [begin, end); the processor is as busy as the minute of the hour says."""
    return [kept(node, moment(at, at % HOUR // MINUTE)) for at in range(begin, end, MINUTE)]


def found(store: Store, begin: int = 0, end: int = FOREVER, most: int = MANY, node: str = NODE) -> list[Moment]:
    answer = store.metrics.read(node, BEGIN + begin, BEGIN + end, most)
    assert answer is not None
    return answer


def tidied(store: Store, now: int, steps: int) -> None:
    for _ in range(steps):
        store.metrics.tidy(BEGIN + now)


def test_moments_outlive_the_process_and_each_node_has_its_own(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        store.metrics.keep([kept(NODE, moment(0)), kept(OTHER, moment(0, 7)), kept(NODE, moment(MINUTE))])
    with closing(open_store()) as store:
        assert found(store) == [moment(0), moment(MINUTE)]
        assert found(store, node=OTHER) == [moment(0, 7)]


def test_a_time_begins_with_its_first_millisecond_and_ends_before_its_last(store: Store) -> None:
    store.metrics.keep([kept(NODE, moment(at)) for at in (0, MINUTE, 2 * MINUTE)])
    assert found(store, MINUTE, 2 * MINUTE) == [moment(MINUTE)]
    assert found(store, 1, 2 * MINUTE + 1) == [moment(MINUTE), moment(2 * MINUTE)]


def test_a_moment_that_comes_twice_is_kept_once(store: Store) -> None:
    store.metrics.keep([kept(NODE, moment(0))])
    store.metrics.keep([kept(NODE, moment(3_000)), kept(NODE, moment(0))])
    assert found(store) == [moment(0)]


def test_a_node_that_nobody_knows_has_no_moments_and_keeps_none(store: Store) -> None:
    store.metrics.keep([kept("stranger", moment(0)), kept(NODE, moment(0))])
    assert store.metrics.read("stranger", 0, FOREVER, 1) is None
    assert found(store, node=OTHER) == []
    assert found(store) == [moment(0)]


def test_no_more_moments_are_read_than_are_wanted(store: Store) -> None:
    store.metrics.keep(minutes(0, HOUR))
    (whole,) = found(store, 0, HOUR, most=1)
    assert whole == Moment(BEGIN + 59 * MINUTE, HOUR, {0: {"": (30, 59)}})
    assert len(found(store, 0, HOUR, most=7)) == 7


def test_a_long_time_is_read_from_hours_and_its_latest_end_as_it_came(store: Store) -> None:
    store.metrics.keep(minutes(0, 4 * HOUR))
    tidied(store, 5 * HOUR, 9)
    long = found(store, 0, 3 * DAY)
    assert [one.interval_ms for one in long] == [HOUR] * 3 + [MINUTE] * 60
    assert long[0].values == {0: {"": (30, 59)}}
    assert found(store, 0, DAY) == [unpacked(utc, point) for _, utc, point in minutes(0, 4 * HOUR)]


def test_points_are_let_go_after_eight_days_and_only_their_hours_stay(store: Store) -> None:
    store.metrics.keep(minutes(0, 2 * HOUR))
    store.metrics.keep(minutes(8 * DAY, 8 * DAY + HOUR))
    tidied(store, 8 * DAY + HOUR + MINUTE, 9)
    assert [one.interval_ms for one in found(store, 0, DAY)] == [HOUR] + [MINUTE] * 60
    tidied(store, 9 * DAY, 9)
    assert [one.interval_ms for one in found(store, 0, DAY)] == [HOUR, HOUR]
    assert len(found(store, 8 * DAY, 9 * DAY)) == 60


def test_hours_are_let_go_after_four_hundred_days(store: Store) -> None:
    store.metrics.keep(minutes(0, HOUR) + minutes(DAY, DAY + HOUR))
    tidied(store, 9 * DAY + 4 * HOUR, 9)
    tidied(store, 400 * DAY + HOUR, 3)
    assert [one.utc for one in found(store)] == [BEGIN + DAY + 59 * MINUTE]
    tidied(store, 402 * DAY, 3)
    assert found(store) == []


def test_an_hour_waits_for_points_that_are_late(store: Store) -> None:
    store.metrics.keep(minutes(0, HOUR // 2))
    tidied(store, 3 * HOUR - MINUTE, 3)
    store.metrics.keep(minutes(HOUR // 2, HOUR))
    tidied(store, 3 * HOUR, 3)
    assert [one.interval_ms for one in found(store, 0, 3 * DAY)] == [HOUR]


def test_hours_without_points_keep_nobody_waiting(store: Store) -> None:
    store.metrics.keep(minutes(0, HOUR) + minutes(5 * DAY, 5 * DAY + HOUR))
    tidied(store, 6 * DAY, 2)
    assert [one.interval_ms for one in found(store, 0, 6 * DAY)] == [HOUR, HOUR]


def test_tidying_starts_where_it_was_when_the_process_ended(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        store.duty.take()
        store.metrics.keep(minutes(0, 2 * HOUR))
        tidied(store, DAY, 1)
    with closing(open_store()) as store:
        store.duty.take()
        tidied(store, DAY, 1)
        assert [one.interval_ms for one in found(store, 0, 3 * DAY)] == [HOUR, HOUR]
