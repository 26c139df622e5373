"""The sheets of outages and services: outages are entered as they were derived, services add them up by formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from xlsxwriter.worksheet import Worksheet

from detak_collector.downtime.accounts import REASONS
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.intervals import union
from detak_collector.downtime.outages import Outage
from detak_collector.report.matter import Matter
from detak_collector.report.paper import Kind
from detak_collector.report.progress import Progress
from detak_collector.report.rows import MOST_DETAIL
from detak_collector.report.stories import cells as cells_of
from detak_collector.report.terminal import printable
from detak_collector.report.wording import cause_words, detail_words, reason_words, shown_words
from detak_collector.report.xlsx_cells import DAY_MS, Book, cell, cells

KEY, IN_FIGURE, COUNTED = 0, 6, 5
"""Columns of the outages that services look up: whose it is, what of it enters the figure, what is counted of it."""

SERVICE_COUNTED, SERVICE_TIME, FIGURE_COUNTED, FIGURE_TIME, FIGURE_GROSS = 5, 6, 13, 14, 15
FIRST_REASON = FIGURE_GROSS + 1
CHECK = FIRST_REASON + len(REASONS)


@dataclass(frozen=True, slots=True)
class Names:
    """What the sheets are called."""

    summary: str
    services: str
    months: str
    outages: str
    exclusions: str
    coverage: str
    method: str


def entering(one: ServiceResult, result: Result) -> list[int] | None:
    """How much of each outage enters the figure; None where a change of criticality falls into one of them."""
    if one.in_figure is None:
        return [0] * len(one.outages)
    if one.in_figure.counted_ms == one.totals.counted_ms:
        return [outage.counted_ms for outage in one.outages]
    span = result.period.begin, result.end
    counting = union(one.service.criticality.when(*span, level) for level in result.case.catalogue.counted_criticality)
    found = []
    for outage in one.outages:
        inside = counting.clip(outage.begin, outage.end).total
        if inside not in {0, outage.end - outage.begin}:
            return None
        found.append(outage.counted_ms if inside else 0)
    return found if sum(found) == one.in_figure.counted_ms else None


def outages_sheet(book: Book, matter: Matter, names: Names, progress: Progress) -> None:
    """Every outage, in the order of time."""
    language = matter.language
    sheet = book.sheet(names.outages, [
        (language.say("service no."), 9), (language.say("no."), 7), (language.say("service"), 34),
        (language.say("from"), 19), (language.say("to"), 19), (language.say("counted, ms"), 13),
        (language.say("enters the figure, ms"), 13), (language.say("at least, ms"), 13),
        (language.say("at most, ms"), 13),
        (language.say("counted"), 14), (language.say("cause"), 24), (language.say("how it was told"), 24),
        (language.say("what the checks said"), 60),
        (language.say("cause, as told"), 40), (language.say("effect"), 40), (language.say("chronology"), 60),
        (language.say("follow-up"), 40),
    ])  # fmt: skip
    found = []
    for key, one in enumerate(matter.result.services, 1):
        shares = entering(one, matter.result)
        for place, outage in enumerate(one.outages):
            found.append((outage.begin, key, None if shares is None else shares[place], outage))
    ordered = sorted(found, key=lambda row: row[:2])
    for row, (_, key, share, outage) in enumerate(ordered, 1):
        _outage(book, sheet, row, outage, (key, share), matter)
        progress.step()
    sheet.autofilter(0, 0, max(len(found), 1), 16)


def _outage(book: Book, sheet: Worksheet, row: int, one: Outage, keyed: tuple[int, int | None], matter: Matter) -> None:
    key, share = keyed
    number, language = matter.result.numbers.get(one.key), matter.language
    for column, value, kind in (
        (KEY, key, Kind.COUNT),
        (1, number, Kind.COUNT),
        (2, matter.names[one.service], Kind.WORDS),
        (3, one.begin, Kind.MOMENT),
        (4, language.say("still going on") if one.running else one.end, Kind.MOMENT),
        (COUNTED, one.counted_ms, Kind.EXACT),
        (IN_FIGURE, share, Kind.EXACT),
        (7, one.certain_ms, Kind.EXACT),
        (8, one.possible_ms, Kind.EXACT),
        (10, cause_words(one.cause, language), Kind.WORDS),
        (11, shown_words(one.shown_as, language), Kind.WORDS),
        (12, printable(detail_words(one.detail, language))[:MOST_DETAIL], Kind.WORDS),
        *((13 + at, text, Kind.WORDS) for at, text in enumerate(cells_of(matter.result.stories.get(one.key), matter))),
    ):
        book.put(sheet, row, column, value, kind)
    length = Fraction(one.counted_ms, DAY_MS)
    book.formula(sheet, row, 9, f"={cell(row, COUNTED)}/{DAY_MS}", length, Kind.LENGTH)


def services_sheet(book: Book, matter: Matter, names: Names, outages: int) -> None:
    """Every service in the order of the catalogue, its downtime summed from the sheet of outages."""
    language = matter.language
    sheet = book.sheet(names.services, [
        (language.say("service no."), 9), (language.say("id"), 18), (language.say("service"), 34),
        (language.say("criticality"), 14), (language.say("in the figure"), 10), (language.say("counted, ms"), 13),
        (language.say("service time, ms"), 16), (language.say("rate"), 10), (language.say("counted"), 14),
        (language.say("at least, ms"), 13), (language.say("at most, ms"), 13), (language.say("not watched, ms"), 14),
        (language.say("watched"), 10), (language.say("enters the figure, ms"), 13),
        (language.say("service time in the figure, ms"), 16), (language.say("all downtime in the figure, ms"), 14),
        *((reason_words(reason, language) + ", ms", 14) for reason in REASONS), (language.say("adds up"), 9),
    ])  # fmt: skip
    for row, one in enumerate(matter.result.services, 1):
        _plain_cells(book, sheet, row, one, matter)
        _formulas(book, sheet, row, one, _Place(names, outages, entering(one, matter.result) is not None))
    sheet.autofilter(0, 0, max(len(matter.result.services), 1), CHECK)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a service finds its outages, and whether what of them enters the figure can be summed."""

    names: Names
    outages: int
    summable: bool

    def sum_of(self, column: int, row: int) -> str:
        values, keys = (cells(self.names.outages, at, self.outages) for at in (column, KEY))
        return f"=SUMIFS({values},{keys},{cell(row, 0)})"


