"""The report of a category as a workbook: from the rows of its outages to its part of the figure by live formulas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from io import BytesIO

from xlsxwriter.workbook import Workbook

from detak_collector.report.matter import Matter
from detak_collector.report.of_category import OfCategory, ServiceShare
from detak_collector.report.of_category_paper import category_paper
from detak_collector.report.paper import Kind, Section, Value
from detak_collector.report.rows import MOST_DETAIL
from detak_collector.report.terminal import printable
from detak_collector.report.wording import detail_words, shown_words
from detak_collector.report.xlsx_cells import Book, cell, cells
from detak_collector.translation.language import Language

KEY, OUTAGE_COUNTED, OUTAGE_ENTERING = 0, 5, 6
SERVICE_COUNTED, SERVICE_TIME, SERVICE_ENTERING = 4, 8, 9
MONTH_COUNTED, MONTH_TIME = 2, 5
FIRST_LINE = 3

Line = tuple[str, str | None, Fraction | int | None, Kind]
"""Words, a formula or none, the value, and what it is."""


def category_xlsx(of: OfCategory, language: Language) -> bytes:
    """The workbook: summary, services, months, outages, exclusions, method."""
    out = BytesIO()
    with Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        made = datetime.fromtimestamp(of.result.as_of // 1000, UTC).replace(tzinfo=None)
        matter = Matter(of.result, language, {})
        workbook.set_properties({"author": matter.organisation, "created": made})
        _Sheets(Book(workbook, matter.zone), of, matter).write()
    return out.getvalue()


class _Sheets:
    def __init__(self, book: Book, of: OfCategory, matter: Matter) -> None:
        self._book, self._of, self._matter = book, of, matter
        self._say = matter.language.say
        self._names = {name: self._say(name) for name in ("Services", "Months", "Outages")}

    def write(self) -> None:
        """In the order in which they stand; formulas may name sheets that come later."""
        book, matter = self._book, self._matter
        paper = category_paper(self._of, matter.language)
        sheet = book.workbook.add_worksheet(self._say("Summary"))
        sheet.set_column(0, 0, 52)
        sheet.set_column(1, 1, 24)
        book.printed(sheet)
        sheet.write_string(0, 0, f"{matter.organisation}: {paper.first.title}", book.title)
        as_of = matter.language.moment(self._of.result.as_of, matter.zone)
        sheet.write_string(1, 0, self._say("as of {moment}", moment=as_of))
        for row, (words, formula, value, kind) in enumerate(self._lines(), FIRST_LINE):
            sheet.write_string(row, 0, words, book.bold if value is None else None)
            if formula is not None and value is not None:
                book.formula(sheet, row, 1, formula, value, kind)
            else:
                book.put(sheet, row, 1, value, kind)
        self._services()
        self._months()
        self._outages()
        for name, section in (("Exclusions", paper.sections[-2]), ("Method", paper.sections[-1])):
            self._section(self._say(name), section)

    def _section(self, name: str, section: Section) -> None:
        sheet = self._book.workbook.add_worksheet(name)
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 12, 26)
        self._book.printed(sheet)
        for row, told in enumerate(section.sentences):
            sheet.write_string(row, 0, told)
        row = len(section.sentences) + 1
        for table in section.tables:
            row = self._book.table(sheet, table, row)

    def _lines(self) -> Iterator[Line]:
        """Rows 4 on of the summary; the formulas count on these places."""
        say, of, figure, share = self._say, self._of, self._of.result.figure, self._of.share
        services, months = len(of.services), len(of.months)
        counted = f"=SUM({cells(self._names['Services'], SERVICE_ENTERING, services)})"
        yield say("downtime rate by this cause"), '=IF(B6=0,"",B5/B6)', (of.percent or Fraction(0)) / 100, Kind.PERCENT
        yield say("counted downtime, ms"), counted, share.counted_ms, Kind.EXACT
        yield say("service time, ms"), None, figure.service_time_ms, Kind.EXACT
        yield say("counted downtime by all causes, ms"), None, figure.counted_ms, Kind.EXACT
        yield say("share of all counted downtime"), '=IF(B7=0,"",B5/B7)', of.of_counted or Fraction(0), Kind.SHARE
        yield say("at least (proven), ms"), None, share.certain_ms, Kind.EXACT
        yield say("at most (not ruled out), ms"), None, share.possible_ms, Kind.EXACT
        yield say("Checks: each of these is 0"), None, None, Kind.WORDS
        yield say("outages less the derived figure, ms"), f"=B5-{share.counted_ms}", 0, Kind.EXACT
        column = cells(self._names["Months"], MONTH_COUNTED, months)
        yield say("months less the whole, ms"), f"=SUM({column})-B5", 0, Kind.EXACT

    def _services(self) -> None:
        book, say, of = self._book, self._say, self._of
        sheet = book.sheet(self._names["Services"], [
            (say("service no."), 9), (say("id"), 18), (say("service"), 34), (say("in the figure"), 10),
            (say("counted, ms"), 14), (say("rate"), 10), (say("at least, ms"), 14), (say("at most, ms"), 14),
            (say("service time, ms"), 16), (say("enters the figure, ms"), 14),
        ])  # fmt: skip
        for row, one in enumerate(of.services, 1):
            totals, name = one.service.totals, one.service.service.id
            counts = say("yes") if one.service.in_figure is not None else say("no")
            values: tuple[tuple[int, Value, Kind], ...] = (
                (0, row, Kind.COUNT), (1, name, Kind.WORDS), (2, self._matter.names[name], Kind.WORDS),
                (3, counts, Kind.WORDS), (6, one.share.certain_ms, Kind.EXACT), (7, one.share.possible_ms, Kind.EXACT),
                (SERVICE_TIME, totals.service_time_ms, Kind.EXACT),
            )  # fmt: skip
            for column, value, kind in values:
                book.put(sheet, row, column, value, kind)
            book.formula(
                sheet, row, SERVICE_COUNTED, self._sum_of(OUTAGE_COUNTED, row), one.share.counted_ms, Kind.EXACT
            )
            rate = totals.ratio(one.share.counted_ms) or Fraction(0)
            text = f'=IF({cell(row, SERVICE_TIME)}=0,"",{cell(row, SERVICE_COUNTED)}/{cell(row, SERVICE_TIME)})'
            book.formula(sheet, row, 5, text, rate / 100, Kind.PERCENT)
            if _is_summable(one):
                text = self._sum_of(OUTAGE_ENTERING, row)
                book.formula(sheet, row, SERVICE_ENTERING, text, one.entering.counted_ms, Kind.EXACT)
            else:
                book.put(sheet, row, SERVICE_ENTERING, one.entering.counted_ms, Kind.EXACT)
        sheet.autofilter(0, 0, max(len(of.services), 1), SERVICE_ENTERING)

    def _sum_of(self, column: int, row: int) -> str:
        values, keys = (cells(self._names["Outages"], at, len(self._of.outages)) for at in (column, KEY))
        return f"=SUMIFS({values},{keys},{cell(row, 0)})"

    def _months(self) -> None:
        book, say = self._book, self._say
        sheet = book.sheet(self._names["Months"], [
            (say("month"), 16), (say("rate"), 11), (say("counted, ms"), 14), (say("at least, ms"), 14),
            (say("at most, ms"), 14), (say("service time, ms"), 18), (say("counted downtime by all causes, ms"), 20),
        ])  # fmt: skip
        form = book.workbook.add_format({"num_format": "mmmm yyyy", "align": "left"})
        for row, (month, share) in enumerate(self._of.months, 1):
            year, number = month.name.split("-")
            sheet.write_datetime(row, 0, datetime(int(year), int(number), 1), form)  # noqa: DTZ001 - a sheet knows no zone
            totals = month.totals
            values = (share.counted_ms, share.certain_ms, share.possible_ms, totals.service_time_ms, totals.counted_ms)
            for column, value in enumerate(values, MONTH_COUNTED):
                book.put(sheet, row, column, value, Kind.EXACT)
            rate = (totals.ratio(share.counted_ms) or Fraction(0)) / 100
            text = f'=IF({cell(row, MONTH_TIME)}=0,"",{cell(row, MONTH_COUNTED)}/{cell(row, MONTH_TIME)})'
            book.formula(sheet, row, 1, text, rate, Kind.PERCENT)

    def _outages(self) -> None:
        book, say, of = self._book, self._say, self._of
        sheet = book.sheet(self._names["Outages"], [
            (say("service no."), 9), (say("no."), 7), (say("service"), 34), (say("from"), 19), (say("to"), 19),
            (say("by this cause, ms"), 14), (say("enters the figure, ms"), 14), (say("all of it, ms"), 14),
            (say("how it was told"), 24), (say("what the checks said"), 60),
        ])  # fmt: skip
        keys = {one.service.service.id: key for key, one in enumerate(of.services, 1)}
        for row, (service, one) in enumerate(of.outages, 1):
            outage, language = one.outage, self._matter.language
            entering = one.entering_ms if service.service.in_figure is not None else 0
            values: tuple[tuple[Value, Kind], ...] = (
                (keys[outage.service], Kind.COUNT), (of.result.numbers.get(outage.key), Kind.COUNT),
                (self._matter.names[outage.service], Kind.WORDS), (outage.begin, Kind.MOMENT),
                (say("still going on") if outage.running else outage.end, Kind.MOMENT), (one.counted_ms, Kind.EXACT),
                (entering, Kind.EXACT), (outage.counted_ms, Kind.EXACT),
                (shown_words(outage.shown_as, language), Kind.WORDS),
                (printable(detail_words(outage.detail, language))[:MOST_DETAIL], Kind.WORDS),
            )  # fmt: skip
            for column, (value, kind) in enumerate(values):
                book.put(sheet, row, column, value, kind)
        sheet.autofilter(0, 0, max(len(of.outages), 1), 9)


def _is_summable(one: ServiceShare) -> bool:
    """Whether what enters the figure is the sum of its outages: not where the criticality changed within one."""
    if one.service.in_figure is None:
        return True
    told = [outage.entering_ms for outage in one.outages]
    return None not in told and sum(each or 0 for each in told) == one.entering.counted_ms
