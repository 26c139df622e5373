"""The report of one third party as a workbook: what it took out and how he takes it are live formulas over its rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from io import BytesIO

from xlsxwriter.workbook import Workbook

from detak_collector.decisions.claims import STANCES
from detak_collector.decisions.providers import Attributed
from detak_collector.downtime import RULE_VERSION
from detak_collector.report.paper import Kind, Value
from detak_collector.report.provider import STANCE_WORDS, STATE_WORDS, OfProvider
from detak_collector.report.wording import period_words, scope_words
from detak_collector.report.xlsx_cells import DAY_MS, Book, cell, cells
from detak_collector.translation.language import Language

LENGTH, STANCE, TOOK_OUT = 7, 9, 10
"""Columns of the exclusions that the summary adds up: how long, how he takes it, what it took out."""
SHARED = 5
"""The column of the outages with the time that they share with an exclusion."""
FIRST_LINE = 3

Line = tuple[str, str | None, Fraction | int | str, Kind]
"""Words, a formula or none, the value, and what it is."""


def provider_xlsx(of: OfProvider, language: Language) -> bytes:
    """The workbook: summary, exclusions, outages."""
    out = BytesIO()
    with Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        made = datetime.fromtimestamp(of.result.as_of // 1000, UTC).replace(tzinfo=None)
        title = language.say("What {provider} answers for", provider=of.name)
        workbook.set_properties({"title": title, "created": made})
        _Sheets(Book(workbook, of.result.case.zone), of, language).write(title)
    return out.getvalue()


class _Sheets:
    def __init__(self, book: Book, of: OfProvider, language: Language) -> None:
        self._book, self._of, self._language = book, of, language
        self._names = language.say("Exclusions"), language.say("Outages")
        self._shared = [(one, outage, shared) for one in of.rows for outage, shared in one.outages]

    def write(self, title: str) -> None:
        """In the order in which they stand; formulas may name sheets that come later."""
        book, result, language = self._book, self._of.result, self._language
        sheet = book.workbook.add_worksheet(language.say("Summary"))
        sheet.set_column(0, 0, 44)
        sheet.set_column(1, 1, 28)
        book.printed(sheet)
        sheet.write_string(0, 0, f"{title}, {period_words(result.period, language)}", book.title)
        as_of = language.moment(result.as_of, result.case.zone)
        sheet.write_string(1, 0, language.say("as of {moment}", moment=as_of))
        for row, (words, formula, value, kind) in enumerate(self._lines(), FIRST_LINE):
            sheet.write_string(row, 0, words)
            if formula is None:
                book.put(sheet, row, 1, value, kind)
            else:
                book.formula(sheet, row, 1, formula, value, kind)
        self._exclusions()
        self._outages()

    def _lines(self) -> Iterator[Line]:
        say, of, (exclusions, outages) = self._language.say, self._of, self._names
        rows = len(of.rows)

        def column(at: int) -> str:
            return cells(exclusions, at, rows)

        took_out, length = of.took_out_ms, sum(one.length_ms for one in of.rows)
        yield say("What is put down to him"), f"=COUNT({column(LENGTH)})", rows, Kind.COUNT
        yield say("taken out of the figure") + ", ms", f"=SUM({column(TOOK_OUT)})", took_out, Kind.EXACT
        yield say("taken out of the figure"), f"=B5/{DAY_MS}", Fraction(took_out, DAY_MS), Kind.LENGTH
        yield say("Length") + ", ms", f"=SUM({column(LENGTH)})", length, Kind.EXACT
        for stance, (number, long) in of.lengths().items():
            words = say(STANCE_WORDS[stance])
            yield words, f'=COUNTIF({column(STANCE)},"{words}")', number, Kind.COUNT
            yield f"{words}, ms", f'=SUMIFS({column(LENGTH)},{column(STANCE)},"{words}")', long, Kind.EXACT
        shared = sum(one for _, _, one in self._shared)
        text = f"=SUM({cells(outages, SHARED, len(self._shared))})"
        yield say("Outages in that time") + ", ms", text, shared, Kind.EXACT
        yield say("Checks: each of these is 0"), None, "", Kind.WORDS
        yield say("outages less the derived figure, ms"), f"=B5-{took_out}", 0, Kind.EXACT
        by_stance = "+".join(f"B{FIRST_LINE + 6 + 2 * at}" for at in range(len(STANCES)))
        yield say("steps less the derived figure, ms"), f"=B7-({by_stance})", 0, Kind.EXACT
        yield say("rule version"), None, RULE_VERSION, Kind.WORDS
        if of.result.ledger is not None:
            yield say("ledger head"), None, of.result.ledger, Kind.WORDS

    def _exclusions(self) -> None:
        book, say = self._book, self._language.say
        own = [": ".join((say("By his own word"), edge)) for edge in (say("From"), say("To"))]
        sheet = book.sheet(self._names[0], [
            (say("No."), 8), (say("ticket"), 16), (say("circuit"), 16), (say("About"), 26), (say("State"), 16),
            (say("From"), 19), (say("To"), 19), (say("Length") + ", ms", 14), (say("Length"), 14),
            (say("How he takes it"), 20), (say("Taken out") + ", ms", 14), (own[0], 19),
            (own[1], 19), (say("By what word of his"), 40), (say("Document"), 20),
            (say("Reason"), 40),
        ])  # fmt: skip
        told = set[str]()
        for row, one in enumerate(self._of.rows, 1):
            for column, (value, kind) in enumerate(self._row(one, is_first=one.name not in told)):
                book.put(sheet, row, column, value, kind)
            length = Fraction(one.length_ms, DAY_MS)
            book.formula(sheet, row, LENGTH + 1, f"={cell(row, LENGTH)}/{DAY_MS}", length, Kind.LENGTH)
            told.add(one.name)
        sheet.autofilter(0, 0, max(len(self._of.rows), 1), 15)

    def _row(self, one: Attributed, *, is_first: bool) -> Iterator[tuple[Value, Kind]]:
        """What one that recurs took out stands in its first row alone: it is of all its windows together."""
        say, told = self._language.say, one.told
        words = (one.name, told.ticket or None, told.circuit or None)
        yield from ((each, Kind.WORDS) for each in words)
        yield scope_words(one.window.scope_kind, one.window.scope, self._language), Kind.WORDS
        yield say(STATE_WORDS[one.state]), Kind.WORDS
        yield one.begin, Kind.MOMENT
        yield one.end, Kind.MOMENT
        yield one.length_ms, Kind.EXACT
        yield None, Kind.LENGTH
        yield say(STANCE_WORDS[one.stance]), Kind.WORDS
        yield one.took_out_ms if is_first else None, Kind.EXACT
        yield told.begin, Kind.MOMENT
        yield told.end, Kind.MOMENT
        yield from ((each or None, Kind.WORDS) for each in (one.why, one.window.document, one.window.reason))

    def _outages(self) -> None:
        book, say, result = self._book, self._language.say, self._of.result
        sheet = book.sheet(self._names[1], [
            (say("Exclusion"), 10), (say("Outage"), 10), (say("Service"), 34), (say("From"), 19), (say("To"), 19),
            (say("In this time") + ", ms", 16),
        ])  # fmt: skip
        names = {one.service.id: one.service.name.value_at(result.last) for one in result.services}
        for row, (one, outage, shared) in enumerate(self._shared, 1):
            number = result.numbers.get((outage.service, outage.begin))
            values: tuple[tuple[Value, Kind], ...] = (
                (one.name, Kind.WORDS), (number, Kind.COUNT), (names[outage.service], Kind.WORDS),
                (outage.begin, Kind.MOMENT), (outage.end, Kind.MOMENT), (shared, Kind.EXACT),
            )  # fmt: skip
            for column, (value, kind) in enumerate(values):
                book.put(sheet, row, column, value, kind)
        sheet.autofilter(0, 0, max(len(self._shared), 1), SHARED)
