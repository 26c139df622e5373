"""Calendars as services.toml and its tables of holidays have them, and as the engine is given them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.catalogue import CatalogueError
from detak_collector.catalogue.holiday_table import BYTE_ORDER_MARK, HEADER, parse_holidays, written_holidays
from detak_collector.catalogue.organisation import parse_beside
from detak_collector.catalogue.place import Place
from detak_collector.downtime.catalogue import Calendar, Dated, Holiday, Season

HEAD = """
organisation = "DJBC"
timezone = "Asia/Jakarta"
[[service]]
id = "impor"
criticality = "sangat kritis"
probes = ["edge-01/web"]
hours = "kantor"
"""
KANTOR = '[[calendar]]\nid = "kantor"\nweekly = { mon-fri = "07:30-17:00" }\n'
WEEK = (((450, 1020),),) * 5 + ((), ())
ROWS = HEADER + "2026-03-20,Cuti Bersama,joint-leave,SKB 1497/2025\n2026-03-19,Nyepi,national,SKB 1497/2025\n"


def calendar(more: str = "", files: Mapping[str, str] | None = None) -> Calendar:
    [found] = parse_beside(HEAD + KANTOR + more, "services.toml", (files or {}).get).calendars
    return found


def instant(words: str) -> int:
    return int(datetime.fromisoformat(words).timestamp() * 1000)


def test_a_calendar_without_more_is_in_the_zone_of_the_organisation_and_has_no_holidays() -> None:
    assert calendar() == Calendar("kantor", ZoneInfo("Asia/Jakarta"), WEEK)


def test_a_calendar_may_have_its_own_zone_and_its_seasons_are_dated_there() -> None:
    found = calendar(
        'timezone = "Asia/Jayapura"\n'
        'seasons = [{ from = "2026-02-19", until = 2026-03-21, weekly = { fri = ["08:00-11:30", "13:30-15:00"] } }]'
    )
    friday = ((480, 690), (810, 900))
    begin, end = instant("2026-02-19T00:00+09:00"), instant("2026-03-21T00:00+09:00")
    assert found.zone == ZoneInfo("Asia/Jayapura")
    assert found.seasons == (Season(begin, end, ((), (), (), (), friday, (), ())),)


def test_seasons_stand_in_the_order_of_their_dates() -> None:
    spans = ("from = 2027-02-08, until = 2027-03-10", "from = 2026-02-19, until = 2026-03-21")
    seasons = ", ".join(f"{{ {span}, weekly = {{}} }}" for span in spans)
    assert [
        datetime.fromtimestamp(one.since / 1000, UTC).year for one in calendar(f"seasons = [{seasons}]").seasons
    ] == [
        2026,
        2027,
    ]


def test_exceptions_are_windows_or_closed_and_may_end_with_the_day() -> None:
    found = calendar(
        'exceptions = [{ date = "2026-12-24", hours = "18:00-24:00" }, { date = 2026-06-02, hours = "closed" }]'
    )
    assert found.exceptions == ((date(2026, 12, 24), ((1080, 1440),)), (date(2026, 6, 2), ()))


def test_holidays_come_from_the_table_beside_the_file() -> None:
    found = calendar('holidays = "id.csv"\njoint_leave_none = [2031]', {"id.csv": ROWS})
    assert (found.holidays_file, found.joint_leave_none) == ("id.csv", (2031,))
    assert found.holidays == (
        Holiday(date(2026, 3, 20), "Cuti Bersama", "joint-leave", "SKB 1497/2025"),
        Holiday(date(2026, 3, 19), "Nyepi", "national", "SKB 1497/2025"),
    )


@pytest.mark.parametrize("content", [BYTE_ORDER_MARK + ROWS, ROWS.replace("\n", "\r\n"), ROWS + "\n\n"])
def test_a_table_saved_by_a_spreadsheet_is_read_all_the_same(content: str) -> None:
    plain = calendar('holidays = "id.csv"', {"id.csv": ROWS})
    assert calendar('holidays = "id.csv"', {"id.csv": content}) == plain


def test_a_value_that_is_too_long_for_a_table_is_refused_with_the_file() -> None:
    with pytest.raises(CatalogueError, match=r"^id\.csv: not a table of comma-separated values"):
        calendar('holidays = "id.csv"', {"id.csv": HEADER + "x" * 200_000})


def test_hours_name_a_calendar_from_a_date_on() -> None:
    dated = '[{ value = "24x7", until = 2026-01-01 }, { value = "kantor", from = 2026-01-01 }]'
    text = HEAD.replace('"kantor"', dated) + KANTOR
    [service] = parse_beside(text, "services.toml", lambda _: None).services
    turn = instant("2026-01-01T00:00+07:00")
    assert service.hours == Dated(((None, turn, "24x7"), (turn, None, "kantor")))


def test_a_calendar_with_a_flaw_is_known_to_the_services_that_use_it() -> None:
    with pytest.raises(CatalogueError) as caught:
        parse_beside(HEAD + KANTOR + "colour = 1", "services.toml", lambda _: None)
    assert [line.split(": ")[1] for line in caught.value.lines] == ["calendar[kantor].colour"]


words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
holidays = st.builds(
    Holiday, st.dates(date(1971, 1, 1), date(2100, 1, 1)), words, st.sampled_from(["national", "joint-leave"]), words
)


@given(st.lists(holidays, unique_by=lambda one: (one.day, one.kind)))
def test_a_written_table_reads_as_what_was_written(rows: list[Holiday]) -> None:
    top = Place("id.csv", [])
    read = parse_holidays(written_holidays(rows), top)
    assert top.lines == []
    assert set(read) == set(rows)
    assert list(read) == sorted(read, key=lambda one: (one.day, one.kind == "joint-leave"))


def test_a_quoted_name_with_a_comma_keeps_its_comma() -> None:
    row = Holiday(date(2026, 1, 1), "Tahun Baru, Masehi", "national", "SKB")
    assert parse_holidays(written_holidays([row]), Place("id.csv", [])) == (replace(row),)
