"""The workbook, opened by another library and computed by a third: live formulas, values that are what they are."""

from __future__ import annotations

from datetime import datetime

import pytest
from openpyxl.workbook import Workbook

from detak_collector.report import xlsx
from detak_collector.report.formats import FORMATS, Order
from report_cases import COUNTED, HOSTILE, IMPOR_DOWN, LATIN, SERVICE_TIME, quiet, report
from workbook import opened, recomputed


def made() -> bytes:
    return FORMATS["xlsx"].made(report(), Order("en"))


def test_every_sheet_is_there_in_the_language_of_its_readers() -> None:
    assert opened(made()).sheetnames == [
        "Summary", "Services", "Months", "Outages", "Exclusions", "Coverage", "Method",
    ]  # fmt: skip
    indonesian = opened(FORMATS["xlsx"].made(report(), Order("id")))
    assert indonesian.sheetnames[0] == "Ringkasan"
    assert "Gangguan" in indonesian.sheetnames


def test_a_longer_outage_moves_the_headline_and_trips_the_checks() -> None:
    def lengthen(book: Workbook) -> None:
        sheet = book["Outages"]
        sheet["F2"] = int(str(sheet["F2"].value)) + 1
        sheet["G2"] = int(str(sheet["G2"].value)) + 1

    before, after = recomputed(made()), recomputed(made(), lengthen)
    assert before["B5"] == COUNTED
    assert after["B5"] == COUNTED + 1
    assert before["B4"] == COUNTED / SERVICE_TIME
    assert after["B4"] == (COUNTED + 1) / SERVICE_TIME
    assert [after[f"B{row}"] for row in (24, 26, 27)] == [1, -1, 1]


def test_the_verdict_is_computed_too_and_turns_at_the_last_millisecond_that_the_target_allows() -> None:
    def until(length: int) -> object:
        def set_first(book: Workbook) -> None:
            book["Outages"]["G2"] = length

        return recomputed(made(), set_first)["B9"]

    rest = COUNTED - (30 * 60_000 + 1)
    allowed = SERVICE_TIME // 1000
    assert until(allowed - rest) == "Target met"
    assert until(allowed - rest + 1) == "Target missed"


def test_dates_and_numbers_are_real_and_dates_are_local() -> None:
    sheet = opened(made())["Outages"]
    assert sheet["D2"].value == datetime(2026, 1, 11)  # noqa: DTZ001 - a sheet knows no zone
    assert sheet["F2"].value == IMPOR_DOWN[0][1] - IMPOR_DOWN[0][0]
    assert sheet["C2"].value == LATIN


def test_what_a_name_says_is_never_a_formula() -> None:
    cells = [cell for sheet in opened(made()) for row in sheet.iter_rows() for cell in row]
    hostile = [cell for cell in cells if isinstance(cell.value, str) and HOSTILE in cell.value]
    assert len(hostile) >= 4
    assert {cell.data_type for cell in hostile} == {"s"}


def test_a_year_without_outages_has_a_headline_and_no_rows() -> None:
    content = FORMATS["xlsx"].made(quiet(), Order("en"))
    assert opened(content)["Outages"].max_row == 1
    assert recomputed(content)["B4"] == 0


def test_more_outages_than_a_sheet_has_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    with pytest.raises(xlsx.TooManyRowsError, match="5 outages: a sheet has room for 3"):
        made()
