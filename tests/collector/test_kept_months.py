"""Months are kept as they were derived, and derived again where, and only where, anything has touched them."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detak_collector.clocks import Reading
from detak_collector.downtime.catalogue import Catalogue, Dated
from detak_collector.downtime.derive import Result
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.periods import Period
from detak_collector.figures import Figures
from detak_collector.rules import Rules
from detak_collector.store.base import CaughtUp, DerivedMonth, Wanted
from detak_collector.store.sqlite import SqliteStore, open_store
from downtime_cases import DAY, HOUR, MINUTE, excluded, group, service
from evidence_builders import START_UTC, reading
from late_delivery import NODES, deliveries, last_moment

SEASON = Period("season", 1_698_796_800_000, 1_709_251_200_000)
"""November 2023 to February 2024, in UTC."""

WEB = service(group([f"{node}/web" for node in NODES], "lowest_member"), name="web")
DATABASE = service(group([f"{node}/pg" for node in NODES], "any_down"), name="database")
RULES = Rules(Catalogue(Dated.always("org"), "UTC", (WEB, DATABASE)))


class NothingKept:
    """Derives everything anew."""

    def catch_up(self) -> CaughtUp:
        return CaughtUp(0, 0)

    def load(self, wanted: Sequence[Wanted], *, days: bool) -> list[DerivedMonth]:
        return []

    def disposed(self, wanted: Sequence[Wanted], known_at: int | None = None) -> list[DerivedMonth]:
        return []

    def keep(self, months: Sequence[DerivedMonth], mark: int) -> bool:
        return True


class Counting:
    """The evidence, and how many months of which checks were asked of it."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.asked: list[tuple[int, frozenset[str]]] = []

    def facts(self, begin: int, end: int, now: Reading, checks: Collection[str], **more: object) -> Facts:
        self.asked += [(begin, frozenset(checks))] if checks else []
        return self._store.evidence.facts(begin, end, now, checks, **more)  # type: ignore[arg-type]


def ask(store: SqliteStore, moment: Reading, rules: Rules = RULES, *, kept: bool = True) -> Result:
    derived = store.derived if kept else NothingKept()
    figures = Figures(store.evidence, derived, store.registry, lambda: rules, lambda: moment)  # type: ignore[arg-type]
    return figures.report(SEASON)


def derived_for(store: SqliteStore, moment: Reading, rules: Rules = RULES) -> list[tuple[int, frozenset[str]]]:
    """The months and checks whose evidence a report asks for."""
    counting = Counting(store)
    figures = Figures(counting, store.derived, store.registry, lambda: rules, lambda: moment)  # type: ignore[arg-type]
    figures.report(SEASON)
    return counting.asked


@contextmanager
def new_store() -> Iterator[SqliteStore]:
    with tempfile.TemporaryDirectory() as directory:
        store = open_store(Path(directory), reading(0))
        for node in NODES:
            store.registry.issue(node, node.encode(), START_UTC + DAY, reading(0))
            store.registry.redeem(node.encode(), node, node.encode() * 4, reading(0))
        watch = store.watch.begin(reading(0))
        store.watch.extend(watch, reading(last_moment() - START_UTC))
        try:
            yield store
        finally:
            store.close()


@given(st.integers(0, 2**32))
@settings(max_examples=6, deadline=None)
def test_what_was_kept_and_what_is_derived_anew_agree_whenever_evidence_arrives(seed: int) -> None:
    random = Random(seed)
    messages = deliveries(random)
    looks = random.sample(range(len(messages)), 6)
    with new_store() as store:
        for at, message in enumerate(messages):
            (receipt,) = store.evidence.commit([message])
            assert not isinstance(receipt, Exception), receipt
            if at in looks:
                moment = reading(message.at.boottime + random.choice([0, MINUTE]))
                assert ask(store, moment) == ask(store, moment, kept=False)
        end = reading(last_moment() - START_UTC)
        assert ask(store, end) == ask(store, end, kept=False)


@pytest.fixture(scope="module")
def season() -> Iterator[SqliteStore]:
    with new_store() as store:
        messages = deliveries(Random(7))
        for at in range(0, len(messages), 50):
            store.evidence.commit(messages[at : at + 50])
        yield store


END = reading(last_moment() - START_UTC)


def test_a_month_that_nothing_has_touched_is_not_derived_twice(season: SqliteStore) -> None:
    before = ask(season, END)
    assert derived_for(season, END) == []
    assert ask(season, END) == before


def test_an_exclusion_touches_only_its_month_and_service(season: SqliteStore) -> None:
    ask(season, END)
    december = 1_701_388_800_000
    window = excluded(december + 10 * DAY, december + 10 * DAY + HOUR, service="web")
    asked = derived_for(season, END, replace(RULES, exclusions=(window,)))
    assert [(begin, {check.split("/")[1] for check in checks}) for begin, checks in asked] == [(december, {"web"})]


def test_a_service_that_changes_in_the_catalogue_leaves_the_others_kept(season: SqliteStore) -> None:
    ask(season, END)
    other = replace(RULES.catalogue, services=(WEB, service(group(["db-01/pg"]), name="database")))
    asked = derived_for(season, END, Rules(other))
    assert {check for _, checks in asked for check in checks} == {"db-01/pg"}


def test_a_running_month_is_never_kept(season: SqliteStore) -> None:
    january = reading(1_704_067_200_000 + 10 * DAY - START_UTC)
    ask(season, january)
    assert [begin for begin, _ in derived_for(season, january)] == [1_704_067_200_000]
