import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.checks.check_stage import Certificates, ask, make_certificates, open_files, open_files_at_first, probe_of
from conftest import program_path
from detak_agent.checks.base import CouldNotCheckError, Outcome
from peers.postgresql_server import MAX_CONNECTIONS, PASSWORD, Postgres, primary, replica
from peers.server_process import until

# The wrapper is on the path; the server's own programs come with it.
pytestmark = pytest.mark.peers("pg_ctlcluster", "setpriv", "openssl")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(program_path("openssl"), tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(certificates: Certificates) -> Iterator[Postgres]:
    with primary(certificates) as running:
        yield running


async def sample(server: Postgres, deadline_ms: int = 4_000, **keys: Any) -> Outcome:
    return await ask("postgresql", deadline_ms, **{**server.keys, **keys})


async def refused(server: Postgres, **keys: Any) -> str:
    with pytest.raises(CouldNotCheckError) as caught:
        await sample(server, **keys)
    return str(caught.value)


@pytest.mark.asyncio
async def test_a_primary_that_lets_users_in_is_up_and_has_the_mark_of_its_start(server: Postgres) -> None:
    outcome = await sample(server, role="primary", writable=True)
    started = server.value("SELECT to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')")
    assert (outcome.state, outcome.message[:9]) == ("up", "primary, ")
    assert outcome.marks == {"postmaster_start": started.replace(" ", "T") + "Z"}
    assert outcome.values["latency_ms"] > 0


@pytest.mark.asyncio
async def test_a_query_is_judged_by_the_first_value_as_the_server_writes_it(server: Postgres) -> None:
    async def of(query: str, expect: str = "") -> tuple[str, str]:
        outcome = await sample(server, query=query, expect=expect)
        return outcome.state, outcome.message

    assert (await of("SELECT count(*) = 0 FROM declarations WHERE number < 0", "^t$"))[0] == "up"
    assert (await of("SHOW max_connections", f"^{MAX_CONNECTIONS}$"))[0] == "up"
    assert (await of("SELECT 1 WHERE false"))[0] == "up"
    assert await of("SELECT 5", "^[0-4]$") == ("down", "the query gave '5' (expected '^[0-4]$')")
    assert await of("SELECT 1 WHERE false", "1") == ("down", "the query gave no row (expected '1')")
    assert await of("SELECT NULL", "1") == ("down", "the query gave NULL (expected '1')")
    assert await of("SELECT 1/0") == ("down", "the server answered with an error: division by zero")


@pytest.mark.asyncio
async def test_a_query_without_end_is_down_and_stops_on_the_server_too(server: Postgres) -> None:
    outcome = await sample(server, 400, query="SELECT pg_sleep(60)")
    assert (outcome.state, outcome.message[:39]) == ("down", "the answer to the query did not come wi")
    running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"
    until(lambda: server.value(running) == 0, lambda: "the query still runs")
    limited = await sample(server, query="SHOW statement_timeout", expect=r"^[1-3]?\d{1,3}(ms|s)$")
    assert (limited.state, limited.message) == ("up", limited.message)


@pytest.mark.asyncio
async def test_of_an_endless_result_only_the_begin_is_read(server: Postgres) -> None:
    outcome = await sample(server, query="SELECT 7 FROM pg_class a, pg_class b, pg_class c", expect="^7$")
    assert outcome.state == "up"


@pytest.mark.asyncio
async def test_what_the_check_may_not_do_or_asks_wrongly_is_unknown(server: Postgres) -> None:
    assert await refused(server, password="wrong") == "the server refuses user detak: wrong password, or no such user"
    assert await refused(server, password="") == "the server wants a password of user detak: set password_file"
    assert await refused(server, user="idle") == "the server refuses user idle: it has no LOGIN right"
    assert "permission denied for table hidden" in await refused(server, query="SELECT * FROM hidden")
    assert "query is not right: syntax error" in await refused(server, query="SELEC 1")
    assert "query must only read" in await refused(server, query="DELETE FROM declarations")
    assert await refused(server, query="DO $$BEGIN END$$") == "query gives no result: write a SELECT"


@pytest.mark.asyncio
async def test_a_password_file_is_read_anew_for_each_sample(server: Postgres, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("wrong\n")
    probe = probe_of("postgresql", host="127.0.0.1", port=server.port, password_file=str(file))
    with pytest.raises(CouldNotCheckError, match="wrong password"):
        await probe.sample(4_000)
    file.write_text(PASSWORD + "\n")
    assert (await probe.sample(4_000)).state == "up"
    file.unlink()
    with pytest.raises(CouldNotCheckError, match=r"password_file .* cannot be read: No such file"):
        await probe.sample(4_000)


@pytest.mark.asyncio
async def test_a_database_that_is_gone_is_down(server: Postgres) -> None:
    outcome = await sample(server, database="tax")
    assert outcome.state == "down"
    assert outcome.message == f'127.0.0.1:{server.port} refuses connections: database "tax" does not exist'


@pytest.mark.asyncio
async def test_a_local_socket_and_a_host_name_lead_to_the_server_too(server: Postgres) -> None:
    assert (await sample(server, host=str(server.folder), user="postgres", password="")).state == "up"
    assert (await sample(server, host="localhost")).state == "up"
    with pytest.raises(OSError, match="cannot talk to /nowhere: No such file or directory"):
        await sample(server, host="/nowhere")


@pytest.mark.asyncio
async def test_sslmode_decides_how_far_the_certificate_is_trusted(
    server: Postgres, certificates: Certificates, tmp_path: Path
) -> None:
    assert (await sample(server, sslmode="require")).state == "up"
    assert (await sample(server, sslmode="verify-full", ca_file=certificates.authority)).state == "up"
    other = await sample(server, sslmode="verify-ca", ca_file=str(certificates.path("self-signed")))
    assert (other.state, "is not trusted by ca_file" in other.message) == ("down", True)
    assert await refused(server, sslmode="verify-ca", ca_file=str(tmp_path / "none")) == (
        f"ca_file {tmp_path / 'none'} cannot be read: No such file or directory"
    )
    with _without_tls(server):
        plain = await sample(server, sslmode="require")
    assert plain.message == f"127.0.0.1:{server.port} offers no TLS, and sslmode asks for it"
    assert plain.state == "down"


@contextlib.contextmanager
def _without_tls(server: Postgres) -> Iterator[None]:
    server.run("ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()")
    until(lambda: server.value("SHOW ssl") == "off", lambda: "TLS is still on")
    try:
        yield
    finally:
        server.run("ALTER SYSTEM RESET ssl", "SELECT pg_reload_conf()")
        until(lambda: server.value("SHOW ssl") == "on", lambda: "TLS is still off")


@pytest.mark.asyncio
async def test_a_server_that_takes_no_writes_is_down_only_where_it_should(server: Postgres) -> None:
    server.run("ALTER ROLE detak SET default_transaction_read_only = on")
    try:
        assert (await sample(server)).state == "up"
        outcome = await sample(server, writable=True)
    finally:
        server.run("ALTER ROLE detak RESET default_transaction_read_only")
    assert (outcome.state, outcome.message) == ("down", "it takes no writes: default_transaction_read_only is on")


@pytest.mark.asyncio
async def test_a_server_without_free_connections_is_down_in_its_own_words_and_degraded_before(server: Postgres) -> None:
    with contextlib.ExitStack() as taken:
        for _ in range(MAX_CONNECTIONS - 4):
            taken.enter_context(contextlib.closing(server.connect("plain")))
        for user in ("detak", "plain"):
            wait_until_gone(server)
            last = await sample(server, user=user, connections_degraded_percent=70)
            assert last.state == "degraded"
            assert last.message == f"75.0 % of the connections in use, 9 of {MAX_CONNECTIONS} (limit 70 %)"
        wait_until_gone(server)
        taken.enter_context(contextlib.closing(server.connect("plain")))
        full = await sample(server)
    assert full.state == "down"
    assert "refuses connections: remaining connection slots are reserved" in full.message


@pytest.mark.asyncio
async def test_a_frozen_server_is_down_at_the_deadline(server: Postgres) -> None:
    with server.server.frozen():
        outcome = await sample(server, 400)
    assert outcome.state == "down"
    assert f"127.0.0.1:{server.port} did not answer within" in outcome.message


@pytest.mark.asyncio
async def test_a_restart_changes_the_mark_and_nothing_else_does(server: Postgres) -> None:
    probe = probe_of("postgresql", **server.keys)
    marks = [(await probe.sample(4_000)).marks for _ in range(2)]
    with server.stopped(), pytest.raises(ConnectionRefusedError, match=f"refused by 127.0.0.1:{server.port}"):
        await probe.sample(4_000)
    after = await probe.sample(4_000)
    assert marks[0] == marks[1]
    assert after.state == "up"
    assert after.marks != marks[0]


@pytest.mark.asyncio
async def test_a_server_that_shuts_down_or_accepts_nobody_is_down_in_its_own_words(server: Postgres) -> None:
    with replica(server, "hot_standby = off\n") as other:
        cold = await sample(other)
        assert cold.state == "down"
        assert "refuses connections: the database system is not accepting connections (Hot standby mode" in cold.message
    with primary() as other, contextlib.closing(other.connect()):
        assert other.server.process is not None
        other.server.process.send_signal(signal.SIGTERM)
        # One that is still in use lets nobody else in, and waits.
        outcome = await _until_refused(other)
    assert outcome.message.endswith("refuses connections: the database system is shutting down")


async def _until_refused(server: Postgres) -> Outcome:
    for _ in range(100):
        outcome = await sample(server)
        if outcome.state == "down":
            return outcome
        await asyncio.sleep(0.05)
    raise AssertionError("it still lets users in")


@pytest.mark.asyncio
async def test_samples_good_and_bad_leave_no_connection_and_no_descriptor_behind(server: Postgres) -> None:
    good, bad = probe_of("postgresql", **server.keys), probe_of("postgresql", **{**server.keys, "password": "wrong"})
    slow = probe_of("postgresql", **server.keys, query="SELECT pg_sleep(9)")
    await good.sample(4_000)
    before = open_files_at_first()
    for _ in range(50):
        await good.sample(4_000)
        with pytest.raises(CouldNotCheckError):
            await bad.sample(4_000)
    for _ in range(5):
        assert (await slow.sample(80)).state == "down"
    assert open_files() == before
    wait_until_gone(server)


def wait_until_gone(server: Postgres) -> None:
    """Until the server, too, has noticed that the check's connections and those of the test are closed."""
    open_ones = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'detak-agent'"
    until(lambda: server.value(open_ones) == 0, lambda: "connections stay open")
    time.sleep(0.05)
