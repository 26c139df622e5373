"""/healthz, /readyz and /metrics over a real socket."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from browser.fabricated import healthy
from detak_collector.board.glance import glance_of
from detak_collector.board.node_standing import Census, census
from detak_collector.channel.certificate_files import Period
from detak_collector.operating.alarms import Alarm
from detak_collector.operating.disk import Disk
from detak_collector.operating.own_metrics import DAY_S, Told
from detak_collector.operating.readiness import TICK_OVERDUE_MS, Standing, faults
from detak_collector.store.base import NodeRow, StoreUnavailableError
from detak_collector.web.health import Health

WELL = Standing(500, "", disk_is_full=False, services=3, schema="0008_metrics")
CENSUS = Census({"heard": 2, "silent": 1}, {"up": 5, "down": 1})
TOLD = Told(
    now_utc=1_795_826_898_270, version="0.1.0", schema="0008_metrics", ready=True, waiting_messages=2,
    waiting_bytes=900, room=(4_096, 64 << 20), census=None, glance=glance_of(healthy()),
    disk=Disk(Path("/"), 100, 40, 7, 12.34),
    alarms=(Alarm("disk-full", is_urgent=True, text="x"), Alarm("syslog", is_urgent=False, text="y")),
    certificates={"collector": Period(0, 1_795_826_898_270 + 7 * DAY_S * 1_000)}, syslog=(5, 1, 0),
)  # fmt: skip


class Stage:
    """Health endpoints on what the test says."""

    def __init__(self) -> None:
        self.standing = WELL
        self.counted = 0
        self.failing = False

    def census(self) -> Census:
        self.counted += 1
        if self.failing:
            raise StoreUnavailableError("locked")
        return CENSUS

    @asynccontextmanager
    async def served(self) -> AsyncIterator[Callable[[str], "aiohttp.client._RequestContextManager"]]:
        told = lambda counted, ready: replace(TOLD, census=counted, ready=ready)  # noqa: E731
        health = Health("0.1.0", "c0113c70", lambda: self.standing, told, self.census)
        app = web.Application()
        app.add_routes(health.routes())
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{runner.addresses[0][1]}") as session:
                yield session.get
        finally:
            await runner.cleanup()


@pytest.mark.asyncio
async def test_a_process_that_answers_is_alive_whatever_else_is_wrong() -> None:
    stage = Stage()
    stage.standing = replace(WELL, store_trouble="disk full")
    async with stage.served() as get, get("/healthz") as answer:
        assert (answer.status, (await answer.json())["status"]) == (200, "ok")


@pytest.mark.asyncio
async def test_readiness_names_each_part_that_is_wrong() -> None:
    stage = Stage()
    async with stage.served() as get:
        async with get("/readyz") as answer:
            assert answer.status == 200
            assert await answer.json() == {
                "status": "ready",
                "parts": {"store": "ok", "disk": "ok", "catalogue": "ok", "schema": "0008_metrics"},
                "services": 3,
            }
        # What is in force goes on, and evidence is stored.
        stage.standing = replace(WELL, catalogue="services.toml is not right; version 1 stays in force")
        async with get("/readyz") as answer:
            assert (answer.status, (await answer.json())["parts"]["catalogue"]) == (200, stage.standing.catalogue)
        stage.standing = replace(WELL, store_trouble="database or disk is full", disk_is_full=True)
        async with get("/readyz") as answer:
            assert answer.status == 503
            told = await answer.json()
            assert (told["status"], told["parts"]["disk"]) == ("unready", "full")
            assert told["parts"]["store"] == "database or disk is full"


@pytest.mark.parametrize(
    ("ticked_ms", "found"),
    [(0, {}), (TICK_OVERDUE_MS, {}), (12_345, {"store": "nothing was written for 12 s"})],
)
def test_a_store_that_hangs_is_noticed_by_the_tick_that_is_missing(ticked_ms: int, found: dict[str, str]) -> None:
    assert faults(replace(WELL, ticked_ms=ticked_ms)) == found


@pytest.mark.asyncio
async def test_nodes_are_counted_once_for_all_who_ask_and_never_hold_up_the_rest() -> None:
    stage = Stage()
    stage.failing = True
    async with stage.served() as get:
        for _ in range(3):
            async with get("/metrics") as answer:
                text = await answer.text()
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "detak_nodes{" not in text
        assert "detak_waiting_messages 2" in text
        assert stage.counted == 1


@pytest.mark.asyncio
@pytest.mark.peers("promtool")
async def test_prometheus_takes_every_metric_without_a_word(require: Callable[[str], str]) -> None:
    async with Stage().served() as get, get("/metrics") as answer:
        text = await answer.read()
    command = [require("promtool"), "check", "metrics"]
    checked = await asyncio.to_thread(subprocess.run, command, input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
    lines = text.decode().splitlines()
    for line in (
        'detak_nodes{state="heard"} 2',
        'detak_services{condition="up"} 3',
        "detak_disk_left_seconds 1066176",
        'detak_certificate_left_seconds{certificate="collector"} 604800',
        'detak_alarm{alarm="disk-full"} 1',
        'detak_alarm{alarm="syslog"} 0',
        "detak_syslog_lost_total 1",
    ):
        assert line in lines


def rows() -> Iterator[NodeRow]:
    plain = NodeRow("a", True, 1, None, 90_000, "0.1.0", {"web": "up", "db": "down"}, None, (), 0)
    yield plain
    yield replace(plain, heard_utc=10_000)
    yield replace(plain, heard_utc=None)
    yield replace(plain, stopped="shutdown")
    yield replace(plain, stopped="reload")
    yield replace(plain, enrolled=False)


def test_only_checks_of_nodes_that_are_heard_are_counted() -> None:
    counted = census(rows(), 100_000, 15_000)
    assert {state: number for state, number in counted.nodes.items() if number} == {
        "heard": 2, "silent": 1, "never heard": 1, "shut down": 1, "revoked": 1,
    }  # fmt: skip
    assert counted.checks == {"up": 2, "degraded": 0, "down": 2, "unknown": 0}
