"""A month is closed as people do it: what keeps it open, its seal, what came later, a restatement, a dispute."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import pytest

from detak_collector import cli
from detak_collector.clocks import Reading
from detak_collector.commands import doctor, verify_sealed
from detak_collector.commands import session as cli_session
from detak_collector.downtime.derive import Result
from detak_collector.downtime.figure import summed
from detak_collector.figures import Figures
from evidence_builders import reading
from outage_history import SERVICES, fill

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/report.schema.json").read_text())
MINUTE = 60_000
DAY = 86_400_000
LATE = ("exclude", "add", "--category", "planned", "--service", "portal", "--from", "2023-11-15T06:00", "--to",
        "2023-11-15T06:30", "--document", "ND-12/2023", "--reason", "patches")  # fmt: skip
"""Of 26 minutes in November eight are planned."""

MONTH = "2023-11"


class Home:
    """A collector's files, and the moment at which people ask."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.now = reading(90 * DAY)
        self._capsys = capsys

    def call(self, *words: str) -> tuple[int, str, str]:
        self.now = Reading(self.now.utc + 60_000, self.now.boottime + 60_000, self.now.boot)
        self._capsys.readouterr()
        code = cli.run(["--config", str(self.folder / "collector.toml"), *words])
        return code, *self._capsys.readouterr()

    def says(self, *words: str, by: str | None = None, code: int = 0) -> str:
        found, output, errors = self.call(*words, *(() if by is None else ("--by", by)))
        assert found == code, errors + output
        return output + errors

    def report(self, period: str = MONTH) -> dict[str, Any]:
        _, output, _ = self.call("report", "--period", period, "--format", "json")
        document: dict[str, Any] = json.loads(output)
        jsonschema.validate(document, SCHEMA)
        return document

    def counted_ms(self, period: str = MONTH) -> int:
        counted: int = self.report(period)["figure"]["counted_ms"]
        return counted

    def sealed(self) -> None:
        self.says("seal", MONTH, "--despite", "the first weeks were before its time", by="Ani")
        told = self.says("seal", "approve", "1", by="Budi")
        assert "  detak-collector bundle 2023-11 --as-of " in told
        assert "  python3 detak-verify.pyz check 2023-11-seal-1.tar.gz" in told

    def excluded(self) -> None:
        self.says(*LATE, by="Ani")
        self.says("exclude", "approve", "x1", by="Budi")


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Home:
    """26 minutes of downtime in November 2023, of which less than a day was observed; it is February by now."""
    folder = tmp_path / "detak"
    assert cli.run(["init", str(folder)]) == 0
    (folder / "services.toml").write_text(SERVICES)
    fill(folder / "state", {"web": [(60, 68), (300, 310)], "api": [(67, 75)]}, 400)
    made = Home(folder, capsys)
    monkeypatch.setattr(cli_session, "system_clock", lambda: lambda: made.now)
    return made


def allow_little_coverage(home: Home) -> None:
    file = home.folder / "collector.toml"
    file.write_text(f"{file.read_text()}\n[seal]\ncoverage_percent = 0.5\n")


def test_what_keeps_a_month_open_is_listed_with_who_is_responsible_and_refuses_its_seal(home: Home) -> None:
    home.says(*LATE, by="Ani")
    told = home.says("seal", "--check", MONTH, code=1)
    for line in (
        "hinders  exclusion x1 is pending",
        "an approver other than Ani",
        "coverage is 0.925 %, and a seal asks for 95 %",
        "the operators of portal, pusat",
        "3 outages have no annotation: 1-3",
    ):
        assert line in told
    refused = home.says("seal", MONTH, code=1)
    assert "2023-11 is not sealed:" in refused
    assert "exclusion x1 is pending: an approver other than Ani" in refused
    assert "annotation" not in refused
    assert "No period is sealed" in home.says("seal", "list")


def test_a_month_that_nothing_hinders_is_sealed_at_once_and_every_report_says_so(home: Home) -> None:
    allow_little_coverage(home)
    told = home.says("seal", "--check", MONTH)
    assert "Nothing hinders it: `detak-collector seal 2023-11` seals it." in told
    assert "Ani seals 2023-11, no. 1: 0.0301 %, 0:26:00.0 counted, met" in home.says("seal", MONTH, by="Ani")
    seal = home.report()["seal"]
    assert (seal["number"], seal["sealed_by"], seal["approved_by"], seal["by_later_facts"]) == ("1", "Ani", None, None)
    assert "Sealed, no. 1, on 13 February 2024 at" in home.says("report", "--period", MONTH)
    assert "Disegel, no. 1, pada 13 Februari 2024" in home.says("report", "--period", MONTH, "--language", "id")
    home.says("report", "--period", MONTH, "--format", "xlsx", "-o", str(home.folder / "r.xlsx"))
    book = openpyxl.load_workbook(home.folder / "r.xlsx", read_only=True)
    cells = {str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row}
    assert any("Sealed, no. 1" in one for one in cells)
    assert "2023-11 is sealed, no. 1" in home.says("seal", "--check", MONTH)


