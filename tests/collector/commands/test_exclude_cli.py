"""Exclusions and declarations as two people meet them: entered, decided, and in every figure and report."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import pypdf
import pytest

from detak_collector import cli
from detak_collector.commands import session as cli_session
from detak_collector.operating.events import Event
from outage_history import SERVICES, fill

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/report.schema.json").read_text())
MINUTE = 60_000
OUTAGE = ("--from", "2023-11-15T06:00", "--to", "2023-11-15T06:30")
"""Around the first of two outages of `portal`, of 8 and 10 minutes."""
ADD = ("exclude", "add", "--category", "planned", "--service", "portal", *OUTAGE, "--document", "ND-12/2023",
       "--reason", "patches")  # fmt: skip


class Home:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def call(self, *words: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = cli.run(["--config", str(self.folder / "collector.toml"), *words])
        return code, *self._capsys.readouterr()

    def says(self, *words: str, by: str | None = None) -> str:
        code, output, errors = self.call(*words, *(() if by is None else ("--by", by)))
        assert code == 0, errors
        return output

    def refuses(self, *words: str) -> str:
        code, output, errors = self.call(*words)
        assert code == 2, output
        return errors

    def report(self, *words: str) -> dict[str, Any]:
        _, output, _ = self.call("report", "--period", "2023-11", "--format", "json", *words)
        document: dict[str, Any] = json.loads(output)
        jsonschema.validate(document, SCHEMA)
        return document

    def counted_ms(self) -> int:
        counted: int = self.report()["figure"]["counted_ms"]
        return counted


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    """26 minutes of downtime in November 2023."""
    folder = tmp_path / "detak"
    assert cli.run(["init", str(folder)]) == 0
    (folder / "services.toml").write_text(SERVICES)
    fill(folder / "state", {"web": [(60, 68), (300, 310)], "api": [(67, 75)]}, 400)
    return Home(folder, capsys)


def test_two_persons_take_time_out_of_the_figure_and_see_what_that_changes(home: Home) -> None:
    told = home.says(*ADD, by="Ani")
    assert "Ani proposes x1: planned, service portal, 2023-11-15 06:00:00 WIB to 2023-11-15 06:30:00 WIB" in told
    assert "entered late" in told
    for row in ("2023     0.0025 %  0:26:00.0  0.0017 %", "2023-11  0.0301 %  0:26:00.0  0.0208 %"):
        assert row in told
    assert home.counted_ms() == 26 * MINUTE
    assert "0.0301 %  0:26:00.0  0.0208 %         0:18:00.0  met" in home.says("exclude", "approve", "x1", by="Budi")
    assert home.counted_ms() == 18 * MINUTE
    (one,) = home.report()["exclusions"]
    assert (one["id"], one["proposed_by"], one["approved_by"], one["late"], one["in_force"]) == (
        "x1",
        "Ani",
        "Budi",
        True,
        True,
    )


def test_a_dry_run_says_the_same_and_enters_nothing(home: Home) -> None:
    told = home.says(*ADD, "--dry-run", by="Ani")
    assert "Nothing is entered. Ani proposes x1" in told
    assert "0.0301 %  0:26:00.0  0.0208 %" in told
    assert "No exclusion is in force or pending" in home.says("exclude", "list")
    home.says(*ADD, by="Ani")
    home.says("exclude", "approve", "x1", "--dry-run", by="Budi")
    assert home.counted_ms() == 26 * MINUTE


def test_a_drill_is_planned_work_that_is_declared_ahead_and_told_as_one(home: Home) -> None:
    ahead = [word.replace("2023-11-15T06", "2099-11-15T06") for word in ADD]
    assert "declared before it begins (got --from 2023-11-14T23:00" in home.refuses(*ADD, "--drill")
    wrong = ["preventive" if word == "planned" else word for word in ahead]
    assert "planned downtime (got --category preventive)" in home.refuses(*wrong, "--drill")
    assert "Ani proposes x1: planned (drill), service portal" in home.says(*ahead, "--drill", by="Ani")
    home.says(*ahead, by="Ani")
    lines = home.says("exclude", "list").splitlines()
    assert ["(drill)" in line for line in lines if line.startswith("x")] == [True, False]
    assert "planned (drill), service portal" in home.says("exclude", "show", "x1")
    assert {one["id"]: one["drill"] for one in home.report()["exclusions"]} == {"x1": True, "x2": False}
    told = home.says("exclude", "amend", "x1", "--reason", "cables", "--because", "it is of cables", by="Ani")
    assert "planned (drill)" in told, "what stands in its place is one too"


def test_nobody_approves_his_own(home: Home) -> None:
    home.says(*ADD, by="Ani R.")
    assert "Ani R. proposed x1, and somebody else must approve it" in home.refuses(
        "exclude", "approve", "x1", "--by", "ani r"
    )
    assert home.counted_ms() == 26 * MINUTE


def test_two_names_under_one_login_are_told_to_the_audit_trail(home: Home) -> None:
    home.says(*ADD, by="Ani")
    code, _, errors = home.call("exclude", "approve", "x1", "--by", "Budi")
    assert (code, "was proposed and approved under one login" in errors) == (0, True)


def test_every_step_is_told_to_the_audit_trail(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Event] = []
    monkeypatch.setattr(cli_session, "log_event", told.append)
    home.says(*ADD, by="Ani")
    home.says(*ADD, by="Ani")
    home.says("exclude", "reject", "x2", "--reason", "twice", by="Budi")
    home.says("exclude", "approve", "x1", by="Budi")
    home.says("exclude", "withdraw", "x1", "--reason", "wrong", "--document", "ND-1", by="Ani")
    home.says("exclude", "withdraw", "x3", "--reason", "right after all", by="Ani")
    steps = [(one.name, one.fields["id"], one.fields["author"]) for one in told]
    assert [one for one in steps if one[0] != "exclusion-one-login"] == [
        ("exclusion-proposed", "x1", "Ani"),
        ("exclusion-proposed", "x2", "Ani"),
        ("exclusion-rejected", "x2", "Budi"),
        ("exclusion-approved", "x1", "Budi"),
        ("exclusion-proposed", "x3", "Ani"),
        ("exclusion-taken-back", "x3", "Ani"),
    ]


def test_an_amendment_and_a_withdrawal_need_a_second_person_and_leave_their_trace(home: Home) -> None:
    home.says(*ADD, by="Ani")
    home.says("exclude", "approve", "x1", by="Budi")
    home.says("exclude", "amend", "x1", "--to", "2023-11-15T06:20", "--because", "it was shorter", by="Ani")
    assert home.counted_ms() == 18 * MINUTE
    home.says("exclude", "approve", "x2", by="Budi")
    assert home.counted_ms() == 1_162_001
    assert "--document: required, since x2 is in force" in home.refuses(
        "exclude", "withdraw", "x2", "--reason", "wrong"
    )
    home.says("exclude", "withdraw", "x2", "--reason", "wrong", "--document", "ND-13", by="Ani")
    assert "Ani proposed x3, and somebody else must" in home.refuses("exclude", "approve", "x3", "--by", "Ani")
    home.says("exclude", "approve", "x3", by="Budi")
    assert home.counted_ms() == 26 * MINUTE
    told = home.says("exclude", "show", "x1")
    for words in ("x1 is replaced", "it was shorter", "the withdrawal of x2, ND-13: wrong", "Budi"):
        assert words in told
    listed = home.says("exclude", "list", "--all")
    assert [word in listed for word in ("replaced", "withdrawn", "approved")] == [True, True, True]
    assert "3 are over: --all lists them" in home.says("exclude", "list")


def test_a_report_as_of_an_earlier_moment_goes_by_what_was_in_force_then(home: Home) -> None:
    home.says(*ADD, by="Ani")
    home.says("exclude", "approve", "x1", by="Budi")
    home.says("exclude", "withdraw", "x1", "--reason", "wrong", "--document", "ND-13", by="Ani")
    home.says("exclude", "approve", "x2", by="Budi")
    moments = [
        line[:19].replace(" ", "T") for line in home.says("exclude", "show", "x1").splitlines() if " WIB  x" in line
    ]
    assert len(moments) == 4
    listed = home.says("exclude", "list", "--as-of", "2023-11-16")
    assert "No exclusion is in force or pending." in listed
    assert home.counted_ms() == 26 * MINUTE
    assert home.report("--as-of", "2023-11-16")["exclusions"] == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("exclude", "approve", "x9"),
            "ID: no exclusion has it; `detak-collector exclude list --all` has them (got 'x9')",
        ),
        (("declare", "approve", "x1"), "ID: no declaration has it"),
        (("exclude", "approve", "x1", "--by", "..."), "expected a name"),
        (
            ("exclude", "reject", "x1", "--by", "Ani", "--reason", "no"),
            "`detak-collector exclude withdraw x1` takes it back",
        ),
        (("exclude", "withdraw", "x1", "--by", "Budi", "--reason", "no"), "only its proposer takes it back"),
        (("exclude", "reject", "x1", "--by", "Budi"), "Missing option '--reason'"),
        (("exclude", "amend", "x1", "--because", "why"), "says that already"),
        (("exclude", "list", "--as-of", "2099-01-01"), "--as-of: lies ahead"),
        ((*ADD[:4], *ADD[6:]), "say what it is about, such as --service ID"),
        ((*ADD, "--site", "DC"), "one scope only"),
        ((*ADD[:-4], "--reason", "patches"), "Missing option '--document'"),
        (
            (*ADD[:5], "portl", *ADD[6:]),
            'scope.service: a service of the catalogue; did you mean "portal"?',
        ),
        ((*ADD[:3], "lunch", *ADD[4:]), "'lunch' is not one of"),
        ((*ADD, "--to", "2023-11-15T05:00"), "exclude add: to: later than from"),
        ((*ADD, "--recurrence", "FREQ=HOURLY"), "exclude add: recurrence.FREQ: one of DAILY"),
        ((*ADD, "--except", "2023-11-15T06:00"), "exclude add: except: only with recurrence"),
        (
            (*ADD, "--recurrence", "FREQ=DAILY", "--except", "2023-11-16T07:00"),
            "when windows that the rule gives begin",
        ),
        ((*ADD, "--from", "yesterday"), "--from: a date such as"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(home: Home, words: tuple[str, ...], line: str) -> None:
    home.says(*ADD, by="Ani")
    assert line in home.refuses(*words)
    assert home.says("exclude", "list").count("\n") == 2


def test_one_that_recurs_takes_out_each_of_its_windows_but_those_that_do_not_take_place(home: Home) -> None:
    daily = (
        *ADD[:6],
        "--from",
        "2023-11-13T06:00",
        "--to",
        "2023-11-13T06:30",
        *ADD[-4:],
        "--recurrence",
        "FREQ=DAILY;COUNT=4",
    )
    home.says(*daily, by="Ani")
    home.says("exclude", "approve", "x1", by="Budi")
    assert home.counted_ms() == 18 * MINUTE
    home.says("exclude", "amend", "x1", "--except", "2023-11-15T06:00", "--because", "called off", by="Ani")
    home.says("exclude", "approve", "x2", by="Budi")
    assert home.counted_ms() == 26 * MINUTE
    assert [one["window"] for one in home.report()["exclusions"]] == [1, 2, 3]
    home.says("exclude", "amend", "x2", "--recurrence", "once", "--because", "once only", by="Ani")
    assert "again by" not in home.says("exclude", "list").splitlines()[-1]


def test_declarations_add_what_nobody_saw_and_prove_what_was_up(home: Home) -> None:
    down = ("declare", "add", "--category", "down", "--service", "portal", "--from", "2023-11-15T08:00",
            "--to", "2023-11-15T08:30", "--document", "BA-1", "--reason", "users called")  # fmt: skip
    assert "0.0301 %  0:26:00.0  0.0648 %           0:56:00.0" in home.says(*down, by="Ani")
    assert home.counted_ms() == 26 * MINUTE
    home.says("declare", "approve", "d1", by="Budi")
    assert home.counted_ms() == 56 * MINUTE
    unseen = home.report()["figure"]["unobserved_ms"]
    up = ("declare", "add", "--category", "up", "--check", "db-01/web", "--from", "2023-11-02", "--to", "2023-11-03",
          "--document", "BA-2", "--reason", "the application's own log")  # fmt: skip
    home.says(*up, by="Ani")
    home.says("declare", "approve", "d2", by="Budi")
    told = home.report()
    assert unseen - told["figure"]["unobserved_ms"] == 24 * 60 * MINUTE
    assert [(one["id"], one["in_force"]) for one in told["declarations"]] == [("d1", True), ("d2", True)]
    home.says("declare", "withdraw", "d1", "--reason", "wrong", "--document", "BA-3", by="Ani")
    home.says("declare", "approve", "d3", by="Cici")
    assert home.counted_ms() == 26 * MINUTE
    assert "d2  in force  up" in home.says("declare", "list")


def test_a_declaration_of_what_its_category_cannot_be_about_is_refused(home: Home) -> None:
    words = (
        "declare",
        "add",
        "--category",
        "down",
        "--check",
        "db-01/web",
        *OUTAGE,
        "--document",
        "B",
        "--reason",
        "r",
    )
    assert "declare add: scope" in home.refuses(*words)


def test_reports_of_every_format_show_who_took_out_what_and_how_much_and_what_is_pending(home: Home) -> None:
    home.says(*ADD, by="Ani")
    home.says("exclude", "approve", "x1", by="Budi")
    second = ("--from", "2023-11-15T10:00", "--to", "2023-11-15T10:30", "--document", "ND-14/2023")
    home.says(*ADD[:6], *ADD[10:12], "--reason", "cables", *second, by="Cici")
    kinds = {"html": "html", "xlsx": "xlsx", "pdf": "pdf"}
    files = {kind: home.folder / f"report.{kind}" for kind in kinds}
    for kind, file in files.items():
        home.call("report", "--period", "2023-11", "--format", kind, "-o", str(file))
    sheet = openpyxl.load_workbook(files["xlsx"])["Exclusions"]
    texts = {
        "html": files["html"].read_text(),
        "xlsx": " ".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row),
        "pdf": " ".join(" ".join(page.extract_text().split()) for page in pypdf.PdfReader(files["pdf"]).pages),
    }
    texts["text"] = home.call("report", "--period", "2023-11")[1]
    for kind, text in texts.items():
        for words in ("x1", "x2", "Ani / Budi", "entered late", "not approved", "ND-14/2023"):
            assert words in text, (kind, words)
    _, output, _ = home.call("report", "--period", "2023-11", "--format", "csv", "--table", "exclusions")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(output))}
    assert (rows["x1"]["approved_by"], rows["x2"]["approved_by"], rows["x2"]["in_force"]) == ("Budi", "", "false")
    assert (rows["x1"]["took_out_ms"], rows["x2"]["took_out_ms"]) == (str(8 * MINUTE), "")
    assert "0:08:00" in texts["html"]


def test_the_explanation_names_what_excluded_a_second(home: Home) -> None:
    home.says(*ADD, by="Ani")
    home.says("exclude", "approve", "x1", by="Budi")
    assert "x1" in home.says("explain", "portal", "--period", "2023-11")


def test_a_calendar_file_is_proposed_once_and_comes_back_out(home: Home) -> None:
    file = home.folder / "plan.ics"
    file.write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a@b\nSUMMARY:patches\nDTSTART:20231114T230000Z\nDURATION:PT30M\n"
        "END:VEVENT\nEND:VCALENDAR\n"
    )
    words = ("exclude", "import", str(file), "--category", "planned", "--service", "portal", "--document", "ND-12/2023")
    assert "Nothing is entered. 1 proposed" in home.says(*words, "--dry-run", by="Ani")
    told = home.says(*words, by="Ani")
    assert "1 proposed, 0 taken back, 0 unchanged." in told
    assert "0.0301 %  0:26:00.0  0.0208 %" in told
    assert "0 proposed, 0 taken back, 1 unchanged." in home.says(*words, by="Budi")
    home.says("exclude", "approve", "x1", by="Budi")
    assert home.counted_ms() == 18 * MINUTE
    file.write_text(file.read_text().replace("PT30M", "PT20M"))
    assert "in place of x1" in home.says(*words, by="Ani")
    assert "DTSTART:20231114T230000Z" in home.says("exclude", "export")
    exported = home.folder / "out.ics"
    home.says("exclude", "export", "-o", str(exported))
    assert b"X-DETAK-ID:x2" in exported.read_bytes()


def test_a_calendar_file_with_a_problem_enters_nothing(home: Home) -> None:
    file = home.folder / "plan.ics"
    sound = "BEGIN:VEVENT\nUID:a\nSUMMARY:patches\nDTSTART:20231114T230000Z\nDURATION:PT30M\nEND:VEVENT\n"
    file.write_text(f"BEGIN:VCALENDAR\n{sound}{sound}END:VCALENDAR\n")
    words = ("exclude", "import", str(file), "--category", "planned", "--service", "portal", "--document", "ND-1")
    assert "plan.ics: event 'patches': UID: each may be used once (got \"a\")" in home.refuses(*words)
    assert "No exclusion" in home.says("exclude", "list")
