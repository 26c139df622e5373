"""Which copy of a store may serve where, and how an older one learns of a later one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.copies.instance import MOST_CHARACTERS, Instance, hindrance, home_of

SECRET = b"s" * 32
FIRST = Instance(1_000, SECRET, "here")
NOW = 1_795_826_898_270


def test_a_copy_serves_on_the_machine_that_it_knows_and_on_any_before_its_first() -> None:
    assert hindrance(FIRST, "here") is None
    assert hindrance(Instance(1, SECRET, ""), "anywhere") is None


def test_a_copy_that_came_to_another_machine_says_how_it_is_let_serve() -> None:
    reason = hindrance(FIRST, "elsewhere")
    assert reason is not None
    assert "`detak-collector adopt`" in reason


@pytest.mark.parametrize("instance", [FIRST, Instance(1, SECRET, "")])
def test_a_machine_without_an_identity_cannot_be_told_from_another(instance: Instance) -> None:
    assert hindrance(instance, "") is None


def test_a_copy_that_was_moved_away_serves_nowhere_until_it_is_adopted() -> None:
    moved = FIRST.fenced(NOW, "it was moved, with m.tar.gz")
    for home in ("here", "elsewhere", ""):
        reason = hindrance(moved, home)
        assert reason is not None
        assert reason.startswith("this collector serves no more since 2026-11-28 00:48 UTC: it was moved, with m.t")
    assert hindrance(moved.adopted("here", NOW + 1), "here") is None


def test_an_older_copy_knows_the_token_of_a_later_one_and_of_no_other_store() -> None:
    later = FIRST.successor(NOW)
    assert FIRST.is_superseded_by(later.token("c0"), "c0")
    assert not later.is_superseded_by(FIRST.token("c0"), "c0")
    assert not FIRST.is_superseded_by(FIRST.token("c0"), "c0")
    assert not FIRST.is_superseded_by(later.token("c1"), "c0")
    assert not FIRST.is_superseded_by(Instance(NOW, b"x" * 32, "").token("c0"), "c0")


def test_of_two_copies_made_from_one_the_later_wins_whatever_their_order() -> None:
    restored, adopted = FIRST.successor(NOW), FIRST.adopted("elsewhere", NOW + 5)
    assert restored.is_superseded_by(adopted.token("c0"), "c0")


def test_a_clock_that_is_behind_still_makes_a_later_copy() -> None:
    assert FIRST.adopted("here", 5).epoch == 1_001


@given(st.text(max_size=200))
def test_nobody_fences_a_collector_by_guessing(token: str) -> None:
    assert not FIRST.is_superseded_by(token, "c0")


def test_a_token_is_short_enough_for_every_agent() -> None:
    assert len(Instance(2**53, SECRET, "").token("c" * 64)) <= MOST_CHARACTERS + 1


@pytest.mark.parametrize(("text", "known"), [("a" * 32 + "\n", True), ("uninitialized\n", False), ("", False)])
def test_only_a_machine_id_is_a_home(text: str, known: bool) -> None:
    assert bool(home_of(text)) is known
