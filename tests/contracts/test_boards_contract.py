"""Boards derived in a process of their own say what this process would derive, whichever store there is."""

from dataclasses import replace
from pathlib import Path

import pytest

from boards_stage import MAIL, WEB, Stage, rules_for, staged
from detak_collector.board.board import Board, Condition
from detak_collector.board.glance import glance_of
from detak_collector.figures import Figures
from detak_collector.records import Records
from detak_collector.store.place import StorePlace
from detak_collector.web.assets import Assets
from detak_collector.web.render import STATIC, TEMPLATES, Renderer
from downtime_cases import DAY

pytestmark = [pytest.mark.asyncio, pytest.mark.system]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.peers("pg_ctlcluster", "setpriv"))])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StorePlace:
    return StorePlace(tmp_path, None if request.param == "sqlite" else request.getfixturevalue("url"))


def board_here(stage: Stage) -> Board:
    store, records = stage.store, Records(stage.store.outages, stage.store.history)
    figures = Figures(
        store.evidence, store.derived, store.registry, lambda: stage.rules, lambda: stage.now, records
    )  # fmt: skip
    return figures.board_now()


async def test_it_is_the_page_that_would_be_drawn_here(place: StorePlace) -> None:
    async with staged(place) as stage:
        stage.fails("n-1")
        drawn = await stage.boards.derived(alarms=("the disk is full",), languages=("id",))
        here = replace(board_here(stage), alarms=("the disk is full",))
        assert drawn.snapshots == Renderer(Assets(STATIC, TEMPLATES)).snapshots(here, ["id"])
        assert drawn.glance == glance_of(here)
        assert b"The disk is full." in drawn.snapshots.pages["id"].page.plain


async def test_a_new_outage_has_a_number_that_lasts(place: StorePlace) -> None:
    async with staged(place) as stage:
        assert (await stage.boards.derived()).glance.running == ()
        stage.fails("n-1")
        (running,) = (await stage.boards.derived()).glance.running
        assert (running.service_id, running.number) == ("web", 1)
        known = stage.store.outages.known(1)
        assert known is not None
        assert known.service == "web"


async def test_who_does_not_lead_gives_no_number(place: StorePlace) -> None:
    async with staged(place) as stage:
        stage.leads = False
        stage.fails("n-1")
        (running,) = (await stage.boards.derived()).glance.running
        assert running.number is None
        assert stage.store.outages.known(1) is None


async def test_what_came_since_is_seen_by_the_next_one(place: StorePlace) -> None:
    async with staged(place) as stage:
        before = await stage.boards.derived()
        stage.passes(5_000)
        stage.fails("n-2")
        after = await stage.boards.derived()
        assert before.glance.conditions == {Condition.UP: 2}
        assert after.glance.conditions == {Condition.UP: 1, Condition.DOWN: 1}


async def test_rules_that_were_reloaded_hold_from_the_next_one_on(place: StorePlace) -> None:
    async with staged(place) as stage:
        assert sum((await stage.boards.derived()).glance.conditions.values()) == 2
        stage.rules = rules_for(WEB)
        assert sum((await stage.boards.derived()).glance.conditions.values()) == 1
        stage.rules = rules_for(WEB, MAIL)
        assert sum((await stage.boards.derived()).glance.conditions.values()) == 2


async def test_closed_months_are_kept_for_the_next_report(place: StorePlace) -> None:
    async with staged(place) as stage:
        stage.passes(70 * DAY)
        await stage.boards.derived()
        with stage.store.database.reading() as connection:
            kept = connection.execute("SELECT DISTINCT service FROM derived ORDER BY service").fetchall()
        assert [name for (name,) in kept] == ["mail", "web"]
