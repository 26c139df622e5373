"""Pages on demand come from a process of their own: neither the status page nor evidence waits for them."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from boards_stage import Stage, gone, staged
from detak_collector.deriving.process import Boards, NotDerivedError
from detak_collector.store.place import StorePlace
from detak_collector.web.api_v1.data_sheets import FigureData, NodeData, OutagesData, ServiceData
from detak_collector.web.sheet import FigureSheet, NodeSheet, OutageSheet, OutagesSheet, ServiceSheet

pytestmark = [pytest.mark.asyncio, pytest.mark.system]

SHEETS = (
    FigureSheet("en"), FigureSheet("id", "2023-11"), OutagesSheet("en", "2023"), ServiceSheet("en", "web"),
    NodeSheet("id", "n-1"),
)  # fmt: skip

DATA = (
    OutagesData(whole=True, period="2023"), ServiceData(whole=True, service="web"), FigureData("2023-11"),
    NodeData("n-1"),
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> StorePlace:
    return StorePlace(tmp_path)


def another(stage: Stage) -> Boards:
    return stage.boards.another()


async def test_every_kind_of_page_comes_from_a_process_that_is_not_the_status_pages(place: StorePlace) -> None:
    async with staged(place) as stage:
        await stage.boards.derived()
        pages = another(stage)
        try:
            for sheet in SHEETS:
                drawn = await pages.sheet(sheet)
                assert (drawn.status, sheet) == (200, sheet)
                assert f'<html lang="{sheet.language}">'.encode() in drawn.page.plain
            assert pages.pid not in {None, stage.pid}
        finally:
            await pages.close()


async def test_what_programs_read_comes_from_there_too(place: StorePlace) -> None:
    async with staged(place) as stage:
        pages = another(stage)
        try:
            for sheet in DATA:
                drawn = await pages.sheet(sheet)
                assert (drawn.status, sheet) == (200, sheet)
                assert json.loads(drawn.page.plain)
            missing = await pages.sheet(ServiceData(whole=True, service="no"))
            assert (missing.status, json.loads(missing.page.plain)["status"]) == (404, 404)
        finally:
            await pages.close()


async def test_what_is_not_there_is_a_page_that_says_so(place: StorePlace) -> None:
    async with staged(place) as stage:
        pages = another(stage)
        try:
            for sheet in (OutageSheet("en", "web", "7"), ServiceSheet("en", "no"), FigureSheet("en", "2023-99")):
                assert (await pages.sheet(sheet)).status == 404
        finally:
            await pages.close()


async def test_one_that_was_killed_costs_that_page_and_the_next_one_comes(place: StorePlace) -> None:
    async with staged(place) as stage:
        pages = another(stage)
        try:
            await pages.sheet(SHEETS[0])
            first = pages.pid
            assert first is not None
            os.kill(first, signal.SIGSTOP)
            waiting = asyncio.create_task(pages.sheet(SHEETS[1]))
            await asyncio.sleep(0.1)
            os.kill(first, signal.SIGKILL)
            with pytest.raises(NotDerivedError, match="SIGKILL"):
                await waiting
            assert await gone(first)
            assert (await pages.sheet(SHEETS[1])).status == 200
        finally:
            await pages.close()


async def test_a_page_that_takes_long_does_not_hold_up_the_status_page(place: StorePlace) -> None:
    async with staged(place) as stage:
        pages = another(stage)
        try:
            await pages.sheet(SHEETS[0])
            held = pages.pid
            assert held is not None
            os.kill(held, signal.SIGSTOP)
            waiting = asyncio.create_task(pages.sheet(SHEETS[0]))
            await stage.boards.derived()
            assert not waiting.done()
            os.kill(held, signal.SIGCONT)
            assert (await waiting).status == 200
        finally:
            await pages.close()
