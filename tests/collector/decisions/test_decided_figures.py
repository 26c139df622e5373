"""What is decided reaches every figure: months that were kept give way, and a serving collector hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from detak_collector.clocks import Reading
from detak_collector.decisions.log import AHEAD_MS, CurrentRules, DecisionLog
from detak_collector.decisions.proposal import ADD, APPROVE, DECLARATION, EXCLUSION, WITHDRAW, About
from detak_collector.decisions.recording import (
    Author,
    Draft,
    RefusedError,
    Ruling,
    Step,
    enter,
    imagined,
    register_here,
)
from detak_collector.downtime.catalogue import Catalogue, Dated
from detak_collector.downtime.periods import Period
from detak_collector.figures import Figures
from detak_collector.report.numbers import iso_utc
from detak_collector.rules import Rules
from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.sqlite import SqliteStore, open_store
from downtime_cases import DAY, HOUR, MINUTE, group, service
from evidence_builders import NODE, START_UTC, reading
from outage_history import fill

RULES = Rules(Catalogue(Dated.always("org"), "UTC", (service(group([f"{NODE}/web"]), name="portal"),)))
NOVEMBER = Period("2023-11", 1_698_796_800_000, 1_701_388_800_000)
LATER = reading(60 * DAY)
ANI, BUDI = Author("Ani", "ani"), Author("Budi", "budi")
SECOND = 1_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    """18 minutes of downtime in a month that is long over."""
    fill(tmp_path, {"web": [(60, 68), (300, 310)]}, 400)
    opened = open_store(tmp_path, LATER)
    yield opened
    opened.close()


def around_the_first_outage(about: About, **more: object) -> Draft:
    begin = START_UTC + 50 * MINUTE
    record = {"category": "planned", "scope": {"service": "portal"}, "from": iso_utc(begin), "document": "ND-1",
              "to": iso_utc(begin + 30 * MINUTE), "reason": "patches", **more}  # fmt: skip
    return Draft(about, ADD, record=record)


def report_ms(store: SqliteStore, rules: Rules, as_of: int | None = None) -> int:
    figures = Figures(store.evidence, store.derived, store.registry, lambda: rules, lambda: LATER)
    return figures.report(NOVEMBER, as_of).services[0].totals.counted_ms


def decided(store: SqliteStore, moment: int = LATER.utc) -> Rules:
    return DecisionLog(store).over(RULES, moment)


@pytest.mark.parametrize(
    ("draft", "after_ms"),
    [
        (around_the_first_outage(EXCLUSION), 10 * MINUTE),
        (around_the_first_outage(DECLARATION, category="down"), 40 * MINUTE),
    ],
)
def test_a_kept_month_gives_way_to_what_is_approved_and_comes_back_when_it_is_withdrawn(
    store: SqliteStore, draft: Draft, after_ms: int
) -> None:
    assert report_ms(store, decided(store)) == 18 * MINUTE
    _, (name,) = enter(store.database, [draft], ANI, LATER.utc)
    assert report_ms(store, decided(store)) == 18 * MINUTE
    enter(store.database, [Ruling(draft.about, name, APPROVE)], BUDI, LATER.utc)
    assert report_ms(store, decided(store)) == report_ms(store, decided(store)) == after_ms
    _, (end,) = enter(store.database, [Draft(draft.about, WITHDRAW, name, document="ND-2")], ANI, LATER.utc)
    enter(store.database, [Ruling(draft.about, end, APPROVE)], BUDI, LATER.utc)
    assert report_ms(store, decided(store)) == 18 * MINUTE


def test_a_declaration_that_something_was_up_touches_the_kept_month_of_its_check(store: SqliteStore) -> None:
    figures = [Figures(store.evidence, store.derived, store.registry, lambda: decided(store), lambda: LATER)]
    before = figures[0].report(NOVEMBER).services[0].totals.unobserved_ms
    day = {"from": iso_utc(NOVEMBER.begin), "to": iso_utc(NOVEMBER.begin + DAY)}
    draft = around_the_first_outage(DECLARATION, category="up", scope={"check": f"{NODE}/web"}, **day)
    enter(store.database, [draft], ANI, LATER.utc)
    enter(store.database, [Ruling(DECLARATION, "d1", APPROVE)], BUDI, LATER.utc)
    assert before - figures[0].report(NOVEMBER).services[0].totals.unobserved_ms == DAY


def test_a_figure_as_of_a_moment_goes_by_what_was_in_force_then(store: SqliteStore) -> None:
    moments = [LATER.utc - left * HOUR for left in (40, 30, 20, 10)]
    enter(store.database, [around_the_first_outage(EXCLUSION)], ANI, moments[0])
    enter(store.database, [Ruling(EXCLUSION, "x1", APPROVE)], BUDI, moments[1])
    enter(store.database, [Draft(EXCLUSION, WITHDRAW, "x1", document="ND-2")], ANI, moments[2])
    enter(store.database, [Ruling(EXCLUSION, "x2", APPROVE)], BUDI, moments[3])
    found = [report_ms(store, decided(store), moment) // MINUTE for moment in (moments[0] - 1, *moments, LATER.utc)]
    assert found == [18, 18, 10, 10, 18, 18]


class Clock:
    def __init__(self) -> None:
        self.now = LATER

    def __call__(self) -> Reading:
        return self.now


def test_a_serving_collector_has_other_rules_exactly_when_they_say_another_thing(store: SqliteStore) -> None:
    clock, base = Clock(), [RULES]
    current = CurrentRules(store, lambda: base[0], clock)
    first = current()
    assert current() is first
    enter(store.database, [around_the_first_outage(EXCLUSION)], ANI, LATER.utc)
    pending = current()
    assert (pending is first, len(pending.exclusions)) == (False, 1)
    enter(store.database, [Ruling(EXCLUSION, "x1", APPROVE)], BUDI, LATER.utc)
    approved = current()
    assert approved.exclusions[0].in_force
    assert current() is approved
    clock.now = Reading(LATER.utc + 10 * DAY, LATER.boottime + 10 * DAY, LATER.boot)
    assert current() is approved
    base[0] = RULES.with_catalogue(RULES.catalogue)
    assert current() is not approved
    assert current().exclusions == approved.exclusions


def test_the_windows_of_one_that_recurs_are_there_before_they_begin(store: SqliteStore) -> None:
    clock = Clock()
    current = CurrentRules(store, lambda: RULES, clock)
    enter(store.database, [around_the_first_outage(EXCLUSION, recurrence="FREQ=DAILY", timezone="UTC")], ANI, LATER.utc)
    enter(store.database, [Ruling(EXCLUSION, "x1", APPROVE)], BUDI, LATER.utc)
    for day in range(8):
        clock.now = Reading(LATER.utc + day * DAY // 2, LATER.boottime + day * DAY // 2, LATER.boot)
        last = max(one.begin for one in current().exclusions)
        assert clock.now.utc < last <= clock.now.utc + AHEAD_MS


def test_while_the_store_cannot_be_read_the_rules_stay_as_they_were(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = CurrentRules(store, lambda: RULES, Clock())
    known = current()

    def locked() -> int:
        raise StoreUnavailableError("locked")

    monkeypatch.setattr(type(store.entries), "mark", lambda _: locked())
    assert current() is known


def test_what_may_not_be_leaves_nothing_of_all_that_was_to_be_entered(store: SqliteStore) -> None:
    steps: list[Step] = [around_the_first_outage(EXCLUSION), Ruling(EXCLUSION, "x1", APPROVE)]
    for way in (enter, imagined):
        with pytest.raises(RefusedError, match="Ani proposed x1, and somebody else must approve it"):
            way(store.database, steps, ANI, LATER.utc)
    assert register_here(store.database).matters == {}


def test_what_is_imagined_comes_to_what_is_entered_afterwards(store: SqliteStore) -> None:
    steps: list[Step] = [around_the_first_outage(EXCLUSION), around_the_first_outage(EXCLUSION, document="ND-2")]
    seen, names = imagined(store.database, steps, ANI, LATER.utc)
    assert register_here(store.database).matters == {}
    made, entered = enter(store.database, steps, ANI, LATER.utc)
    assert names == entered == ["x1", "x2"]
    assert [one.proposal.body for one in seen.matters.values()] == [one.proposal.body for one in made.matters.values()]
