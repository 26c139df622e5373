"""Outages of before Detak watched, as two people import them: proposed and decided as one, in each year's figure."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

from detak_collector import cli
from detak_collector.commands import session as cli_session
from detak_collector.commands.late import command_at
from detak_collector.operating.events import Event
from detak_collector.past.mapping import read_mapping
from outage_history import SERVICES, fill

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "tests/collector/past/samples"
DOCUMENT = (ROOT / "docs/importing.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs/report.schema.json").read_text())
ZABBIX = ("past", "import", str(SAMPLES / "zabbix-problems.csv"), "--mapping", "zabbix", "--map", "portal-*=portal",
          "--map", "pusat-*=pusat", "--only", "Severity=High", "--only", "Severity=Disaster", "--document",
          "ND-1/2026")  # fmt: skip
BLOCKS = re.findall(r"^```\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
KUMA = """
CREATE TABLE monitor (id INTEGER PRIMARY KEY, name VARCHAR(150));
CREATE TABLE heartbeat (id INTEGER PRIMARY KEY, important BOOLEAN, monitor_id INTEGER, status SMALLINT, msg TEXT,
    time DATETIME, ping INTEGER, duration INTEGER);
INSERT INTO monitor VALUES (7, 'Portal');
INSERT INTO heartbeat VALUES (1, 1, 7, 1, '200 - OK', '2022-05-02 00:00:12.101', 31, 0),
    (2, 1, 7, 0, 'connect ECONNREFUSED', '2022-05-02 01:16:12.480', NULL, 60),
    (3, 0, 7, 0, 'connect ECONNREFUSED', '2022-05-02 01:17:12.480', NULL, 60),
    (4, 1, 7, 1, '200 - OK', '2022-05-02 01:31:12.502', 28, 60);
