"""Evidence is disposed of as people do it, and everything else goes on to hold."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from detak_collector.config import load
from detak_collector.figures import Figures
from detak_collector.rules import rules_in_force
from detak_collector.store.metrics import read as read_metrics
from detak_collector.store.sqlite import FILE_NAME, open_store
from detak_collector.web.api_v1.data_sheets import FigureData
from detak_collector.web.assets import Assets
from detak_collector.web.render import STATIC, TEMPLATES
from detak_collector.web.sheet import FigureSheet
from detak_collector.web.sheet_maker import SheetMaker, Sources
from disposed_season import Season

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/report.schema.json").read_text())
SHEETS = (FigureSheet("en", "2023-12"), FigureSheet("id", "2023-12-05"), FigureData("2023-12-05"))
PROPOSE = ("retention", "propose", "--document", "ND-5/2025", "--reason", "kept long enough", "--until")


@pytest.fixture
def season(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Season:
    return Season(tmp_path / "detak", capsys, monkeypatch)


def report(season: Season, period: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(season.call("report", "--period", period, "--format", "json")[1])
    jsonschema.validate(told, SCHEMA)
    return told


def drawn(season: Season, sheet: FigureSheet | FigureData) -> int:
    """The status of a page, or of an answer."""
    config = load(season.folder / "collector.toml")
    with closing(open_store(config.state_directory, season.now)) as store:
        rules = rules_in_force(config, store.entries)
        figures = Figures(store.evidence, store.derived, store.registry, lambda: rules, lambda: season.now)
        metrics = partial(read_metrics, store.database)
        sources = Sources(figures, store.outages, metrics, lambda: rules, lambda: season.now.utc)
        return SheetMaker(sources, Assets(STATIC, TEMPLATES)).draw(sheet).status


def without(told: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in names}


def test_what_two_people_dispose_of_is_gone_and_the_figures_and_the_chain_are_as_before(season: Season) -> None:
    head = season.says("ledger", "head").strip()
    season.sealed()
    assert "may be disposed of: the months 2023-11 to 2023-12" in season.says("retention")
    periods = ("2023-11", "2023-12", "2023", "2024-01")
    before = {period: report(season, period) for period in periods}
    season.approved()
    told = season.says("retention", "dispose", "1", by="Cici")
    assert "disposed of: 143 records from before 2024-01" in told
    assert "was carried out here already" in season.says("retention", "dispose", "1")
    assert "whole from 2024-01 on" in season.says("retention")
    for period in periods:
        after = report(season, period)
        assert without(after, "as_of", "ledger", "seal") == without(before[period], "as_of", "ledger", "seal")
        assert without(after.get("seal", {}), "evidence_disposed") == before[period].get("seal", {})
    assert report(season, "2023-12")["seal"]["evidence_disposed"]["document"] == "ND-5/2025"
    assert "Bukti dari sebelum 1 Januari 2024 telah dimusnahkan" in season.call(
        "report", "--period", "2023-12", "--language", "id"
    )[1].replace("\n", " ")
    told = season.says("verify", "--sealed", "--head", head)
    assert "intact: 1,482 records in 25 blocks" in told
    assert "disposed of, no. 1, ND-5/2025: 143 records of blocks 1 to 4" in told
    assert "2 recomputed under rules 1, 0 come out as others" in told
    assert "0 come out as others" in season.says("verify", "--since", "2999-01-01", "--sealed")
    season.says("seal", "2024-01", "--despite", "its end", by="Ani")
    season.says("seal", "approve", "3", by="Budi")
    season.says(*PROPOSE, "2024-02", by="Budi")
    season.says("retention", "approve", "2", by="Ani")
    season.says("retention", "dispose", "2", by="Cici")
    told = season.says("verify", "--sealed", "--head", head)
    assert ("disposed of, no. 1" in told, "disposed of, no. 2" in told) == (True, True)
    assert "3 recomputed under rules 1, 0 come out as others" in told
    after = report(season, "2023-12")
    assert without(after, "as_of", "ledger", "seal") == without(before["2023-12"], "as_of", "ledger", "seal")
    assert after["seal"]["evidence_disposed"]["number"] == "1"


def test_after_a_disposal_each_command_works_or_says_why_it_does_not(season: Season, tmp_path: Path) -> None:
    season.disposed()
    gone = "the evidence from before 2024-01-01 was disposed of"
    assert gone in season.says("bundle", "2023-12", "-o", str(tmp_path / "b.tar.gz"), code=3)
    assert gone in season.says("report", "--period", "2023-12-05", code=3)
    assert gone in season.says("explain", "impor", "--period", "2023-12", code=3)
    assert "there is nothing to restate" in season.says("restate", "2023-12", "--reason", "why not", by="Ani", code=2)
    assert [drawn(season, sheet) for sheet in SHEETS] == [200, 410, 409]
    late = ("--from", "2023-12-05T06:00", "--to", "2023-12-05T08:00", "--document", "ND-6", "--reason", "late")
    assert "It changes nothing there" in season.says(
        "exclude", "add", "--category", "planned", "--service", "impor", *late, by="Ani"
    )
    season.says("bundle", "2024-01", "-o", str(tmp_path / "b.tar.gz"))
    season.says("bundle", "2024-01", "--as-of", "2024-06-01", "-o", str(tmp_path / "c.tar.gz"), code=3)
    assert "the same, to the byte" in season.says("recompute", str(tmp_path / "b.tar.gz"), code=0)
    kept = season.says("ledger", "head").strip()
    season.says("backup", str(tmp_path / "backup.tar.gz"))
    season.says("restore", str(tmp_path / "backup.tar.gz"), "--force")
    assert "143 records of blocks 1 to 4" in season.says("verify", "--head", kept)
    with closing(sqlite3.connect(season.folder / "state" / FILE_NAME)) as connection, connection:
        connection.execute("UPDATE disposal SET until_utc = until_utc + 1")
    assert "for disposed of, its entries say all from before 2023-12-31 17:00:00 UTC" in season.says("verify", code=1)
    with closing(sqlite3.connect(season.folder / "state" / FILE_NAME)) as connection, connection:
        connection.execute("DELETE FROM exchange WHERE sequence = (SELECT max(sequence) FROM exchange)")
    assert "missing, in block" in season.says("verify", code=1)


def test_what_may_not_go_is_refused_with_the_reason(season: Season) -> None:
    assert "2023-11 is not sealed" in season.says(*PROPOSE, "2023-12", by="Ani", code=2)
    season.sealed("2023-11")
    assert "of the evidence may go: what is from before 2023-12; 2023-12 is not sealed" in season.says(
        *PROPOSE, "2024-01", by="Ani", code=2
    )
    assert "expected a month, such as 2021-01 (got 'soon')" in season.says(*PROPOSE, "soon", by="Ani", code=2)
    assert "name the first day of one" in season.says(*PROPOSE, "2023-12-02", by="Ani", code=2)
    season.says(*PROPOSE, "2023-12", by="Ani")
    assert "disposal 1 of Ani comes first" in season.says(*PROPOSE, "2023-12", by="Budi", code=2)
    assert "somebody else must approve it" in season.says("retention", "approve", "1", by="ANI", code=2)
    assert "disposal 1 is pending, and not approved" in season.says("retention", "dispose", "1", code=2)
    assert "no disposal has it" in season.says("retention", "approve", "7", by="Budi", code=2)
    season.says("retention", "reject", "1", "--reason", "not yet", by="Budi")
    file = season.folder / "collector.toml"
    file.write_text(file.read_text().replace("evidence_years = 1", "evidence_years = 2"))
    assert "evidence from 2023-11 on is kept" in season.says(*PROPOSE, "2023-12", by="Ani", code=2)
    file.write_text(file.read_text().replace("evidence_years = 2", ""))
    assert "collector.toml keeps all evidence for ever" in season.says("retention")
