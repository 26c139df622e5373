"""What of a board, of nodes and of planned work somebody may be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from browser.fabricated import HOUR, MINUTE, NOW, days, healthy, service
from detak_collector.board.board import Condition, OutageState
from detak_collector.board.glance import Glance, glance_of
from detak_collector.downtime.catalogue import Catalogue, Dated, Exclusion, Group, Member, NodeEntry, Service
from detak_collector.downtime.intervals import Intervals
from detak_collector.notify.deciding import Choice, would_tell
from detak_collector.notify.items import Seen
from detak_collector.notify.seeing import Known, seen_of
from detak_collector.rules import Rules
from detak_collector.store.base import NodeRow
from notified import Told

GROUP = Group("impor/basis data", "basis data", Dated.always("database"), (Member(("dc-db-01/pg",)),))
CATALOGUE = Catalogue(
    Dated.always("DJBC"),
    "Asia/Jakarta",
    (Service("impor", Dated.always("CEISA Impor"), Dated.always("sangat kritis"), (GROUP,)),),
    (NodeEntry("dc-db-01", Dated.always("DC")), NodeEntry("old-01", retired=NOW - HOUR)),
)
CALM = glance_of(replace(healthy(), running=(), recent=(), lately=(), services=(service("impor", "CEISA Impor"),)))


def outage(number: int | None = 12, end: int | None = None, counted_ms: int = 60_000) -> OutageState:
    return OutageState(
        "impor-x", "impor", "CEISA Impor", True, NOW - HOUR, end, counted_ms, 50_000, 70_000,
        "database", "down", "dc-db-01/pg: refused", number=number,
    )  # fmt: skip


def planned(kind: str = "service", scope: str = "impor", approved_by: str | None = "b", **more: str) -> Exclusion:
    category = more.get("category", "planned")
    return Exclusion(
        "x1", category, kind, scope, NOW - HOUR, NOW + HOUR, "ND-1", "work", "a", NOW - 2 * HOUR, approved_by, NOW
    )


def row(name: str = "dc-db-01", heard_ago: int = 0, stopped: str | None = None) -> NodeRow:
    return NodeRow(name, True, NOW, None, NOW - heard_ago, "0.1.0", {"pg": "up"}, stopped, (), 0)


def look(glance: Glance, *exclusions: Exclusion, nodes: tuple[NodeRow, ...] | None = (), since: int = 0) -> Seen:
    return seen_of(glance, Known(Rules(CATALOGUE, exclusions), nodes, since), NOW)


def told(seen: Seen) -> Mapping[str, bool]:
    """The matters, and whether a target would be told of them."""
    return {name: would_tell(Choice("noc"), one, NOW) for name, one in seen.sightings.items()}


@pytest.mark.parametrize(
    ("exclusion", "counted_ms", "is_told"),
    [
        (planned(), 60_000, False),
        (planned("all", ""), 60_000, False),
        (planned(category="preventive"), 60_000, False),
        (planned(category="third_party"), 60_000, True),
        (planned(approved_by=None), 60_000, True),
        (planned(approved_by="a"), 60_000, True),
        (planned("node", "dc-db-01"), 0, False),
        (planned("node", "dc-db-01"), 60_000, True),
        (planned("site", "DRC"), 0, True),
    ],
)
def test_only_approved_planned_work_silences_and_of_a_part_only_what_it_explains(
    exclusion: Exclusion, counted_ms: int, is_told: bool
) -> None:
    seen = look(replace(CALM, running=(outage(counted_ms=counted_ms),)), exclusion)
    assert told(seen) == {"outage 12": is_told}


def test_an_outage_without_a_number_is_not_told_yet_and_makes_its_service_blind() -> None:
    seen = look(replace(CALM, running=(outage(None),)))
    assert (told(seen), set(seen.blind)) == ({}, {"impor"})


def test_an_outage_of_long_ago_is_seen_but_nobody_is_told() -> None:
    seen = look(replace(CALM, recent=(outage(end=NOW - 30 * MINUTE),)))
    assert told(seen) == {"outage 12": False}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (row(heard_ago=4 * MINUTE), {"unseen-node dc-db-01": False}),
        (row(heard_ago=5 * MINUTE), {"unseen-node dc-db-01": True}),
        (row(heard_ago=59 * MINUTE, stopped="stop"), {"stopped-agent dc-db-01": False}),
        (row(heard_ago=60 * MINUTE, stopped="stop"), {"stopped-agent dc-db-01": True}),
        (row("old-01", heard_ago=HOUR), {}),
        (row(heard_ago=1_000), {}),
    ],
)
def test_a_node_that_is_silent_or_stopped_is_told_after_its_time(node: NodeRow, expected: dict[str, bool]) -> None:
    assert told(look(CALM, nodes=(node,))) == expected


def test_a_collector_that_was_away_waits_for_its_nodes_anew() -> None:
    seen = look(CALM, nodes=(row(heard_ago=2 * HOUR),), since=NOW - MINUTE)
    assert told(seen) == {"unseen-node dc-db-01": False}


def test_a_node_in_maintenance_is_no_news() -> None:
    seen = look(CALM, planned("site", "DC"), nodes=(row(heard_ago=HOUR),))
    assert told(seen) == {"unseen-node dc-db-01": False}


def test_a_service_that_nobody_observes_is_told_after_five_minutes() -> None:
    unseen = service("impor", "CEISA Impor", Condition.UNOBSERVED)
    groups = tuple(replace(one, condition=Condition.UNOBSERVED) for one in unseen.groups)
    for ago, is_told in ((4 * MINUTE, False), (5 * MINUTE, True)):
        board = replace(
            healthy(), running=(), recent=(), lately=(), services=(replace(unseen, groups=groups, since=NOW - ago),)
        )
        assert told(look(glance_of(board))) == {"unseen-service impor": is_told}


@pytest.mark.parametrize(("unobserved_ms", "is_told"), [(HOUR, False), (2 * HOUR, True)])
def test_a_day_that_was_hardly_observed_is_told(unobserved_ms: int, is_told: bool) -> None:
    one = service("impor", "CEISA Impor", days=days(unobserved_ms={1: unobserved_ms}))
    seen = look(glance_of(replace(healthy(), running=(), recent=(), lately=(), services=(one,))))
    assert told(seen) == ({"low-coverage impor": True} if is_told else {})


def test_the_first_day_of_a_service_is_not_held_against_it() -> None:
    one = service("impor", "CEISA Impor", days=days(2, unobserved_ms={1: 20 * HOUR}))
    assert told(look(glance_of(replace(healthy(), running=(), recent=(), lately=(), services=(one,))))) == {}


@pytest.mark.parametrize(
    ("away_ms", "back_ms", "expected"),
    [(4 * MINUTE, 0, False), (5 * MINUTE, 0, True), (5 * MINUTE, 11 * MINUTE, False)],
)
def test_a_collector_that_was_away_says_so_once_it_is_back(away_ms: int, back_ms: int, expected: bool) -> None:
    back = NOW - back_ms
    watched = Intervals.of([(NOW - 9 * HOUR, back - away_ms), (back, NOW + 1)])
    seen = seen_of(CALM, Known(Rules(CATALOGUE), (), 0, watched=watched), NOW)
    assert list(told(seen).values()) == [expected]
    known = Told(Choice("noc", gather_ms=0))
    known.look(seen)
    known.look(seen)
    assert [event for event, _ in known.events()] == (["closed"] if expected else [])
