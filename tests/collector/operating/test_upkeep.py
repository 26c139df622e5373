"""What a collector tells of itself, over its real parts: a directory, a syslog queue, the log."""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path

import pytest

from browser.fabricated import healthy
from detak_collector.board.glance import Glance, glance_of
from detak_collector.board.pulse import Pulse
from detak_collector.clocks import Reading
from detak_collector.operating.alarms import Alarm, store_alarm
from detak_collector.operating.counters import jobs
from detak_collector.operating.disk import load_history
from detak_collector.operating.syslog_format import Destination
from detak_collector.operating.upkeep import Upkeep, rest_s

pytestmark = pytest.mark.asyncio
NOWHERE = Destination("udp", "127.0.0.1", 9)


class Stage:
    """An upkeep whose clock and store's trouble the test sets."""

    def __init__(self, folder: Path) -> None:
        self.utc = 1_795_826_898_270
        self.trouble = ""
        self.pulse = Pulse()
        self.upkeep = Upkeep(folder, self.now, self.pulse, (self.alarms,), lambda _: (3, 4))

    def now(self) -> Reading:
        return Reading(self.utc, 5_000, "b007")

    def alarms(self, _: int) -> Iterable[Alarm]:
        return store_alarm(self.trouble)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, getattr(record, "detak", {}).get("event", "")) for record in caplog.records]


async def test_an_alarm_is_logged_shown_and_wakes_the_page(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stage = Stage(tmp_path)
    await stage.upkeep.look()
    assert (stage.upkeep.told(), stage.pulse.version, told(caplog)) == ((), 0, [])
    stage.trouble = "database or disk is full"
    await stage.upkeep.look()
    await stage.upkeep.look()
    [text] = stage.upkeep.told()
    assert text.startswith("nothing can be stored now; the log says why")
    assert (stage.pulse.version, told(caplog)) == (1, [("ERROR", "alarm-begun")])
    stage.trouble = ""
    await stage.upkeep.look()
    assert (stage.upkeep.told(), stage.pulse.version) == ((), 2)
    assert told(caplog)[-1] == ("INFO", "alarm-over")


async def test_the_disk_is_noted_once_an_hour_for_the_forecast(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    for _ in range(3):
        await stage.upkeep.look()
        stage.utc += 1_800_000
    assert [one.utc - load_history(tmp_path)[0].utc for one in load_history(tmp_path)] == [0, 3_600_000]


async def test_a_directory_that_takes_nothing_costs_the_forecast_only(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    (tmp_path / "disk-usage.new").mkdir()
    await stage.upkeep.look()
    assert stage.upkeep.disk is not None
    assert load_history(tmp_path) == ()


async def test_each_minute_says_that_the_collector_lives(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.upkeep.send_to(NOWHERE)
    assert stage.upkeep.syslog is not None
    await stage.upkeep.heartbeat()
    assert stage.upkeep.syslog.waiting == 1
    await stage.upkeep.close()
    assert stage.upkeep.syslog.sent == 1


async def test_the_same_server_keeps_what_waits_and_another_one_starts_anew(tmp_path: Path) -> None:
    upkeep = Stage(tmp_path).upkeep
    upkeep.send_to(NOWHERE)
    first = upkeep.syslog
    upkeep.send_to(NOWHERE)
    assert upkeep.syslog is first
    upkeep.send_to(Destination("udp", "127.0.0.1", 10))
    assert upkeep.syslog is not first
    upkeep.send_to(None)
    assert upkeep.syslog is None


async def test_a_page_that_cannot_be_derived_is_logged_once_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detak_collector.operating.upkeep.NEWS_LEAST_S", 0.01)
    monkeypatch.setattr("detak_collector.operating.upkeep.NEWS_MOST_S", 0.02)
    stage, asked = Stage(tmp_path), 0

    async def glance() -> Glance:
        nonlocal asked
        asked += 1
        if asked < 4:
            raise ValueError("no such file")
        return glance_of(healthy())

    jobs.at.pop("outages", None)
    running = asyncio.create_task(stage.upkeep.run(glance))
    async with asyncio.timeout(20):
        while "outages" not in jobs.at:  # noqa: ASYNC110 - what is waited for does not say when it is there
            await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [record.getMessage() for record in caplog.records if "outages" in record.getMessage()] == [
        "outages failed and is tried again: ValueError: no such file"
    ]


async def test_news_is_looked_for_a_twentieth_of_the_time_but_sooner_after_the_first_look() -> None:
    assert rest_s(0.01, is_first=False) == rest_s(0.01, is_first=True) == 2
    assert rest_s(10, is_first=False) == 200
    assert rest_s(10, is_first=True) == 30