def test_despite_what_hinders_it_another_person_lets_it_be_sealed(home: Home) -> None:
    told = home.says("seal", MONTH, "--despite", "agreed", by="Ani")
    assert "It takes effect once somebody else approves it: `detak-collector seal approve 1`" in told
    assert "seal" not in home.report()
    assert "somebody else must approve it" in home.says("seal", "approve", "1", by="ani", code=2)
    home.says("seal", "approve", "1", by="Budi")
    told = home.says("seal", "show", "1")
    assert "despite: coverage is 0.925 %, and a seal asks for 95 % (the operators of portal, pusat)" in told
    assert "reason: agreed" in told
    assert "approved by Budi" in told
    assert "PERIOD: 2023-11 is sealed, no. 1: only `detak-collector restate 2023-11`" in home.says(
        "seal", MONTH, "--despite", "again", by="Ani", code=2
    )


def test_a_seal_is_not_approved_once_the_facts_say_another_figure_than_was_asked_for(home: Home) -> None:
    home.says("seal", MONTH, "--despite", "agreed", by="Ani")
    home.excluded()
    told = home.says("seal", "approve", "1", by="Budi", code=1)
    assert "the facts have come to say another figure" in told
    assert "0:26:00.0" in told
    assert "0:18:00.0" in told
    home.says("seal", "reject", "1", "--reason", "late work", by="Budi")
    assert "rejected" in home.says("seal", "list", "--all")


@pytest.mark.parametrize(
    ("period", "said"),
    [
        ("2024-02", "2024-02 is not over: it ends on 1 March 2024 at 00:00 WIB: nobody: it takes its time"),
        ("2023-11-15", "a month, a quarter, a half or a year is sealed"),
        ("2023-ytd", "a month, a quarter, a half or a year is sealed"),
        ("last", "PERIOD: not one of 2026, 2026-S1"),
    ],
)
def test_what_is_no_closed_period_is_not_sealed_whatever_the_reason(home: Home, period: str, said: str) -> None:
    assert said in home.says("seal", period, "--despite", "I want to", code=1 if period == "2024-02" else 2)


def test_what_comes_later_leaves_the_sealed_figure_and_only_a_restatement_changes_it(home: Home) -> None:
    home.sealed()
    told = home.says(*LATE, by="Ani")
    assert "2023-11 is sealed, no. 1: its figure stays as it is, until `detak-collector restate 2023-11`" in told
    home.says("exclude", "approve", "x1", by="Budi")
    document = home.report()
    assert (document["figure"]["counted_ms"], document["seal"]["figure"]["counted_ms"]) == (26 * MINUTE, 26 * MINUTE)
    assert document["seal"]["by_later_facts"]["counted_ms"] == 18 * MINUTE
    year = home.report("2023")
    assert year["figure"]["counted_ms"] == 18 * MINUTE
    assert [one["period"] for one in year["overtaken_seals"]] == [MONTH]
    assert "2023-11 is sealed, no. 1, at 0.0301 %; in this report it comes to 0.0208 % (-8 min 0.0 s" in home.says(
        "report", "--period", "2023"
    )
    assert "2023-11 is sealed, no. 1, and by what is known now its figure would be another" in home.says(
        "seal", "--check", "2023", code=1
    )
    asked = home.says("restate", MONTH, "--reason", "work found later", by="Ani")
    for line in ("figure              0.0301 %                  0.0208 %", "planned x1, document ND-12/2023"):
        assert line in asked
    assert home.counted_ms() == 26 * MINUTE
    assert "somebody else must approve it" in home.says("seal", "approve", "2", by="Ani", code=2)
    home.says("seal", "approve", "2", by="Budi")
    assert home.counted_ms() == 18 * MINUTE
    seal = home.report()["seal"]
    assert (seal["number"], seal["restates"], seal["by_later_facts"]) == ("2", "1", None)
    assert "Restated, no. 2" in home.says("report", "--period", MONTH)
    assert "there is nothing to restate" in home.says("restate", MONTH, "--reason", "x", by="Ani", code=2)


def test_a_restatement_that_is_only_tried_enters_nothing(home: Home) -> None:
    home.sealed()
    home.excluded()
    assert "Nothing is entered." in home.says("restate", MONTH, "--reason", "to see", "--dry-run")
    assert "restatement" not in home.says("seal", "list", "--all")
    home.says("restate", MONTH, "--reason", "x", by="Ani")
    home.says("seal", "take-back", "2", "--reason", "not yet", by="Ani")
    assert home.counted_ms() == 26 * MINUTE
    assert "PERIOD: is not sealed" in home.says("restate", "2023-12", "--reason", "x", code=2)


