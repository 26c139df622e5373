"""The report as a workbook: from the rows of outages to the headline all is live formulas, in whole milliseconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from io import BytesIO

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from detak_collector.downtime.accounts import REASONS
from detak_collector.downtime.derive import Result
from detak_collector.downtime.figure import NOT_OBSERVED
from detak_collector.downtime.summary import Month
from detak_collector.report.matter import Matter
from detak_collector.report.method import method_section
from detak_collector.report.paper import Kind
from detak_collector.report.progress import Progress
from detak_collector.report.rows import coverage_section, exclusions_section
from detak_collector.report.wording import period_words, reason_words
from detak_collector.report.xlsx_cells import Book, cell, cells
from detak_collector.report.xlsx_rows import (
    CHECK,
    FIGURE_COUNTED,
    FIGURE_GROSS,
    FIGURE_TIME,
    FIRST_REASON,
    Names,
    outages_sheet,
    services_sheet,
)
from detak_collector.translation.language import Language

MOST_ROWS = 1_048_575
"""Rows that a sheet has room for, below its heading."""

SUMMARY_VALUES = 1
"""The column of the summary that holds its values."""


class TooManyRowsError(Exception):
    """More outages than a sheet has rows."""


def xlsx(result: Result, language: Language, progress: Progress, effects: Mapping[str, int]) -> bytes:
    """The workbook; raises TooManyRowsError. Each outage is a step."""
    matter = Matter(result, language, effects)
    count = sum(len(one.outages) for one in result.services)
    if count > MOST_ROWS:
        raise TooManyRowsError(f"{count:,} outages: a sheet has room for {MOST_ROWS:,}; ask for a shorter period")
    progress.begin(count)
    out = BytesIO()
    with Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        made = datetime.fromtimestamp(result.as_of // 1000, UTC).replace(tzinfo=None)
        title = period_words(result.period, language)
        workbook.set_properties({"title": title, "author": matter.organisation, "created": made})
        _sheets(Book(workbook, matter.zone), matter, _names(language), progress)
    return out.getvalue()


def _names(language: Language) -> Names:
    return Names(
        summary=language.say("Summary"),
        services=language.say("Services"),
        months=language.say("Months"),
        outages=language.say("Outages"),
        exclusions=language.say("Exclusions"),
        coverage=language.say("Coverage"),
        method=language.say("Method"),
    )


def _sheets(book: Book, matter: Matter, names: Names, progress: Progress) -> None:
    """In the order in which they stand; formulas may name sheets that come later."""
    outages = sum(len(one.outages) for one in matter.result.services)
    _summary(book, matter, names)
    services_sheet(book, matter, names, outages)
    _months(book, matter, names)
    outages_sheet(book, matter, names, progress)
    for name, section in (
        (names.exclusions, exclusions_section(matter)),
        (names.coverage, coverage_section(matter)),
        (names.method, method_section(matter)),
    ):
        sheet = book.workbook.add_worksheet(name)
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 12, 26)
        book.printed(sheet)
        row = 0
        for told in section.sentences:
            sheet.write_string(row, 0, told)
            row += 1
        for table in section.tables:
            row = book.table(sheet, table, row)
        for note in section.notes:
            sheet.write_string(row, 0, note)
            row += 1


def _summary(book: Book, matter: Matter, names: Names) -> None:
    result, language = matter.result, matter.language
    sheet = book.workbook.add_worksheet(names.summary)
    sheet.set_column(0, 0, 52)
    sheet.set_column(1, 1, 24)
    book.printed(sheet)
    title = language.say("ICT downtime rate, {period}", period=period_words(result.period, language))
    sheet.write_string(0, 0, f"{matter.organisation}: {title}", book.title)
    sheet.write_string(1, 0, language.say("as of {moment}", moment=language.moment(result.as_of, matter.zone)))
    for row, line in enumerate(_lines(matter, names), 3):
        _line(book, sheet, row, line)


Line = tuple[str, str | None, Fraction | int | str | None, Kind]
"""Words, a formula or none, the value, and what it is. `{name}` in a formula is the row of the line of that name."""


def _lines(matter: Matter, names: Names) -> Iterator[Line]:
    """Rows 4 on of the summary; the formulas count on these places."""
    result, language = matter.result, matter.language
    figure, target, rows = result.figure, result.target_percent, len(result.services)
    limit = figure.counted_ms + figure.remaining_ms(target)

    def total(column: int) -> str:
        return f"=SUM({cells(names.services, column, rows)})"

    rate = None if figure.percent is None else figure.percent / 100
    met, missed, unseen = language.say("Target met"), language.say("Target missed"), language.say("Not observed")
    yield language.say("downtime rate"), '=IF(B6=0,"",B5/B6)', rate or Fraction(0), Kind.PERCENT
    yield language.say("counted downtime, ms"), total(FIGURE_COUNTED), figure.counted_ms, Kind.EXACT
    yield language.say("service time, ms"), total(FIGURE_TIME), figure.service_time_ms, Kind.EXACT
    yield language.say("target"), None, target, Kind.PERCENT
    yield language.say("most downtime that the target allows, ms"), None, limit, Kind.EXACT
    nothing = language.say("No figure")
    verdict = nothing if rate is None else met if figure.counted_ms <= limit else missed
    verdict = unseen if figure.standing(target) == NOT_OBSERVED else verdict
    text = f'IF(B5<=B8,"{met}","{missed}")'
    text = f'=IF(B6=0,"{nothing}",IF(AND(B5=0,B12=B6,B11>B8),"{unseen}",{text}))'
    yield language.say("verdict"), text, verdict, Kind.WORDS
    yield language.say("at least (proven), ms"), None, figure.certain_ms, Kind.EXACT
    yield language.say("at most (not ruled out), ms"), None, figure.possible_ms, Kind.EXACT
    yield language.say("not watched, ms"), None, figure.unobserved_ms, Kind.EXACT
    yield language.say("watched"), '=IF(B6=0,"",1-B12/B6)', figure.coverage or Fraction(0), Kind.SHARE
    yield language.say("From all downtime to what counts"), None, None, Kind.WORDS
    yield language.say("all downtime, ms"), total(FIGURE_GROSS), figure.gross_ms, Kind.EXACT
    left = figure.excluded_ms or {}
    for column, reason in enumerate(REASONS, FIRST_REASON):
        words = f"{reason_words(reason, language)}, ms"
        yield words, f"=-SUM({cells(names.services, column, rows)})", -left.get(reason, 0), Kind.EXACT
    yield language.say("counted downtime, ms"), "=SUM(B15:B21)", figure.counted_ms, Kind.EXACT
    yield from _checks(matter, names, total(CHECK))


def _checks(matter: Matter, names: Names, services: str) -> Iterator[Line]:
    language, figure, months = matter.language, matter.result.figure, len(matter.strip)
    yield language.say("Checks: each of these is 0"), None, None, Kind.WORDS
    yield language.say("outages less the derived figure, ms"), f"=B5-{figure.counted_ms}", 0, Kind.EXACT
    yield language.say("steps less the derived figure, ms"), f"=B22-{figure.counted_ms}", 0, Kind.EXACT
    text = f"=SUM({cells(names.months, 3, months)})-B5"
    yield language.say("months less the whole, ms"), text, 0, Kind.EXACT
    text = f"={len(matter.result.services)}-{services[1:]}"
    yield language.say("services that do not add up"), text, 0, Kind.COUNT


def _line(book: Book, sheet: Worksheet, row: int, line: Line) -> None:
    words, formula, value, kind = line
    sheet.write_string(row, 0, words, book.bold if value is None else None)
    if formula is not None and value is not None:
        book.formula(sheet, row, SUMMARY_VALUES, formula, value, kind)
    else:
        book.put(sheet, row, SUMMARY_VALUES, value, kind)


def _months(book: Book, matter: Matter, names: Names) -> None:
    language = matter.language
    sheet = book.sheet(names.months, [
        (language.say("month"), 16), (language.say("rate"), 11), (language.say("verdict"), 16),
        (language.say("counted, ms"), 14), (language.say("service time, ms"), 18),
        (language.say("most downtime that the target allows, ms"), 20), (language.say("at least, ms"), 14),
        (language.say("at most, ms"), 14), (language.say("not watched, ms"), 16), (language.say("watched"), 12),
    ])  # fmt: skip
    form = book.workbook.add_format({"num_format": "mmmm yyyy", "align": "left"})
    for row, month in enumerate(matter.strip, 1):
        year, number = month.name.split("-")
        first = datetime(int(year), int(number), 1)  # noqa: DTZ001 - a sheet knows no zone
        sheet.write_datetime(row, 0, first, form)
        _month(book, sheet, row, month, language)


def _month(book: Book, sheet: Worksheet, row: int, month: Month, language: Language) -> None:
    totals = month.totals
    limit = totals.counted_ms + totals.remaining_ms(month.target_percent)
    values = (totals.counted_ms, totals.service_time_ms, limit, totals.certain_ms, totals.possible_ms)
    for column, value in enumerate((*values, totals.unobserved_ms), 3):
        book.put(sheet, row, column, value, Kind.EXACT)
    counted, due = cell(row, 3), cell(row, 4)
    rate = Fraction(0) if totals.percent is None else totals.percent / 100
    book.formula(sheet, row, 1, f'=IF({due}=0,"",{counted}/{due})', rate, Kind.PERCENT)
    met, missed, unseen = language.say("Target met"), language.say("Target missed"), language.say("Not observed")
    verdict = unseen if month.verdict == NOT_OBSERVED else met if totals.counted_ms <= limit else missed
    text = f'IF({counted}<={cell(row, 5)},"{met}","{missed}")'
    text = f'=IF({due}=0,"",IF(AND({counted}=0,{cell(row, 8)}={due},{cell(row, 7)}>{cell(row, 5)}),"{unseen}",{text}))'
    book.formula(sheet, row, 2, text, verdict, Kind.WORDS)
    seen = totals.coverage or Fraction(0)
    book.formula(sheet, row, 9, f'=IF({due}=0,"",1-{cell(row, 8)}/{due})', seen, Kind.SHARE)
