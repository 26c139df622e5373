"""What reaches people: words in their language, a document that can be proven, alerts of Alertmanager's own form."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from detak_collector.notify.alertmanager import AGAIN_MS, LASTS_MS, Alerts
from detak_collector.notify.deciding import Choice
from detak_collector.notify.items import LOW_COVERAGE, UNSEEN_NODE, Fate, Message, Sighting
from detak_collector.notify.sending import NotTakenError, send
from detak_collector.notify.targets import Target, TargetError, Way
from detak_collector.notify.webhook import body_of, headers_of, utc_text
from detak_collector.notify.wording import Reader, text_of
from detak_collector.translation.language import language
from notified import MINUTE, NOW, SECRET, Told, receiver, seen, sighting

DOCUMENT = Path(__file__).parents[3] / "docs" / "notifications.md"
needs_apprise = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""Of a library that it loads."""
ZONE = ZoneInfo("Asia/Jakarta")


def reader(code: str = "en", *, escalated: bool = False) -> Reader:
    return Reader(language(code), ZONE, "DJBC", "https://detak.example.go.id", escalated)


def opened(*sightings: Sighting) -> Message:
    [message] = Told().look(seen(NOW, *sightings))
    return message


def test_a_message_says_what_is_down_since_when_and_why() -> None:
    told = text_of(opened(sighting(begin=NOW - MINUTE)), reader())
    assert told.title == "CEISA Impor is down (database)"
    assert told.body == (
        "• CEISA Impor (outage 12): since 21 Sept 2026 21:12:20; database, seen down; dc-db-01/pg: refused\n\n"
        "DJBC · https://detak.example.go.id"
    )


def test_it_says_so_in_indonesian() -> None:
    told = text_of(opened(sighting(begin=NOW - MINUTE)), reader("id"))
    assert told.title == "CEISA Impor terhenti (basis data)"
    assert "CEISA Impor (gangguan 12): sejak 21 Sep 2026 21.12.20" in told.body


def test_what_is_only_presumed_is_called_so() -> None:
    silent = sighting(shown_as="presumed down: missing heartbeats", proven=False)
    assert text_of(opened(silent), reader()).title == "CEISA Impor is presumed down"
    assert text_of(opened(silent, replace(silent, matter="outage 13")), reader("id")).title == (
        "2 layanan diduga terhenti"
    )


def test_the_end_says_how_long_it_was() -> None:
    told = Told()
    told.look(seen(NOW, sighting(begin=NOW - MINUTE)))
    told.look(seen(NOW + MINUTE, sighting(begin=NOW - MINUTE, end=NOW + MINUTE)))
    text = text_of(told.messages[-1], reader())
    assert text.title == "CEISA Impor is up again (database)"
    assert "21:12:20 to 21 Sept 2026 21:14:20, 2 minutes; database" in text.body


def test_what_became_of_an_outage_stands_in_the_title() -> None:
    told = Told()
    told.look(seen(NOW, sighting(12), sighting(13)))
    told.look(seen(NOW + 1_000, sighting(12), fates={13: Fate(NOW, merged_into=12)}))
    assert text_of(told.messages[-1], reader()).title == "CEISA Impor: it is part of outage 12"
    assert text_of(told.messages[-1], reader("id")).title == "CEISA Impor: termasuk gangguan 12"


def test_forty_at_once_are_counted_and_twenty_are_named() -> None:
    told = text_of(opened(*(sighting(number, cause="network") for number in range(40))), reader())
    assert told.title == "40 services are down (DC/DRC network)"
    assert told.body.count("•") == 20
    assert "and 20 more" in told.body


def test_whoever_is_told_since_nobody_acknowledged_reads_that_first() -> None:
    assert text_of(opened(sighting()), reader(escalated=True)).title.startswith("Not acknowledged: CEISA Impor")


@pytest.mark.parametrize("code", ["en", "id"])
@pytest.mark.parametrize("kind", [UNSEEN_NODE, LOW_COVERAGE])
def test_lost_observation_has_words_when_it_begins_and_ends(kind: str, code: str) -> None:
    told = Told()
    lost = Sighting(f"{kind} db-01", kind, "db-01", "db-01", NOW - MINUTE, cause=kind, detail="80 2026-11-27")
    told.look(seen(NOW, lost))
    told.look(seen(NOW + 1_000))
    texts = [text_of(one, reader(code)) for one in told.messages]
    assert len({one.title for one in texts}) == 2
    assert all("db-01" in one.title for one in texts)
    assert ("80 %" in texts[0].body) == (kind == LOW_COVERAGE)


def documented_check() -> Callable[[dict[str, str], bytes, str], bool]:
    """What the documentation tells receivers to do."""
    found = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None
    names: dict[str, Callable[[dict[str, str], bytes, str], bool]] = {}
    exec(found[1], names)
    return names["is_from_detak"]


