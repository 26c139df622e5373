"""`detak-collector catalogue`, as people use it: check, list, show, approve, reject, diff, and reports by version."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from detak_collector import cli
from detak_collector.clocks import system_clock
from detak_collector.config import load
from detak_collector.operating.catalogue_keeper import CatalogueKeeper
from detak_collector.operating.reloading import reread
from outage_history import SERVICES, fill

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/report.schema.json").read_text())
STRICTER = SERVICES.replace("counted_criticality", "target_percent = 0.001\ncounted_criticality")
WITHOUT_PUSAT = SERVICES[: SERVICES.index('[[service]]\nid = "pusat"')]


class Home:
    """A collector's folder with ten minutes of outage in November 2023, and what serving does of a start or reload."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        assert cli.run(["init", str(folder)]) == 0
        self.write(SERVICES)
        fill(folder / "state", {"web": [(300, 310)], "api": [(300, 340)]}, 400)
        self.said()

    def write(self, text: str) -> None:
        (self.folder / "services.toml").write_text(text)

    def serve(self, text: str | None = None) -> CatalogueKeeper:
        """A start, as `serve` does it; and a reload with that text."""
        config = load(self.folder / "collector.toml")
        store = config.store.open(system_clock()())
        try:
            keeper = CatalogueKeeper(store, system_clock(), config)
            keeper.begin()
            if text is not None:
                self.write(text)
                keeper.reload(reread(lambda: load(self.folder / "collector.toml"), config))
        finally:
            store.close()
        return keeper

    def call(self, *arguments: str) -> int:
        self.said()
        return cli.run(["--config", str(self.folder / "collector.toml"), *arguments])

    def said(self) -> str:
        told = self.capsys.readouterr()
        return told.out + told.err

    def report(self, *more: str) -> dict[str, Any]:
        self.call("report", "--period", "2023", "--format", "json", *more)
        document: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        jsonschema.validate(document, SCHEMA)
        return document


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    return Home(tmp_path / "detak", capsys)


def test_before_anything_served_files_count_as_they_are(home: Home) -> None:
    assert home.call("catalogue", "list") == 0
    assert "No version of the catalogue is recorded yet" in home.said()
    assert home.call("catalogue", "check") == 0
    assert home.report()["catalogue"]["version"] is None


def test_a_change_of_the_past_waits_and_another_persons_approval_changes_the_figure(home: Home) -> None:
    home.serve(WITHOUT_PUSAT)
    waiting = home.report()
    assert (waiting["catalogue"]["version"], waiting["figure"]["services"]) == (1, 2)
    assert home.call("catalogue", "approve", "2", "--document", "ND-1", "--proposed-by", "Budi", "--by", "Siti") == 0
    assert "Version 2 is in force" in home.said()
    after = home.report()
    assert (after["catalogue"]["version"], after["figure"]["services"]) == (2, 1)
    assert after["figure"]["counted_ms"] < waiting["figure"]["counted_ms"]
    home.call("catalogue", "show", "2")
    told = home.said()
    assert "version 2 of the catalogue: in force since" in told
    assert "  service pusat: is gone\n" in told
    assert "by Siti: ND-1" in told


def test_a_report_as_of_an_earlier_moment_goes_by_the_version_of_then(home: Home) -> None:
    home.serve()
    first = home.report()
    time.sleep(0.01)
    home.serve(WITHOUT_PUSAT)
    home.call("catalogue", "approve", "2", "--document", "ND-1", "--proposed-by", "Budi", "--by", "Siti")
    then = home.report("--as-of", first["as_of"])
    assert (then["catalogue"], then["figure"]) == (first["catalogue"], first["figure"])
    assert home.report()["catalogue"]["version"] == 2


def test_nobody_approves_his_own_change_however_his_name_is_written(home: Home) -> None:
    home.serve(STRICTER)
    words = ("catalogue", "approve", "2", "--document", "ND-1")
    assert home.call(*words, "--by", "Budi") == 2
    assert "--proposed-by: required" in home.said()
    assert home.call(*words, "--by", " BUDI ", "--proposed-by", "budi") == 2
    assert "somebody else approves it" in home.said()
    assert home.call("catalogue", "approve", "2", "--by", "Siti") == 2
    assert home.report()["target_percent"] == "0.1"


def test_what_is_decided_is_not_decided_again(home: Home) -> None:
    home.serve(STRICTER)
    assert home.call("catalogue", "reject", "2", "--reason", "no decree", "--by", "Siti") == 0
    words = ("catalogue", "approve", "2", "--document", "ND-1", "--by", "Siti", "--proposed-by", "Budi")
    assert home.call(*words) == 2
    assert "version 2 waits for nobody, it is rejected" in home.said()
    assert home.call("catalogue", "approve", "7", "--document", "ND-1") == 2
    assert "no such version, the last one is 2 (got 7)" in home.said()


def test_check_tells_what_a_file_would_do_and_changes_nothing(home: Home) -> None:
    home.serve()
    assert home.call("catalogue", "check") == 0
    assert "is version 1, which is in force" in home.said()
    home.write(STRICTER.replace('"DJBC"', '"Bea Cukai"'))
    assert home.call("catalogue", "check") == 1
    told = home.said()
    assert "Changes how time that has passed is read:\n  target_percent\n" in told
    assert "the figure" in told
    home.write(SERVICES.replace('"DJBC"', '"Bea Cukai"'))
    assert home.call("catalogue", "check") == 0
    assert "changes nothing that a figure rests on" in home.said()
    home.write("organisatio = 1\n")
    assert home.call("catalogue", "check") == 2
    home.call("catalogue", "list")
    assert home.said().count("in force") == 1


def test_versions_are_listed_told_apart_and_written_out(home: Home, tmp_path: Path) -> None:
    home.serve(STRICTER)
    home.call("catalogue", "list")
    assert [line.split()[0] for line in home.said().splitlines()] == ["version", "1", "2"]
    assert home.call("catalogue", "diff", "1", "2") == 1
    told = home.said()
    assert "  target_percent\n" in told
    assert "+target_percent = 0.001" in told
    assert home.call("catalogue", "diff", "2", "2") == 0
    home.call("catalogue", "show", "1", "--file", "services.toml")
    assert home.said() == SERVICES
    assert home.call("catalogue", "show", "1", "--file", "other.csv") == 2
    assert home.call("catalogue", "show", "1", "--to", str(tmp_path / "out")) == 0
    assert (tmp_path / "out" / "services.toml").read_text() == SERVICES


def test_a_figure_does_not_go_by_a_file_that_nobody_loaded(home: Home) -> None:
    home.serve()
    home.write("organisatio = 1\n")
    assert home.report()["catalogue"]["version"] == 1
    home.call("status")
    assert "catalogue version 1, since" in home.said()
    assert home.call("doctor") == 1
    assert "services.toml on this machine is not right" in home.said()


def test_status_and_doctor_tell_of_a_version_that_waits(home: Home) -> None:
    home.serve(STRICTER)
    home.call("status")
    assert "Version 2 of the catalogue is held" in home.said()
    home.call("doctor")
    assert "version 2 is held, version 1 stays in force" in home.said()


@pytest.mark.parametrize("form", ["text", "html", "csv", "json"])
def test_every_format_names_the_version(home: Home, form: str) -> None:
    home.serve()
    home.call("report", "--period", "2023", "--format", form)
    told = home.said()
    assert "ersion" in told
    if form in {"html", "json"}:
        assert home.report()["catalogue"]["digest"] in told
