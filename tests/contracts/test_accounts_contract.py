"""What every store makes of accounts, their sessions and the links that set a password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from contracts.kinds import OpenStore
from detak_collector.accounts.account import Account, Origin, Session, Stage
from detak_collector.accounts.grants import Source, Wish, body_of
from detak_collector.accounts.known_grants import KnownGrants
from detak_collector.accounts.roles import Role
from detak_collector.pair.entry import GRANT
from detak_collector.store.entries import take_entries
from detak_collector.store.parts import Store

SITI = Account("siti", "Siti Rahma", "siti@example.go.id", Origin.LOCAL, 5, "hash")
BUDI = Account("budi", "Budi", "", Origin.DIRECTORY, 6)


def session(number: int, name: str = "siti", stage: Stage = Stage.WHOLE) -> Session:
    return Session(bytes([number]) * 32, name, stage, 10 * number, 10 * number, "10.0.0.1", "Firefox, Linux")


@pytest.fixture
def store(open_store: OpenStore) -> Iterator[Store]:
    with closing(open_store()) as opened:
        assert opened.accounts.add(SITI)
        assert opened.accounts.add(BUDI)
        yield opened


def test_an_account_is_as_it_was_made_and_no_name_is_given_twice(store: Store) -> None:
    assert store.accounts.find("siti") == SITI
    assert store.accounts.listing() == [BUDI, SITI]
    assert not store.accounts.add(replace(SITI, display="Another"))
    assert store.accounts.find("siti") == SITI
    assert store.accounts.find("SITI") is None


def test_a_person_of_the_directory_is_renewed_and_never_becomes_a_local_one(store: Store) -> None:
    fresh = replace(BUDI, display="Budi Santoso", mail="budi@example.go.id", made_utc=99)
    assert store.accounts.meet(fresh) == replace(fresh, made_utc=6)
    assert store.accounts.meet(replace(BUDI, name="siti")) is None
    assert store.accounts.meet(replace(BUDI, name="agus")) == replace(BUDI, name="agus")


def test_a_session_begins_is_seen_and_ends(store: Store) -> None:
    assert store.sessions.begin(session(1), None, 0)
    assert store.sessions.find(session(1).hash) == (session(1), SITI)
    store.sessions.seen(session(1).hash, 77)
    store.sessions.wrong_code(session(1).hash)
    assert store.sessions.of("siti") == [replace(session(1), seen_utc=77, wrong_codes=1)]
    store.sessions.end("budi", session(1).hash)
    assert store.sessions.find(session(1).hash) is not None
    store.sessions.end("siti", session(1).hash)
    assert store.sessions.find(session(1).hash) is None


def test_a_session_takes_the_place_of_another_and_old_ones_are_let_go(store: Store) -> None:
    for number in (1, 2, 3):
        assert store.sessions.begin(session(number), None, 0)
    assert store.sessions.begin(session(9), session(3).hash, 20)
    assert [one.hash[0] for one in store.sessions.of("siti")] == [9, 2]


def test_all_others_can_be_ended_and_everyone_else_s_stay(store: Store) -> None:
    for number, name in ((1, "siti"), (2, "siti"), (3, "budi")):
        store.sessions.begin(session(number, name), None, 0)
    store.sessions.end_others("siti", session(1).hash)
    assert [one.hash[0] for one in store.sessions.of("siti")] == [1]
    store.sessions.end_others("siti", None)
    assert store.sessions.of("siti") == []
    assert len(store.sessions.of("budi")) == 1


def test_a_disabled_account_has_no_sessions_links_or_way_to_begin_one(store: Store) -> None:
    store.sessions.begin(session(1), None, 0)
    store.accounts.issue_reset("siti", b"t" * 32, 100)
    store.accounts.set_disabled("siti", 50)
    assert store.accounts.find("siti") == replace(SITI, disabled_utc=50)
    assert store.sessions.find(session(1).hash) is None
    assert not store.sessions.begin(session(2), None, 0)
    assert store.accounts.whose_reset(b"t" * 32, 0) is None
    store.accounts.set_disabled("siti", None)
    assert store.sessions.find(session(1).hash) is None
    assert store.sessions.begin(session(2), None, 0)


def test_another_password_ends_sessions_and_links_and_a_rehash_does_not(store: Store) -> None:
    store.sessions.begin(session(1), None, 0)
    store.accounts.rehash("siti", "hash", "hash at another cost")
    store.accounts.rehash("siti", "hash", "too late")
    assert store.accounts.find("siti") == replace(SITI, password="hash at another cost")
    assert store.sessions.of("siti") == [session(1)]
    store.accounts.issue_reset("siti", b"t" * 32, 100)
    store.accounts.set_password("siti", "another")
    assert store.sessions.of("siti") == []
    assert store.accounts.whose_reset(b"t" * 32, 0) is None


def test_a_link_is_good_once_until_its_time_and_the_latest_only(store: Store) -> None:
    store.accounts.issue_reset("siti", b"1" * 32, 100)
    store.accounts.issue_reset("siti", b"2" * 32, 100)
    store.sessions.begin(session(1), None, 0)
    assert store.accounts.reset(b"1" * 32, "x", 0) is None
    assert store.accounts.whose_reset(b"2" * 32, 99) == "siti"
    assert store.accounts.reset(b"2" * 32, "x", 100) is None
    assert store.accounts.reset(b"2" * 32, "fresh", 99) == "siti"
    assert store.accounts.find("siti") == replace(SITI, password="fresh")
    assert store.sessions.of("siti") == []
    assert store.accounts.reset(b"2" * 32, "again", 99) is None


def test_a_link_is_never_for_somebody_of_the_directory(store: Store) -> None:
    store.accounts.issue_reset("budi", b"1" * 32, 100)
    assert store.accounts.whose_reset(b"1" * 32, 0) is None
    assert store.accounts.reset(b"1" * 32, "x", 0) is None


def test_a_code_is_used_up_once_and_no_earlier_one_is_good_after_it(store: Store) -> None:
    assert store.accounts.use_step("siti", 7)
    assert not store.accounts.use_step("siti", 7)
    assert not store.accounts.use_step("siti", 6)
    assert store.accounts.use_step("siti", 8)


def test_a_second_factor_begins_with_the_first_code_of_the_secret_that_was_offered_last(store: Store) -> None:
    store.accounts.offer_secret("siti", "ONE")
    store.accounts.offer_secret("siti", "TWO")
    assert not store.accounts.take_secret("siti", "ONE", 4)
    assert store.accounts.take_secret("siti", "TWO", 4)
    assert store.accounts.find("siti") == replace(SITI, secret="TWO", step=4)
    assert not store.accounts.use_step("siti", 4)
    assert store.accounts.drop_secret("siti")
    assert not store.accounts.drop_secret("siti")
    assert store.accounts.find("siti") == SITI


def test_when_somebody_signed_in_is_kept(store: Store) -> None:
    store.accounts.signed_in("siti", 123)
    assert store.accounts.find("siti") == replace(SITI, signed_in_utc=123)


def test_roles_given_at_one_collector_are_in_force_at_the_other(new_store: Callable[[], OpenStore]) -> None:
    with closing(new_store()()) as here, closing(new_store()()) as there:
        for role, withdrawn in ((Role.VIEWER, False), (Role.OPERATOR, False), (Role.VIEWER, True)):
            body = body_of(Wish("siti", role, "root", Source.MACHINE), withdrawn=withdrawn)
            here.entries.append(GRANT, body, "root", 5)
        known = KnownGrants(there.entries)
        assert known.roles("siti") == frozenset()
        with there.database.writing() as connection:
            take_entries(connection, here.entries.all())
        assert known.roles("siti") == KnownGrants(here.entries).roles("siti") == {Role.OPERATOR}
