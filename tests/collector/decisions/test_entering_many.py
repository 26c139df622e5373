"""Many proposals and decisions in one transaction: each sees those before it, and all are entered or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from decision_log import BEGIN, DECLARED, RECORD
from detak_collector.decisions.proposal import ADD, APPROVE, DECLARATION, EXCLUSION, REPLACE
from detak_collector.decisions.recording import Author, Draft, RefusedError, Ruling, enter, register_here
from detak_collector.decisions.register import State
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import open_store
from evidence_builders import reading

ANI, BUDI = Author("Ani", "ani"), Author("Budi", "budi")
ADDED = Draft(EXCLUSION, ADD, record=RECORD)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path, reading(0))) as opened:
        yield opened


def states(store: Store) -> dict[str, State]:
    return {one.name: one.state for one in register_here(store.database).matters.values()}


def test_each_has_the_next_number_and_a_later_step_may_rest_on_an_earlier_one(store: Store) -> None:
    amended = Draft(EXCLUSION, REPLACE, "x1", {**RECORD, "reason": "more patches"}, "more of them")
    declared = Draft(DECLARATION, ADD, record=DECLARED)
    _, names = enter(store.database, [ADDED, declared, amended], ANI, BEGIN)
    assert names == ["x1", "d2", "x3"]
    assert enter(store.database, [ADDED], ANI, BEGIN)[1] == ["x4"]
    assert states(store) == {
        "x1": State.REPLACED, "d2": State.PENDING, "x3": State.PENDING, "x4": State.PENDING,
    }  # fmt: skip


def test_what_was_decided_a_step_before_is_not_decided_again_and_then_nothing_is_entered(store: Store) -> None:
    enter(store.database, [ADDED], ANI, BEGIN)
    twice = [Ruling(EXCLUSION, "x1", APPROVE), Ruling(EXCLUSION, "x1", APPROVE)]
    with pytest.raises(RefusedError, match="x1 is in force, and not pending"):
        enter(store.database, twice, BUDI, BEGIN + 1)
    assert states(store) == {"x1": State.PENDING}
    enter(store.database, twice[:1], BUDI, BEGIN + 2)
    assert states(store) == {"x1": State.IN_FORCE}
