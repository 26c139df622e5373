"""Of every store it is told which fact is so many after another, however wide the gaps between their numbers."""

from contextlib import closing

from contracts.kinds import OpenStore
from contracts.shared_stores import enrol, taken
from detak_collector.store.touched import fact_after, last_sequence
from detak_wire.messages import Part
from evidence_builders import NODE, RUN, beat, exchange, opening, span


def test_facts_are_counted_and_not_their_numbers(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        enrol(store, NODE)
        with store.database.reading() as connection:
            assert fact_after(connection, 0, 1) is None
        taken(store, beat(Part(RUN, opening(), [span(1, "web", 1_000, 2, closed=True)]), sent=10_000))
        taken(store, beat(Part(RUN, exchanges=[exchange(at, 20_000 + at) for at in range(5)]), sent=30_000))
        with store.database.reading() as connection:
            numbers = [fact_after(connection, 0, count) for count in range(1, 9)]
            last = last_sequence(connection)
    known = [number for number in numbers if number is not None]
    assert len(known) == 7, "a run, a span and five exchanges"
    assert known == sorted(set(known))
    assert known[-1] <= last
    assert numbers == [*known, None]
