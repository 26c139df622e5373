"""Closed months are kept before anybody asks, so that the first figure of a year derives nothing that is over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from boards_stage import staged
from collector.test_kept_months import RULES, derived_for, new_store
from detak_collector.clocks import Reading
from detak_collector.deriving.filling import Filling
from detak_collector.deriving.process import NotDerivedError
from detak_collector.operating.filling import FillingPace, keep_filled
from detak_collector.store.as_of import known_since
from detak_collector.store.base import CaughtUp, DerivedMonth, DerivedMonths, StoreUnavailableError
from detak_collector.store.parts import Store
from detak_collector.store.place import StorePlace
from detak_collector.store.sqlite import SqliteStore
from evidence_builders import START_UTC, reading
from late_delivery import deliveries, last_moment

MOST_STEPS = 50
END = reading(last_moment() - START_UTC)


def filling(store: SqliteStore, derived: DerivedMonths | None = None, now: Reading = END) -> Filling:
    kept = store.derived if derived is None else derived
    return Filling(store.evidence, kept, lambda: RULES, lambda: now, lambda: known_since(store.database))


def steps(one: Filling) -> int:
    """How many it takes until there is nothing more to keep."""
    return next(at for at in range(MOST_STEPS) if not one.step())


@contextmanager
def season(*, but_last: int = 0) -> Iterator[tuple[SqliteStore, list[object]]]:
    messages = deliveries(Random(1))
    now, later = messages[: len(messages) - but_last], messages[len(messages) - but_last :]
    with new_store() as store:
        store.evidence.commit(now)
        yield store, list(later)


def kept(store: Store) -> int:
    with store.database.reading() as connection:
        return int(connection.execute("SELECT count(*) FROM derived").fetchone()[0])


def test_once_it_is_done_a_report_derives_nothing_that_is_settled() -> None:
    with season() as (store, _):
        taken = steps(filling(store))
        assert taken > 1
        assert not filling(store).step(only_look=True)
        assert kept(store) == taken * len(RULES.catalogue.services)
        assert derived_for(store, END) == []
        assert steps(filling(store)) == 0


def test_what_came_late_is_kept_anew_and_nothing_else() -> None:
    with season(but_last=3) as (store, later):
        one = filling(store)
        steps(one)
        before = kept(store)
        store.evidence.commit(later)  # type: ignore[arg-type]
        assert one.step(only_look=True)
        assert kept(store) == before
        again = steps(one)
        assert 0 < again < MOST_STEPS
        assert derived_for(store, END) == []


class KeepsNothing:
    """A store that is full, or locked."""

    def __init__(self, derived: DerivedMonths, *, may_look: bool) -> None:
        self._derived = derived
        self._may_look = may_look

    def __getattr__(self, name: str) -> object:
        return getattr(self._derived, name)

    def catch_up(self) -> CaughtUp:
        if not self._may_look:
            raise StoreUnavailableError("the disk is full")
        return self._derived.catch_up()

    def keep(self, months: Sequence[DerivedMonth], mark: int) -> bool:
        raise StoreUnavailableError(f"{len(months)} months after {mark}: the disk is full")


@pytest.mark.parametrize("may_look", [True, False])
def test_where_the_store_keeps_nothing_it_does_not_go_on_deriving(*, may_look: bool) -> None:
    with season() as (store, _):
        one = filling(store, KeepsNothing(store.derived, may_look=may_look))  # type: ignore[arg-type]
        assert one.step() is False


class Process:
    """Takes so many steps in each round, and fails once where it is told to."""

    def __init__(self, rounds: Sequence[int], *, lost_at: int = -1, by: Exception | None = None) -> None:
        self._rounds = list(rounds)
        self._lost_at = lost_at
        self._by = by or NotDerivedError("lost")
        self.told: list[str] = []

    async def fill(self, *, only_look: bool = False) -> bool:
        assert not only_look
        self.told.append("fill")
        if len(self.told) - 1 == self._lost_at:
            raise self._by
        self._rounds[0] -= 1
        return self._rounds[0] > 0

    async def close(self) -> None:
        self.told.append("close")
        self._rounds[:1] = []
        if not self._rounds:
            raise asyncio.CancelledError


class Page:
    """Tells that there is something to do, or not."""

    def __init__(self, *, something: bool = True) -> None:
        self.something = something
        self.asked = 0

    async def fill(self, *, only_look: bool = False) -> bool:
        assert only_look
        self.asked += 1
        if self.asked > 3:
            raise asyncio.CancelledError
        return self.something

    async def close(self) -> None:
        raise AssertionError("the page's process is not the filling's to end")


PACE = FillingPace(first_s=0.0, least_s=0.0, again_s=0.01)


@pytest.mark.asyncio
async def test_the_job_goes_on_until_all_is_kept_and_lets_the_process_go_in_between() -> None:
    process = Process([3, 1, 1])
    with suppress(asyncio.CancelledError, IndexError):
        await keep_filled(Page(), process, lambda: True, PACE)
    assert process.told[:6] == ["fill", "fill", "fill", "close", "fill", "close"]


@pytest.mark.asyncio
@pytest.mark.parametrize("by", [NotDerivedError("lost"), AttributeError("a mistake of ours")])
async def test_a_lost_process_ends_the_round_and_another_one_begins_later(by: Exception) -> None:
    process = Process([3, 2], lost_at=1, by=by)
    with suppress(asyncio.CancelledError, IndexError):
        await keep_filled(Page(), process, lambda: True, PACE)
    assert process.told[:5] == ["fill", "fill", "close", "fill", "fill"]


@pytest.mark.asyncio
async def test_of_collectors_that_share_a_store_only_the_one_on_duty_fills() -> None:
    page, process = Page(), Process([3, 3])
    with suppress(asyncio.CancelledError, TimeoutError):
        await asyncio.wait_for(keep_filled(page, process, lambda: False, PACE), 0.1)
    assert "fill" not in process.told
    assert not page.asked


@pytest.mark.asyncio
async def test_no_other_process_is_started_where_the_pages_finds_nothing_to_keep() -> None:
    page, process = Page(something=False), Process([3])
    with suppress(asyncio.CancelledError):
        await keep_filled(page, process, lambda: True, PACE)
    assert page.asked > 1
    assert "fill" not in process.told


@pytest.mark.asyncio
@pytest.mark.system
async def test_the_process_that_derives_follows_such_an_order(tmp_path: Path) -> None:
    async with staged(StorePlace(tmp_path)) as stage:
        stage.passes(75 * 86_400_000)
        taken = [await stage.boards.fill() for _ in range(13)]
        assert taken == [True] * 12 + [False]
        assert kept(stage.store) == 12 * len(stage.rules.catalogue.services)
