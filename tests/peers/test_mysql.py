import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from agent.checks.check_stage import Certificates, ask, make_certificates, open_files, open_files_at_first, probe_of
from conftest import program_path
from detak_agent.checks.base import CouldNotCheckError, Outcome
from peers.mariadb_server import MAX_CONNECTIONS, PASSWORD, Mariadb, caught_up, primary, replica, until_value

pytestmark = pytest.mark.peers("mariadbd", "mariadb-install-db", "setpriv", "openssl")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(program_path("openssl"), tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(certificates: Certificates) -> Iterator[Mariadb]:
    with primary(certificates) as running:
        yield running


@pytest.fixture(scope="module")
def follower(server: Mariadb) -> Iterator[Mariadb]:
    with replica(server) as running:
        yield running


async def sample(server: Mariadb, deadline_ms: int = 4_000, **keys: Any) -> Outcome:
    return await ask("mysql", deadline_ms, **{**server.keys, **keys})


async def refused(server: Mariadb, **keys: Any) -> str:
    with pytest.raises(CouldNotCheckError) as caught:
        await sample(server, **keys)
    return str(caught.value)


@pytest.mark.asyncio
async def test_a_server_that_lets_users_in_is_up_and_has_the_mark_of_its_start(server: Mariadb) -> None:
    outcome = await sample(server, role="primary", writable=True, database="tax")
    started = server.value("SELECT UNIX_TIMESTAMP() - VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "
                           "WHERE VARIABLE_NAME = 'UPTIME'")  # fmt: skip
    assert (outcome.state, outcome.message[:9]) == ("up", "primary, ")
    assert abs(int(outcome.marks["server_start"]) - int(started)) <= 1
    assert outcome.values["latency_ms"] > 0


@pytest.mark.asyncio
async def test_a_query_is_judged_by_the_first_value_as_the_server_writes_it(server: Mariadb) -> None:
    async def of(query: str, expect: str = "") -> tuple[str, str]:
        outcome = await sample(server, query=query, expect=expect)
        return outcome.state, outcome.message

    assert (await of("SELECT COUNT(*) FROM tax.declarations", "^0$"))[0] == "up"
    assert (await of("SELECT 1 WHERE false"))[0] == "up"
    assert (await of("SELECT a.TABLE_NAME, 7 FROM information_schema.TABLES a", "."))[0] == "up"
    assert await of("SELECT 5", "^[0-4]$") == ("down", "the query gave '5' (expected '^[0-4]$')")
    assert await of("SELECT 1 WHERE false", "1") == ("down", "the query gave no row (expected '1')")
    assert await of("SELECT NULL", "1") == ("down", "the query gave NULL (expected '1')")
    gone = "the server answered with error 1146: Table 'tax.nothing' doesn't exist"
    assert await of("SELECT * FROM tax.nothing") == ("down", gone)


@pytest.mark.asyncio
async def test_a_query_without_end_is_down_and_stops_on_the_server_too(server: Mariadb) -> None:
    probe = probe_of("mysql", **server.keys, query="SELECT SLEEP(60)")
    outcomes = [await probe.sample(400) for _ in range(3)]
    assert {outcome.state for outcome in outcomes} == {"down"}
    assert "query" in outcomes[-1].message
    running = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'detak'"
    until_value(server, running, 0)


@pytest.mark.asyncio
async def test_what_the_check_may_not_do_or_asks_wrongly_is_unknown(server: Mariadb) -> None:
    no_entry = "the server refuses user {}: wrong password, or no such user from this host"
    assert await refused(server, password="wrong") == no_entry.format("detak")
    assert await refused(server, user="nobody") == no_entry.format("nobody")
    assert "no such database, or user plain may not use it" in await refused(server, user="plain", database="tax")
    assert "lacks a right: SELECT command denied" in await refused(server, query="SELECT * FROM mysql.user")
    assert "query is not right" in await refused(server, query="SELEC 1")
    assert await refused(server, query="SELECT * FROM t") == "query names no database: set database"
    assert "GRANT REPLICA MONITOR" in await refused(server, user="plain", role="primary")


@pytest.mark.asyncio
async def test_a_query_cannot_write(server: Mariadb) -> None:
    words = await refused(server, user="writer", query="INSERT INTO tax.declarations VALUES (1)")
    assert words.startswith("query must only read")
    assert server.value("SELECT COUNT(*) FROM tax.declarations") == 0


@pytest.mark.asyncio
async def test_a_database_that_is_gone_is_down(server: Mariadb) -> None:
    server.run("GRANT SELECT ON dropped.* TO detak@'%'")
    outcome = await sample(server, database="dropped")
    assert (outcome.state, "Unknown database 'dropped'" in outcome.message) == ("down", True)


@pytest.mark.asyncio
async def test_a_local_socket_and_a_host_name_lead_to_the_server_too(server: Mariadb) -> None:
    assert (await sample(server, host=server.socket, user="root", password="")).state == "up"
    assert (await sample(server, host="localhost")).state == "up"
    with pytest.raises(OSError, match="cannot talk to /nowhere: No such file or directory"):
        await sample(server, host="/nowhere")


@pytest.mark.asyncio
async def test_tls_is_trusted_by_ca_file_and_for_the_right_name(server: Mariadb, certificates: Certificates) -> None:
    assert (await sample(server, tls=True, ca_file=certificates.authority)).state == "up"
    assert (await sample(server, tls=True, verify_tls=False)).state == "up"
    stranger = await sample(server, tls=True)
    assert (stranger.state, "comes from an authority that this node does not know" in stranger.message) == (
        "down",
        True,
    )


@pytest.mark.asyncio
async def test_a_server_without_tls_is_down_where_tls_is_wanted(follower: Mariadb) -> None:
    outcome = await sample(follower, tls=True, verify_tls=False)
    assert (outcome.state, outcome.message) == ("down", "the server offers no TLS, and tls = true asks for it")


@pytest.mark.asyncio
async def test_a_server_that_takes_no_writes_is_down_only_where_it_should(server: Mariadb) -> None:
    server.run("SET GLOBAL read_only = ON")
    try:
        assert (await sample(server)).state == "up"
        outcome = await sample(server, writable=True)
    finally:
        server.run("SET GLOBAL read_only = OFF")
    assert (outcome.state, outcome.message) == ("down", "it takes no writes: read_only is on")


@pytest.mark.asyncio
async def test_a_server_without_free_connections_is_down_and_degraded_before(server: Mariadb) -> None:
    with contextlib.ExitStack() as taken:
        for _ in range(MAX_CONNECTIONS - 3):
            taken.enter_context(contextlib.closing(server.connect("plain")))
        last = await sample(server, connections_degraded_percent=70)
        with contextlib.suppress(pymysql.err.OperationalError):
            for _ in range(MAX_CONNECTIONS):
                taken.enter_context(contextlib.closing(server.connect("plain")))
        full = await sample(server)
    assert (last.state, "% of the connections in use" in last.message) == ("degraded", True)
    assert (full.state, full.message) == ("down", "the server takes no more connections: Too many connections")
    until_value(server, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'plain'", 0)


@pytest.mark.asyncio
async def test_a_frozen_server_is_down_at_the_deadline_each_time(server: Mariadb) -> None:
    probe = probe_of("mysql", **server.keys)
    assert (await probe.sample(4_000)).state == "up"
    with server.server.frozen():
        outcomes = [await probe.sample(300) for _ in range(3)]
    silent = f"127.0.0.1:{server.port} took the connection, but did not answer within 300 ms"
    assert [(outcome.state, outcome.message) for outcome in outcomes] == [("down", silent)] * 3
    assert (await probe.sample(4_000)).state == "up"


@pytest.mark.asyncio
async def test_a_restart_changes_the_mark_and_nothing_else_does(server: Mariadb) -> None:
    probe = probe_of("mysql", **server.keys)
    before = (await probe.sample(4_000)).marks
    await asyncio.sleep(1.1)
    assert (await probe.sample(4_000)).marks == before
    with server.stopped():
        with pytest.raises(ConnectionRefusedError, match=f"refused by 127.0.0.1:{server.port}"):
            await probe.sample(4_000)
        await asyncio.sleep(3)
    after = await probe.sample(4_000)
    assert (after.state, after.marks != before) == ("up", True)


@pytest.mark.asyncio
async def test_the_role_is_what_it_should_be(server: Mariadb, follower: Mariadb) -> None:
    caught_up(follower, server)
    outcome = await sample(follower, role="replica")
    assert (outcome.state, outcome.message[:12], outcome.values["lag_s"]) == ("up", "replica 0 s ", 0)
    wrong = await sample(follower, role="primary")
    assert wrong.state == "down"
    assert wrong.message == f"it replicates from 127.0.0.1:{server.port} and should be the primary"
    alone = await sample(server, role="replica")
    assert (alone.state, alone.message) == ("down", "it replicates from no other server and should be a replica")


@pytest.mark.asyncio
async def test_replication_that_stopped_is_degraded_and_its_lag_grows(server: Mariadb, follower: Mariadb) -> None:
    caught_up(follower, server)
    probe = probe_of("mysql", **follower.keys, role="replica", lag_down_s=1)
    assert (await probe.sample(4_000)).state == "up"
    follower.run("STOP SLAVE SQL_THREAD")
    try:
        first = await probe.sample(4_000)
        await asyncio.sleep(1.1)
        later = await probe.sample(4_000)
    finally:
        follower.run("START SLAVE SQL_THREAD")
    source = f"replication from 127.0.0.1:{server.port}"
    stopped = f"{source} receives, but does not apply what it received (SQL thread)"
    assert (first.state, first.message) == ("degraded", stopped)
    assert (later.state, later.message[:14]) == ("down", "replication 1.")
    caught_up(follower, server)
    assert (await probe.sample(4_000)).state == "up"


@pytest.mark.asyncio
async def test_an_error_of_replication_is_shown() -> None:
    with primary() as server, replica(server) as other:
        server.run("SET sql_log_bin = 0", "CREATE TABLE tax.only_here (number INT)", "SET sql_log_bin = 1",
                   "INSERT INTO tax.only_here VALUES (1)")  # fmt: skip
        until_value(other, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Slave_SQL'", 0)
        broken = await sample(other, role="replica")
    assert broken.state == "degraded"
    assert "(SQL thread): Error 'Table 'tax.only_here' doesn't exist'" in broken.message


@pytest.mark.asyncio
async def test_samples_good_and_bad_leave_no_connection_and_no_descriptor_behind(
    server: Mariadb, certificates: Certificates
) -> None:
    good, bad = probe_of("mysql", **server.keys), probe_of("mysql", **{**server.keys, "password": "wrong"})
    secure = probe_of("mysql", **server.keys, tls=True, ca_file=certificates.authority)
    slow = probe_of("mysql", **server.keys, tls=True, verify_tls=False, query="SELECT SLEEP(9)")
    await good.sample(4_000)
    await slow.sample(100)
    await asyncio.sleep(0.2)
    before = open_files_at_first()
    for _ in range(50):
        assert (await good.sample(4_000)).state == "up"
        assert (await secure.sample(4_000)).state == "up"
        with pytest.raises(CouldNotCheckError):
            await bad.sample(4_000)
    for _ in range(5):
        assert (await slow.sample(100)).state == "down"
    await asyncio.sleep(0.2)
    assert open_files() == before
    until_value(server, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'detak'", 0)


@pytest.mark.asyncio
async def test_a_password_file_is_read_anew_for_each_sample(server: Mariadb, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("wrong\n")
    probe = probe_of("mysql", host="127.0.0.1", port=server.port, password_file=str(file))
    with pytest.raises(CouldNotCheckError, match="wrong password"):
        await probe.sample(4_000)
    file.write_text(PASSWORD + "\n")
    assert (await probe.sample(4_000)).state == "up"
