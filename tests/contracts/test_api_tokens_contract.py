"""What every store makes of tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from contracts.kinds import OpenStore
from detak_collector.accounts.account import Account, Origin
from detak_collector.accounts.tokens import Scope, Token
from detak_collector.store.parts import Store

SITI = Account("siti", "Siti Rahma", "", Origin.LOCAL, 5)
TOKEN = Token(
    "t1", b"h" * 32, "siti", "dashboard \N{SNOWMAN}", frozenset({Scope.READ, Scope.PROPOSE}), 10, "siti", 1_000
)  # fmt: skip


@pytest.fixture
def store(open_store: OpenStore) -> Iterator[Store]:
    with closing(open_store()) as opened:
        assert opened.accounts.add(SITI)
        assert opened.accounts.add(replace(SITI, name="budi"))
        yield opened


def test_a_token_is_found_by_its_hash_with_its_owner(store: Store) -> None:
    assert store.api_tokens.add(TOKEN)
    assert store.api_tokens.find(TOKEN.hash) == (TOKEN, SITI)
    assert store.api_tokens.find(b"x" * 32) is None


def test_nobody_without_an_account_or_with_a_disabled_one_gets_one(store: Store) -> None:
    store.accounts.set_disabled("budi", 7)
    assert not store.api_tokens.add(replace(TOKEN, owner="budi"))
    assert not store.api_tokens.add(replace(TOKEN, owner="agus"))
    assert store.api_tokens.of() == []


def test_the_latest_come_first_each_owner_s_by_themselves(store: Store) -> None:
    tokens = [
        replace(TOKEN, id=f"t{number}", hash=bytes([number]) * 32, made_utc=number, owner=owner)
        for number, owner in ((1, "siti"), (2, "budi"), (3, "siti"))
    ]
    assert all(store.api_tokens.add(one) for one in tokens)
    assert [one.id for one in store.api_tokens.of()] == ["t3", "t2", "t1"]
    assert [one.id for one in store.api_tokens.of("siti")] == ["t3", "t1"]


def test_its_use_and_its_end_are_on_record_and_it_is_revoked_once(store: Store) -> None:
    store.api_tokens.add(TOKEN)
    store.api_tokens.used("t1", 500, "10.0.0.9")
    revoked = store.api_tokens.revoke("t1", 600, "budi")
    assert revoked == replace(TOKEN, used_utc=500, used_from="10.0.0.9", revoked_utc=600, revoked_by="budi")
    assert store.api_tokens.revoke("t1", 700, "budi") is None
    assert store.api_tokens.revoke("t9", 700, "budi") is None
    assert store.api_tokens.of("siti") == [revoked]


def test_a_scope_of_a_later_version_allows_nothing(store: Store) -> None:
    store.api_tokens.add(TOKEN)
    with store.database.writing() as connection:
        connection.execute("UPDATE api_token SET scopes = ?", ("read teleport",))
    assert store.api_tokens.of()[0].scopes == {Scope.READ}
