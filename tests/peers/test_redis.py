import asyncio
import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.checks.check_stage import Certificates, ask, make_certificates, open_files, open_files_at_first, probe_of
from conftest import program_path
from detak_agent.checks.base import CouldNotCheckError, Outcome
from peers.redis_server import PASSWORD, Redis, running
from peers.server_process import until

pytestmark = pytest.mark.peers("redis-server", "setpriv", "openssl")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(program_path("openssl"), tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(certificates: Certificates) -> Iterator[Redis]:
    with running(certificates) as one:
        yield one


@pytest.fixture(scope="module")
def follower(server: Redis) -> Iterator[Redis]:
    with running(replica_of=server) as one:
        yield one


def linked(follower: Redis) -> None:
    until(lambda: "master_link_status:up" in follower.run("INFO replication"), lambda: "the replica is not linked")


async def sample(server: Redis, deadline_ms: int = 4_000, **keys: Any) -> Outcome:
    return await ask("redis", deadline_ms, **{**server.keys, **keys})


async def refused(server: Redis, **keys: Any) -> str:
    with pytest.raises(CouldNotCheckError) as caught:
        await sample(server, **keys)
    return str(caught.value)


@pytest.mark.asyncio
async def test_a_primary_that_answers_is_up_and_has_its_run_as_mark(server: Redis) -> None:
    outcome = await sample(server, role="primary")
    run_id = server.run("INFO server").split("run_id:")[1].split()[0]
    assert (outcome.state, outcome.message[:13]) == ("up", "primary with ")
    assert outcome.marks == {"run_id": run_id}
    assert outcome.values["latency_ms"] > 0


@pytest.mark.asyncio
async def test_the_default_user_and_a_local_socket_work_too(server: Redis) -> None:
    assert (await sample(server, user="")).state == "up"
    assert (await sample(server, host=server.socket)).state == "up"
    assert (await sample(server, host="localhost")).state == "up"
    with pytest.raises(OSError, match="cannot talk to /nowhere: No such file or directory"):
        await sample(server, host="/nowhere")


@pytest.mark.asyncio
async def test_what_the_check_may_not_do_is_unknown(server: Redis) -> None:
    assert await refused(server, password="wrong") == "the server refuses user detak: wrong password, or no such user"
    assert await refused(server, user="", password="") == "the server wants a password: set password_file"
    assert "ACL SETUSER poor +ping +info" in await refused(server, user="poor")


@pytest.mark.asyncio
async def test_a_server_that_wants_no_password_says_so_where_one_is_given() -> None:
    with running(more='requirepass ""\n') as open_to_all:
        assert (await sample(open_to_all, user="", password="")).state == "up"
        assert "has no password for user default" in await refused(open_to_all, user="")


@pytest.mark.asyncio
async def test_tls_is_trusted_by_ca_file(server: Redis, certificates: Certificates) -> None:
    secure = {"port": server.tls_port, "tls": True}
    assert (await sample(server, **secure, ca_file=certificates.authority)).state == "up"
    assert (await sample(server, **secure, verify_tls=False)).state == "up"
    stranger = await sample(server, **secure)
    assert (stranger.state, "comes from an authority that this node" in stranger.message) == ("down", True)
    assert (await sample(server, 500, tls=True, verify_tls=False)).state == "down"


@pytest.mark.asyncio
async def test_a_frozen_server_is_down_at_the_deadline(server: Redis) -> None:
    with server.server.frozen():
        outcome = await sample(server, 300)
        secure = await sample(server, 300, port=server.tls_port, tls=True, verify_tls=False)
    assert (outcome.state, secure.state) == ("down", "down")
    assert f"127.0.0.1:{server.port} took the connection, but did not answer within" in outcome.message
    assert f"127.0.0.1:{server.tls_port} took the connection, but did not answer within" in secure.message


@pytest.mark.asyncio
async def test_a_restart_changes_the_mark_and_nothing_else_does(server: Redis) -> None:
    probe = probe_of("redis", **server.keys)
    marks = [(await probe.sample(4_000)).marks for _ in range(2)]
    with server.stopped(), pytest.raises(ConnectionRefusedError, match=f"refused by 127.0.0.1:{server.port}"):
        await probe.sample(4_000)
    after = await probe.sample(4_000)
    assert marks[0] == marks[1]
    assert (after.state, after.marks != marks[0]) == ("up", True)


@pytest.mark.asyncio
async def test_a_server_without_free_connections_is_down_and_degraded_before(server: Redis) -> None:
    with server.configured("maxclients", "10", "10000"), contextlib.ExitStack() as taken:
        for _ in range(6):
            taken.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        near = await sample(server, connections_degraded_percent=50)
        for _ in range(6):
            taken.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        full = await sample(server)
    assert (near.state, "% of the connections in use" in near.message) == ("degraded", True)
    assert (full.state, full.message) == (
        "down",
        f"127.0.0.1:{server.port} refuses commands: max number of clients reached",
    )


@pytest.mark.asyncio
async def test_full_memory_is_degraded_unless_the_server_evicts(server: Redis) -> None:
    with server.configured("maxmemory", "100", "0"):
        full = await sample(server)
        down = await sample(server, memory_down_percent=100)
        with server.configured("maxmemory-policy", "allkeys-lru", "noeviction"):
            cache = await sample(server)
    assert (full.state, full.message[:7]) == ("degraded", "memory ")
    assert ", writes are refused (limit 90 %)" in full.message
    assert full.values["memory_percent"] > 100
    assert (down.state, cache.state) == ("down", "up")


@pytest.mark.asyncio
async def test_the_role_is_what_it_should_be(server: Redis, follower: Redis) -> None:
    linked(follower)
    right = await sample(follower, role="replica", lag_degraded_s=20)
    assert (right.state, right.message[:30]) == ("up", "replica, linked to its primary")
    assert right.values["lag_s"] <= 12
    wrong = await sample(follower, role="primary")
    assert (wrong.state, wrong.message) == ("down", "it is a replica and should be the primary")
    assert (await sample(server, role="replica")).message == "it is a primary and should be a replica"


@pytest.mark.asyncio
async def test_a_replica_without_its_primary_is_degraded_and_then_down(server: Redis) -> None:
    with running(replica_of=server) as other:
        linked(other)
        with server.stopped():
            until(lambda: "master_link_status:down" in other.run("INFO replication"), lambda: "still linked")
            await asyncio.sleep(1.1)
            alone = await sample(other)
        linked(other)
        assert (await sample(other)).state == "up"
    assert alone.state == "degraded"
    assert alone.message.startswith("replication has stopped: no link to its primary for ")
    assert alone.values["lag_s"] >= 1


@pytest.mark.asyncio
async def test_a_replica_that_never_had_a_link_counts_from_its_own_start(server: Redis) -> None:
    with running(more="replicaof 127.0.0.1 1\n") as lost:
        outcome = await sample(lost)
    assert outcome.state == "degraded"
    assert outcome.values["lag_s"] <= 5


@pytest.mark.asyncio
async def test_a_server_that_loads_its_data_is_down_with_how_far_it_is() -> None:
    with running(more="key-load-delay 20000\nloading-process-events-interval-bytes 1024\n") as other:
        probe = probe_of("redis", **other.keys)
        assert (await probe.sample(4_000)).state == "up"
        other.run("DEBUG POPULATE 300", "SAVE")
        with other.stopped():
            pass
        outcome = await probe.sample(2_000)
    assert outcome.state == "down"
    assert re.fullmatch(
        r"it is loading its data into memory, \d+ % done, about \d+ s to go", outcome.message.split(";")[0]
    )


@pytest.mark.asyncio
async def test_a_server_that_is_busy_with_a_script_is_down_in_its_own_words() -> None:
    with running(more="busy-reply-threshold 50\n") as other, socket.socket(socket.AF_UNIX) as script:
        script.connect(other.socket)
        script.sendall(f"AUTH {PASSWORD}\r\nEVAL 'while true do end' 0\r\n".encode())
        await asyncio.sleep(0.3)
        busy = await sample(other, user="")
        assert other.server.process is not None
    assert busy.state == "down"
    assert "BUSY Redis is busy running a script" in busy.message


@pytest.mark.asyncio
async def test_samples_good_and_bad_leave_no_connection_and_no_descriptor_behind(server: Redis) -> None:
    good, bad = probe_of("redis", **server.keys), probe_of("redis", **{**server.keys, "password": "wrong"})
    secure = probe_of("redis", **{**server.keys, "port": server.tls_port}, tls=True, verify_tls=False)
    for probe in (good, secure):
        await probe.sample(4_000)
    before = open_files_at_first()
    for _ in range(50):
        assert (await good.sample(4_000)).state == "up"
        assert (await secure.sample(4_000)).state == "up"
        with pytest.raises(CouldNotCheckError):
            await bad.sample(4_000)
    with server.server.frozen():
        for _ in range(5):
            assert (await good.sample(50)).state == "down"
            assert (await secure.sample(50)).state == "down"
    await asyncio.sleep(0.1)
    assert open_files() == before
    until(lambda: "connected_clients:1" in server.run("INFO clients"), lambda: server.run("INFO clients"))


@pytest.mark.asyncio
async def test_a_password_file_is_read_anew_for_each_sample(server: Redis, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("wrong\n")
    probe = probe_of("redis", host="127.0.0.1", port=server.port, user="detak", password_file=str(file))
    with pytest.raises(CouldNotCheckError, match="wrong password"):
        await probe.sample(4_000)
    file.write_text(PASSWORD + "\n")
    assert (await probe.sample(4_000)).state == "up"
