"""What every store makes of enrolment tokens: for one node, or for several new ones until a time."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from contracts.kinds import OpenStore
from detak_collector.channel.enrol import REFUSALS, Keyring, issue_shared_token, issue_token, redeem
from detak_collector.clocks import Reading
from detak_collector.store.base import Redeemed
from detak_collector.store.parts import Store
from evidence_builders import reading

NOW: Reading = reading(0)
HOUR_MS = 3_600_000


@pytest.fixture
def store(open_store: OpenStore) -> Iterator[Store]:
    with closing(open_store()) as opened:
        yield opened


def outcome(store: Store, node: str, token: str, at: Reading = NOW) -> Redeemed:
    return redeem(store.registry, node, token, at)[0]


def test_a_token_for_several_nodes_lets_in_so_many_new_ones(store: Store) -> None:
    token = issue_shared_token(store.registry, 2, HOUR_MS, NOW)
    assert outcome(store, "a", token) is Redeemed.ACCEPTED
    assert outcome(store, "b", token) is Redeemed.ACCEPTED
    assert outcome(store, "c", token) is Redeemed.USED
    assert {"a", "b"} == set(store.registry.keys().values())


def test_it_never_makes_anyone_a_node_that_is_there(store: Store) -> None:
    _, key = redeem(store.registry, "a", issue_token(store.registry, "a", HOUR_MS, NOW), NOW)
    token = issue_shared_token(store.registry, 5, HOUR_MS, NOW)
    assert outcome(store, "a", token) is Redeemed.TAKEN
    assert store.registry.revoke("a", NOW)
    assert outcome(store, "a", token) is Redeemed.TAKEN
    assert outcome(store, "b", token) is Redeemed.ACCEPTED
    assert outcome(store, "b", token) is Redeemed.TAKEN
    assert Keyring(store.registry).holder_of(f"Bearer {key}") is None


def test_it_ends_with_its_time(store: Store) -> None:
    token = issue_shared_token(store.registry, 5, HOUR_MS, NOW)
    assert outcome(store, "a", token, reading(HOUR_MS)) is Redeemed.EXPIRED
    assert outcome(store, "a", token, reading(HOUR_MS - 1)) is Redeemed.ACCEPTED


def test_a_token_for_one_node_is_as_it_was(store: Store) -> None:
    token = issue_token(store.registry, "a", HOUR_MS, NOW)
    assert outcome(store, "b", token) is Redeemed.OTHER_NODE
    assert outcome(store, "a", token, reading(HOUR_MS)) is Redeemed.EXPIRED
    assert outcome(store, "a", token) is Redeemed.ACCEPTED
    assert outcome(store, "a", token) is Redeemed.USED
    assert outcome(store, "a", "unheard of") is Redeemed.UNKNOWN


def test_every_refusal_has_its_words() -> None:
    assert set(REFUSALS) == set(Redeemed) - {Redeemed.ACCEPTED}
