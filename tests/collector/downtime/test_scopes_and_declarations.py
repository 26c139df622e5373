"""What a record touches: exclusions by check, node, site, group and service, and declarations, in their windows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detak_collector.downtime.as_of import known_at
from detak_collector.downtime.catalogue import Catalogue, Dated, Declaration, Exclusion, Group, NodeEntry
from detak_collector.downtime.declarations import declared_down, declared_up, with_up
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.scopes import Scopes
from detak_collector.downtime.triple import Triple
from downtime_cases import group, service

OWN = group(["a/c"], name="own")
SHARED = replace(group(["a/c"]), key="net", name="net")
SERVICE = service(OWN, SHARED, probes=["edge/p"])
MOVED = Dated(((None, 6, "DC"), (6, None, "DRC")))
CATALOGUE = Catalogue(Dated.always("org"), "UTC", (SERVICE,), (NodeEntry("a", site=MOVED),))
WINDOW = Intervals.span(2, 8)


def exclusion(kind: str, scope: str, **more: object) -> Exclusion:
    whole: dict[str, object] = {"approved_by": "b", "approved_at": 0, **more}
    return Exclusion("x", "planned", kind, scope, 2, 8, "ND-1", "work", "a", 0, **whole)  # type: ignore[arg-type]


def declaration(category: str, kind: str, scope: str, begin: int, end: int, approved_by: str = "b") -> Declaration:
    return Declaration("d", category, kind, scope, begin, end, "ND-1", "seen", "a", 0, approved_by, 0)


def on_check(one: Exclusion, check: str = "a/c", within: Group | None = OWN) -> Intervals:
    return Scopes.of(CATALOGUE, [one]).on_check(check, SERVICE, within)["planned"]


@pytest.mark.parametrize(
    ("kind", "scope", "touched"),
    [
        ("check", "a/c", WINDOW),
        ("check", "a/d", EMPTY),
        ("node", "a", WINDOW),
        ("node", "b", EMPTY),
        ("node", "c", EMPTY),
        ("site", "DC", Intervals.span(2, 6)),
        ("site", "DRC", Intervals.span(6, 8)),
        ("site", "elsewhere", EMPTY),
        ("group", "s/own", WINDOW),
        ("group", "net", EMPTY),
        ("service", "s", EMPTY),
        ("all", "all", EMPTY),
    ],
)
def test_an_exclusion_touches_a_check_by_its_name_node_site_or_group(kind: str, scope: str, touched: Intervals) -> None:
    assert on_check(exclusion(kind, scope)) == touched


@pytest.mark.parametrize(("scope", "touched"), [("net", WINDOW), ("s/net", WINDOW), ("t/net", EMPTY), ("s/own", EMPTY)])
def test_a_shared_group_is_touched_everywhere_or_in_one_service(scope: str, touched: Intervals) -> None:
    assert on_check(exclusion("group", scope), within=SHARED) == touched
    assert on_check(exclusion("group", scope), check="edge/p", within=None) == EMPTY


def test_a_node_of_which_nothing_is_known_stands_at_no_site() -> None:
    assert on_check(exclusion("site", "DC"), check="b/c") == EMPTY


@pytest.mark.parametrize(
    ("kind", "scope", "touched"),
    [("all", "all", WINDOW), ("service", "s", WINDOW), ("service", "t", EMPTY), ("group", "s", EMPTY)],
)
def test_a_service_as_a_whole_is_touched_by_name_or_by_all(kind: str, scope: str, touched: Intervals) -> None:
    assert Scopes.of(CATALOGUE, [exclusion(kind, scope)]).on_service(SERVICE)["planned"] == touched


def test_a_service_is_reached_through_itself_its_groups_and_its_probes() -> None:
    def reach(kind: str, scope: str) -> Intervals:
        one = exclusion(kind, scope)
        scopes = Scopes.of(CATALOGUE, [one])
        assert scopes.touching(SERVICE) == ([one] if scopes.reach(one, SERVICE) else [])
        return scopes.reach(one, SERVICE)

    assert reach("service", "s") == reach("check", "edge/p") == reach("group", "net") == reach("node", "a") == WINDOW
    assert reach("site", "DRC") == Intervals.span(6, 8)
    assert reach("check", "b/c") == reach("service", "t") == EMPTY


def test_of_all_exclusions_a_service_rests_on_those_that_touch_it() -> None:
    mine, other = exclusion("check", "edge/p"), exclusion("service", "t")
    assert Scopes.of(CATALOGUE, [other, mine]).on(SERVICE).exclusions == (mine,)
    assert Scopes.of(CATALOGUE, [other]).on(SERVICE).exclusions == ()


@pytest.mark.parametrize(
    "without_effect",
    [
        exclusion("check", "a/c", approved_by=None),
        exclusion("check", "a/c", approved_by="a"),
        replace(exclusion("check", "a/c"), category="force_majeure"),
    ],
    ids=["not approved", "approved by its proposer", "a category that does not subtract"],
)
def test_an_exclusion_without_effect_touches_nothing(without_effect: Exclusion) -> None:
    assert Scopes.of(CATALOGUE, [without_effect]).exclusions == ()


def test_a_record_is_late_once_its_window_has_begun() -> None:
    assert [replace(exclusion("check", "a/c"), proposed_at=moment).late for moment in (1, 2, 3)] == [False, False, True]


def test_a_record_is_known_from_the_moment_of_its_proposal_on() -> None:
    proposed = replace(exclusion("check", "a/c"), proposed_at=10, approved_by=None, approved_at=None)
    assert [known_at([proposed], moment) for moment in (9, 10)] == [(), (proposed,)]


def test_a_dated_value_holds_from_its_first_instant_to_the_last_before_its_until() -> None:
    value = Dated(((2, 5, "first"), (5, None, "second")))
    assert [value.at(instant) for instant in (1, 2, 4, 5, 99)] == [None, "first", "first", "second", "second"]
    assert (value.when(0, 9, "first"), value.when(0, 9, "second")) == (Intervals.span(2, 5), Intervals.span(5, 9))
    assert [value.was("first", *edges) for edges in ((0, 2), (0, 3), (4, 5), (5, 9))] == [False, True, True, False]
    assert [value.was("second", *edges) for edges in ((0, 5), (0, 6), (9, 10))] == [False, True, True]
    assert NodeEntry("a", site=value).site_at(2) == "first"
    assert NodeEntry("a").site_at(2) is None


def test_a_service_is_declared_down_by_records_in_force_that_say_so() -> None:
    said = [
        declaration("down", "service", "s", 2, 4),
        declaration("down", "service", "s", 6, 7),
        declaration("down", "service", "t", 0, 1),
        declaration("down", "service", "s", 20, 30, approved_by="a"),
        declaration("up", "check", "s", 40, 50),
    ]
    assert declared_down(said) == {"s": Intervals.of([(2, 4), (6, 7)]), "t": Intervals.span(0, 1)}


def test_a_check_is_declared_up_by_records_in_force_that_name_it_or_its_node() -> None:
    said = [
        declaration("up", "check", "a/c", 0, 1),
        declaration("up", "node", "a", 2, 3),
        declaration("up", "check", "a/d", 10, 11),
        declaration("up", "node", "b", 12, 13),
        declaration("up", "node", "a/c", 14, 15),
        declaration("up", "node", "c", 16, 17),
        declaration("up", "check", "a/c", 20, 30, approved_by="a"),
        declaration("down", "check", "a/c", 40, 50),
    ]
    assert declared_up(said, "a/c") == Intervals.of([(0, 1), (2, 3)])


def test_what_was_presumed_or_not_observed_was_up_as_far_as_declared_and_a_bad_sample_stands() -> None:
    firm, presumed, unseen = Intervals.span(0, 4), Intervals.span(4, 10), Intervals.span(10, 16)
    down = Triple(firm, firm | presumed, firm | presumed | unseen)
    read = with_up(Reading("a/c", down, unseen, presumed=presumed), Intervals.span(2, 14))
    assert read.down == Triple(firm, firm, firm | Intervals.span(14, 16))
    assert (read.unobserved, read.presumed) == (Intervals.span(14, 16), EMPTY)
    assert read.proven_up == Intervals.span(4, 14)


def test_presumed_time_outside_the_declared_window_stays_presumed() -> None:
    presumed = Intervals.span(4, 10)
    reading = Reading("a/c", Triple(counted=presumed, possible=presumed), presumed=presumed)
    read = with_up(reading, Intervals.span(0, 6))
    assert (read.down.counted, read.presumed) == (Intervals.span(6, 10), Intervals.span(6, 10))
    assert with_up(reading, Intervals.span(0, 4)) is reading
