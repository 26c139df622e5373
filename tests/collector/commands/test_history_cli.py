"""Published figures of earlier years, the trend, and the year to date, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from detak_collector import cli
from outage_history import SERVICES, fill

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/report.schema.json").read_text())


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """One outage of ten minutes in November 2023."""
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    (home / "services.toml").write_text(SERVICES)
    fill(home / "state", {"web": [(300, 310)], "api": []}, 400)
    capsys.readouterr()
    return home


def call(home: Path, *arguments: str) -> int:
    return cli.run(["--config", str(home / "collector.toml"), *arguments])


def told(home: Path, capsys: pytest.CaptureFixture[str], period: str) -> dict[str, Any]:
    capsys.readouterr()
    call(home, "report", "--period", period, "--format", "json")
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, SCHEMA)
    return document


def test_published_figures_stand_in_the_trend_of_later_years(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, "history", "add", "2022", "0,0076", "--document", "ND-1/2023", "--target", "0.1") == 0
    assert call(home, "history", "add", "2021", "0.0721", "--document", "LKJ 2021", "--note", "highest so far") == 0
    shown = [(one["year"], one["percent"], one["verdict"]) for one in told(home, capsys, "2023")["history"]]
    assert shown == [(2021, "0.0721", None), (2022, "0.0076", "met")]
    assert [one["year"] for one in told(home, capsys, "2022")["history"]] == [2021]
    call(home, "report", "--period", "2023")
    text = capsys.readouterr().out
    assert "LKJ 2021  highest so far" in text
    assert "this report" in text


def test_a_period_within_a_year_prints_no_trend(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(home, "history", "add", "2022", "0.0076", "--document", "ND-1/2023")
    capsys.readouterr()
    call(home, "report", "--period", "2023-11")
    assert "ND-1/2023" not in capsys.readouterr().out


def test_a_correction_takes_effect_and_the_earlier_entry_stays(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(home, "history", "add", "2022", "0.076", "--document", "ND-1/2023")
    call(home, "history", "add", "2022", "0.0076", "--document", "ND-2/2023")
    assert "It takes the place of 0.076 %, ND-1/2023" in capsys.readouterr().out
    (shown,) = told(home, capsys, "2023")["history"]
    assert (shown["percent"], shown["document"]) == ("0.0076", "ND-2/2023")
    assert call(home, "history", "list") == 0
    text = capsys.readouterr().out
    assert text.index("ND-1/2023") < text.index("ND-2/2023")


def test_an_empty_history_says_how_it_is_filled(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, "history", "list") == 0
    assert "history add YEAR PERCENT" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["2022", "0.0076 %", "--document", "ND-1"], "expected a percentage such as 0.0076"),
        (["2022", "100.1", "--document", "ND-1"], "expected a percentage such as 0.0076"),
        (["2022", "-1", "--document", "ND-1"], "No such option"),
        (["2022", "0.1", "--document", ""], "expected one line of 1 to 500 characters"),
        (["2022", "0.1"], "Missing option '--document'"),
        (["9999", "0.1", "--document", "ND-1"], "are over, no later one is (got 9999)"),
        (["1066", "0.1", "--document", "ND-1"], "1066 is not in the range"),
    ],
)
def test_what_cannot_have_been_published_is_refused(
    home: Path, arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, "history", "add", *arguments) == 2
    assert line in capsys.readouterr().err
    call(home, "history", "list")
    assert "No figure of an earlier year" in capsys.readouterr().out


def test_a_month_s_report_says_the_year_to_date_as_the_year_s_own_report_has_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    month, year = told(home, capsys, "2023-11"), told(home, capsys, "2023")
    since_january = month["year_to_date"]
    assert (since_january["from"], since_january["to"]) == ("2022-12-31T17:00:00.000Z", month["period"]["to"])
    assert since_january["counted_ms"] == 600_000
    november = next(one for one in year["months"] if one["name"] == "2023-11")
    assert november["year_to_date"]["percent"] == since_january["percent"] != month["figure"]["percent"]
    assert month["months"][-1]["year_to_date"] == november["year_to_date"]
    december = year["months"][-1]["year_to_date"]
    assert (december["percent"], december["counted_ms"]) == (year["figure"]["percent"], 600_000)
    assert year["year_to_date"]["percent"] == year["figure"]["percent"]


def test_the_text_says_the_year_so_far_and_lists_the_months(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(home, "report", "--period", "2023-11")
    text = capsys.readouterr().out
    assert "2023 to date: 0.0010 %" in text
    call(home, "report", "--period", "2023-Q4")
    assert "year to date" in capsys.readouterr().out
