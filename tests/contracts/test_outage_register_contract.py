"""What every store promises about outage numbers, incident rulings and published figures."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from fractions import Fraction

import pytest

from contracts.kinds import OpenStore
from detak_collector.downtime.history import Published
from detak_collector.downtime.incidents import MERGE, SPLIT, UNDO, Ruling
from detak_collector.downtime.numbering import FOREVER, Found, Known
from detak_collector.store.base import StoreError
from detak_collector.store.outages import Sought
from detak_collector.store.parts import Store
from evidence_builders import START_UTC, reading

ALL = (0, FOREVER)
FIRST, SECOND, THIRD = Found("s", 10, 20), Found("t", 12, 30), Found("s", 40, 50)


@pytest.fixture
def store(open_store: OpenStore) -> Iterator[Store]:
    with closing(open_store()) as opened:
        yield opened


def ruling(kind: str, *outages: int, undoes: int | None = None) -> Ruling:
    return Ruling(0, kind, outages, undoes, "one switch", "ani", START_UTC)


def published(year: int, percent: str, target: str | None = None) -> Published:
    fraction = None if target is None else Fraction(target)
    return Published(0, year, Fraction(percent), fraction, "ND-1/2024", "", "ani", START_UTC)


def test_numbers_outlive_the_process(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        assert store.outages.number([FIRST, SECOND], ALL, reading(0)) == (1, 2)
    with closing(open_store()) as store:
        assert store.outages.number([SECOND, FIRST, THIRD], ALL, reading(1)) == (2, 1, 3)


def test_an_earlier_view_is_told_the_numbers_and_gives_none_away(store: Store) -> None:
    store.outages.number([FIRST], ALL, reading(0))
    assert store.outages.recall([FIRST, THIRD], ALL) == (1, None)
    assert store.outages.number([FIRST, SECOND], ALL, reading(0)) == (1, 2)


def test_a_view_of_one_month_finds_the_outage_that_an_earlier_month_left_running(store: Store) -> None:
    store.outages.number([Found("s", 10, 20, running=True)], ALL, reading(0))
    assert store.outages.number([Found("s", 100, 120)], (100, 200), reading(0)) == (1,)
    assert store.outages.known(1) == Known(1, "s", 10, 120)


def test_a_number_that_was_merged_away_is_remembered_and_not_used_again(store: Store) -> None:
    store.outages.number([FIRST, THIRD], ALL, reading(0))
    assert store.outages.number([Found("s", 10, 50)], ALL, reading(0)) == (1,)
    assert store.outages.merged() == {2: 1}
    assert store.outages.known(2) == Known(2, "s", 40, 50, merged_into=1)
    assert store.outages.number([FIRST, THIRD], ALL, reading(0)) == (1, 3)


def test_they_are_listed_from_a_place_on_in_both_directions_and_by_what_is_sought(store: Store) -> None:
    begins = [START_UTC + at * 1_000 for at in range(6)]
    found = [Found("ab"[at % 2], begin, begin + 500, running=at == 5) for at, begin in enumerate(begins)]
    numbers = store.outages.number(found, (START_UTC, FOREVER), reading(0))
    outages, third = store.outages, (begins[3], numbers[3])
    for listed, expected in (
        (outages.latest(2), (5, 4)), (outages.latest(9, before=third), (2, 1, 0)),
        (outages.latest(1, before=third), (2,)),
        (outages.following(1, Sought(), third), (4,)), (outages.following(9, Sought(), third), (5, 4)),
        (outages.latest(9, Sought("a")), (4, 2, 0)), (outages.latest(9, Sought(running=False), third), (2, 1, 0)),
        (outages.latest(9, Sought(running=True)), (5,)),
        (outages.latest(9, Sought(span=(begins[1], begins[2] + 1))), (2, 1)),
        (outages.latest(9, Sought(span=(begins[5] + 10_000, FOREVER))), (5,)),
        (outages.latest(9, Sought(only=frozenset(numbers[:3]), without=frozenset(numbers[:1]))), (2, 1)),
    ):  # fmt: skip
        assert [one.number for one in listed] == [numbers[at] for at in expected]


@pytest.mark.parametrize("number", [1, 0, -1, 10**30])
def test_a_number_that_nobody_has_is_not_known(store: Store, number: int) -> None:
    assert store.outages.known(number) is None


def test_threads_that_number_at_the_same_time_give_each_outage_one_number(store: Store) -> None:
    world = [Found(f"s{at}", at, at + 1) for at in range(20)]
    with ThreadPoolExecutor(4) as pool:
        views = list(pool.map(lambda part: store.outages.number(world[part:], (part, FOREVER), reading(0)), range(8)))
    final = store.outages.number(world, ALL, reading(0))
    assert sorted(final) == list(range(1, 21))
    assert all(view == final[part:] for part, view in enumerate(views))


def test_rulings_are_kept_in_order_with_who_when_and_why(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        store.outages.number([FIRST, SECOND, THIRD], ALL, reading(0))
        merge = store.outages.rule(ruling(MERGE, 1, 3))
        split = store.outages.rule(ruling(SPLIT, 2))
        undo = store.outages.rule(ruling(UNDO, undoes=merge.id))
    assert (merge.id, split.id, undo.id) == (1, 2, 3)
    with closing(open_store()) as store:
        assert store.outages.rulings() == [merge, split, undo]


def test_a_ruling_on_an_outage_that_nobody_knows_is_refused_whole(store: Store) -> None:
    store.outages.number([FIRST], ALL, reading(0))
    with pytest.raises(StoreError):
        store.outages.rule(ruling(MERGE, 1, 7))
    assert store.outages.rulings() == []


def test_a_ruling_can_be_undone_once(store: Store) -> None:
    store.outages.number([FIRST], ALL, reading(0))
    store.outages.rule(ruling(SPLIT, 1))
    store.outages.rule(ruling(UNDO, undoes=1))
    with pytest.raises(StoreError):
        store.outages.rule(ruling(UNDO, undoes=1))
    assert len(store.outages.rulings()) == 2


def test_published_figures_are_exact_and_a_correction_leaves_the_earlier_entry(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        first = store.history.add(published(2023, "0.0076", "0.1"))
        second = store.history.add(published(2023, "0.000126839168"))
    assert (first.id, second.id) == (1, 2)
    with closing(open_store()) as store:
        assert store.history.entries() == [first, second]
    assert first.percent == Fraction(76, 10_000)
