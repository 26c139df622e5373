"""Percentages, verdict, proof and remaining time where they are exactly at the target or a millisecond off."""

from __future__ import annotations

from fractions import Fraction

import pytest

from detak_collector.downtime.figure import Totals

TARGET = Fraction(1, 10)
"""Percent: of 10,000 ms, ten."""
SERVICE_MS = 10_000


def totals(counted: int = 10, certain: int = 10, possible: int = 10, unobserved: int = 0) -> Totals:
    return Totals(counted, certain, possible, service_time_ms=SERVICE_MS, unobserved_ms=unobserved)


@pytest.mark.parametrize(
    ("counted", "verdict", "remaining"), [(0, "met", 10), (10, "met", 0), (11, "missed", -1), (20, "missed", -10)]
)
def test_the_target_is_met_at_exactly_its_value(counted: int, verdict: str, remaining: int) -> None:
    one = totals(counted)
    assert one.percent == Fraction(counted, 100)
    assert (one.verdict(TARGET), one.remaining_ms(TARGET)) == (verdict, remaining)


@pytest.mark.parametrize(
    ("certain", "possible", "proof"),
    [(0, 10, "met"), (10, 10, "met"), (0, 11, "undecided"), (10, 11, "undecided"), (11, 11, "missed")],
)
def test_a_verdict_is_proven_by_all_possible_time_or_by_certain_time_alone(
    certain: int, possible: int, proof: str
) -> None:
    assert totals(10, certain, possible).proof(TARGET) == proof


def test_part_of_a_millisecond_is_never_left() -> None:
    assert Totals(0, service_time_ms=9_999).remaining_ms(TARGET) == 9


def test_coverage_is_the_share_of_service_time_that_was_observed() -> None:
    assert totals(unobserved=2_500).coverage == Fraction(3, 4)
    assert totals().coverage == 1


def test_without_service_time_there_is_no_percentage_and_no_verdict() -> None:
    none = Totals()
    assert (none.percent, none.coverage, none.verdict(TARGET), none.proof(TARGET)) == (None, None, None, None)
