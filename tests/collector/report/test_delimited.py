"""CSV for programs, which spreadsheets open too: rectangular, exact, and nothing in it that they would run."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.report.delimited import FIELDS, TABLES, _cell, delimited
from report_cases import BEGIN, COUNTED, HOSTILE, LATIN, quiet, report


def rows(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(delimited(report(), table).decode(), newline="")))


@pytest.mark.parametrize("table", TABLES)
def test_every_line_ends_as_the_standard_says_and_has_as_many_fields_as_the_header(table: str) -> None:
    content = delimited(report(), table).decode()
    assert content.endswith("\r\n")
    read = list(csv.reader(StringIO(content, newline="")))
    assert tuple(read[0]) == FIELDS[table]
    assert {len(row) for row in read} == {len(FIELDS[table])}


def test_outages_stand_in_the_order_of_time_with_exact_lengths() -> None:
    found = rows("outages")
    assert [one["service"] for one in found] == ["impor", "ekspor", "portal", "impor", "ekspor"]
    assert [one["from"] for one in found] == sorted(one["from"] for one in found)
    assert found[0]["from"] == "2026-01-10T17:00:00.000Z"
    assert BEGIN == 1_767_200_400_000
    assert sum(int(one["counted_ms"]) for one in found if one["in_figure"] == "true") == COUNTED


def test_names_with_any_letters_survive_and_a_formula_is_guarded() -> None:
    names = {one["id"]: one["name"] for one in rows("services")}
    assert names["impor"] == LATIN
    assert names["portal"] == f"'{HOSTILE}"


@given(st.text())
def test_the_guard_can_always_be_taken_away_again(text: str) -> None:
    told = str(_cell(text))
    assert not told.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert told.removeprefix("'") == text


def test_a_year_without_outages_is_a_header_alone() -> None:
    assert delimited(quiet(), "outages").decode().splitlines() == [",".join(FIELDS["outages"])]
