"""`explain`: every second of an outage has a fate, a rule and evidence."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated, Exclusion
from detak_collector.downtime.derive import Result, derive
from detak_collector.downtime.explain import COUNTED, explain
from detak_collector.downtime.periods import Period
from detak_collector.report.explanation import print_explanation
from downtime_cases import MINUTE, UTC, excluded, facts, group, service, stated

JUNE, JULY = 1_717_200_000_000, 1_719_792_000_000


def at(minute: int) -> int:
    return JUNE + minute * MINUTE


def derived(*exclusions: Exclusion) -> Result:
    known = facts(
        {
            "a/c": stated("a/c", JUNE, JULY, down=[(at(600), at(660))]),
            "b/c": stated("b/c", JUNE, JULY, down=[(at(2_000), at(2_100))]),
        }
    )
    catalogue = Catalogue(Dated.always("org"), "UTC", (service(group(["a/c", "b/c"], "lowest_member")),))
    return derive(Case(catalogue, UTC, known, exclusions, JULY), Period("2024-06", JUNE, JULY))


def test_the_pieces_of_an_outage_add_up_to_it_and_each_has_a_fate() -> None:
    result = derived(excluded(at(610), at(625), check="a/c"))
    (explained,) = explain(result, "s")
    assert [(piece.begin, piece.end, piece.fate) for piece in explained.pieces] == [
        (at(600), at(610), COUNTED),
        (at(610), at(625), "planned"),
        (at(625), at(660), COUNTED),
    ]
    counted = sum(piece.end - piece.begin for piece in explained.pieces if piece.fate == COUNTED)
    assert counted == explained.outage.counted_ms == 45 * MINUTE


def test_a_piece_names_its_rule_the_member_that_stands_for_the_group_and_its_evidence() -> None:
    (explained,) = explain(derived(), "s")
    (piece,) = explained.pieces
    (layer,) = piece.layers
    assert (layer.rule, layer.stands_for_it) == ("lowest_member", "a/c")
    assert [(check, passage.shown_as) for check, passage in piece.evidence] == [("a/c", "down")]


def test_what_excluded_a_piece_is_named_with_its_document() -> None:
    result = derived(excluded(at(590), at(700), service="s"))
    (explained,) = explain(result, "s")
    out = StringIO()
    print_explanation([explained], result, Console(file=out, width=200))
    assert "not counted: planned" in out.getvalue()
    assert "planned x, document ND-1: work (proposed by a, approved by b)" in out.getvalue()


def test_a_drill_is_explained_as_one() -> None:
    result = replace(derived(excluded(at(590), at(700), service="s")), drills=frozenset({"x"}))
    out = StringIO()
    print_explanation(explain(result, "s"), result, Console(file=out, width=200))
    assert "planned (drill) x, document ND-1: work" in out.getvalue()


def test_a_period_without_outage_says_so() -> None:
    catalogue = Catalogue(Dated.always("org"), "UTC", (service(group(["a/c"])),))
    known = facts({"a/c": stated("a/c", JUNE, JULY)})
    result = derive(Case(catalogue, UTC, known, (), JULY), Period("2024-06", JUNE, JULY))
    out = StringIO()
    print_explanation(explain(result, "s"), result, Console(file=out))
    assert "No outage in this period" in out.getvalue()
