"""What every store makes of enrolment tokens: for one node, or for several new ones until a time."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from msgspec.structs import replace

from contracts.kinds import OpenStore
from contracts.shared_stores import enrol, taken
from detak_collector.channel.enrol import REFUSALS, Keyring, issue_shared_token, issue_token, redeem
from detak_collector.clocks import Reading
from detak_collector.fleet.standing import Invited
from detak_collector.store.awaited import awaited
from detak_collector.store.base import Arrival, Redeemed
from detak_collector.store.late_records import late_records
from detak_collector.store.parts import Store
from detak_collector.store.running_checks import running_checks
from detak_wire.messages import Part
from evidence_builders import NODE, RUN, beat, opening, reading, span

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


def test_tokens_that_wait_are_told_until_they_are_used_or_over(store: Store) -> None:
    for name, lifetime_ms in (("b", HOUR_MS), ("a", HOUR_MS), ("a", 2 * HOUR_MS), ("c", HOUR_MS)):
        token = issue_token(store.registry, name, lifetime_ms, NOW)
    shared = issue_shared_token(store.registry, 2, 3 * HOUR_MS, NOW)
    assert outcome(store, "c", token) is Redeemed.ACCEPTED
    assert store.registry.revoke("c", NOW)
    issue_token(store.registry, "d", HOUR_MS, NOW)
    assert outcome(store, "d", shared) is Redeemed.ACCEPTED
    alone = [Invited("a", 1, NOW.utc + 2 * HOUR_MS), Invited("b", 1, NOW.utc + HOUR_MS)]
    together = [Invited(None, 1, NOW.utc + 3 * HOUR_MS)]
    with store.database.reading() as connection:
        assert awaited(connection, NOW.utc) == alone + together
        assert awaited(connection, NOW.utc + HOUR_MS) == alone[:1] + together
        assert awaited(connection, NOW.utc + 3 * HOUR_MS) == []


def test_what_runs_on_each_node_and_what_of_it_is_missing_is_told(store: Store) -> None:
    enrol(store, NODE, "gone")
    taken(store, beat(Part(RUN, opening(["web", "pg"]), [span(1, "alive"), span(4, "pg")])))
    taken(store, Arrival("gone", replace(beat(Part(RUN, opening(), [span(1, "alive")])), node="gone"), NOW))
    assert store.registry.revoke("gone", NOW)
    with store.database.reading() as connection:
        assert {node: [one.name for one in checks] for node, checks in running_checks(connection).items()} == {
            NODE: ["web", "pg"]
        }
        assert late_records(connection, 0) == {NODE: 2}
    taken(store, beat(Part(RUN, None, [span(2, "web", closed=True), span(3, "web", 9_000)])))
    with store.database.reading() as connection:
        assert late_records(connection, 0) == {}
