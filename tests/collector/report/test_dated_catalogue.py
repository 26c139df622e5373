"""What a catalogue said at a time is what a figure of that time goes by, from the files to the report and the page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from detak_collector import cli
from detak_collector.board.board import Board
from detak_collector.board.boards import Standing, board_of, service_state
from detak_collector.board.days import Year
from detak_collector.catalogue import parse
from detak_collector.commands.figures import recompute
from detak_collector.downtime.case import Case
from detak_collector.downtime.derive import derive
from detak_collector.downtime.periods import Period
from downtime_cases import DAY, HOUR, MINUTE, UTC, facts, stated

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "report.schema.json").read_text())
HEAD = 'organisation = "DJBC"\ntimezone = "UTC"\n'
SERVICE = '[[service]]\nid = "s"\ncriticality = "sangat kritis"\n'
OWN = '[[service.group]]\nname = "db"\ncategory = "database"\nmembers = ["a/db"]\n'
LINE = '[[service.group]]\nname = "isp"\ncategory = "provider-network"\nmembers = ["a/isp"]\n'
CHANGE = "2026-06-15T12:00:00Z"
DOWN = ("2026-06-15T10:00:00Z", "2026-06-15T13:00:00Z")
"""An outage of three hours, one of them after the change."""

JUNE = 1_780_272_000_000
RECORD = {
    "id": "x7", "category": "planned", "scope": "all", "document": "ND-1", "reason": "patches", "proposed_by": "a",
    "proposed_at": "2026-05-01T00:00:00Z", "approved_by": "b", "approved_at": "2026-05-02T00:00:00Z",
}  # fmt: skip


def changing(before: str, after: str) -> str:
    return f"[{{ value = {before}, until = {CHANGE} }}, {{ value = {after}, from = {CHANGE} }}]"


def bundle(folder: Path, services: str, *exclusions: dict[str, Any], down: Sequence[str] = ("a/db",)) -> Path:
    """June 2026: `a/db`, `a/isp`, `a/web` and `b/web` are up, those of `down` but for DOWN."""
    (folder / "services.toml").write_text(services)
    edges = ["2026-06-01T00:00:00Z", *DOWN, "2026-07-01T00:00:00Z"]
    with (folder / "facts.ndjson").open("w") as file:
        for check in ("a/db", "a/isp", "a/web", "b/web"):
            node, name = check.split("/")
            for at, state in enumerate(("up", "down" if check in down else "up", "up")):
                fact = {"node": node, "check": name, "state": state, "first": edges[at], "last": edges[at + 1]}
                file.write(json.dumps(fact) + "\n")
    (folder / "exclusions.ndjson").write_text("".join(json.dumps(RECORD | one) + "\n" for one in exclusions))
    return folder


def told(folder: Path, *words: str) -> dict[str, Any]:
    outcome = CliRunner().invoke(recompute, [str(folder), *(words or ("--period", "2026-06")), "--format", "json"])
    assert outcome.exit_code == 0, outcome.output
    found: dict[str, Any] = json.loads(outcome.output)
    jsonschema.validate(found, SCHEMA)
    return found


def explained(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.run(["explain", "s", "--bundle", str(folder), "--period", "2026-06"]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(("period", "names"), [("2026-06-14", ("Bea", "Impor")), ("2026-06", ("DJBC", "CEISA"))])
def test_a_report_calls_things_as_they_were_called_when_its_period_ended(
    tmp_path: Path, period: str, names: tuple[str, str]
) -> None:
    head = HEAD.replace('"DJBC"', changing('"Bea"', '"DJBC"'))
    name = "name = " + changing('"Impor"', '"CEISA"') + "\n"
    found = told(bundle(tmp_path, head + SERVICE + name + OWN), "--period", period)
    assert (found["organisation"], found["services"][0]["name"]) == names
    text = CliRunner().invoke(recompute, [str(tmp_path), "--period", period]).output
    assert f"Downtime rate {period}  {names[0]}" in text


def test_a_line_that_becomes_a_provider_s_is_not_counted_from_then_on(tmp_path: Path) -> None:
    line = LINE + f"third_party = {changing('false', 'true')}\n"
    found = told(bundle(tmp_path, HEAD + SERVICE + OWN + line, down=["a/isp"]))
    assert found["figure"]["counted_ms"] == 2 * HOUR
    assert found["figure"]["excluded_ms"]["third_party"] == HOUR


def test_each_second_is_caused_by_the_layer_to_which_its_group_then_belonged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = OWN.replace('"database"', changing('"server"', '"database"'))
    folder = bundle(tmp_path, HEAD + SERVICE + own)
    assert told(folder)["services"][0]["causes_ms"] == {"server": 2 * HOUR, "database": HOUR}
    text = explained(folder, capsys)
    assert text.index("group db (server)") < text.index("group db (database)")


def test_a_probe_speaks_while_it_is_one(tmp_path: Path) -> None:
    probes = f'probes = [{{ check = "a/web", until = {CHANGE} }}, {{ check = "b/web", from = {CHANGE} }}]\n'
    folder = bundle(tmp_path, HEAD + SERVICE + probes + OWN, down=["a/web"])
    assert told(folder)["figure"]["counted_ms"] == 2 * HOUR


def test_the_guard_of_probes_may_be_lowered_on_a_date(tmp_path: Path) -> None:
    guarded = f'probes = ["a/web"]\nprobe_guard = {changing("true", "false")}\n'
    folder = bundle(tmp_path, HEAD + SERVICE + guarded + OWN, down=["a/web"])
    assert told(folder)["figure"]["counted_ms"] == 2 * HOUR


def test_work_on_a_site_excuses_a_node_while_it_stands_there(tmp_path: Path) -> None:
    node = '[[node]]\nname = "a"\nsite = ' + changing('"DC"', '"DRC"') + "\n"
    window = {"scope": {"site": "DRC"}, "from": "2026-06-15T09:00:00Z", "to": "2026-06-15T12:30:00Z"}
    figure = told(bundle(tmp_path, HEAD + SERVICE + OWN + node, window))["figure"]
    assert figure["excluded_ms"]["planned"] == 30 * MINUTE
    assert figure["counted_ms"] == 150 * MINUTE


def test_planned_time_leaves_the_service_time_from_a_date_on(tmp_path: Path) -> None:
    head = HEAD + f"planned_in_denominator = {changing('true', 'false')}\n"
    window = {"from": DOWN[0], "to": DOWN[1]}
    assert told(bundle(tmp_path, head + SERVICE + OWN, window))["figure"]["service_time_ms"] == 30 * DAY - HOUR


@pytest.mark.parametrize(("begin", "incidents"), [("2026-06-15T13:02:00Z", 2), ("2026-06-15T13:03:00Z", 1)])
def test_the_incident_gap_is_that_of_the_begin_of_the_later_outage(tmp_path: Path, begin: str, incidents: int) -> None:
    gap = "[{ value = 60000, until = 2026-06-15T13:02:30Z }, { value = 600000, from = 2026-06-15T13:02:30Z }]"
    folder = bundle(
        tmp_path,
        HEAD + f"incident_gap_ms = {gap}\n" + SERVICE + OWN + SERVICE.replace('"s"', '"t"') + 'probes = ["n/t"]\n',
    )
    edges = ["2026-06-01T00:00:00Z", begin, "2026-06-15T13:10:00Z", "2026-07-01T00:00:00Z"]
    with (folder / "facts.ndjson").open("a") as file:
        for at, state in enumerate(("up", "down", "up")):
            fact = {"node": "n", "check": "t", "state": state, "first": edges[at], "last": edges[at + 1]}
            file.write(json.dumps(fact) + "\n")
    assert len(told(folder)["incidents"]) == incidents


def test_an_exclusion_that_recurs_excuses_its_windows_and_marks_those_that_were_late(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weekly = {
        "from": "2026-06-08T12:30:00Z", "to": "2026-06-08T13:30:00Z", "recurrence": "FREQ=WEEKLY",
        "proposed_at": "2026-06-10T00:00:00Z",
    }  # fmt: skip
    folder = bundle(tmp_path, HEAD + SERVICE + OWN, weekly)
    found = told(folder)
    assert found["figure"]["excluded_ms"]["planned"] == 30 * MINUTE
    assert [(one["id"], one["window"], one["from"], one["late"]) for one in found["exclusions"][:2]] == [
        ("x7", 1, "2026-06-08T12:30:00.000Z", True), ("x7", 2, "2026-06-15T12:30:00.000Z", False),
    ]  # fmt: skip
    assert len(found["exclusions"]) == 4
    text = explained(folder, capsys)
    assert "planned x7 (window 2), document ND-1" in text
    assert "(window 1)" not in text


def test_too_many_windows_are_refused_as_a_fault_of_the_files(tmp_path: Path) -> None:
    daily = {"from": "1990-06-08T12:30:00Z", "to": "1990-06-08T13:30:00Z", "recurrence": "FREQ=DAILY"}
    outcome = CliRunner().invoke(recompute, [str(bundle(tmp_path, HEAD + SERVICE + OWN, daily)), "--period", "2026-06"])
    assert outcome.exit_code == 2
    assert "exclusion x7 recurs more than 10000 times" in outcome.output


def board(services: str, now: int) -> Board:
    """The status page's data at an instant of June 2026, of which everything has been up so far."""
    known = facts({check: stated(check, JUNE, now) for check in ("a/web", "b/web")})
    case = Case(parse(services), UTC, known, (), now)
    [detail] = derive(case, Period("p", JUNE, now), beside=False).details
    year = Year("2026", JUNE, now)
    standings = [Standing(one).and_then(detail.services[one.id], (), year) for one in case.catalogue.services]
    return board_of(case, standings, [service_state(case, detail, one) for one in standings], year, ())


def test_the_page_shows_the_catalogue_of_now() -> None:
    named, hidden = changing('"Old"', '"New"'), changing("true", "false")
    probes = f'[{{ check = "a/web", until = {CHANGE} }}, {{ check = "b/web", from = {CHANGE} }}]'
    text = f'organisation = {named}\ntimezone = "UTC"\n{SERVICE}name = {named}\npublic = {hidden}\nprobes = {probes}\n'
    change = JUNE + 14 * DAY + 12 * HOUR
    seen = [board(text, now) for now in (change, change + 1)]
    assert [(one.organisation, one.services[0].name, one.services[0].public) for one in seen] == [
        ("Old", "Old", True), ("New", "New", False),
    ]  # fmt: skip
    assert [one.services[0].groups[-1].members[0].check for one in seen] == ["a/web", "b/web"]