def test_a_restated_month_says_which_longer_seal_holds_it_too(home: Home) -> None:
    home.sealed()
    home.says("seal", "2023", "--despite", "the year too", by="Ani")
    home.says("seal", "approve", "2", by="Budi")
    home.excluded()
    assert "touches: seal 2 of 2023 holds this time too" in home.says(
        "restate", MONTH, "--reason", "late work", by="Ani"
    )


def test_sealed_periods_are_recomputed_and_one_that_comes_out_as_another_is_told(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "sealed periods: none" in home.says("verify", "--sealed")
    home.sealed()
    assert doctor_on_seals(home) == [], "this version made it"
    home.excluded()
    told = home.says("verify", "--sealed")
    assert "seal 1 of 2023-11: as sealed, 0.0301 %, 0:26:00.0 counted, met; by what came later 0.0208 %" in told
    assert "1 recomputed under rules 1, 0 come out as others" in told
    after_an_upgrade(monkeypatch)
    assert doctor_on_seals(home) == ["made by another version, and not recomputed by this one: seal 1 of 2023-11"]
    home.says("verify", "--sealed")
    assert doctor_on_seals(home) == []
    another_program(monkeypatch)
    told = home.says("verify", "--sealed", code=1)
    assert doctor_on_seals(home) == ["this version comes to other figures than were sealed: seal 1 of 2023-11"]
    assert "seal 1 of 2023-11: DIFFERS. It was sealed by program" in told
    assert "portal: 0:18:00.0 -> 0:00:00.0 counted" in told
    assert "this program comes to another one from the same records" in home.says("report", "--period", MONTH)


def doctor_on_seals(home: Home) -> list[str]:
    found = json.loads(home.call("doctor", "--json")[1])["findings"]
    return [one["what"] for one in found if one["area"] == "seals"]


def after_an_upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (doctor, verify_sealed):
        monkeypatch.setattr(module, "PROGRAM", "99.0.0")


def another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if an upgrade did not see the outages of one service any more."""
    derived = Figures.derived

    def blind(self: Figures, *asked: Any) -> Result:
        found = derived(self, *asked)
        services = tuple(
            replace(one, totals=summed(()), outages=()) if one.service.id == "portal" else one for one in found.services
        )
        return replace(found, services=services)

    monkeypatch.setattr(Figures, "derived", blind)


def test_a_disputed_outage_keeps_its_month_open_until_an_approver_has_answered(home: Home) -> None:
    allow_little_coverage(home)
    home.says("incidents", "list", "--period", MONTH)
    home.says(
        "incidents", "dispute", "1", "--reason", "not ours", "--ticket", "T-7", "--until", "2024-03-01", by="Dedi"
    )
    assert "outage 1 is disputed by Dedi; the answer is due on 1 March 2024 at 00:00 WIB" in home.says(
        "seal", "--check", MONTH, code=1
    )
    assert "Dedi disputes it already" in home.says("incidents", "dispute", "1", "--reason", "x", by="Eka", code=2)
    assert "nobody dismisses his own dispute" in home.says(
        "incidents", "dismiss", "1", "--reason", "x", by="Dedi", code=2
    )
    assert "T-7" in home.says("incidents", "disputes")
    home.says("incidents", "dismiss", "1", "--reason", "the log says so", by="Budi")
    assert "No outage is disputed." in home.says("incidents", "disputes")
    assert "Budi: the log says so" in home.says("incidents", "disputes", "--all")
    home.says("seal", MONTH, by="Ani")
    assert "2023-11, in which it lies, is sealed, no. 1" in home.says(
        "incidents", "dispute", "3", "--reason", "x", by="Dedi", code=2
    )
    assert "OUTAGE: none has this number" in home.says("incidents", "dispute", "99", "--reason", "x", code=2)
    assert "--until: has passed" in home.says(
        "incidents", "dispute", "3", "--reason", "x", "--until", "2023-12-01", code=2
    )


def test_a_seal_that_somebody_altered_in_the_store_is_found(home: Home) -> None:
    home.sealed()
    home.says("verify", "--sealed")
    with closing(sqlite3.connect(next((home.folder / "state").glob("*.sqlite*")))) as connection, connection:
        query = "UPDATE entry SET body = replace(body, 'the first weeks', 'the last weeks') WHERE kind = 'seal'"
        assert connection.execute(query).rowcount == 1
    assert "NOT INTACT" in home.says("verify", code=1)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("coverage_percent = 101", "seal.coverage_percent: expected a"),
        ("settle_days = -1", "seal.settle_days: expected"),
        ("coverage = 90", "seal.coverage: no such key"),
    ],
)
def test_wrong_terms_of_a_seal_are_named(home: Home, table: str, said: str) -> None:
    file = home.folder / "collector.toml"
    file.write_text(f"{file.read_text()}\n[seal]\n{table}\n")
    assert said in home.says("config-check", code=2)
