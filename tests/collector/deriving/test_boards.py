"""Whatever becomes of the process that derives boards: it is noticed, said, and made good."""

import asyncio
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from boards_stage import gone, staged, stop
from detak_collector.deriving.life import Patience, how_it_ended
from detak_collector.deriving.process import NotDerivedError
from detak_collector.store.place import StorePlace
from detak_collector.store.sqlite import FILE_NAME

pytestmark = [pytest.mark.asyncio, pytest.mark.system]


@pytest.fixture
def place(tmp_path: Path) -> StorePlace:
    return StorePlace(tmp_path)


def first_to_go(pid: int) -> int:
    """Of a thousand, how much sooner than others the kernel ends it where memory runs out."""
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


async def test_it_goes_behind_the_process_that_receives(place: StorePlace) -> None:
    async with staged(place) as stage:
        await stage.boards.derived()
        assert os.getpriority(os.PRIO_PROCESS, stage.pid) > os.getpriority(os.PRIO_PROCESS, 0)
        assert first_to_go(stage.pid) >= 500


async def test_one_process_serves_all_orders(place: StorePlace) -> None:
    async with staged(place) as stage:
        await asyncio.gather(*(stage.boards.derived() for _ in range(5)))
        first = stage.pid
        await stage.boards.derived()
        assert stage.pid == first


async def test_one_that_was_killed_is_followed_by_another(place: StorePlace, caplog: pytest.LogCaptureFixture) -> None:
    async with staged(place) as stage:
        before = await stage.boards.derived()
        first = stage.pid
        os.kill(first, signal.SIGKILL)
        assert await gone(first)
        after = await stage.boards.derived()
        assert after.glance == before.glance
        assert stage.pid != first
        assert "ended by SIGKILL" in caplog.text


async def test_one_killed_while_it_derives_costs_that_board_alone(place: StorePlace) -> None:
    async with staged(place) as stage:
        await stage.boards.derived()
        first = stage.pid
        stop(first)
        order = asyncio.create_task(stage.boards.derived())
        await asyncio.sleep(0.1)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(NotDerivedError, match="ended by SIGKILL"):
            await order
        assert "SIGKILL" in stage.boards.trouble
        await stage.boards.derived()
        assert stage.boards.trouble == ""


async def test_one_that_does_nothing_any_more_is_ended_and_followed_by_another(place: StorePlace) -> None:
    async with staged(place) as stage:
        await stage.boards.derived()
        first = stage.pid
        stop(first)
        with pytest.raises(NotDerivedError, match="has said nothing for"):
            await stage.boards.derived()
        assert await gone(first)
        await stage.boards.derived()


async def test_one_that_never_starts_is_not_tried_again_at_once(place: StorePlace, tmp_path: Path) -> None:
    tried = tmp_path / "tried"
    command = (sys.executable, "-c", f"open({str(tried)!r}, 'a').write('x'); raise SystemExit(7)")
    async with staged(place, command) as stage:
        for _ in range(6):
            with pytest.raises(NotDerivedError, match="ended with 7"):
                await stage.boards.derived()
        assert 1 <= len(tried.read_text()) <= 3


async def test_a_program_that_is_not_there_is_said(place: StorePlace) -> None:
    async with staged(place, ("/nonexistent/python",)) as stage:
        with pytest.raises(NotDerivedError, match=r"could not be started: .*No such file"):
            await stage.boards.derived()


async def test_a_store_that_fails_is_said_and_the_process_stays(place: StorePlace, tmp_path: Path) -> None:
    async with staged(place) as stage:
        await stage.boards.derived()
        first = stage.pid
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
            connection.execute("ALTER TABLE span RENAME TO elsewhere")
        with pytest.raises(NotDerivedError, match="no such table: span"):
            await stage.boards.derived(leisure=0)
        with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
            connection.execute("ALTER TABLE elsewhere RENAME TO span")
        await stage.boards.derived(leisure=0)
        assert stage.pid == first


async def test_who_gives_up_waiting_leaves_no_answer_to_the_next(place: StorePlace) -> None:
    async with staged(place) as stage:
        await stage.boards.derived()
        stop(stage.pid)
        order = asyncio.create_task(stage.boards.derived(alarms=("one",)))
        await asyncio.sleep(0.1)
        order.cancel()
        with pytest.raises(asyncio.CancelledError):
            await order
        drawn = await stage.boards.derived(alarms=("another",), languages=("id", "en"))
        assert drawn.snapshots is not None
        assert all(b"Another." in one.page.plain for one in drawn.snapshots.pages.values())
        assert set(drawn.snapshots.pages) == {"en", "id"}


@pytest.mark.parametrize("is_stopped", [False, True])
async def test_it_ends_with_the_collector(place: StorePlace, is_stopped: bool) -> None:
    async with staged(place) as stage:
        await stage.boards.derived()
        pid = stage.pid
        if is_stopped:
            stop(pid)
        await stage.boards.close()
        assert await gone(pid, within_s=0)


async def test_signals_meant_for_the_collector_do_not_end_it(place: StorePlace) -> None:
    async with staged(place) as stage:
        await stage.boards.derived()
        pid = stage.pid
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(pid, number)
        await stage.boards.derived()
        assert stage.pid == pid


async def test_what_is_lost_again_and_again_waits_longer_each_time() -> None:
    waits = [Patience().before_another(losses) for losses in range(9)]
    assert waits[0] == 0
    assert waits == sorted(waits)
    assert waits[-1] == 60


async def test_its_end_has_a_name() -> None:
    assert [how_it_ended(status) for status in (3, -9)] == ["ended with 3", "was ended by SIGKILL"]