"""
IN_2022_MS = (10 * 60 + 34 * 60 + 32 + 22 * 60) * 1000


class Home:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def call(self, *words: str, by: str = "Ani") -> tuple[int, str, str]:
        self._capsys.readouterr()
        signed = () if words[0] in {"report", "history"} or words[:2] == ("past", "list") else ("--by", by)
        code = cli.run(["--config", str(self.folder / "collector.toml"), *words, *signed])
        return code, *self._capsys.readouterr()

    def says(self, *words: str, by: str = "Ani") -> str:
        code, output, errors = self.call(*words, by=by)
        assert code == 0, errors
        return output

    def refuses(self, *words: str, by: str = "Ani") -> str:
        code, output, errors = self.call(*words, by=by)
        assert code == 2, output
        assert "Traceback" not in errors
        return errors

    def report(self, period: str) -> dict[str, Any]:
        _, output, _ = self.call("report", "--period", period, "--format", "json")
        document: dict[str, Any] = json.loads(output)
        jsonschema.validate(document, SCHEMA)
        return document

    def file(self, *rows: str) -> str:
        path = self.folder / "own.csv"
        path.write_text("\n".join(["begin,end", *rows]) + "\n")
        return str(path)

    def own(self, *rows: str) -> tuple[str, ...]:
        mapping = self.folder / "own.toml"
        mapping.write_text('rows = "outages"\n[columns]\nbegin = "begin"\nend = "end"\n')
        return ("past", "import", self.file(*rows), "--mapping", str(mapping), "--service", "portal", "--document", "a")


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    """Observed from 05:13 to 11:53 on 15 November 2023, local time."""
    folder = tmp_path / "detak"
    assert cli.run(["init", str(folder)]) == 0
    (folder / "services.toml").write_text(SERVICES)
    fill(folder / "state", {"web": [(60, 68)], "api": []}, 400)
    return Home(folder, capsys)


def test_what_one_imports_counts_once_another_approves_it_and_is_never_proven(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    monkeypatch.setattr(cli_session, "log_event", events.append)
    home.says("history", "add", "2022", "0.01", "--document", "ND-5/2022")
    shown = home.says(*ZABBIX)
    assert "Outages: 3 new, 1 rows left out by what is chosen." in shown
    assert re.search(
        r"^2022 +0\.0000 % +0:00:00\.0 +0\.0063 % +1:06:32\.0 +0:00:00\.0 +met +0\.01 %", shown, re.MULTILINE
    )
    assert home.report("2022")["figure"]["counted_ms"] == 0
    (name,) = re.findall(r"past approve ([0-9a-f]{8})", shown)
    assert "somebody else must approve it" in home.refuses("past", "approve", name)
    assert home.report("2022")["figure"]["counted_ms"] == 0
    assert "Budi approves the import" in home.says("past", "approve", name, by="Budi")
    assert [one.name for one in events][1:] == ["declaration-imported", "declaration-import-approved"]
    report = home.report("2022")
    assert (report["figure"]["counted_ms"], report["figure"]["certain_ms"]) == (IN_2022_MS, 0)
    assert [one["approved_by"] for one in report["declarations"]] == ["Budi"] * 3
    assert "portal-web-01: Unavailable by ICMP ping (zabbix-problems.csv line 2)" in {
        one["reason"] for one in report["declarations"]
    }
    assert "3 in force" in home.says("past", "list")


def test_a_dry_run_shows_the_same_years_and_enters_nothing(home: Home) -> None:
    shown = home.says(*ZABBIX, "--dry-run")
    assert "Nothing is entered." in shown
    assert "0.0063 %" in shown
    assert "Nothing was imported yet" in home.says("past", "list")


def test_the_same_outages_are_not_declared_twice_from_whatever_file(home: Home) -> None:
    home.says(*home.own("2022-03-01 09:12:33,2022-03-01 09:47:05"))
    assert "Outages: 2 new, 1 declared already" in home.says(*ZABBIX)
    assert "Outages: 0 new, 3 declared already" in home.says(*ZABBIX)


def test_an_import_in_force_ends_as_a_whole_by_two_people(home: Home) -> None:
    (name,) = re.findall(r"past approve ([0-9a-f]{8})", home.says(*ZABBIX))
    home.says("past", "approve", name, by="Budi")
    assert "--document: required" in home.refuses("past", "withdraw", name, "--reason", "wrong host", by="Cici")
    told = home.says("past", "withdraw", name, "--reason", "wrong host", "--document", "ND-2/2026", by="Cici")
    assert f"past approve {name}" in told
    assert "3 in force, the end of 3 is proposed" in home.says("past", "list")
    assert home.report("2022")["figure"]["counted_ms"] == IN_2022_MS
    assert "nothing of" in home.refuses("past", "withdraw", name, "--reason", "a", "--document", "b", by="Cici")
    home.says("past", "approve", name, by="Ani")
    assert home.report("2022")["figure"]["counted_ms"] == 0
    assert "3 withdrawn" in home.says("past", "list")
    assert "3 new" in home.says(*ZABBIX)


def test_a_pending_import_is_rejected_by_others_and_taken_back_by_its_proposer(home: Home) -> None:
    (name,) = re.findall(r"past approve ([0-9a-f]{8})", home.says(*ZABBIX))
    assert "only its proposer takes it back" in home.refuses("past", "withdraw", name, "--reason", "a", by="Budi")
    home.says("past", "reject", name, "--reason", "other severities", by="Budi")
    assert "3 rejected" in home.says("past", "list")
    home.says(*ZABBIX)
    home.says("past", "withdraw", name, "--reason", "I was wrong")
    assert "3 rejected, 3 taken back" in home.says("past", "list")
    assert "nothing of" in home.refuses("past", "approve", name, by="Budi")


def test_time_that_was_observed_refuses_the_whole_file_with_the_line(home: Home) -> None:
    before, within = "2023-11-15 04:00,2023-11-15 05:00", "2023-11-15 05:00,2023-11-15 05:20"
    told = home.refuses(*home.own(before, within))
    assert "own.csv:3: checks of portal were observed from 2023-11-15 05:13:2" in told
    assert "own.csv:2" not in told
    assert "Nothing was imported yet" in home.says("past", "list")
    assert "Outages: 1 new" in home.says(*home.own(before))


def test_what_the_options_say_wrong_is_said_before_anything_is_read(home: Home) -> None:
    own = home.own("2022-01-01,2022-01-02")
    for words, said in (
        ((*own, "--timezone", "Asia/Jakrta"), 'did you mean "Asia/Jakarta"'),
        ((*own, "--encoding", "utf-9"), "own.csv: no such encoding"),
        ((*own, "--map", "portal"), "expected two texts with = between them"),
        ((*own, "--map", "a=portl"), "--map: no such service; one of portal, pusat"),
        ((*own, "--only", "x=y"), 'own.csv: no column "x"'),
        ((*own[:3], "--mapping", "icinga", "--document", "a"), "--mapping: one of zabbix, uptime-kuma, nagios"),
        (("past", "approve", "12345678"), "NAME: no import has it"),
    ):
        assert said in home.refuses(*words)


def test_local_times_are_of_the_zone_that_is_named(home: Home) -> None:
    code, _, errors = home.call(*home.own("2022-10-30 02:10,2022-10-30 02:50"), "--timezone", "Europe/Berlin")
    assert code == 0
    assert "own.csv:2: 2022-10-30 02:10:00 came twice in Europe/Berlin" in errors
    (name,) = re.findall(r"^([0-9a-f]{8}) ", home.says("past", "list"), re.MULTILINE)
    home.says("past", "approve", name, by="Budi")
    assert home.report("2022")["figure"]["counted_ms"] == (100 * 60_000)


def test_the_commands_of_the_document_work_as_they_stand(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.folder)
    shutil.copy(SAMPLES / "zabbix-problems.csv", home.folder)
    (block,) = [one for one in BLOCKS if one.startswith("detak-collector")]
    for line in block.splitlines():
        program, *words = shlex.split(line)
        assert program == "detak-collector"
        assert cli.run(["--config", str(home.folder / "collector.toml"), *words]) == 0, line
    assert "2 in force" in home.says("past", "list")


def test_what_the_document_asks_uptime_kuma_s_database_can_be_imported(home: Home) -> None:
    (query,) = re.findall(r'kuma.db "(select .*)" >', DOCUMENT)
    with closing(sqlite3.connect(":memory:")) as kuma:
        kuma.executescript(KUMA)
        found = kuma.execute(query)
        heading, rows = [one[0] for one in found.description], found.fetchall()
    with (home.folder / "heartbeats.csv").open("w", newline="") as file:
        csv.writer(file).writerows([heading, *rows])
    words = ("past", "import", str(home.folder / "heartbeats.csv"), "--mapping", "uptime-kuma", "--service", "portal")
    assert "Outages: 1 new." in home.says(*words, "--document", "a")


def test_the_document_names_every_command_and_option_and_its_mapping_can_be_read() -> None:
    group = command_at(cli.COMMANDS["past"])
    assert isinstance(group, click.Group)
    for name, one in group.commands.items():
        assert re.search(rf"\b{name}\b", DOCUMENT), name
        for option in (word for each in one.params for word in each.opts if word.startswith("--")):
            assert option in DOCUMENT, (name, option)
    (own,) = re.findall(r"^```toml\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert read_mapping(own.encode(), "own.toml").services == tomllib.loads(own)["services"]
