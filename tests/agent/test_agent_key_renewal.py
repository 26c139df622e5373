"""Keys that are renewed by a running courier, and what every kind of accident leaves behind."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.collector_stand_in import KEY, StandIn, collector
from agent.delivery_rig import BEAT_MS, Rig, holds, rig
from agent.http_stand_in import Request, Response
from detak_agent.config import CollectorSettings
from detak_agent.connection import Connection
from detak_agent.failures import CouldNotError
from detak_agent.key_renewal import DAY_MS, HeldKey, is_due, lifetime_ms
from detak_agent.keys import key_path, previous_path, read_key, write_key

URL = "https://detak.example.go.id"
FRESH = "fresh1".ljust(43, "k")


def issued(path: Path, days_ago: float, now_utc: int) -> None:
    """Makes the key so old."""
    at = now_utc / 1_000 - days_ago * DAY_MS / 1_000
    os.utime(path, (at, at))


def key_of(directory: Path, one: StandIn) -> Path:
    return key_path(CollectorSettings(url=one.url), directory)


async def until(true: Callable[[], bool]) -> None:
    deadline = asyncio.get_running_loop().time() + 15
    while not true():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


def test_each_node_s_key_lives_almost_as_long_as_is_written_and_not_all_the_same() -> None:
    settings = CollectorSettings(url=URL)
    lives = {lifetime_ms(settings, f"node-{number}") for number in range(100)}
    assert 27 * DAY_MS <= min(lives) < max(lives) <= 30 * DAY_MS
    assert len(lives) == 100
    assert lifetime_ms(settings, "node-1") == lifetime_ms(settings, "node-1")


@pytest.mark.parametrize(
    ("days_ago", "renew_days", "due"),
    [(0, 30, False), (26, 30, False), (30.1, 30, True), (400, 0, False), (-0.5, 30, False), (-2, 30, True)],
)
def test_a_key_is_due_when_it_is_old_or_from_a_clock_that_was_wrong(
    tmp_path: Path, days_ago: float, renew_days: int, due: bool
) -> None:
    settings = CollectorSettings(url=URL, renew_days=renew_days)
    path, now = key_path(settings, tmp_path), 1_800_000_000_000
    assert not is_due(settings, tmp_path, "node-1", now)
    write_key(path, "key")
    issued(path, days_ago, now)
    assert is_due(settings, tmp_path, "node-1", now) == due


def test_a_credential_of_systemd_is_never_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    write_key(tmp_path / "detak", "key")
    issued(tmp_path / "detak", 400, 1_800_000_000_000)
    assert not is_due(CollectorSettings(url=URL, key_file="detak"), tmp_path, "node-1", 1_800_000_000_000)


@pytest.mark.asyncio
async def test_an_old_key_is_renewed_while_evidence_is_delivered(tmp_path: Path) -> None:
    async with collector() as one:
        agent = Rig(tmp_path, one, renew_days=30)
        issued(key_of(tmp_path, one), 31, agent.clock.utc())
        agent.start()
        try:
            await agent.see()
            await one.until(lambda: one.key == FRESH and holds(one, agent.run))
            assert read_key(key_of(tmp_path, one)) == FRESH
            before = len(one.requests)
            await one.until(lambda: len(one.requests) > before + 2)
            assert one.renewals == 1
        finally:
            await agent.end()


@pytest.mark.asyncio
@pytest.mark.parametrize("renews", [True, False])
async def test_a_collector_that_does_not_renew_keys_gets_the_evidence_all_the_same(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    renews: bool,
) -> None:
    async with collector(renews=renews) as one:
        agent = Rig(tmp_path, one, renew_days=30)
        issued(key_of(tmp_path, one), 31, agent.clock.utc())
        key_of(tmp_path, one).with_name(key_of(tmp_path, one).name + ".new").mkdir()
        agent.start()
        try:
            for _ in range(3):
                await agent.see()
                before = len(one.requests)
                await one.until(lambda seen=before: len(one.requests) > seen + 1)  # type: ignore[misc]
            assert holds(one, agent.run)
            assert read_key(key_of(tmp_path, one)) == KEY
            said = "cannot be written" if renews else "too old to renew keys; the key stays as it is"
            assert sum(said in record.message for record in caplog.records) == 1
        finally:
            await agent.end()


@pytest.mark.asyncio
async def test_a_collector_restored_from_a_backup_takes_the_key_from_before_and_renews_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with collector() as one, rig(tmp_path, one, renew_days=30) as agent:
        write_key(previous_path(key_of(tmp_path, one)), KEY)
        write_key(key_of(tmp_path, one), "given out after the backup")
        issued(key_of(tmp_path, one), 1, agent.clock.utc())
        began = asyncio.get_running_loop().time()
        await agent.see()
        await one.until(lambda: one.key == FRESH and holds(one, agent.run))
        # At once, and not after the six beats that a refused key waits.
        assert asyncio.get_running_loop().time() - began < 5 * BEAT_MS / 1_000
        assert read_key(key_of(tmp_path, one)) == FRESH
        assert read_key(previous_path(key_of(tmp_path, one))) == KEY
        assert sum("refuses this node's key" in record.message for record in caplog.records) == 1


@pytest.mark.asyncio
async def test_a_revoked_key_is_tried_in_both_forms_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        one.key = "another"
        write_key(previous_path(key_of(tmp_path, one)), "the one before")
        await agent.see()
        await until(lambda: len(one.sizes) >= 4)
        said = [record.message for record in caplog.records if "refuses this node's key" in record.message]
        assert len(said) == 1
        assert "until it is enrolled again, all evidence is kept here" in said[0]


@pytest.mark.asyncio
async def test_a_node_that_is_enrolled_again_is_heard_within_a_beat_or_two(tmp_path: Path) -> None:
    async with collector() as one, rig(tmp_path, one) as agent:
        one.key = "another"
        await agent.see()
        await until(lambda: len(one.sizes) >= 1)
        write_key(key_of(tmp_path, one), "another")
        began = asyncio.get_running_loop().time()
        await one.until(lambda: holds(one, agent.run))
        # Left alone, it would have waited for six beats.
        assert asyncio.get_running_loop().time() - began < 4.5 * BEAT_MS / 1_000


async def renew(directory: Path, one: StandIn) -> None:
    settings = CollectorSettings(url=one.url)
    link = Connection(one.url)
    try:
        await HeldKey(settings, directory, "node-1").renew(link)
    finally:
        link.close()


@pytest.mark.asyncio
async def test_a_lost_answer_leaves_the_old_key_good_on_both_sides(tmp_path: Path) -> None:
    async def lose(request: Request) -> Response:
        await StandIn.renew(one, request)
        request.abort()
        return Response()

    one = StandIn()
    one.renew = lose  # type: ignore[method-assign]
    async with collector(stand_in=one):
        write_key(key_of(tmp_path, one), one.key)
        with pytest.raises(CouldNotError, match="closed the connection without an answer"):
            await renew(tmp_path, one)
        assert (read_key(key_of(tmp_path, one)), one.fresh) == (KEY, FRESH)


@pytest.mark.asyncio
@pytest.mark.parametrize("failing", [".previous.new", ".new"])
async def test_a_key_that_cannot_be_put_in_place_leaves_the_old_one(tmp_path: Path, failing: str) -> None:
    async with collector() as one:
        path = key_of(tmp_path, one)
        write_key(path, one.key)
        path.with_name(path.name + failing).mkdir()
        with pytest.raises(CouldNotError, match="cannot be written"):
            await renew(tmp_path, one)
        assert read_key(path) == KEY
        path.with_name(path.name + failing).rmdir()
        await renew(tmp_path, one)
        assert (read_key(path), read_key(previous_path(path))) == (one.fresh, KEY)


@pytest.mark.asyncio
async def test_a_refused_renewal_says_why(tmp_path: Path) -> None:
    async with collector() as one:
        with pytest.raises(CouldNotError, match="this node is not enrolled there"):
            await renew(tmp_path, one)
        write_key(key_of(tmp_path, one), "revoked")
        with pytest.raises(CouldNotError, match="the collector does not renew the key: unknown key"):
            await renew(tmp_path, one)
