"""`explain` cuts an outage wherever a circumstance changes, and names for each piece what then was so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated, Declaration, Group, Member
from detak_collector.downtime.derive import derive
from detak_collector.downtime.explain import Piece, explain
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.periods import Period
from downtime_cases import DAY, HOUR, UTC, facts, group, service, stated

NOON = 12 * HOUR
MONTH = 31 * DAY
"""January 1970."""


def seen(end: int = DAY, **down: tuple[int, int]) -> Facts:
    return facts({f"{name}/c": stated(f"{name}/c", 0, end, down=[where]) for name, where in down.items()})


def pieces(*groups: Group, known: Facts, end: int = DAY, declared: tuple[Declaration, ...] = ()) -> tuple[Piece, ...]:
    catalogue = Catalogue(Dated.always("org"), "UTC", (service(*groups),))
    result = derive(Case(catalogue, UTC, known, (), end, declared), Period("test", 0, end))
    (explained,) = explain(result, "s")
    return explained.pieces


def test_an_outage_over_the_turn_of_a_month_is_told_by_both_months_without_a_gap() -> None:
    known = seen(end=MONTH + DAY, a=(MONTH - HOUR, MONTH + HOUR))
    told = pieces(group(["a/c"]), known=known, end=MONTH + DAY)
    assert [(piece.begin, piece.end) for piece in told] == [(MONTH - HOUR, MONTH), (MONTH, MONTH + HOUR)]


def test_only_the_groups_that_are_down_are_layers_of_a_piece() -> None:
    groups = (group(["a/c"], name="one"), group(["b/c"], name="two"))
    told = pieces(*groups, known=seen(a=(0, 2 * HOUR), b=(HOUR, 3 * HOUR)))
    assert [[layer.group for layer in piece.layers] for piece in told] == [["one"], ["one", "two"], ["two"]]
    assert [(piece.begin, piece.end) for piece in told] == [(0, HOUR), (HOUR, 2 * HOUR), (2 * HOUR, 3 * HOUR)]


def test_a_group_of_one_has_no_rule_to_name_and_nobody_stands_for_all_down() -> None:
    (alone,) = pieces(group(["a/c"], "all_down"), known=seen(a=(0, HOUR)))
    assert [(layer.rule, layer.stands_for_it) for layer in alone.layers] == [("", None)]
    (both,) = pieces(group(["a/c", "b/c"], "all_down"), known=seen(a=(0, HOUR), b=(0, HOUR)))
    assert [(layer.rule, layer.stands_for_it) for layer in both.layers] == [("all_down", None)]


@pytest.mark.parametrize(
    ("outage", "rule"), [((NOON - HOUR, NOON), "all_down"), ((NOON, NOON + HOUR), "any_down")], ids=["before", "after"]
)
def test_a_piece_that_touches_the_change_of_a_rule_names_the_rule_of_its_own_time(
    outage: tuple[int, int], rule: str
) -> None:
    dated = replace(group(["a/c", "b/c"]), rule=Dated(((None, NOON, "all_down"), (NOON, None, "any_down"))))
    (piece,) = pieces(dated, known=seen(a=outage, b=outage))
    assert [layer.rule for layer in piece.layers] == [rule]


def test_a_piece_names_the_member_that_stood_for_the_group_at_its_time() -> None:
    members = (Member(("a/c",)), Member(("b/c",), until=NOON), Member(("c/c",), since=NOON))
    known = seen(a=(NOON - HOUR, NOON + HOUR), b=(NOON - 1, NOON), c=(NOON, NOON + 1))
    told = pieces(replace(group([], "lowest_member"), members=members), known=known)
    assert told[0].begin == NOON - 1
    assert told[0].layers[0].stands_for_it == "b/c"


def test_an_outage_is_cut_where_its_group_moves_to_another_layer() -> None:
    category = Dated(((None, NOON, "server"), (NOON, None, "database")))
    told = pieces(replace(group(["a/c"]), category=category), known=seen(a=(NOON - HOUR, NOON + HOUR)))
    assert [(piece.begin, piece.end, piece.cause) for piece in told] == [
        (NOON - HOUR, NOON, "server"),
        (NOON, NOON + HOUR, "database"),
    ]


def test_an_outage_is_cut_where_a_group_above_its_cause_moves_to_another_layer() -> None:
    category = Dated(((None, NOON, "server"), (NOON, None, "database")))
    moving = replace(group(["b/c"], name="h"), category=category)
    outage = (NOON - HOUR, NOON + HOUR)
    told = pieces(group(["a/c"], category="power"), moving, known=seen(a=outage, b=outage))
    assert [(piece.begin, piece.end, [layer.category for layer in piece.layers]) for piece in told] == [
        (NOON - HOUR, NOON, ["power", "server"]),
        (NOON, NOON + HOUR, ["power", "database"]),
    ]


def test_a_declared_outage_is_named_in_its_window_and_only_for_its_service() -> None:
    def said(name: str, scope: str, begin: int, end: int, approved_by: str = "b") -> Declaration:
        return Declaration(name, "down", "service", scope, begin, end, "ND-1", "seen", "a", 0, approved_by, 0)

    declared = (
        said("first", "s", 0, HOUR),
        said("second", "s", HOUR, 2 * HOUR),
        said("of another", "t", 0, 2 * HOUR),
        said("not approved", "s", 0, 2 * HOUR, approved_by="a"),
    )
    told = pieces(group(["a/c"]), known=seen(a=(0, HOUR)), declared=declared)
    assert [[one.id for one in piece.corrections] for piece in told] == [["first"], ["second"]]
