"""`-o`, `--of`, `--language` and the rest, as somebody at a terminal uses them, and what is refused."""

from __future__ import annotations

import csv
import json
from io import BytesIO, StringIO
from pathlib import Path

import pypdf
import pytest

from detak_collector import cli
from outage_history import SERVICES, fill

UNIT = '\n[[unit]]\nid = "kantor"\nname = "Kantor Pusat"\nservices = ["pusat"]\ntarget_percent = 0.001\n'


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """The portal was down for ten minutes in November 2023, the other service for twenty."""
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    (home / "services.toml").write_text(SERVICES + UNIT)
    fill(home / "state", {"web": [(300, 310)], "api": [(320, 340)]}, 400)
    capsys.readouterr()
    return home


def call(home: Path, *arguments: str) -> int:
    return cli.run(["--config", str(home / "collector.toml"), "report", "--period", "2023-11", *arguments])


@pytest.mark.parametrize(
    ("form", "begins"),
    [("html", b"<!doctype html>"), ("csv", b"number,"), ("json", b"{"), ("pdf", b"%PDF-"), ("xlsx", b"PK")],
)
def test_a_report_is_written_whole_and_replaces_the_one_before(home: Path, form: str, begins: bytes) -> None:
    path = home / f"report.{form}"
    path.write_text("yesterday's")
    path.chmod(0o644)
    assert call(home, "--format", form, "-o", str(path)) in {0, 1}
    assert path.read_bytes().startswith(begins)
    assert path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in home.iterdir() if one.suffix == ".part"] == []


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, "--format", "csv", "-o", str(home / "nowhere" / "report.csv")) == 3
    assert "nowhere" in capsys.readouterr().err


def test_text_goes_into_a_file_too_and_in_the_language_that_was_asked_for(home: Path) -> None:
    call(home, "--language", "id", "-o", str(home / "report.txt"))
    told = (home / "report.txt").read_text()
    assert "Tingkat downtime 2023-11" in told
    assert "Layanan" in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--format", "json", "--language", "id"], "--language: json is the same in every language"),
        (["--format", "html", "--table", "services"], "--table: only a csv has it"),
        (["--format", "html", "--service", "portal"], "--service: html shows all that makes the figure; --of portal"),
        (["--of", "nope"], "--of: no such unit or service; one of kantor, portal, "),
        (["--of", "catgory:x"], "; with a colon there are site:NAME and category:NAME"),
        (["--service", "nope"], "--service: no such service; one of "),
    ],
)
def test_what_contradicts_itself_is_refused_with_what_to_do(
    home: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, *options) == 2
    assert told in capsys.readouterr().err


def test_nothing_binary_is_thrown_at_a_terminal(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert call(home, "--format", "pdf") == 2
    assert "give -o FILE" in capsys.readouterr().err


def figure_of(home: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    capsys.readouterr()
    call(home, "--format", "json", *options)
    told = json.loads(capsys.readouterr().out)
    assert told["figure"]["counted_ms"] == sum(one["counted_ms"] for one in told["services"])
    return told["figure"]["counted_ms"], told["target_percent"], told["figure"]["verdict"]


def test_a_service_and_a_unit_have_reports_of_their_own(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, web, unit = (figure_of(home, capsys, *options) for options in ([], ["--of", "portal"], ["--of", "kantor"]))
    assert web[0] + unit[0] == whole[0]
    assert unit[1] == "0.001"
    assert unit[2] == "missed"
    assert call(home, "--of", "kantor") == 1


def test_the_report_of_a_part_is_called_so_in_every_format(home: Path) -> None:
    path = home / "report.pdf"
    call(home, "--of", "kantor", "--format", "pdf", "-o", str(path))
    assert "Kantor Pusat" in pypdf.PdfReader(BytesIO(path.read_bytes())).pages[0].extract_text()


def test_a_csv_of_services_is_asked_for_by_its_table(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(home, "--format", "csv", "--table", "services")
    found = list(csv.DictReader(StringIO(capsys.readouterr().out)))
    assert {"portal", "pusat"} == {one["id"] for one in found}