def _plain_cells(book: Book, sheet: Worksheet, row: int, one: ServiceResult, matter: Matter) -> None:
    language, counts = matter.language, one.in_figure
    values: Sequence[tuple[int, str | int | None, Kind]] = (
        (0, row, Kind.COUNT),
        (1, one.service.id, Kind.WORDS),
        (2, matter.names[one.service.id], Kind.WORDS),
        (3, one.criticality, Kind.WORDS),
        (4, language.say("yes") if counts is not None else language.say("no"), Kind.WORDS),
        (SERVICE_TIME, one.totals.service_time_ms, Kind.EXACT),
        (9, one.totals.certain_ms, Kind.EXACT),
        (10, one.totals.possible_ms, Kind.EXACT),
        (11, one.totals.unobserved_ms, Kind.EXACT),
        (FIGURE_TIME, 0 if counts is None else counts.service_time_ms, Kind.EXACT),
        (FIGURE_GROSS, 0 if counts is None else counts.gross_ms, Kind.EXACT),
    )
    for column, value, kind in values:
        book.put(sheet, row, column, value, kind)
    for column, reason in enumerate(REASONS, FIRST_REASON):
        book.put(sheet, row, column, _left(counts, reason), Kind.EXACT)


def _left(counts: Totals | None, reason: str) -> int:
    return 0 if counts is None or counts.excluded_ms is None else counts.excluded_ms.get(reason, 0)


def _formulas(book: Book, sheet: Worksheet, row: int, one: ServiceResult, place: _Place) -> None:
    totals, counts = one.totals, one.in_figure
    entered = 0 if counts is None else counts.counted_ms
    book.formula(sheet, row, SERVICE_COUNTED, place.sum_of(COUNTED, row), totals.counted_ms, Kind.EXACT)
    counted, due = cell(row, SERVICE_COUNTED), cell(row, SERVICE_TIME)
    rate = Fraction(0) if totals.percent is None else totals.percent / 100
    book.formula(sheet, row, 7, f'=IF({due}=0,"",{counted}/{due})', rate, Kind.PERCENT)
    book.formula(sheet, row, 8, f"={counted}/{DAY_MS}", Fraction(totals.counted_ms, DAY_MS), Kind.LENGTH)
    seen = totals.coverage or Fraction(0)
    book.formula(sheet, row, 12, f'=IF({due}=0,"",1-{cell(row, 11)}/{due})', seen, Kind.SHARE)
    if place.summable:
        book.formula(sheet, row, FIGURE_COUNTED, place.sum_of(IN_FIGURE, row), entered, Kind.EXACT)
    else:
        book.put(sheet, row, FIGURE_COUNTED, entered, Kind.EXACT)
    left = f"{cell(row, FIRST_REASON)}:{cell(row, CHECK - 1)}"
    text = f"=IF({cell(row, FIGURE_GROSS)}-SUM({left})={cell(row, FIGURE_COUNTED)},1,0)"
    book.formula(sheet, row, CHECK, text, 1, Kind.COUNT)
