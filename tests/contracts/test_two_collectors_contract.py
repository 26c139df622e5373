"""What two stores promise together: whichever heard what first, once both have heard all they tell the same facts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from random import Random

import pytest

from contracts.kinds import OpenStore
from detak_collector.downtime.facts import Run
from detak_collector.store.base import Arrival, EvidenceStore
from evidence_builders import START_UTC, reading
from late_delivery import DAY, NODES, SEASON, deliveries

BATCH = 200


@pytest.fixture
def stores(new_store: Callable[[], OpenStore]) -> Iterator[tuple[EvidenceStore, EvidenceStore]]:
    with closing(new_store()()) as dc, closing(new_store()()) as drc:
        for one in (dc, drc):
            for node in NODES:
                one.registry.issue(node, node.encode(), START_UTC + DAY, reading(0))
                one.registry.redeem(node.encode(), node, node.encode() * 4, reading(0))
        yield dc.evidence, drc.evidence


def take(store: EvidenceStore, messages: Sequence[Arrival]) -> None:
    for at in range(0, len(messages), BATCH):
        for outcome in store.commit(messages[at : at + BATCH]):
            assert not isinstance(outcome, Exception), outcome


def told(store: EvidenceStore) -> dict[str, tuple[Run, ...]]:
    facts = store.facts(START_UTC, START_UTC + SEASON, reading(SEASON + 40 * DAY))
    return {name: node.runs for name, node in facts.nodes.items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_evidence_split_over_two_collectors_is_the_same_in_both_once_it_is_all_there(
    stores: tuple[EvidenceStore, EvidenceStore], seed: int
) -> None:
    random = Random(seed)
    messages = deliveries(random)
    openings = [one for one in messages if one.evidence.parts[0].opening]
    others = [one for one in messages if not one.evidence.parts[0].opening]
    for store in stores:
        take(store, openings)
    sides = [random.choice([(0,), (1,), (0, 1)]) for _ in others]
    for side, store in enumerate(stores):
        take(store, [one for one, to in zip(others, sides, strict=True) if side in to])
    assert told(stores[0]) != told(stores[1])
    for store in stores:
        take(store, random.sample(others, len(others)))
    assert told(stores[0]) == told(stores[1])
