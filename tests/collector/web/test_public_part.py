"""What everybody sees has nothing in it that is not marked public: neither on the page nor in what it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from browser.fabricated import IMPOR, NOW, broken, healthy, hostile, many, node, outage, presumed, service
from detak_collector.accounts.roles import Role
from detak_collector.board.board import Board, Condition
from detak_collector.web.assets import Assets
from detak_collector.web.public_part import public_part
from detak_collector.web.render import STATIC, TEMPLATES, Renderer, Snapshot
from people_stage import TERMS, people_stage

SECRET = service("rahasia", "Sistem Intelijen", public=False, criticality="amat rahasia")
BOARDS = {"broken": broken, "presumed": presumed, "many": many, "hostile": hostile}


def secretive(board: Board) -> Board:
    """With a service that nobody else may know of, and everything else that has a name."""
    told = {
        "cause": "layanan-rahasia", "detail": "intel-db-01/pg: password of intel refused", "number": 4711,
        "units": ("Direktorat Sandi",), "effect": "nobody can read cables",
    }  # fmt: skip
    return replace(
        board,
        services=(*board.services, SECRET),
        running=(*board.running, outage("rahasia-1", SECRET, NOW - 60_000, None, **told)),
        recent=(*board.recent, outage("rahasia-2", SECRET, NOW - 9_000_000, NOW - 8_000_000, **told)),
        nodes=(*board.nodes, node("intel-db-01", "BUNKER", warning="two agents speak as intel-db-01")),
        notices=("calendar kalender-rahasia: joint leave of 2027 is not known",),
        alarms=("the disk of kolektor-rahasia is full",),
    )


def names_in(value: object) -> Iterator[str]:
    """Every text in a piece of a board."""
    if isinstance(value, Enum):
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from names_in(one)
    elif is_dataclass(value):
        for field in fields(value):
            yield from names_in(getattr(value, field.name))


def unmarked(board: Board) -> set[str]:
    """What only those may read who have signed in."""
    hidden = [one for one in board.services if not one.public]
    ids = {one.id for one in hidden}
    outages = (*board.running, *board.recent, *board.lately)
    inside = {name for one in hidden for name in (one.id, one.name, one.criticality)}
    inside |= {
        name for one in board.services for group in one.groups for name in (group.name, *names_in(group.members))
    }
    inside |= {one.detail for one in outages} | {str(one.number) for one in outages if one.number}
    inside |= {name for one in outages for name in (*one.units, one.effect)}
    inside |= {one.cause for one in outages if one.service_id in ids}
    inside |= {name for one in board.nodes for name in (one.name, one.site or "", one.agent_version, one.warning)}
    inside |= {*board.notices, *board.alarms}
    marked = {name for one in board.services if one.public for name in (one.id, one.name, one.criticality)}
    marked |= {board.organisation} | {one.cause for one in outages if one.service_id not in ids}
    # Two letters of a site are in every style sheet; they are looked for as whole texts of the board below.
    return {name for name in inside - marked if len(name) > 3}


def drawn(board: Board) -> tuple[Snapshot, Snapshot]:
    whole = Renderer(Assets(STATIC, TEMPLATES)).draw(board, apart=True)
    assert whole.public is not None
    return whole, whole.public


def everything(snapshot: Snapshot) -> str:
    return (snapshot.page.plain + snapshot.fragment.plain + snapshot.told.event).decode()


@pytest.mark.parametrize("name", BOARDS)
def test_the_public_page_names_nothing_that_is_not_marked(name: str) -> None:
    board = secretive(BOARDS[name]())
    whole, public = drawn(board)
    secrets = {escaped for one in unmarked(board) for escaped in (one, _escaped(one))}
    assert "Sistem Intelijen" in secrets
    assert "intel-db-01" in secrets
    assert "Sistem Intelijen" in everything(whole)
    assert "?zoom=day&amp;at=20" in everything(whole)
    assert "?zoom=day" not in everything(public)
    assert not [one for one in secrets if one in everything(public)]


def _escaped(text: str) -> str:
    return (
        text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;").replace('"', "&#34;")
    )


def test_what_is_marked_is_shown_with_its_days_outages_and_own_figure() -> None:
    _, public = drawn(secretive(broken()))
    told = everything(public)
    for words in ("CEISA Impor", "CEISA Impor is down since", "Current outages", "Recent outages", "18.0 min"):
        assert words in told


def test_how_an_unmarked_service_fares_changes_nothing_that_everybody_sees() -> None:
    down = replace(SECRET, condition=Condition.DOWN, counted_ms=86_400_000)
    board = secretive(healthy())
    worse = replace(board, services=tuple(down if one is SECRET else one for one in board.services))
    worse = replace(
        worse, figure=replace(worse.figure, counted_ms=99, services=77), running=(), recent=board.recent[:-1]
    )
    assert drawn(worse)[1] == drawn(replace(board, running=()))[1]


@given(st.lists(st.booleans(), min_size=60, max_size=60))
def test_whichever_are_marked_these_and_no_others_are_there(marks: list[bool]) -> None:
    board = many()
    marked = [replace(one, public=mark) for one, mark in zip(board.services, marks, strict=True)]
    public = public_part(replace(board, services=tuple(marked)))
    assert [one.id for one in public.services] == [one.id for one in marked if one.public]
    assert {one.service_id for one in (*public.running, *public.recent)} <= {one.id for one in public.services}
    assert (public.nodes, public.alarms, public.notices) == ((), (), ())


def test_where_nothing_is_marked_the_page_says_how_to_see_more() -> None:
    board = replace(healthy(), services=(replace(IMPOR, public=False),), recent=())
    _, public = drawn(board)
    assert "No service is shown to everybody" in public.page.plain.decode()
    assert 'href="sign-in"' in public.fragment.plain.decode()
    assert "services.toml" not in public.page.plain.decode()


def test_the_page_that_is_not_renewed_is_no_less_discreet() -> None:
    whole, _ = drawn(secretive(healthy()))
    outdated = whole.outdated().public
    assert outdated is not None
    assert "Not renewed since" in outdated.page.plain.decode()
    assert "Intelijen" not in everything(outdated)


@pytest.mark.asyncio
async def test_nothing_served_to_a_stranger_names_what_is_not_marked(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as stranger, stage.browser() as siti:
        stage.source.current = board = secretive(broken())
        stage.add("siti", Role.VIEWER)
        await siti.sign_in("siti")
        pages = [await stranger.get(path) for path in ("/", "/status/fragment", "/sign-in", "/account")]
        async with stranger.client.get("/live") as stream:
            event = await _event(stream)
        said = " ".join([*(page.text + str(page.headers) for page in pages), event])
        assert not [one for one in unmarked(board) if one in said]
        assert "Sistem Intelijen" in (await siti.get("/")).text
        assert "Sistem Intelijen" in (await siti.get("/status/fragment")).text


@pytest.mark.asyncio
async def test_an_open_page_is_told_no_more_once_its_reader_has_signed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detak_collector.web.pages.STILL_S", 0.0)
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        async with browser.client.get("/live") as stream:
            whole = json.loads((await _event(stream)).removeprefix("data: "))
            await browser.fill("/sign-out", "/sign-out", where="here")
            async with asyncio.timeout(10):
                async for _ in stream.content:
                    pass
        async with browser.client.get("/live") as stream:
            public = json.loads((await _event(stream)).removeprefix("data: "))
        assert public["build"] != whole["build"]


@pytest.mark.asyncio
async def test_the_moment_sign_in_is_configured_the_whole_page_is_kept_back(tmp_path: Path) -> None:
    async with people_stage(tmp_path, None) as stage, stage.browser() as stranger:
        stage.source.apart = False
        assert "dc-db-01" in (await stranger.get("/")).text
        stage.terms(TERMS)
        page = await stranger.get("/")
        assert (page.status, "dc-db-01" in page.text) == (503, False)
        stage.source.apart = True
        await asyncio.sleep(0.1)
        assert (await stranger.get("/")).status == 200


async def _event(stream: object) -> str:
    async with asyncio.timeout(10):
        async for line in stream.content:  # type: ignore[attr-defined]
            if line.startswith(b"data: "):
                return str(line.decode())
    raise AssertionError("the stream ended")