def test_what_the_documentation_tells_receivers_proves_a_document_and_refuses_a_forged_or_old_one() -> None:
    import time  # noqa: PLC0415 - only what is documented looks at a clock

    now = int(time.time() * 1_000)
    body = body_of(opened(sighting()), reader())
    headers = dict(headers_of("key", body, SECRET, now))
    check = documented_check()
    assert check(headers, body, SECRET)
    assert not check(headers, body.replace(b"impor", b"ekspor"), SECRET)
    assert not check(headers, body, "another secret altogether")
    assert not check(dict(headers_of("key", body, SECRET, now - 600_000)), body, SECRET)


def test_the_document_has_the_fields_that_are_documented() -> None:
    found = re.search(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None
    example = json.loads(found[1])
    made = json.loads(body_of(opened(sighting()), reader()))
    assert made.keys() == example.keys()
    assert made["outages"][0].keys() == example["outages"][0].keys()


def alerts_of(alerts: Alerts, now: int, *sightings: Sighting) -> list[dict[str, object]] | None:
    batch = alerts.due(Choice("am", after_ms=30_000), seen(now, *sightings), reader(), now)
    if batch is None:
        return None
    alerts.taken(batch)
    made: list[dict[str, object]] = json.loads(batch.body)
    return made


def test_an_alertmanager_is_posted_what_runs_each_minute_and_what_ended_with_its_end() -> None:
    alerts = Alerts()
    [alert] = alerts_of(alerts, NOW, sighting()) or []
    assert alert["labels"] == {
        "alertname": "DetakOutage", "severity": "critical", "service": "impor", "cause": "database", "outage": "12",
    }  # fmt: skip
    assert (alert["startsAt"], alert["endsAt"]) == (utc_text(NOW - MINUTE), utc_text(NOW + LASTS_MS))
    assert alert["generatorURL"] == "https://detak.example.go.id/service/impor"
    assert alerts_of(alerts, NOW + 10_000, sighting()) is None
    assert alerts_of(alerts, NOW + AGAIN_MS, sighting()) is not None
    [ended] = alerts_of(alerts, NOW + AGAIN_MS + 10_000, sighting(end=NOW + AGAIN_MS)) or []
    assert ended["endsAt"] == utc_text(NOW + AGAIN_MS)


def test_an_alert_whose_cause_changed_ends_and_another_one_begins() -> None:
    alerts = Alerts()
    alerts_of(alerts, NOW, sighting())
    made = alerts_of(alerts, NOW + 10_000, replace(sighting(), cause="power")) or []
    assert [(one["labels"]["cause"], one["endsAt"]) for one in made] == [  # type: ignore[index]
        ("power", utc_text(NOW + 10_000 + LASTS_MS)),
        ("database", utc_text(NOW)),
    ]


def target(way: Way, url: str, secret: Path, text: str) -> Target:
    secret.write_text(f"{text}\n")
    return Target("noc", way, url, secret, None, "en", Choice("noc"))


async def sent(to: Target) -> str:
    async with aiohttp.ClientSession() as session:
        return await send(session, to, opened(sighting()), reader(), NOW)


def test_a_webhook_gets_a_signed_document_and_what_it_answers_is_told(tmp_path: Path) -> None:
    with receiver() as hook:
        to = target(Way.WEBHOOK, hook.url, tmp_path / "secret", SECRET)
        assert asyncio.run(sent(to)) == "status 204"
        assert (hook.events(), hook.wrong) == (["opened"], [])
        hook.refuses = 503
        with pytest.raises(NotTakenError, match="status 503"):
            asyncio.run(sent(to))


def test_a_receiver_that_is_not_there_is_told_without_its_path(tmp_path: Path) -> None:
    with receiver() as hook:
        url = hook.url
    with pytest.raises(NotTakenError) as error:
        asyncio.run(sent(target(Way.WEBHOOK, url, tmp_path / "secret", SECRET)))
    assert str(error.value) == f"{urlsplit(url).netloc}: Connection refused"


def test_a_secret_that_anybody_could_guess_signs_nothing(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="16 characters"):
        asyncio.run(sent(target(Way.WEBHOOK, "http://127.0.0.1:9/", tmp_path / "secret", "short")))


@needs_apprise
def test_apprise_brings_title_and_text(tmp_path: Path) -> None:
    with receiver() as hook:
        hook.refuses = 200
        url = hook.url.replace("http://", "json://")
        assert asyncio.run(sent(target(Way.APPRISE, "", tmp_path / "url", url))) == "taken"
        [body] = hook.bodies
        assert json.loads(body)["title"] == "CEISA Impor is down (database)"
        hook.refuses = 500
        with pytest.raises(NotTakenError, match="could not deliver"):
            asyncio.run(sent(target(Way.APPRISE, "", tmp_path / "url", url)))


@needs_apprise
def test_a_url_that_apprise_does_not_know_is_not_told(tmp_path: Path) -> None:
    with pytest.raises(NotTakenError) as error:
        asyncio.run(sent(target(Way.APPRISE, "", tmp_path / "url", "nosuch://password@host")))
    assert "password" not in str(error.value)
