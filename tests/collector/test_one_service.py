"""What a service's page shows comes from kept months, and from each open one derived once; and it is what all is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.test_kept_months import Counting, NothingKept
from detak_collector.downtime.catalogue import Catalogue, Dated
from detak_collector.downtime.periods import Period
from detak_collector.figures import Figures, OneService
from detak_collector.rules import Rules
from detak_collector.store.sqlite import SqliteStore, open_store
from detak_collector.stored_months import FactSource
from detak_collector.web.reported import Reports
from detak_collector.web.swimlanes import Lane, service_lanes
from downtime_cases import DAY, MINUTE, group, service
from evidence_builders import NODE, reading
from outage_history import fill

DAYS = 100
END = DAYS * DAY // MINUTE
CHECKS = frozenset({f"{NODE}/web", f"{NODE}/api"})
EACH = 3_600
"""So many minutes lie between two outages."""

LAST = reading(DAYS * DAY + 3_000)
NOW = LAST.utc
WHOLE = Period("season", 1_696_118_400_000, NOW)
OPEN = Period("2024-02", 1_706_745_600_000, NOW)
"""October 2023 until now, and February, of which three weeks are over: in UTC."""

WEB = service(
    group([f"{NODE}/web"], "all_down", name="web"), group([f"{NODE}/api"], "all_down", name="api"), name="portal"
)
RULES = Rules(Catalogue(Dated.always("org"), "UTC", (WEB,)))


@pytest.fixture(scope="module")
def store() -> Iterator[SqliteStore]:
    """A check that failed for ever longer, and one beside it that failed twice."""
    downs = [(at, at + 5 + at // EACH) for at in range(EACH, END - EACH, EACH)]
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), {"web": downs, "api": [(10, 30), (END // 2, END // 2 + 90)]}, END)
        opened = open_store(Path(folder), LAST)
        opened.watch.extend(opened.watch.begin(reading(0)), LAST)
        yield opened
        opened.close()


def figures(store: SqliteStore, evidence: FactSource | Counting, *, kept: bool = True) -> Figures:
    derived = store.derived if kept else NothingKept()
    return Figures(evidence, derived, store.registry, lambda: RULES, lambda: LAST)  # type: ignore[arg-type]


def lanes(one: OneService) -> tuple[Lane, ...]:
    return service_lanes(one.lanes, WEB, "portal", (WHOLE.begin, NOW), NOW)


def test_a_page_from_kept_months_is_the_one_from_evidence_and_asks_for_the_open_month_once(store: SqliteStore) -> None:
    fresh = figures(store, store.evidence, kept=False).one_service("portal", (WHOLE.begin, NOW), WHOLE)
    figures(store, store.evidence).one_service("portal", (WHOLE.begin, NOW), WHOLE)
    counting = Counting(store)
    page = figures(store, counting).one_service("portal", (WHOLE.begin, NOW), WHOLE)
    assert lanes(page) == lanes(fresh)
    assert page.outages.services == fresh.outages.services
    assert page.board == fresh.board
    assert counting.asked == [(OPEN.begin, CHECKS)]
    own, web, check, api, _ = lanes(page)
    assert web.told("down") == check.told("down") == len(range(EACH, END - EACH, EACH))
    assert api.told("down") == 2
    assert own.told("down") == len(page.outages.services[0].outages)


def test_reports_that_are_asked_for_one_after_another_derive_the_open_month_once(store: SqliteStore) -> None:
    now, counting = [NOW], Counting(store)
    reports = Reports(figures(store, counting), lambda: now[0])
    whole = reports.of(WHOLE, RULES)
    opened = counting.asked.count((OPEN.begin, CHECKS))
    month = reports.of(OPEN, RULES)
    assert reports.of(WHOLE, RULES) is whole
    asked = len(counting.asked)
    assert month.services[0].outages[-1] == whole.services[0].outages[-1]
    assert opened == 1
    assert counting.asked.count((OPEN.begin, CHECKS)) == 1
    now[0] += 600_000
    assert reports.of(WHOLE, RULES) is not whole
    assert len(counting.asked) > asked
