"""What every store tells of evidence that is missing or contradicts itself, and of silences."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from contracts.kinds import OpenStore
from detak_collector.downtime.facts import Contradiction, Lost, Run
from detak_collector.downtime.intervals import Intervals
from detak_collector.store.base import EvidenceStore
from detak_wire.messages import Evidence, Part
from evidence_builders import (
    NODE,
    RUN,
    START_UTC,
    arrival,
    beat,
    exchange,
    first_beat,
    gap,
    later_beat,
    opening,
    reading,
    span,
)

OTHER = "db-02"
DAY_MS = 86_400_000


@pytest.fixture
def store(open_store: OpenStore) -> Iterator[EvidenceStore]:
    with closing(open_store()) as opened:
        for node in (NODE, OTHER):
            opened.registry.issue(node, node.encode(), START_UTC + DAY_MS, reading(0))
            opened.registry.redeem(node.encode(), node, node.encode() * 4, reading(0))
        yield opened.evidence


def taken(store: EvidenceStore, evidence: Evidence) -> None:
    (outcome,) = store.commit([arrival(evidence)])
    assert not isinstance(outcome, Exception)


def the_run(store: EvidenceStore) -> Run:
    (run,) = store.node_facts(NODE, START_UTC, START_UTC + DAY_MS, reading(20_000)).runs
    return run


def test_both_versions_of_a_contradicted_span_are_told_as_doubtful(store: EvidenceStore) -> None:
    taken(store, first_beat())
    taken(store, beat(Part(RUN, spans=[span(3, first=5_000, closed=True)])))
    taken(store, beat(Part(RUN, spans=[span(3, first=6_000, samples=3, closed=True)])))
    assert the_run(store).contradicted == (Contradiction("web", 5_000, 5_003), Contradiction("web", 6_000, 8_003))


def test_an_open_span_is_contradicted_as_well_as_a_closed_one(store: EvidenceStore) -> None:
    taken(store, first_beat())
    taken(store, beat(Part(RUN, spans=[span(2, state="down")])))
    assert set(the_run(store).contradicted) == {Contradiction("web", 2_000, 2_003)}


def test_a_number_that_is_a_span_and_something_else_is_doubtful_where_the_span_is(store: EvidenceStore) -> None:
    taken(store, first_beat())
    taken(store, beat(Part(RUN, spans=[span(3, first=5_000, closed=True)], exchanges=[exchange(4)])))
    other = Part(RUN, spans=[span(4, first=7_000, closed=True)], exchanges=[exchange(3), exchange(4, 4_000)])
    taken(store, beat(other))
    assert the_run(store).contradicted == (Contradiction("web", 7_000, 7_003), Contradiction("web", 5_000, 5_003))


def test_of_a_contradicted_opening_the_whole_run_is_doubtful(store: EvidenceStore) -> None:
    taken(store, first_beat())
    taken(store, beat(Part(RUN, opening(opened=1_500))))
    assert the_run(store).contradicted == (Contradiction(None, 1_000, 2_003),)


def test_what_is_missing_is_told_with_the_times_between_which_it_began(store: EvidenceStore) -> None:
    parts = Part(RUN, opening(), [span(3, first=5_000, closed=True), span(7, first=9_000)], gaps=[gap(8, 5, 5)])
    taken(store, beat(parts))
    assert the_run(store).lost == (
        Lost(1, 2, after=None, before=5_003),
        Lost(4, 4, after=5_000, before=9_003),
        Lost(5, 5, after=5_000, before=9_003, told=True),
        Lost(6, 6, after=5_000, before=9_003),
    )
    filling = [span(5, first=6_000, closed=True), span(4, first=5_500), span(6, first=7_000)]
    taken(store, beat(Part(RUN, spans=filling)))
    assert the_run(store).lost == (Lost(1, 2, after=None, before=5_003),), "evidence wins over a gap record"


def test_silences_are_told_of_every_node_with_the_running_one(store: EvidenceStore) -> None:
    for node in (NODE, OTHER):
        taken(store, first_beat(node=node))
    taken(store, later_beat(60))
    facts = store.facts(START_UTC, START_UTC + DAY_MS, reading(80_000), checks=[])
    first, again = START_UTC + 3_010, START_UTC + 63_010
    assert facts.nodes == {}
    assert facts.unheard == {
        NODE: Intervals.of([(first, again), (again, START_UTC + 80_000)]),
        OTHER: Intervals.span(first, START_UTC + 80_000),
    }
