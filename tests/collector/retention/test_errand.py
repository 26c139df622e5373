"""What a page has done by a process of its own is refused and done as by the command, whatever was decided since."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from detak_collector.config import load
from detak_collector.decisions.log import CurrentRules
from detak_collector.decisions.recording import Author
from detak_collector.downtime.periods import parse_period
from detak_collector.retention.errand import Errand, Outcome, done
from detak_collector.rules import rules_in_force
from detak_collector.store.sqlite import open_store
from detak_collector.translation.language import language
from disposed_season import Season
from report_cases import JAKARTA

UNTIL = parse_period("2024-01", JAKARTA, 0).begin


def errand(season: Season) -> Errand:
    """A proposal, under the rules that a serving collector has."""
    config = load(season.folder / "collector.toml")
    with closing(open_store(config.state_directory, season.now)) as store:
        rules = CurrentRules(store, lambda: rules_in_force(config, store.entries), lambda: season.now)()
    author = Author("agus", "agus")
    return Errand(config.store, rules, config.retention, season.now, author, "", UNTIL, "ND-5/2025", "long enough")


def test_what_was_sealed_under_an_exclusion_that_is_withdrawn_is_restated_before_its_evidence_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    season = Season(tmp_path / "detak", capsys, monkeypatch)
    told = ("--document", "ND-6", "--reason", "another month")
    december = ("--all", "--from", "2023-12-01", "--to", "2024-01-01")
    season.says("exclude", "add", "--category", "planned", *december, *told, by="Ani")
    season.says("exclude", "approve", "x1", by="Budi")
    season.sealed()
    season.says("exclude", "withdraw", "x1", *told, by="Ani")
    season.says("exclude", "approve", "x2", by="Budi")
    outcome = done(errand(season))
    assert outcome == Outcome(refused=outcome.refused)
    assert "2023-12 is sealed, no. 2, and comes to another figure by what came later" in outcome.refused
    assert "telah disegel, no. 2" in language("id").told(outcome.refused)
    season.says("restate", "2023-12", "--reason", "it was another month", by="Ani")
    season.says("seal", "approve", "3", by="Budi")
    assert done(errand(season)) == Outcome("1")
