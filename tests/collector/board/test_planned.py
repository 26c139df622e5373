"""Planned work ahead: only what is approved, of the next week, and for everybody only services that are marked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from browser.fabricated import DAY, EKSPOR, HOUR, IMPOR, NOW, healthy, service
from detak_collector.board.board import PlannedState
from detak_collector.board.planned import planned_ahead
from detak_collector.downtime.catalogue import Catalogue, Dated, Exclusion, NodeEntry
from detak_collector.rules import Rules
from detak_collector.web.assets import Assets
from detak_collector.web.public_part import public_part
from detak_collector.web.render import STATIC, TEMPLATES, Renderer
from sheets_stage import SERVICES

CATALOGUE = Catalogue(
    Dated.always("Direktorat Contoh"), "Asia/Jakarta", SERVICES, nodes=(NodeEntry("dc-db-01", Dated.always("DC")),)
)
SOON = Exclusion(
    "x1", "planned", "service", "impor", NOW + HOUR, NOW + 2 * HOUR, "ND-1", "why", "ani", NOW - DAY, "budi", NOW - HOUR
)


def ahead(*exclusions: Exclusion, drills: frozenset[str] = frozenset()) -> list[tuple[str, list[str]]]:
    found = planned_ahead(Rules(CATALOGUE, exclusions, drills=drills), (), NOW)
    return [(one.id, [id_ for id_, _ in one.services]) for one in found]


def test_what_is_approved_and_begins_within_a_week_or_goes_on_is_told_in_its_order() -> None:
    going_on = replace(SOON, id="x2", begin=NOW - HOUR, category="preventive")
    assert ahead(SOON, going_on) == [("x2", ["impor"]), ("x1", ["impor"])]


@pytest.mark.parametrize("changes", [
    {"approved_by": None}, {"approved_by": "ani"}, {"category": "third_party"}, {"scope": "no-such"},
    {"begin": NOW + 8 * DAY, "end": NOW + 9 * DAY}, {"begin": NOW - DAY, "end": NOW},
])  # fmt: skip
def test_what_is_not_approved_not_planned_over_or_far_is_not_told(changes: dict[str, object]) -> None:
    assert ahead(replace(SOON, **changes)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "scope", "touched"), [
    ("all", "", ["impor", "ekspor", "manifes", "portal"]), ("group", "impor/basis data", ["impor"]),
    ("node", "dc-app-02", ["ekspor"]), ("check", "edge-01/impor-web", ["impor"]), ("site", "DC", ["impor"]),
])  # fmt: skip
def test_the_services_that_it_touches_are_told_whatever_it_is_about(kind: str, scope: str, touched: list[str]) -> None:
    assert ahead(replace(SOON, scope_kind=kind, scope=scope)) == [("x1", touched)]


def test_a_drill_is_told_as_one() -> None:
    rules = Rules(CATALOGUE, (SOON,), drills=frozenset({"x1"}))
    assert planned_ahead(rules, (), NOW)[0].drill


def test_the_public_page_tells_only_of_services_that_are_marked() -> None:
    secret = service("rahasia", "Sistem Intelijen", public=False)
    both = PlannedState(
        "x4711", "planned", NOW + HOUR, NOW + 2 * HOUR, True, ((IMPOR.id, IMPOR.name), (secret.id, secret.name))
    )
    alone = PlannedState("x4712", "planned", NOW + HOUR, NOW + 2 * HOUR, False, ((secret.id, secret.name),))
    board = replace(healthy(), services=(IMPOR, EKSPOR, secret), planned=(both, alone))
    (told,) = public_part(board).planned
    assert told == replace(both, id="", services=((IMPOR.id, IMPOR.name),))
    drawn = Renderer(Assets(STATIC, TEMPLATES)).draw(board, apart=True)
    assert drawn.public is not None
    public = drawn.public.page.plain.decode()
    assert "Planned maintenance" in public
    for one in ("x4711", "x4712", "Intelijen", "exclusions/"):
        assert one in drawn.page.plain.decode()
        assert one not in public
