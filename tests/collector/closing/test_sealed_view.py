"""A sealed period is told as it was sealed, whatever came later; only where this program cannot, it says so."""

from __future__ import annotations

from dataclasses import replace

from decision_log import Log
from detak_collector.closing.account import account_of
from detak_collector.closing.bodies import body_of
from detak_collector.closing.sealed_view import KnownSeals, SealedView
from detak_collector.closing.sealing import Wish, seal_body
from detak_collector.downtime.derive import Result
from detak_collector.downtime.periods import Period, parse_period
from detak_collector.ledger.chain import Head
from detak_collector.pair.entry import SEAL, Entry
from report_cases import JAKARTA, report

JANUARY = parse_period("2026-01", JAKARTA, 0)
QUARTER = parse_period("2026-Q1", JAKARTA, 0)
SEALED = report(JANUARY)


class Kept:
    """A log that is only read."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries

    def of(self, kind: str) -> list[Entry]:
        return [one for one in self.entries if one.kind == kind]

    def mark(self) -> int:
        return len(self.entries)


def view(earlier: Result) -> SealedView:
    log = Log()
    head = Head(1, bytes(32))
    log.make(SEAL, body_of(seal_body(SEALED, head, "0.1.0", (), Wish())), "Ani")

    def then(period: Period, moment: int) -> Result:
        assert (period, moment) == (JANUARY, SEALED.as_of)
        return earlier

    return SealedView(KnownSeals(Kept(log.entries)), then)


def changed(result: Result) -> Result:
    """As if more had been counted."""
    more = replace(result.figure, counted_ms=result.figure.counted_ms + 60_000)
    return replace(result, figure=more)


def test_what_is_as_sealed_is_told_as_it_is_with_its_seal() -> None:
    told = view(SEALED).on(SEALED)
    assert told.seal is not None
    assert (told.seal.label, told.seal.by, told.seal.is_overtaken) == ("1", "Ani", False)
    assert account_of(told).digest == account_of(SEALED).digest


def test_a_period_that_is_not_sealed_is_left_as_it_is() -> None:
    february = report(parse_period("2026-02", JAKARTA, 0))
    assert view(SEALED).on(february) == february


def test_later_facts_leave_the_figure_and_are_told_beside_it() -> None:
    later = changed(SEALED)
    told = view(SEALED).on(later)
    assert told.figure == SEALED.figure
    assert told.seal is not None
    assert (told.seal.now, told.seal.difference_ms, told.seal.reproduced) == (later.figure, 60_000, True)


def test_where_this_program_comes_to_another_account_the_seal_still_says_its_own() -> None:
    later = changed(SEALED)
    told = view(later).on(later)
    assert told.figure == later.figure
    assert told.seal is not None
    assert (told.seal.figure, told.seal.reproduced) == (SEALED.figure, False)


def test_a_longer_period_names_the_sealed_parts_that_come_to_another_figure_in_it() -> None:
    whole = report(QUARTER)
    assert view(SEALED).on(whole).overtaken == ()
    other = report(QUARTER, as_of=JANUARY.begin + 5 * 86_400_000)
    (one,) = view(SEALED).on(other).overtaken
    assert one.period == "2026-01"
    assert one.now is not None
    assert one.now.counted_ms < one.figure.counted_ms
