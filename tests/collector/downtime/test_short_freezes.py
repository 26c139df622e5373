"""Freezes of a guest too short to count: degraded by a dated rule, possible all the same, told in the report."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from detak_collector.downtime.catalogue import Catalogue, Dated
from detak_collector.downtime.derive import Case, Result, derive
from detak_collector.downtime.facts import ALIVE, Exchange, Facts, Node
from detak_collector.downtime.intervals import Intervals
from detak_collector.downtime.periods import Period
from detak_collector.report.document import document
from detak_collector.report.text import print_report
from downtime_cases import UTC, group, only, service
from reading_cases import BOOTED, SECOND, at, run, span

MINUTE = 60 * SECOND
FROZEN = Intervals.span(at(25), at(85))
"""Where the guest below is counted down, unless a rule says otherwise."""


def frozen_for_a_minute(degraded_below_ms: Dated[int] = Dated.always(0), *, state: str = "up") -> Result:
    """The figure of a guest whose check said `state`, and that stood still between 20 and 25 s of its own time."""
    stamps = [(0, BOOTED), (20, BOOTED), (25, BOOTED + MINUTE), (40, BOOTED + MINUTE)]
    exchanges = tuple(Exchange(s * SECOND, s * SECOND + theta, s * SECOND + theta, s * SECOND) for s, theta in stamps)
    guest = run("r1", span(ALIVE, 1, "up", 0, 40), span("c", 2, state, 0, 40), exchanges=exchanges)
    facts = Facts({"n": Node("n", runs=(guest,), heard_utc=at(101))}, watched=Intervals.span(at(0), at(101)))
    services = (service(group(["n/c"])),)
    catalogue = Catalogue(Dated.always("org"), "UTC", services, freeze_degraded_below_ms=degraded_below_ms)
    return derive(Case(catalogue, UTC, facts, (), at(101)), Period("p", at(1), at(100)))


def printed(result: Result) -> str:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    print_report(result, UTC, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_freeze_counts_where_no_rule_spares_it() -> None:
    result = frozen_for_a_minute()
    assert result.figure.counted_ms == result.beside["without_freeze_rule"].counted_ms == MINUTE
    assert "freeze_degraded_below_ms" not in printed(result)


def test_a_shorter_freeze_is_degraded_and_stays_possible() -> None:
    result = frozen_for_a_minute(Dated.always(MINUTE + 1))
    assert (result.figure.counted_ms, result.figure.certain_ms, result.figure.degraded_ms) == (0, 0, MINUTE)
    [month] = result.details
    assert month.readings["n/c"].down.possible.covers(FROZEN)
    assert not only(result).outages
    assert result.figure.possible_ms == frozen_for_a_minute().figure.possible_ms


def test_the_report_says_how_much_the_rule_spares_and_what_the_figure_were_without_it() -> None:
    result = frozen_for_a_minute(Dated.always(MINUTE + 1))
    without = frozen_for_a_minute().figure
    told = document(result)
    assert told["services"][0]["without_freeze_rule_ms"] == MINUTE
    assert told["figure"]["beside"]["without_freeze_rule"]["counted_ms"] == without.counted_ms
    assert "Freezes shorter than freeze_degraded_below_ms are degraded, not counted: 1 min" in printed(result)
    assert "without that rule 60.6061 %." in printed(result)


def test_a_freeze_as_long_as_the_limit_counts() -> None:
    assert frozen_for_a_minute(Dated.always(MINUTE)).figure.counted_ms == MINUTE


@pytest.mark.parametrize(("change", "counted_ms"), [(at(25), 0), (at(25) + 1, MINUTE), (at(50), MINUTE)])
def test_the_limit_is_that_of_the_begin_of_the_freeze(change: int, counted_ms: int) -> None:
    limit = Dated(((None, change, 0), (change, None, 2 * MINUTE)))
    assert frozen_for_a_minute(limit).figure.counted_ms == counted_ms


def test_a_rule_for_freezes_spares_no_check_that_said_down_before_and_after() -> None:
    assert frozen_for_a_minute(Dated.always(2 * MINUTE), state="down").figure.counted_ms == 99 * SECOND
