"""`detak-collector recompute` on files that a person wrote by hand, as an auditor would run it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from detak_collector.commands.figures import recompute

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "report.schema.json").read_text())
Minutes = Sequence[tuple[int, int]]


def _written(folder: Path, services: str, histories: dict[str, Minutes], begin: datetime, days: int) -> Path:
    (folder / "services.toml").write_text(
        'organisation = "DJBC"\ntimezone = "UTC"\ntarget_percent = 0.1\n' + services, encoding="utf-8"
    )
    with (folder / "facts.ndjson").open("w", encoding="utf-8") as file:
        for check, down in histories.items():
            for fact in _facts(check, down, begin, days * 24 * 60):
                file.write(json.dumps(fact) + "\n")
    return folder


def _facts(check: str, down: Minutes, begin: datetime, end: int) -> list[dict[str, str]]:
    node, name = check.split("/")
    edges = sorted({0, end, *(edge for pair in down for edge in pair)})
    return [
        {
            "node": node,
            "check": name,
            "state": "down" if any(a <= first < b for a, b in down) else "up",
            "first": (begin + timedelta(minutes=first)).isoformat().replace("+00:00", "Z"),
            "last": (begin + timedelta(minutes=last)).isoformat().replace("+00:00", "Z"),
        }
        for first, last in pairwise(edges)
    ]


def _services(count: int) -> str:
    return "".join(
        f'[[service]]\nid = "s{at}"\nname = "S{at}"\ncriticality = "sangat kritis"\n'
        f'[[service.group]]\nname = "db"\ncategory = "database"\nmembers = ["n{at}/c"]\n'
        for at in range(count)
    )


def _pair(rule: str) -> str:
    return (
        '[[service]]\nid = "s"\nname = "S"\ncriticality = "sangat kritis"\n'
        f'[[service.group]]\nname = "db"\ncategory = "database"\nrule = "{rule}"\nmembers = ["a/c", "b/c"]\n'
    )


def _run(*words: str) -> dict[str, Any]:
    outcome = CliRunner().invoke(recompute, [*words, "--format", "json"])
    assert outcome.exit_code == 0, outcome.output
    told: dict[str, Any] = json.loads(outcome.output)
    jsonschema.validate(told, SCHEMA)
    return told


def test_the_directorate_of_taxes_of_2021(tmp_path: Path) -> None:
    outage = 54 * 24 * 60 + 600
    histories: dict[str, Minutes] = {f"n{at}/c": [(outage, outage + 4)] if at == 0 else [] for at in range(6)}
    folder = _written(tmp_path, _services(6), histories, datetime(2021, 1, 1, tzinfo=UTC), 365)
    figure = _run(str(folder), "--period", "2021")["figure"]
    assert figure["percent"] == "0.000126839168"
    assert figure["percent_shown"] == "0.0001"
    assert (figure["verdict"], figure["proof"]) == ("met", "met")


@pytest.mark.parametrize(("services", "shown"), [(3, "0.2240"), (4, "0.1680"), (5, "0.1344"), (6, "0.1120")])
def test_january_2024_of_customs(tmp_path: Path, services: int, shown: str) -> None:
    histories: dict[str, Minutes] = {
        f"n{at}/c": [(day * 1440, day * 1440 + 50) for day in range(6) if day % services == at]
        for at in range(services)
    }
    folder = _written(tmp_path, _services(services), histories, datetime(2024, 1, 1, tzinfo=UTC), 31)
    told = _run(str(folder), "--period", "2024-01")
    assert told["figure"]["counted_ms"] == 300 * 60_000
    assert told["figure"]["percent_shown"] == shown
    assert told["figure"]["verdict"] == "missed"
    assert sum(len(one["outages"]) for one in told["services"]) == 6


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([(2880, 2940)], [(12960, 13005)], (45, 0, 60)),
        ([(600, 660)], [(630, 690)], (60, 30, 60)),
        ([(60, 160)], [(100, 120), (1440, 1640)], (100, 20, 220)),
        ([(600, 620)], [(0, 43_200)], (20, 20, 43_200)),
    ],
)
@pytest.mark.parametrize("rule", ["lowest_member", "all_down"])
def test_the_ha_table(tmp_path: Path, first: Minutes, second: Minutes, expected: tuple[int, ...], rule: str) -> None:
    lowest, all_down, worst = (minutes * 60_000 for minutes in expected)
    folder = _written(tmp_path, _pair(rule), {"a/c": first, "b/c": second}, datetime(2024, 6, 1, tzinfo=UTC), 30)
    (one,) = _run(str(folder), "--period", "2024-06")["services"]
    assert one["counted_ms"] == (lowest if rule == "lowest_member" else all_down)
    assert (one["all_down_ms"], one["worst_member_ms"]) == (all_down, worst)


def test_planned_work_leaves_ten_minutes_of_sixty(tmp_path: Path) -> None:
    folder = _written(
        tmp_path, _pair("ha"), {"a/c": [(600, 660)], "b/c": [(1440, 1470)]}, datetime(2024, 6, 1, tzinfo=UTC), 30
    )
    exclusion = {
        "id": "x1", "category": "planned", "scope": {"check": "a/c"}, "from": "2024-06-01T10:00:00Z",
        "to": "2024-06-01T10:50:00Z", "document": "ND-1/2024", "reason": "patch", "proposed_by": "a",
        "proposed_at": "2024-05-30T00:00:00Z", "approved_by": "b", "approved_at": "2024-05-31T00:00:00Z",
    }  # fmt: skip
    (folder / "exclusions.ndjson").write_text(json.dumps(exclusion) + "\n")
    (one,) = _run(str(folder), "--period", "2024-06")["services"]
    assert one["counted_ms"] == 10 * 60_000
    assert one["excluded_ms"]["planned"] == 50 * 60_000


def test_nobody_approves_his_own_exclusion(tmp_path: Path) -> None:
    folder = _written(tmp_path, _services(1), {"n0/c": [(600, 660)]}, datetime(2024, 6, 1, tzinfo=UTC), 30)
    exclusion = {
        "id": "x1", "category": "planned", "scope": {"service": "s0"}, "from": "2024-06-01T10:00:00Z",
        "to": "2024-06-01T11:00:00Z", "document": "ND-1/2024", "reason": "patch", "proposed_by": "a",
        "proposed_at": "2024-05-30T00:00:00Z", "approved_by": "a", "approved_at": "2024-05-31T00:00:00Z",
    }  # fmt: skip
    (folder / "exclusions.ndjson").write_text(json.dumps(exclusion) + "\n")
    (one,) = _run(str(folder), "--period", "2024-06")["services"]
    assert one["counted_ms"] == 60 * 60_000


def test_three_months_choose_their_lowest_member_each(tmp_path: Path) -> None:
    april, may = 30 * 1440, 61 * 1440
    histories: dict[str, Minutes] = {"a/c": [(april, april + 90)], "b/c": [(0, 60), (may, may + 30)]}
    folder = _written(tmp_path, _pair("lowest_member"), histories, datetime(2024, 4, 1, tzinfo=UTC), 91)
    assert _run(str(folder), "--period", "2024-Q2")["figure"]["counted_ms"] == 0


def test_the_running_period_is_judged_on_its_time_so_far(tmp_path: Path) -> None:
    folder = _written(tmp_path, _services(1), {"n0/c": [(600, 610)]}, datetime(2024, 6, 1, tzinfo=UTC), 10)
    told = _run(str(folder), "--period", "2024-06", "--as-of", "2024-06-11T00:00:00Z")
    assert told["running"]
    assert told["figure"]["service_time_ms"] == 10 * 24 * 3_600_000
    assert told["figure"]["coverage"] == "1.000000000000"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--period", "2024-13"], "--period: there is no such date (got '2024-13')"),
        (["--period", "last year"], "--period: not one of 2026, 2026-S1"),
        (["--period", "2024-06\n"], "--period: not one of 2026, 2026-S1"),
        (["--from", "2024-06-01"], "give either --period, or --from and --to"),
        (["--from", "2024-06-02", "--to", "2024-06-01"], "--to: not after --from"),
        (["--period", "2024-06", "--service", "nope"], "--service: no such service; one of s0"),
    ],
)
def test_wrong_words_are_refused_in_one_clear_line(tmp_path: Path, words: list[str], line: str) -> None:
    folder = _written(tmp_path, _services(1), {"n0/c": []}, datetime(2024, 6, 1, tzinfo=UTC), 30)
    outcome = CliRunner().invoke(recompute, [str(folder), *words])
    assert outcome.exit_code == 2
    assert line in outcome.output
    assert "Traceback" not in outcome.output


def test_the_report_for_a_terminal_says_the_same(tmp_path: Path) -> None:
    folder = _written(tmp_path, _services(1), {"n0/c": [(600, 660)]}, datetime(2024, 6, 1, tzinfo=UTC), 30)
    outcome = CliRunner().invoke(recompute, [str(folder), "--period", "2024-06"])
    assert outcome.exit_code == 0
    assert "0.1389 %" in outcome.output
    assert "target 0.1 %: missed; proof: missed" in outcome.output
