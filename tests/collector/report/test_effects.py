"""What each exclusion changed is what a whole derivation without it comes to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from detak_collector.catalogue import load
from detak_collector.commands.figures import Opened
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Exclusion
from detak_collector.downtime.derive import Result, derive
from detak_collector.downtime.periods import Period, parse_period
from detak_collector.figures import Figures
from detak_collector.report import effects as module
from detak_collector.report.effects import effects, from_facts
from detak_collector.report.formats import FORMATS, Order
from detak_collector.report.narrowed import narrowed
from detak_collector.rules import Rules
from detak_collector.store.sqlite import open_store
from downtime_cases import DAY, HOUR, MINUTE
from evidence_builders import START_UTC, reading
from outage_history import SERVICES, fill
from report_cases import BEGIN, CATALOGUE, END, FACTS, JAKARTA, PLANNED, YEAR, report


def derived(*exclusions: Exclusion, period: Period = YEAR) -> Result:
    return derive(Case(CATALOGUE, JAKARTA, FACTS, exclusions, END), period)


def measured(result: Result) -> dict[str, int]:
    return effects(result, from_facts(result))


def window(name: str, begin: int, length: int, **more: object) -> Exclusion:
    return replace(PLANNED, id=name, begin=begin, end=begin + length, **more)  # type: ignore[arg-type]


HALF = window("half", BEGIN + 90 * DAY, HOUR)
ALL = window("all", BEGIN, 365 * DAY, scope_kind="all", scope="")
CHECK = window("check", BEGIN + 10 * DAY, 5 * MINUTE, scope_kind="check", scope="node/ekspor")


@pytest.mark.parametrize("exclusions", [(PLANNED,), (PLANNED, HALF), (HALF, CHECK), (ALL, CHECK)])
def test_each_effect_is_the_difference_to_a_derivation_without_it(exclusions: Sequence[Exclusion]) -> None:
    result = derived(*exclusions)
    without = {
        one.id: derived(*(other for other in exclusions if other is not one)).figure.counted_ms for one in exclusions
    }
    assert measured(result) == {name: counted - result.figure.counted_ms for name, counted in without.items()}


def test_the_planned_outage_took_out_two_hours_and_overlapping_ones_nothing_each() -> None:
    assert measured(derived(PLANNED)) == {"x1": 2 * HOUR}
    assert measured(derived(PLANNED, replace(PLANNED, id="x2"))) == {"x1": 0, "x2": 0}


def test_one_without_effect_or_outside_the_period_is_not_measured() -> None:
    unapproved = replace(PLANNED, id="x3", approved_by=None, approved_at=None)
    assert measured(derived(unapproved)) == {}
    assert measured(derived(PLANNED, period=parse_period("2026-01", JAKARTA, 0))) == {}


def test_the_report_of_a_service_measures_against_its_own_figure() -> None:
    assert measured(narrowed(report(), "impor")) == {"x1": 2 * HOUR}
    assert measured(narrowed(derived(ALL), "portal")) == {"all": 5 * HOUR}
    assert measured(narrowed(report(), "ekspor")) == {}


def test_beyond_the_limit_none_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MEASURED", 1)
    assert set(measured(derived(PLANNED, CHECK))) == {"check"}


def test_it_is_shown_beside_the_exclusion() -> None:
    result = report()
    told = FORMATS["html"].made(result, Order("id", effects=measured(result))).decode()
    assert "mengurangi</th>" in told
    assert '<td class="n">2:00:00,0</td></tr>' in told.partition('id="exclusions"')[2]


def test_months_from_the_store_are_derived_again_from_its_evidence(tmp_path: Path) -> None:
    fill(tmp_path, {"web": [(300, 310)], "api": [(320, 340)]}, 400)
    (tmp_path / "services.toml").write_text(SERVICES)
    begin = START_UTC + 325 * MINUTE
    rules = Rules(load(tmp_path / "services.toml"), (window("x", begin, 5 * MINUTE, scope="pusat"),))
    now = reading(400 * MINUTE)
    with closing(open_store(tmp_path, now)) as store:
        figures = Figures(store.evidence, store.derived, store.registry, lambda: rules, lambda: now)
        result = figures.report(Period("p", START_UTC, START_UTC + 400 * MINUTE))
        opened = Opened(store.evidence, figures, rules, now, store.ledger)
        assert effects(result, opened.derive(result, None)) == {"x": 5 * MINUTE}
