"""Alerts as a real Alertmanager takes them: they fire, and end."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from detak_collector.notify.alertmanager import Alerts
from detak_collector.notify.deciding import Choice
from detak_collector.notify.items import Sighting
from detak_collector.notify.sending import JSON, Trial, post, send
from detak_collector.notify.targets import ALERTS, Target, Way
from detak_collector.notify.wording import Reader, trial_text
from detak_collector.translation.language import language
from notified import MINUTE, seen, sighting
from peers.server_process import Server, free_ports, until

pytestmark = pytest.mark.peers("prometheus-alertmanager")

READER = Reader(language("en"), ZoneInfo("Asia/Jakarta"), "DJBC", "https://detak.example.go.id")


@pytest.fixture
def target(require: Callable[[str], str]) -> Iterator[Target]:
    port, cluster = free_ports(2)
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        command = [
            require("prometheus-alertmanager"), f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}",
            f"--cluster.listen-address=127.0.0.1:{cluster}", "--cluster.advertise-address=127.0.0.1:1",
        ]  # fmt: skip
        server = Server(command, folder / "log", lambda: is_ready(url))
        server.start()
        try:
            yield Target("am", Way.ALERTMANAGER, f"{url}{ALERTS}", None, None, "en", Choice("am"))
        finally:
            server.stop()


def is_ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/-/ready", timeout=2) as answer:
            return int(answer.status) == 200
    except OSError:
        return False


def firing(target: Target) -> dict[str, dict[str, Any]]:
    """By name and service what it shows as active."""
    with urlopen(f"{target.url}?active=true", timeout=5) as answer:
        return {" ".join(one["labels"].values()): one for one in json.load(answer)}


def post_of(target: Target, alerts: Alerts, now: int, *sightings: Sighting) -> None:
    batch = alerts.due(target.choice, seen(now, *sightings), READER, now)
    assert batch is not None

    async def posted() -> str:
        async with aiohttp.ClientSession() as session:
            return await post(session, target, batch.body, JSON)

    assert asyncio.run(posted()) == "status 200"
    alerts.taken(batch)


def test_an_outage_fires_and_ends_in_a_real_alertmanager(target: Target) -> None:
    alerts, now = Alerts(), int(time.time() * 1_000)
    one, two = sighting(12, now - MINUTE), sighting(13, now - MINUTE, cause="power")
    post_of(target, alerts, now, one, two)
    shown = firing(target)
    assert {(each["labels"]["outage"], each["labels"]["cause"]) for each in shown.values()} == {
        ("12", "database"),
        ("13", "power"),
    }
    assert {each["annotations"]["summary"] for each in shown.values()} == {"CEISA Impor is down"}
    post_of(target, alerts, now + 10_000, sighting(12, now - MINUTE, now))
    until(lambda: not firing(target), lambda: f"still firing: {firing(target)}", 30)


def test_a_test_alert_is_taken(target: Target) -> None:
    async def tried() -> str:
        async with aiohttp.ClientSession() as session:
            now = int(time.time() * 1_000)
            return await send(session, target, Trial("key", trial_text(READER, "am")), READER, now)

    assert asyncio.run(tried()) == "status 200"
    [alert] = firing(target).values()
    assert alert["labels"]["alertname"] == "DetakTest"
