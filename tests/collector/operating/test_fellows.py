"""What a collector learns from others that share its store, with stand-ins for those."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from detak_collector.board.pulse import Pulse
from detak_collector.channel.enrol import Keyring
from detak_collector.clocks import Reading
from detak_collector.ingest.deadlines import Deadlines
from detak_collector.ingest.intake import Ingest
from detak_collector.ingest.rivals import Rivals
from detak_collector.operating.fellows import CLOCK_OFF_MS, Fellows
from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import SqliteStore, open_store
from evidence_builders import NODE, RUN, START_UTC, reading

DOWN_AFTER_MS = 15_000


class SharedDatabase:
    shared = True


class OthersEvidence:
    news = False

    def news_elsewhere(self) -> bool:
        found, self.news = self.news, False
        return found


class OthersRegistry:
    def __init__(self) -> None:
        self.at: dict[str, int | None] = {}
        self.runs: list[tuple[str, str, int]] = []

    def changed_elsewhere(self) -> bool:
        return False

    def heard(self, _now: Reading) -> dict[str, int | None]:
        return self.at

    def several(self, _now: Reading) -> list[tuple[str, str, int]]:
        return self.runs


class OthersDuty:
    is_mine = False
    mine_next = True
    fails = False
    clock = START_UTC
    takes_s = 0.0

    def take(self) -> None:
        if self.fails:
            raise StoreUnavailableError("away")
        self.is_mine = self.mine_next

    def utc(self) -> int:
        time.sleep(self.takes_s)
        return self.clock


class SharedStore:
    """A store of which others write a part."""

    def __init__(self) -> None:
        self.database, self.evidence = SharedDatabase(), OthersEvidence()
        self.registry, self.duty = OthersRegistry(), OthersDuty()


class Stage:
    def __init__(self, store: SqliteStore) -> None:
        self.others, self.pulse = SharedStore(), Pulse()
        self.deadlines = Deadlines(DOWN_AFTER_MS, {NODE: 0}, 0)
        thread = ThreadPoolExecutor(1)
        self.ingest = Ingest(
            store.evidence, thread, "c", lambda: reading(0), self.deadlines, self.pulse, lambda: None, rivals=Rivals()
        )
        keyring = Keyring(store.registry, shared=True)
        shared = cast("Store", self.others)
        self.fellows = Fellows(shared, thread, keyring, self.deadlines, self.ingest, self.pulse)

    async def looked(self, at: int) -> int:
        """How many changes the page was told of."""
        self.others.duty.clock = START_UTC + at
        before = self.pulse.version
        await self.fellows.look(reading(at), DOWN_AFTER_MS)
        return self.pulse.version - before


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(open_store(tmp_path, reading(0)))


def said(caplog: pytest.LogCaptureFixture) -> Sequence[str]:
    return [one.getMessage() for one in caplog.records if one.name == "detak_collector.operating.fellows"]


@pytest.mark.asyncio
async def test_a_node_that_another_collector_hears_is_not_silent_here(stage: Stage) -> None:
    stage.others.registry.at = {NODE: START_UTC + 19_000}
    await stage.looked(20_000)
    assert stage.deadlines.fell_silent(20_000) == []
    assert stage.deadlines.fell_silent(34_001) == [NODE]


@pytest.mark.asyncio
async def test_a_silence_that_ends_elsewhere_is_news(stage: Stage) -> None:
    assert stage.deadlines.fell_silent(20_000) == [NODE]
    assert await stage.looked(20_000) == 0
    stage.others.registry.at = {NODE: START_UTC + 24_000}
    assert await stage.looked(25_000) == 1
    assert await stage.looked(30_000) == 0


@pytest.mark.asyncio
async def test_facts_that_come_elsewhere_are_news_at_once(stage: Stage) -> None:
    stage.others.evidence.news = True
    assert await stage.looked(1_000) == 1
    assert await stage.looked(2_000) == 0


@pytest.mark.asyncio
async def test_two_agents_that_speak_to_two_collectors_are_two(stage: Stage) -> None:
    for at in range(5_000, 40_000, 5_000):
        stage.ingest.rivals.spoke(NODE, RUN, "10.0.0.1", at)
        stage.others.registry.runs = [(NODE, RUN, START_UTC + at), (NODE, "aaaa0002", START_UTC + at)]
        await stage.looked(at)
    (speakers,) = stage.ingest.rivals.look(40_000).found.values()
    assert {(one.run, one.address) for one in speakers} == {(RUN, "10.0.0.1"), ("aaaa0002", "")}


@pytest.mark.asyncio
async def test_a_store_that_is_away_is_no_end_and_its_return_is_known_without_a_beat(stage: Stage) -> None:
    stage.others.duty.fails, stage.ingest.trouble = True, "away"
    await stage.looked(1_000)
    assert stage.ingest.trouble == "away"
    stage.others.duty.fails = False
    await stage.looked(2_000)
    assert stage.ingest.trouble == ""


@pytest.mark.asyncio
async def test_who_does_the_common_work_is_told_when_it_changes(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for at, mine in enumerate((True, True, False), start=1):
        stage.others.duty.mine_next = mine
        await stage.looked(at * 1_000)
    assert said(caplog) == ["this collector does the common work now", "another collector does the common work"]


@pytest.mark.asyncio
async def test_a_clock_that_is_off_is_told_once(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for at in (5_000, 10_000):
        stage.others.duty.clock = START_UTC + at - CLOCK_OFF_MS - 500
        await stage.fellows.look(reading(at), DOWN_AFTER_MS)
    assert said(caplog) == ["this machine's clock is 2500 ms ahead of the database's: set both by NTP"]


@pytest.mark.asyncio
async def test_a_database_that_answers_late_has_no_other_clock(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    stage.others.duty.clock, stage.others.duty.takes_s = START_UTC + 5_000 - CLOCK_OFF_MS - 200, 0.3
    await stage.fellows.look(reading(5_000), DOWN_AFTER_MS)
    assert said(caplog) == []
