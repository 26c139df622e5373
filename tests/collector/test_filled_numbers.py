"""A number that was missing may have been of any check: where it is filled late, kept months of all checks give way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from detak_collector.clocks import Reading
from detak_collector.downtime.catalogue import Catalogue, Dated
from detak_collector.downtime.periods import Period
from detak_collector.figures import Figures
from detak_collector.rules import Rules
from detak_collector.store.base import Arrival
from detak_collector.store.sqlite import SqliteStore, open_store
from detak_wire.messages import Part, Span
from downtime_cases import DAY, HOUR, group, service
from evidence_builders import NODE, RUN, START_UTC, beat, exchange, opening, reading, span

NOVEMBER = Period("2023-11", 1_698_796_800_000, 1_701_388_800_000)
RULES = Rules(Catalogue(Dated.always("org"), "UTC", (service(group([f"{NODE}/web"])),)))
LATE = 30 * DAY


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path, reading(0))
    opened.registry.issue(NODE, b"t" * 32, START_UTC + DAY, reading(0))
    opened.registry.redeem(b"t" * 32, NODE, b"k" * 32, reading(0))
    yield opened
    opened.close()


def taken(store: SqliteStore, at: int, *spans: Span) -> None:
    part = Part(RUN, opening(["web", "pg"]), list(spans), exchanges=[exchange(9, 2_000)])
    (outcome,) = store.evidence.commit([Arrival(NODE, beat(part, sent=at), reading(at))])
    assert not isinstance(outcome, Exception)


def possible_ms(store: SqliteStore, moment: Reading) -> int:
    figures = Figures(store.evidence, store.derived, store.registry, lambda: RULES, lambda: moment)
    return figures.report(NOVEMBER).figure.possible_ms


def test_a_late_record_of_another_check_tells_that_nothing_was_hidden(store: SqliteStore) -> None:
    first, then = span(2, first=HOUR, samples=60, closed=True), span(4, first=HOUR + 60_000, samples=60, closed=True)
    taken(store, 2 * HOUR, span(1, "alive", first=HOUR, samples=120, closed=True), first, then)
    before = possible_ms(store, reading(LATE))
    taken(store, LATE + HOUR, span(3, "pg", first=HOUR + 30_000, closed=True))
    after = possible_ms(store, reading(LATE + 2 * HOUR))
    assert 1_000 <= before - after <= 2_500
