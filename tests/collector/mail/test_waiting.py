"""Who is told of proposals that wait, once each: by the rules alone, and by the job of a collector that leads."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from decision_log import RECORD
from detak_collector.decisions.proposal import ADD, APPROVE, EXCLUSION, WITHDRAW
from detak_collector.decisions.recording import Draft, Ruling
from detak_collector.mail.notice import notice
from detak_collector.mail.posting import LAID_OUT_MS
from detak_collector.mail.waiting import Cause, Delays, Due, Person, Thing, due, grouped
from detak_collector.pair.entry import CATALOGUE
from detak_collector.translation.language import language
from mail_office import DAY, HOUR, Office, mail_office
from mail_server import CLOSE

ANI = Person(("ani", "Ani Lestari"), "ani@example.go.id", approves=True, is_deputy=False)
BUDI = Person(("budi", "Budi"), "budi@example.go.id", approves=True, is_deputy=False)
DEWI = Person(("dewi", "Dewi"), "dewi@example.go.id", approves=True, is_deputy=True)
OPERATOR = Person(("omar", "Omar"), "omar@example.go.id", approves=False, is_deputy=False)
EVERYBODY = (ANI, BUDI, DEWI, OPERATOR)
THING = Thing("e1", "exclusion", "x1", "omar", 0, "/exclusions/x1", begin=10 * DAY, end=10 * DAY + HOUR)
DELAYS = Delays(deputy_ms=DAY, warn_ms=DAY)


def told(now: int, thing: Thing = THING) -> set[tuple[str, Cause]]:
    return {(one.person.names[0], one.cause) for one in due([thing], EVERYBODY, DELAYS, now)}


def test_approvers_are_told_at_once_and_a_deputy_after_the_time_for_that() -> None:
    first = {("ani", Cause.WAITS), ("budi", Cause.WAITS)}
    assert told(0) == first
    assert told(DAY - 1) == first
    assert told(DAY) == first | {("dewi", Cause.DEPUTY)}


def test_a_drill_is_told_as_one() -> None:
    thing = replace(THING, category="planned", scope_kind="service", scope="portal")
    lines = [
        notice([Due(ANI, one, Cause.WAITS)], language("en"), ZoneInfo("UTC"), "https://a", "DJBC").items[0].lines[1]
        for one in (thing, replace(thing, drill=True))
    ]
    assert lines == ["planned downtime: service portal", "planned downtime (drill): service portal"]


@pytest.mark.parametrize("author", ["ani", "Ani Lestari", "ANI"])
def test_nobody_is_asked_to_approve_what_is_his_own(author: str) -> None:
    thing = replace(THING, author=author)
    assert told(DAY, thing) == {("budi", Cause.WAITS), ("dewi", Cause.DEPUTY)}
    assert ("ani", Cause.BEGINS) in told(10 * DAY - HOUR, thing), "its window begins, which he should know"


def test_before_a_window_begins_approvers_and_whoever_proposed_it_are_warned_until_it_is_over() -> None:
    everybody = {(one.names[0], Cause.BEGINS) for one in EVERYBODY}
    assert not told(9 * DAY - 1) & everybody
    assert told(9 * DAY) >= everybody
    assert told(10 * DAY + HOUR - 1) >= everybody
    assert not told(10 * DAY + HOUR) & everybody
    assert not told(9 * DAY, replace(THING, about="declaration")) & everybody


def test_several_things_are_one_mail_and_each_is_told_once() -> None:
    things = [replace(THING, id=f"e{number}") for number in range(40)]
    dues = list(due(things, EVERYBODY, DELAYS, 0))
    mails = grouped(dues, frozenset())
    assert sorted(len(one) for one in mails) == [40, 40]
    assert grouped(dues, {one.key for one in dues}) == []
    assert [len(one) for one in grouped(dues, {one.key for one in dues[2:]})] == [1, 1]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with mail_office(tmp_path) as made:
        yield made


def test_the_job_tells_of_a_proposal_once_with_a_link_to_where_it_is_decided(office: Office) -> None:
    name = office.enter(Draft(EXCLUSION, ADD, record=RECORD, drill=True), "omar")
    waits = "1 usulan menunggu keputusan Anda \N{EN DASH} DJBC"
    assert office.look() == [("ani", waits), ("budi", waits)]
    for _, mail in office.mails():
        body = mail.get_body(("plain",))
        assert body is not None
        assert f"{office.config.url}/exclusions/{name}" in body.get_content()
        assert "ND-12/2026" in body.get_content()
        assert "latihan" in body.get_content()
    assert office.look(HOUR) == []
    office.restart()
    assert office.look() == [], "nor after a restart"
    overdue = "1 usulan menunggu, dan belum ada yang memutuskan \N{EN DASH} DJBC"
    assert office.look(DAY) == [("dewi", overdue)]
    office.enter(Ruling(EXCLUSION, name, APPROVE), "budi")
    assert office.look(DAY) == []


def test_a_window_that_is_not_approved_is_warned_of_once_before_it_begins(office: Office) -> None:
    begin = office.now + 3 * DAY
    iso = "%Y-%m-%dT%H:%M:%SZ"
    edges = [datetime.fromtimestamp(at // 1_000, UTC).strftime(iso) for at in (begin, begin + HOUR)]
    office.enter(Draft(EXCLUSION, ADD, record={**RECORD, "from": edges[0], "to": edges[1]}), "omar")
    office.look()
    assert {who for who, _ in office.look(DAY + HOUR)} == {"dewi"}
    warned = office.look(DAY)
    assert {who for who, _ in warned} == {"ani", "budi", "dewi", "omar"}
    assert all("segera dimulai dan belum disetujui" in subject for _, subject in warned)
    assert office.look(HOUR) == []


def test_a_withdrawal_and_a_held_version_of_the_catalogue_wait_too(office: Office) -> None:
    name = office.enter(Draft(EXCLUSION, ADD, record=RECORD), "omar")
    office.enter(Ruling(EXCLUSION, name, APPROVE), "ani")
    assert office.look() == []
    office.enter(Draft(EXCLUSION, WITHDRAW, name, because="it did not happen"), "ani")
    assert [who for who, _ in office.look()] == ["budi"]
    body = {"digest": "0" * 64, "files": {"services.toml": ""}, "touches": ["hours of impor"], "proposed_by": "omar"}
    office.store.entries.append(CATALOGUE, body, "omar", office.now)
    assert [who for who, _ in office.look()] == ["ani", "budi"]
    shown = office.mails()[0][1].get_body(("html",))
    assert shown is not None
    assert "hours of impor" in shown.get_content()


def test_a_server_that_is_away_is_told_once_and_the_mail_goes_when_it_is_back(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.enter(Draft(EXCLUSION, ADD, record=RECORD), "omar")
    office.inbox.faults["EHLO"] = CLOSE
    with caplog.at_level(logging.INFO, "detak_collector"):
        office.look()
        office.look(5 * 60_000)
        office.inbox.faults.clear()
        assert len(office.look(LAID_OUT_MS)) == 2
    assert [one.message for one in caplog.records if one.name.endswith("posting")] == [
        "mails wait: it closed the connection",
        "mails are taken again",
    ]
