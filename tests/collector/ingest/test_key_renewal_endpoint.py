"""`POST /api/v1/renew`: two keys are good until the new one is used, and then only that one."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from detak_collector.clocks import system_clock
from detak_collector.ingest.rivals import Speaker
from detak_wire.codec import decode, encode
from detak_wire.messages import Enrolled, KeyRenewal, Problem
from evidence_builders import NODE, RUN, first_beat, later_beat
from running_collector import Running, running_collector

pytestmark = pytest.mark.asyncio
OTHER = "app-01"


async def renewed(running: Running, key: str | None = None) -> str:
    status, answer, _ = await running.post(encode(KeyRenewal(1, NODE)), key, path="/api/v1/renew")
    assert status == 200, answer
    enrolled = decode(answer, Enrolled)
    assert (enrolled.node, enrolled.collector) == (NODE, running.store.collector)
    return enrolled.key


async def status_of(running: Running, key: str) -> int:
    return (await running.post(encode(first_beat()), key))[0]


async def test_the_old_key_is_good_until_the_new_one_is_first_used(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        old = running.keys[NODE]
        fresh = await renewed(running)
        assert fresh != old
        assert [await status_of(running, old) for _ in range(2)] == [200, 200]
        assert await status_of(running, fresh) == 200
        assert await status_of(running, old) == 401
        assert await status_of(running, fresh) == 200


async def test_what_was_settled_is_durable(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        fresh = await renewed(running)
        await status_of(running, fresh)
    with closing(sqlite3.connect(running.store.path)) as connection:
        (row,) = connection.execute("SELECT fresh_key_hash, issued_utc >= enrolled_utc FROM node")
    assert row == (None, 1)


async def test_a_renewal_whose_answer_was_lost_is_simply_repeated(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        lost = await renewed(running)
        fresh = await renewed(running)
        assert await status_of(running, lost) == 401
        assert await status_of(running, fresh) == 200


async def test_a_fresh_key_may_be_renewed_itself_and_voids_the_old_one_by_that(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        fresh = await renewed(running)
        fresher = await renewed(running, fresh)
        assert await status_of(running, running.keys[NODE]) == 401
        assert [await status_of(running, key) for key in (fresh, fresher, fresh)] == [200, 200, 401]


async def test_beats_that_use_a_fresh_key_at_once_are_all_taken(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        fresh = await renewed(running)
        assert set(await asyncio.gather(*(status_of(running, fresh) for _ in range(8)))) == {200}


async def test_only_a_valid_key_is_renewed_and_only_for_its_own_node(tmp_path: Path) -> None:
    async with running_collector(tmp_path, [NODE, OTHER]) as running:
        body = encode(KeyRenewal(1, NODE))
        for key, expected in ((running.keys[OTHER], (403, "forbidden")), ("x" * 64, (401, "unauthorized"))):
            status, answer, _ = await running.post(body, key, path="/api/v1/renew")
            assert (status, decode(answer, Problem).error) == expected
        assert running.store.registry.fresh_keys() == frozenset()


async def test_a_node_that_was_revoked_meanwhile_gets_no_new_key(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        # As another process does it: this one has not noticed yet.
        running.store.registry.revoke(NODE, system_clock()())
        status, answer, _ = await running.post(encode(KeyRenewal(1, NODE)), path="/api/v1/renew")
        assert (status, decode(answer, Problem).error) == (401, "unauthorized")


async def test_two_agents_are_found_by_who_speaks_from_where(tmp_path: Path) -> None:
    async with running_collector(tmp_path) as running:
        await running.deliver(first_beat())
        await running.deliver(first_beat("aaaa0002"))
        await running.deliver(later_beat(1))
        rivals = running.ingest.rivals
        assert rivals.look(system_clock()().boottime).found == {}
        now = system_clock()().boottime + 10_500
        rivals.spoke(NODE, RUN, "10.0.0.6", now)
        assert rivals.look(now).found == {NODE: (Speaker(RUN, "10.0.0.6"), Speaker("aaaa0002", "127.0.0.1"))}
