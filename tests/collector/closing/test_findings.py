"""What keeps a period open: each thing told once, with who is responsible, and how much it weighs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from detak_collector.closing.findings import Backlog, Finding, Inner, Kind, Standing, Waiting, Weight, findings, ranges
from detak_collector.closing.terms import SealTerms
from detak_collector.translation.language import language
from report_cases import JAKARTA, YEAR, report

DAY = 86_400_000
RESULT = report()
"""An hour of one service was not observed."""

TERMS = SealTerms(Fraction(99, 100), 7 * DAY)
STANDING = Standing(YEAR, YEAR.end + DAY, RESULT, TERMS)


def told(standing: Standing) -> list[Finding]:
    return list(findings(standing, language("en"), JAKARTA))


def weights(standing: Standing, kind: Kind) -> list[Weight]:
    return [one.weight for one in told(standing) if one.kind is kind]


def test_a_period_that_runs_cannot_be_sealed_and_nothing_else_is_told() -> None:
    (one,) = told(replace(STANDING, now=YEAR.end - 1))
    assert (one.kind, one.weight) == (Kind.PERIOD, Weight.FORBIDS)
    assert one.text == "2026 is not over: it ends on 1 January 2027 at 00:00 WIB"


def test_a_well_observed_period_has_nothing_that_hinders() -> None:
    assert {one.weight for one in told(STANDING)} == {Weight.TOLD}
    assert [one.text for one in told(STANDING)] == ["service ekspor was not observed for 1 h 00 min 0.0 s"]


def test_coverage_below_the_least_names_the_services_that_lack_most() -> None:
    (one,) = (
        one for one in told(replace(STANDING, terms=replace(TERMS, coverage=Fraction(1)))) if one.kind is Kind.COVERAGE
    )
    assert one.line == "coverage is 99.994 %, and a seal asks for 100 % (the operators of ekspor)"


def test_what_a_node_holds_back_hinders_while_the_period_settles_and_is_told_after_that() -> None:
    waiting = replace(STANDING, backlog=[Backlog("db-01", YEAR.end - DAY, ("web",), 3)])
    (one,) = (one for one in told(waiting) if one.kind is Kind.BACKLOG)
    assert one.line == (
        "node db-01: nothing of it is here from 31 December 2026 at 00:00 WIB on, what began before the period ended "
        "goes on (web) and 3 records are missing; the wait for it ends on 8 January 2027 at 00:00 WIB "
        "(the operators of db-01)"
    )
    assert weights(waiting, Kind.BACKLOG) == [Weight.HINDERS]
    assert weights(replace(waiting, now=YEAR.end + 7 * DAY), Kind.BACKLOG) == [Weight.TOLD]


def test_a_proposal_waits_for_an_approver_other_than_its_author() -> None:
    (one,) = told(replace(STANDING, proposals=[Waiting("x3", "exclusion", "Ani")]))[:1]
    assert (one.line, one.weight) == ("exclusion x3 is pending (an approver other than Ani)", Weight.HINDERS)


def test_a_held_catalogue_whose_author_is_unknown_waits_for_any_approver() -> None:
    (one,) = told(replace(STANDING, held=Waiting("4", "catalogue", "")))[:1]
    assert one.who == "an approver"
    assert one.weight is Weight.HINDERS


def test_a_dispute_that_is_overdue_says_so() -> None:
    (one,) = told(replace(STANDING, disputes=[Waiting("7", "dispute", "Dedi", YEAR.end)]))[:1]
    assert one.text == "outage 7 is disputed by Dedi; the answer was due on 1 January 2027 at 00:00 WIB"


def test_a_sealed_part_hinders_only_where_it_would_be_another_figure_now() -> None:
    inner = [Inner("1", "2026-01", has_changed=False), Inner("2", "2026-02", has_changed=True)]
    (one,) = (one for one in told(replace(STANDING, inner=inner)) if one.kind is Kind.SEAL)
    assert one.text == "2026-02 is sealed, no. 2, and by what is known now its figure would be another"


def test_outages_without_a_word_about_them_are_told_and_hinder_nothing() -> None:
    (one,) = (each for each in told(replace(STANDING, unannotated=[1, 3, 4, 5, 9])) if each.kind is Kind.ANNOTATION)
    assert (one.weight, one.text) == (Weight.TOLD, "5 outages have no annotation: 1, 3-5, 9")
    assert ranges([*range(1, 40, 2), 99]).endswith("21, 23, …")


def test_every_finding_is_told_in_indonesian_too() -> None:
    whole = replace(
        STANDING, terms=replace(TERMS, coverage=Fraction(1)), backlog=[Backlog("db-01", YEAR.end, (), 1)],
        proposals=[Waiting("x3", "exclusion", "Ani"), Waiting("d4", "declaration", "Ani", ends=True)],
        held=Waiting("4", "catalogue", "Ani"), disputes=[Waiting("7", "dispute", "Dedi")],
        inner=[Inner("2", "2026-02", has_changed=True)], unannotated=[3],
    )  # fmt: skip
    english, indonesian = (findings(whole, language(code), JAKARTA) for code in ("en", "id"))
    assert {one.kind for one in english} == set(Kind) - {Kind.PERIOD}
    assert [one.kind for one in english] == [one.kind for one in indonesian]
    assert all(one.text != other.text for one, other in zip(english, indonesian, strict=True))
    assert indonesian[-1].line == "1 gangguan belum diberi keterangan: 3 (para operator)"
