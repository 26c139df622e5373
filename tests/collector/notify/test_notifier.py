"""The whole way within one process: from a board over the store to somebody's endpoint, and what is never repeated."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from browser.fabricated import healthy
from collector.notify.test_seeing import CATALOGUE
from detak_collector.annotations.drafts import Speaker
from detak_collector.annotations.recording import acknowledge
from detak_collector.board.board import OutageState
from detak_collector.board.glance import Glance, glance_of
from detak_collector.clocks import Reading
from detak_collector.config import Config, load
from detak_collector.downtime.numbering import Found
from detak_collector.notify.deciding import SETTLE_MS
from detak_collector.notify.notifier import TROUBLED_MS, Around, Notifier
from detak_collector.rules import Rules
from detak_collector.store import sqlite
from detak_collector.store.parts import Store
from notified import HOUR, MINUTE, NOW, SECRET, Receiver, receiver
from running_collector import eventually

pytestmark = pytest.mark.asyncio

CALM = replace(healthy(), running=(), recent=(), lately=())


@dataclass
class Stage:
    """A collector of which only the board, the clock and the role are played."""

    store: Store
    config: Config
    now: int = NOW
    leads: bool = True
    glance: Glance = field(default_factory=lambda: replace(glance_of(CALM), now=NOW))

    def clock(self) -> Reading:
        return Reading(self.now, self.now, "boot")

    def show(self, begin: int, end: int | None = None) -> None:
        """One outage, as the register knows it by then."""
        found = Found("impor", begin, self.now if end is None else end, running=end is None)
        [number] = self.store.outages.number([found], (begin - HOUR, 2**62), self.clock())
        one = OutageState(
            "impor-x", "impor", "CEISA Impor", True, begin, end, 60_000, 50_000, 70_000,
            "database", "down", "dc-db-01/pg: refused", number=number,
        )  # fmt: skip
        running, lately = ((one,), ()) if end is None else ((), (one,))
        self.glance = replace(self.glance, now=self.now, running=running, lately=lately)

    @asynccontextmanager
    async def notifying(self) -> AsyncIterator[Notifier]:
        """One life of the process."""
        around = Around(
            lambda: self.config, lambda: Rules(CATALOGUE), lambda: self.glance, lambda: NOW - HOUR,
            lambda: self.leads, lambda: True,
        )  # fmt: skip
        notifier = Notifier(self.store, self.clock, around, look_s=0.01)
        task = asyncio.create_task(notifier.run())
        try:
            yield notifier
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def hooks() -> Iterator[tuple[Receiver, Receiver]]:
    with receiver() as one, receiver() as other:
        yield one, other


@pytest.fixture
def stage(tmp_path: Path, hooks: tuple[Receiver, Receiver]) -> Iterator[Stage]:
    """Its first target is told at once, the second one of what nobody acknowledged for half an hour."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    common = 'secret_file = "secret"\ngather_seconds = 0\n'
    (tmp_path / "collector.toml").write_text(
        'state_directory = "state"\n'
        f'[[notify]]\nname = "noc"\nwebhook = "{hooks[0].url}"\nafter_seconds = 0\n{common}'
        f'[[notify]]\nname = "kepala"\nwebhook = "{hooks[1].url}"\nafter_seconds = 1800\n'
        f"only_unacknowledged = true\n{common}"
    )
    with closing(sqlite.open_store(tmp_path, Reading(NOW, NOW, "boot"))) as store:
        yield Stage(store, load(tmp_path / "collector.toml"))


def has_taken(hook: Receiver, number: int) -> bool:
    return len(hook.bodies) == number


async def settled(true: Callable[[], bool]) -> None:
    """It becomes true, and stays so for many looks."""
    await eventually(true)
    await asyncio.sleep(0.3)
    assert true()


