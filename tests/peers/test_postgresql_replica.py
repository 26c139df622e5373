"""PostgreSQL's roles, and how far a replica is behind."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from agent.checks.check_stage import ask, probe_of
from detak_agent.checks.base import Outcome
from peers.postgresql_server import Postgres, caught_up, primary, replica
from peers.server_process import until

# The wrapper is on the path; the server's own programs come with it.
pytestmark = pytest.mark.peers("pg_ctlcluster", "setpriv")


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with primary() as running:
        yield running


@pytest.fixture(scope="module")
def follower(server: Postgres) -> Iterator[Postgres]:
    with replica(server) as running:
        yield running


async def sample(server: Postgres, **keys: Any) -> Outcome:
    return await ask("postgresql", **{**server.keys, **keys})


@contextlib.contextmanager
def paused(follower: Postgres) -> Iterator[None]:
    follower.run("SELECT pg_wal_replay_pause()")
    try:
        yield
    finally:
        follower.run("SELECT pg_wal_replay_resume()")


@pytest.mark.asyncio
async def test_the_role_is_what_it_should_be(server: Postgres, follower: Postgres) -> None:
    assert (await sample(follower, role="replica")).state == "up"
    wrong = await sample(follower, role="primary")
    assert (wrong.state, wrong.message) == ("down", "it is a replica (in recovery) and should be the primary")
    assert (await sample(server, role="replica")).message == "it is a primary and should be a replica"
    assert (await sample(follower, writable=True)).message == "it takes no writes: it is a replica (in recovery)"


@pytest.mark.asyncio
@pytest.mark.parametrize("user", ["detak", "plain"])
async def test_a_replica_in_step_has_no_lag_however_long_its_primary_does_nothing(
    server: Postgres, follower: Postgres, user: str
) -> None:
    server.run("INSERT INTO declarations VALUES (1)")
    caught_up(follower, server)
    await asyncio.sleep(0.5)
    outcome = await sample(follower, user=user, role="replica", lag_degraded_s=0.2, lag_degraded_bytes=1)
    assert (outcome.state, outcome.values["lag_s"], outcome.values["behind_bytes"]) == ("up", 0, 0)


@pytest.mark.asyncio
async def test_a_replica_that_replays_late_is_degraded_and_then_down(server: Postgres, follower: Postgres) -> None:
    caught_up(follower, server)
    probe = probe_of("postgresql", **follower.keys, lag_degraded_s=0.4, lag_down_s=0.8, lag_degraded_bytes=1_000_000)
    assert (await probe.sample(4_000)).state == "up"
    with paused(follower):
        server.run("INSERT INTO declarations VALUES (2)")
        await asyncio.sleep(0.5)
        degraded = await probe.sample(4_000)
        server.run("INSERT INTO declarations SELECT generate_series(1, 50000)")
        await asyncio.sleep(0.5)
        down = await probe.sample(4_000)
    assert degraded.state == "degraded"
    assert degraded.message.endswith(
        "s behind (limit 0.4 s); replay is paused, SELECT pg_wal_replay_resume() lets it go on"
    )
    assert 0.4 <= degraded.values["lag_s"] < down.values["lag_s"]
    assert down.state == "down"
    assert "MiB behind" in down.message
    caught_up(follower, server)
    assert (await probe.sample(4_000)).state == "up"


@pytest.mark.asyncio
async def test_a_replica_without_its_primary_is_degraded_and_its_lag_grows(server: Postgres) -> None:
    with replica(server) as other:
        caught_up(other, server)
        probe = probe_of("postgresql", **other.keys, lag_down_s=1.0)
        alone = probe_of("postgresql", **other.keys, streaming=False)
        assert (await probe.sample(4_000)).state == "up"
        other.run("ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")
        until(lambda: other.value("SELECT count(*) FROM pg_stat_wal_receiver") == 0, lambda: "it still receives")
        first = await probe.sample(4_000)
        assert (await alone.sample(4_000)).state == "up"
        await asyncio.sleep(1.1)
        later = await probe.sample(4_000)
    assert first.state == "degraded"
    assert first.message == "replication has stopped: nothing comes from its primary (see the server's log)"
    assert (later.state, later.message.startswith("replication 1.")) == ("down", True)
