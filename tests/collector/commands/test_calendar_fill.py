"""`calendar fill`, `config-check` and reports around a table of holidays that is missing, proposed or complete."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from detak_collector import cli
from detak_collector.catalogue import parse
from detak_collector.catalogue.holiday_table import HEADER, UNCHECKED
from detak_collector.catalogue.organisation import load, parse_beside
from detak_collector.commands.calendar import fill_year, write_like
from detak_collector.downtime.catalogue import Holiday
from detak_collector.figures import unfilled

SERVICES = """
organisation = "DJBC"
timezone = "Asia/Jakarta"
[[service]]
id = "impor"
criticality = "sangat kritis"
probes = ["edge-01/web"]
hours = "kantor"
[[calendar]]
id = "kantor"
weekly = { mon-fri = "07:30-17:00" }
holidays = "id.csv"
"""


@pytest.fixture
def services(tmp_path: Path) -> Path:
    path = tmp_path / "services.toml"
    path.write_text(SERVICES)
    (tmp_path / "collector.toml").write_text('state_directory = "state"\nservices = "services.toml"\n')
    return path


def call(services: Path, *arguments: str) -> int:
    return cli.run(["--config", str(services.parent / "collector.toml"), *arguments])


def fill(services: Path, year: int, *more: str) -> int:
    return call(services, "calendar", "fill", "kantor", "--year", str(year), *more)


def rows_of(services: Path) -> tuple[Holiday, ...]:
    return load(services).calendars[0].holidays


def now_in(year: int, month: int = 6) -> int:
    return int(datetime(year, month, 15, tzinfo=UTC).timestamp() * 1000)


def test_a_missing_table_is_made_with_holidays_and_joint_leave_to_be_checked(
    services: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(services, 2026) == 0
    rows = rows_of(services)
    assert Holiday(date(2026, 12, 25), "Hari Raya Natal", "national", rows[0].decree) in rows
    assert Holiday(date(2026, 3, 20), "Cuti Bersama Hari Raya Idul Fitri", "joint-leave", rows[0].decree) in rows
    assert all(one.decree.startswith(UNCHECKED) for one in rows)
    assert "Check every row against the decree (SKB), above all joint leave" in capsys.readouterr().out


def test_years_are_added_to_the_table_in_order(services: Path) -> None:
    assert (fill(services, 2027), fill(services, 2026)) == (0, 0)
    days = [one.day for one in rows_of(services)]
    assert days == sorted(days)
    assert {day.year for day in days} == {2026, 2027}


def test_filling_twice_changes_nothing(services: Path) -> None:
    fill(services, 2026)
    first = rows_of(services)
    fill(services, 2026)
    assert rows_of(services) == first


def test_a_row_that_names_a_decree_is_never_touched(services: Path) -> None:
    mine = "2026-12-25,Natal,national,SKB 1497/2025"
    (services.parent / "id.csv").write_text(f"{HEADER}{mine}\n")
    fill(services, 2026)
    assert mine in (services.parent / "id.csv").read_text().splitlines()
    assert [one.name for one in rows_of(services) if one.day == date(2026, 12, 25)] == ["Natal"]


def test_a_proposal_that_the_library_has_taken_back_goes() -> None:
    old = Holiday(date(2027, 3, 10), "Idul Fitri (perkiraan)", "national", f"{UNCHECKED}: from holidays 0.1")
    new = Holiday(date(2027, 3, 11), "Idul Fitri", "national", f"{UNCHECKED}: from holidays 0.2")
    other_year = Holiday(date(2026, 1, 1), "Tahun Baru", "national", UNCHECKED)
    assert fill_year([old, other_year], [new], 2027).rows == (other_year, new)


def test_a_decree_that_is_given_stands_in_every_new_row(services: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fill(services, 2026, "--decree", "SKB 1497/2025") == 0
    assert {one.decree for one in rows_of(services)} == {"SKB 1497/2025"}
    assert "Check every row" not in capsys.readouterr().out


def test_a_year_whose_joint_leave_nobody_knows_is_said_to_stay_refused(
    services: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fill(services, 2031) == 1
    told = capsys.readouterr().out
    assert "No joint leave is known for 2031" in told
    assert "joint_leave_none = [2031]" in told
    assert {one.kind for one in rows_of(services)} == {"national"}


def test_a_year_decreed_to_have_none_is_filled_without_complaint(services: Path) -> None:
    services.write_text(f"{SERVICES}joint_leave_none = [2031]\n")
    assert fill(services, 2031) == 0


@pytest.mark.parametrize(
    ("change", "arguments", "told"),
    [
        (("", ""), ("loket",), "no such [[calendar]]; known are kantor (got 'loket')"),
        (("", ""), ("kanto",), "did you mean \"kantor\"? (got 'kanto')"),
        (('holidays = "id.csv"', ""), ("kantor",), "calendar[kantor].holidays: required here"),
        (('"07:30-17:00"', '"7-5"'), ("kantor",), "calendar[kantor].weekly.mon-fri: a window such as"),
    ],
)
def test_what_cannot_be_filled_is_told_in_a_line(
    services: Path,
    capsys: pytest.CaptureFixture[str],
    change: tuple[str, str],
    arguments: tuple[str, ...],
    told: str,
) -> None:
    services.write_text(SERVICES.replace(*change))
    assert call(services, "calendar", "fill", *arguments, "--year", "2026") == 2
    assert told in capsys.readouterr().err
    assert not (services.parent / "id.csv").exists()


def test_a_table_keeps_the_rights_it_had_and_a_new_one_takes_its_neighbours(tmp_path: Path) -> None:
    model, table = tmp_path / "services.toml", tmp_path / "id.csv"
    model.write_text("x")
    model.chmod(0o640)
    write_like(table, "1", model)
    assert table.stat().st_mode & 0o777 == 0o640
    table.chmod(0o664)
    write_like(table, "2", model)
    assert (table.read_text(), table.stat().st_mode & 0o777) == ("2", 0o664)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["id.csv", "services.toml"]


def test_config_check_refuses_the_running_year_and_is_content_once_it_is_filled(
    services: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    year = datetime.now(UTC).year
    (services.parent / "id.csv").write_text(HEADER)
    assert call(services, "config-check") == 2
    assert (
        f"services.toml: calendar[kantor].holidays: id.csv has no joint-leave rows for {year}"
        in capsys.readouterr().err
    )
    (services.parent / "id.csv").write_text(f"{HEADER}{year}-12-24,Cuti,joint-leave,{UNCHECKED}\n")
    assert call(services, "config-check") == 0
    assert "1 rows of id.csv still wait for their decree's number" in capsys.readouterr().out


def test_a_year_that_begins_soon_is_asked_for_and_a_distant_one_is_not() -> None:
    catalogue = parse_beside(SERVICES, "services.toml", lambda _: f"{HEADER}2026-12-24,Cuti,joint-leave,SKB\n")
    assert unfilled(catalogue, now_in(2026)) == ([], [])
    running, ahead = unfilled(catalogue, now_in(2026, 11))
    assert (running, [one.year for one in ahead]) == ([], [2027])
    running, ahead = unfilled(catalogue, now_in(2027))
    assert ([one.year for one in running], ahead) == ([2027], [])


def test_services_that_never_close_ask_for_no_table() -> None:
    without = SERVICES.replace('hours = "kantor"', "").replace('holidays = "id.csv"', "")
    assert unfilled(parse(without), now_in(2031)) == ([], [])


def test_a_report_of_a_year_without_joint_leave_ends_with_the_remedy(
    services: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (services.parent / "id.csv").write_text(f"{HEADER}2026-12-24,Cuti,joint-leave,SKB\n")
    fact = '{"node":"edge-01","check":"web","state":"up","first":"2025-01-01T00:00:00Z","last":"2028-01-01T00:00:00Z"}'
    (services.parent / "facts.ndjson").write_text(fact)
    assert cli.run(["recompute", str(services.parent), "--period", "2027-03"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "run `detak-collector calendar fill kantor --year 2027`" in told.err
    assert cli.run(["recompute", str(services.parent), "--period", "2026-03", "--format", "json"]) == 0
    assert f'"service_time_ms": {22 * 570 * 60_000}' in capsys.readouterr().out