async def test_a_process_that_starts_again_repeats_nothing_and_tells_the_end(
    stage: Stage, hooks: tuple[Receiver, Receiver]
) -> None:
    noc, kepala = hooks
    stage.show(NOW - MINUTE)
    for _ in range(3):
        async with stage.notifying():
            await settled(lambda: noc.events() == ["opened"])
    stage.now += HOUR
    stage.show(NOW - MINUTE)
    async with stage.notifying():
        await settled(lambda: kepala.events() == ["opened"])
    assert kepala.taken[0]["title"].startswith("Not acknowledged")
    stage.show(NOW - MINUTE, stage.now)
    async with stage.notifying():
        await settled(lambda: noc.events() == kepala.events() == ["opened", "closed"])
    assert noc.wrong + kepala.wrong == []


async def test_what_somebody_acknowledged_goes_no_further(stage: Stage, hooks: tuple[Receiver, Receiver]) -> None:
    stage.show(NOW - MINUTE)
    acknowledge(stage.store.database, 1, "on it", Speaker("Rina", "operator", "rina"), NOW)
    stage.now += HOUR
    stage.show(NOW - MINUTE)
    async with stage.notifying():
        await settled(lambda: hooks[0].events() == ["opened"])
    assert hooks[1].tried == 0


async def test_a_target_that_takes_nothing_holds_up_no_other_and_is_an_alarm(
    stage: Stage, hooks: tuple[Receiver, Receiver]
) -> None:
    noc, kepala = hooks
    noc.refuses = 503
    stage.now += HOUR
    stage.show(NOW - MINUTE)
    async with stage.notifying() as notifier:
        await settled(lambda: kepala.events() == ["opened"] and noc.tried == 1)
        assert list(notifier.alarms(stage.now)) == []
        [alarm] = notifier.alarms(stage.now + TROUBLED_MS)
        assert "noc" in alarm.text
        noc.refuses = None
        stage.now += MINUTE
        await settled(lambda: noc.events() == ["opened"])
        assert list(notifier.alarms(stage.now + TROUBLED_MS)) == []


async def test_who_does_not_lead_tells_nobody_and_once_it_leads_what_nobody_was_told(
    stage: Stage, hooks: tuple[Receiver, Receiver]
) -> None:
    stage.leads = False
    stage.show(NOW - MINUTE)
    async with stage.notifying():
        await settled(lambda: hooks[0].tried == 0)
        stage.leads = True
        await settled(lambda: hooks[0].events() == ["opened"])


async def test_what_is_gone_from_the_board_and_never_ended_is_withdrawn_after_a_while(
    stage: Stage, hooks: tuple[Receiver, Receiver]
) -> None:
    stage.show(NOW - MINUTE)
    async with stage.notifying():
        await settled(lambda: hooks[0].events() == ["opened"])
        stage.now += 1_000
        stage.glance = replace(stage.glance, now=stage.now, running=())
        await settled(lambda: hooks[0].events() == ["opened"])
        stage.now += 2 * SETTLE_MS
        await settled(lambda: hooks[0].events() == ["opened", "reclassified"])
    assert hooks[0].taken[-1]["outages"][0]["reclassified"] == "withdrawn"


async def test_an_alertmanager_is_posted_what_runs_though_nothing_is_kept_for_it(
    stage: Stage, hooks: tuple[Receiver, Receiver], tmp_path: Path
) -> None:
    alertmanager = hooks[1]
    alertmanager.refuses = 200
    (tmp_path / "collector.toml").write_text(
        f'state_directory = "state"\n[[notify]]\nname = "am"\nalertmanager = "{alertmanager.url}"\n'
    )
    stage.config = load(tmp_path / "collector.toml")
    stage.show(NOW - MINUTE)
    for life in (1, 2):
        async with stage.notifying():
            await settled(partial(has_taken, alertmanager, life))
    assert [json.loads(one)[0]["labels"]["outage"] for one in alertmanager.bodies] == ["1", "1"]
    assert stage.store.notices.listing() == []
