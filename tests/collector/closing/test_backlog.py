"""What a node may still hold back of a period, out of a real store: silence, spans that go on, records that lack."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from detak_collector.store.backlog import HeldBack, held_back
from detak_collector.store.sqlite import SqliteStore, open_store
from detak_wire.messages import Gap, Part, Span
from evidence_builders import NODE, RUN, START_UTC, arrival, beat, exchange, gap, opening, reading, span

END = START_UTC + 60_000
"""The period: the node's first minute."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path, reading(0))
    opened.registry.issue(NODE, b"t" * 32, START_UTC + 60_000, reading(0))
    opened.registry.redeem(b"t" * 32, NODE, b"k" * 32, reading(0))
    yield opened
    opened.close()


def deliver(store: SqliteStore, *spans: Span, lost: tuple[Gap, ...] = (), sent: int = 100_000) -> None:
    part = Part(RUN, opening(), list(spans), exchanges=[exchange(1, 3_000)], gaps=list(lost))
    (receipt,) = store.evidence.commit([arrival(beat(part, sent=sent))])
    assert not isinstance(receipt, Exception), receipt


def found(store: SqliteStore, begin: int = START_UTC, end: int = END) -> HeldBack | None:
    with store.database.reading() as connection:
        return held_back(connection, NODE, begin, end)


ALIVE = span(2, "alive", 2_000, 98)
"""Goes on until second 99."""


def test_a_node_that_is_all_here_and_one_that_came_later_hold_nothing_back(store: SqliteStore) -> None:
    deliver(store, span(2, "alive", 2_000, 50, closed=True), span(3, "alive", 62_000, 30))
    assert found(store) is None
    assert found(store, START_UTC - 90_000, START_UTC - 60_000) is None


def test_what_began_before_the_end_and_goes_on_is_named(store: SqliteStore) -> None:
    deliver(store, ALIVE, span(3, "web", 2_000, 40, closed=True), span(4, "web", 61_000, 30))
    held = found(store)
    assert held is not None
    assert (held.open, held.missing) == (("alive",), 0)
    assert held.reach_utc >= END


def test_a_node_that_was_heard_last_before_the_end_is_told_with_its_moment(store: SqliteStore) -> None:
    deliver(store, span(2, "alive", 2_000, 20, closed=True), sent=23_000)
    held = found(store)
    assert held is not None
    assert held.open == ()
    assert START_UTC + 21_000 <= held.reach_utc < START_UTC + 25_000


def test_records_that_never_came_are_counted_until_a_record_says_that_they_are_lost(store: SqliteStore) -> None:
    deliver(store, span(2, "alive", 2_000, 50, closed=True), span(6, "alive", 62_000, 30))
    held = found(store)
    assert held is not None
    assert held.missing == 3
    deliver(store, lost=(gap(7, 3, 5),))
    assert found(store) is None
