"""Outage numbers and incidents as a user meets them: in reports, and through `detak-collector incidents`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from detak_collector import cli
from outage_history import SERVICES, fill

MONTH = "2023-11"
SCHEMA = json.loads((Path(__file__).parents[3] / "docs/report.schema.json").read_text())


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Three outages: two at minutes 60 and 70, one at minute 300."""
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    (home / "services.toml").write_text(SERVICES)
    fill(home / "state", {"web": [(60, 68), (300, 310)], "api": [(67, 75)]}, 400)
    capsys.readouterr()
    return home


def call(home: Path, *arguments: str) -> int:
    return cli.run(["--config", str(home / "collector.toml"), *arguments])


def told(home: Path, capsys: pytest.CaptureFixture[str], period: str = MONTH) -> dict[str, Any]:
    capsys.readouterr()
    call(home, "report", "--period", period, "--format", "json")
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, SCHEMA)
    return document


def numbers(document: dict[str, Any]) -> dict[str, list[int]]:
    return {one["id"]: [outage["number"] for outage in one["outages"]] for one in document["services"]}


def incidents(document: dict[str, Any]) -> list[list[int]]:
    known = {outage["id"]: outage["number"] for one in document["services"] for outage in one["outages"]}
    return [[known[id_] for id_ in one["outages"]] for one in document["incidents"]]


def test_a_report_numbers_the_outages_and_says_the_same_ever_after(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = told(home, capsys)
    assert numbers(first) == {"portal": [1, 3], "pusat": [2]}
    assert numbers(told(home, capsys, "2023")) == numbers(told(home, capsys)) == numbers(first)
    assert (first["figure"]["outages"], first["figure"]["incidents"]) == (3, 2)
    assert incidents(first) == [[1, 2], [3]]


def test_the_text_says_numbers_and_incidents(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(home, "report", "--period", MONTH) == 0
    text = capsys.readouterr().out
    assert "3 outages counted, in 2 incidents" in text
    assert "Outages (3, in 2 incidents)" in text
    call(home, "report", "--period", MONTH, "--service", "pusat")
    assert "Outages (1, in 1 incident)" in capsys.readouterr().out


def test_rulings_are_honoured_told_and_taken_back(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(home, capsys)
    assert call(home, "incidents", "merge", "1", "3", "--reason", "the same switch") == 0
    assert "ruling 1" in capsys.readouterr().out
    assert incidents(told(home, capsys)) == [[1, 2, 3]]
    assert call(home, "incidents", "split", "3", "--reason", "it was another one") == 0
    assert incidents(told(home, capsys)) == [[1, 2], [3]]
    assert call(home, "incidents", "undo", "2", "--reason", "no, it was the same") == 0
    document = told(home, capsys)
    assert incidents(document) == [[1, 2, 3]]
    assert document["incidents"][0]["ruled"]
    assert (document["figure"]["outages"], document["figure"]["incidents"]) == (3, 1)


def test_the_list_shows_incidents_and_every_ruling_with_who_and_why(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(home, capsys)
    call(home, "incidents", "merge", "1", "3", "--reason", "the same switch")
    call(home, "incidents", "undo", "1", "--reason", "it was not")
    capsys.readouterr()
    assert call(home, "incidents", "list", "--period", MONTH) == 0
    text = capsys.readouterr().out
    assert "1, 2" in text
    assert "outages 1, 3 are one incident (taken back)" in text
    assert "ruling 1 is taken back" in text
    assert "the same switch" in text


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["merge", "1", "9"], "NUMBER: no outage has it"),
        (["merge", "1", "1"], "NUMBER: two different outages at least"),
        (["merge", "1", "2", "--reason", " "], "expected one line of 1 to 500 characters"),
        (["split", "0"], "0 is not in the range"),
        (["undo", "7"], "RULING: there is none of that number (got 7)"),
    ],
)
def test_a_ruling_that_cannot_be_is_refused_in_one_line(
    home: Path, arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told(home, capsys)
    reason = [] if "--reason" in arguments else ["--reason", "why"]
    assert call(home, "incidents", *arguments, *reason) == 2
    assert line in capsys.readouterr().err
    call(home, "incidents", "list", "--period", MONTH)
    assert "ruling" not in capsys.readouterr().out


def test_a_ruling_is_taken_back_once_and_the_taking_back_never(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(home, capsys)
    call(home, "incidents", "split", "2", "--reason", "why")
    call(home, "incidents", "undo", "1", "--reason", "why")
    for ruling, line in (("1", "it was taken back already"), ("2", "it takes back ruling 1")):
        capsys.readouterr()
        assert call(home, "incidents", "undo", ruling, "--reason", "why") == 2
        assert line in capsys.readouterr().err
