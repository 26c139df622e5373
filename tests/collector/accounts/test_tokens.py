"""A token never may more than its owner, and nobody makes one that acts in another's name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.accounts.roles import Right, Role, rights_of
from detak_collector.accounts.tokens import (
    DAY_MS,
    LONGEST_MS,
    MOST_OF_ONE,
    PREFIX,
    READING,
    Fault,
    Scope,
    Token,
    Wish,
    allowed,
    fault,
    fresh,
)

WISH = Wish("siti", "siti", "dashboard", frozenset({Scope.READ}), 90 * DAY_MS)
OPERATOR = rights_of([Role.OPERATOR])
TOKEN = Token("t1", b"h" * 32, "siti", "dashboard", frozenset({Scope.READ}), 0, "siti", DAY_MS)
role_sets = st.frozensets(st.sampled_from(Role))
scope_sets = st.frozensets(st.sampled_from(Scope))


@given(role_sets, scope_sets)
def test_no_token_may_more_than_its_owner_may_now(roles: frozenset[Role], scopes: frozenset[Scope]) -> None:
    owned = rights_of(roles)
    assert replace(TOKEN, scopes=scopes).rights(owned) <= owned


@given(role_sets, scope_sets)
def test_one_is_made_only_for_what_its_owner_may(roles: frozenset[Role], scopes: frozenset[Scope]) -> None:
    owned = rights_of(roles)
    found = fault(replace(WISH, scopes=scopes), owned, 0)
    assert (found is None) == (bool(scopes) and scopes <= set(allowed(owned)))


def test_a_scope_is_narrower_than_the_role_that_holds_it() -> None:
    reading = TOKEN.rights(rights_of(Role))
    assert reading == {Right.SEE}
    assert replace(TOKEN, scopes=frozenset({Scope.READ_PUBLIC})).rights(rights_of(Role)) == set()
    assert Right.APPROVE not in replace(TOKEN, scopes=frozenset({Scope.PROPOSE})).rights(rights_of(Role))


@given(scope_sets.filter(bool))
def test_what_acts_in_somebody_s_name_only_he_makes(scopes: frozenset[Scope]) -> None:
    wish = replace(WISH, by="budi", scopes=scopes)
    assert (fault(wish, rights_of(Role), 0) is None) == (scopes <= READING)
    assert fault(replace(wish, by="SITI"), rights_of(Role), 0) is None


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"label": " "}, Fault.LABEL),
        ({"label": "x" * 101}, Fault.LABEL),
        ({"label": "two\nlines"}, Fault.LABEL),
        ({"scopes": frozenset()}, Fault.SCOPES),
        ({"lifetime_ms": 0}, Fault.LIFETIME),
        ({"lifetime_ms": LONGEST_MS + 1}, Fault.LIFETIME),
        ({"scopes": frozenset({Scope.APPROVE})}, Fault.RIGHTS),
        ({"lifetime_ms": LONGEST_MS}, None),
    ],
)
def test_what_is_wrong_with_a_wish_is_named(changed: dict[str, object], expected: Fault | None) -> None:
    assert fault(replace(WISH, **changed), OPERATOR, 0) is expected  # type: ignore[arg-type]


def test_nobody_has_more_than_twenty_good_ones() -> None:
    assert fault(WISH, OPERATOR, MOST_OF_ONE - 1) is None
    assert fault(WISH, OPERATOR, MOST_OF_ONE) is Fault.MANY


def test_a_token_is_good_until_it_ends_or_is_revoked() -> None:
    assert TOKEN.is_good(DAY_MS - 1)
    assert not TOKEN.is_good(DAY_MS)
    assert not replace(TOKEN, revoked_utc=5).is_good(6)


def test_tokens_are_known_by_their_prefix_and_never_the_same() -> None:
    made = {fresh() for _ in range(100)}
    assert len(made) == 100
    assert all(one.startswith(PREFIX) and len(one) == len(PREFIX) + 43 for one in made)
