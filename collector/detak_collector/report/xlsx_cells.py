"""What a workbook's sheets are written with: formats, real dates and numbers, and text that never becomes a formula."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from fractions import Fraction

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from detak_collector.report.numbers import moment_of
from detak_collector.report.paper import Kind, Table, Value
from detak_collector.report.terminal import printable

DAY_MS = 86_400_000
MOST_LETTERS = 32_000
"""What one cell may hold."""

NUMBER_FORMATS = {
    Kind.PERCENT: "0.0000%",
    Kind.SHARE: "0.000%",
    Kind.LENGTH: "[h]:mm:ss.000",
    Kind.EXACT: "#,##0",
    Kind.COUNT: "#,##0",
    Kind.MOMENT: "yyyy-mm-dd hh:mm:ss",
}


class Book:
    """A workbook with its formats. `zone` is that of the dates in it, which a spreadsheet cannot say."""

    def __init__(self, workbook: Workbook, zone: tzinfo) -> None:
        self.workbook, self.zone = workbook, zone
        self.title: Format = workbook.add_format({"bold": True, "font_size": 14})
        self.bold: Format = workbook.add_format({"bold": True, "bg_color": "#EEF1F4"})
        self.right: Format = workbook.add_format({"align": "right"})
        self.heading: Format = workbook.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom", "bg_color": "#EEF1F4"}
        )
        self.of = {kind: workbook.add_format({"num_format": form}) for kind, form in NUMBER_FORMATS.items()}

    def sheet(self, name: str, headings: Sequence[tuple[str, float]], row: int = 0) -> Worksheet:
        """A sheet with a row of headings, each with its column's width in letters, that stays in sight."""
        sheet = self.workbook.add_worksheet(name[:31])
        for column, (heading, width) in enumerate(headings):
            sheet.set_column(column, column, width)
            sheet.write_string(row, column, heading, self.heading)
        sheet.freeze_panes(row + 1, 0)
        sheet.repeat_rows(row)
        self.printed(sheet)
        return sheet

    @staticmethod
    def printed(sheet: Worksheet) -> None:
        """As it goes onto paper: A4 across, as wide as its columns."""
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)

    def put(self, sheet: Worksheet, row: int, column: int, value: Value, kind: Kind) -> None:
        """A value as what it is: text as text, and numbers and dates so that one can compute with them."""
        if value is None:
            return
        if isinstance(value, str):
            sheet.write_string(row, column, printable(value)[:MOST_LETTERS])
        elif kind is Kind.MOMENT:
            assert isinstance(value, int), "an instant is whole milliseconds"
            sheet.write_datetime(row, column, moment_of(value, self.zone).replace(tzinfo=None), self.of[kind])
        else:
            sheet.write_number(row, column, _number(value, kind), self.of.get(kind))

    def formula(
        self, sheet: Worksheet, row: int, column: int, text: str, value: Fraction | int | str, kind: Kind
    ) -> None:
        """A formula, with its value for programs that do not compute."""
        cached = float(value) if isinstance(value, Fraction) else value
        sheet.write_formula(row, column, text, self.of.get(kind, self.right), cached)

    def table(self, sheet: Worksheet, table: Table, row: int = 0) -> int:
        """A table of the paper from `row` on; the row after it."""
        if table.caption:
            sheet.write_string(row, 0, table.caption, self.bold)
            row += 1
        for column, head in enumerate(table.columns):
            sheet.write_string(row, column, head.heading, self.heading)
        if not table.rows:
            sheet.write_string(row + 1, 0, table.empty)
        for place, values in enumerate(table.rows, row + 1):
            for column, (value, head) in enumerate(zip(values, table.columns, strict=True)):
                self.put(sheet, place, column, value, head.kind)
        return row + 2 + max(len(table.rows), 1)


def _number(value: int | Fraction, kind: Kind) -> float:
    if kind is Kind.LENGTH:
        return float(value / DAY_MS)
    return float(value / 100 if kind is Kind.PERCENT else value)


def cells(sheet: str, column: int, rows: int) -> str:
    """The address of `rows` cells below the heading of a column, from anywhere in the workbook."""
    letter = xl_col_to_name(column)
    quoted = sheet.replace("'", "''")
    return f"'{quoted}'!${letter}$2:${letter}${max(rows, 1) + 1}"


def cell(row: int, column: int) -> str:
    """A cell of the same sheet, rows from 0."""
    return f"{xl_col_to_name(column)}{row + 1}"
