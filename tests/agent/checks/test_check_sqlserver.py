import asyncio
import logging
import socket
import threading
from typing import Any

import pytest

from agent.checks.check_stage import Certificates, ask, open_files, open_files_at_first, probe_of, problems_of, serve
from agent.checks.tds_stand_in import OFF, ON, REQUIRED, TdsStandIn
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.sqlserver.health import identifier, quoted
from detak_agent.checks.kinds.sqlserver.transport import NotSqlServerError, encryption_of, with_encryption

PASSWORD = "secret word"
REPLY = b"\4\1\0"
PLAIN: dict[str, Any] = {"tls": False, "password": PASSWORD}


async def look(server: TdsStandIn, deadline_ms: int = 4_000, **keys: Any) -> Outcome:
    async with serve(server.handle) as port:
        return await ask("sqlserver", deadline_ms, host="127.0.0.1", port=port, **{**PLAIN, **keys})


async def reason(server: TdsStandIn, **keys: Any) -> str:
    with pytest.raises(CouldNotCheckError) as caught:
        await look(server, **keys)
    return str(caught.value)


@pytest.mark.asyncio
async def test_a_server_that_lets_the_user_in_is_up_and_marked_with_its_start() -> None:
    outcome = await look(TdsStandIn())
    assert outcome.state == "up"
    assert outcome.message.startswith("answered in ")
    assert outcome.marks == {"server_start": "2025-01-01T06:00:00.123"}
    assert outcome.values["latency_ms"] > 0


@pytest.mark.asyncio
async def test_a_database_that_is_online_is_opened_and_asked() -> None:
    server = TdsStandIn({"sys.databases WHERE name = N'siap'": ["ONLINE"], "FROM health": ["fine"]})
    outcome = await look(server, database="siap", query="SELECT state FROM health", expect="^fine$")
    assert outcome.state == "up"
    assert server.queries[-2:] == ["USE [siap]", "SELECT state FROM health"]


@pytest.mark.asyncio
async def test_a_database_that_is_not_online_is_down_and_not_asked() -> None:
    server = TdsStandIn({"N'siap'": ["RECOVERY_PENDING"]})
    outcome = await look(server, database="siap", query="SELECT 1")
    assert (outcome.state, outcome.message) == ("down", "database siap is RECOVERY_PENDING")
    assert "SELECT 1" not in server.queries
    outcome = await look(TdsStandIn(), database="siap")
    assert (outcome.state, outcome.message) == (
        "down", "the server has no database siap, or does not show it to this user"
    )  # fmt: skip


@pytest.mark.parametrize(("row", "message"), [
    (["7"], "the query gave '7' (expected '^0$')"),
    ([None], "the query gave NULL (expected '^0$')"),
    (None, "the query gave no row (expected '^0$')"),
])  # fmt: skip
@pytest.mark.asyncio
async def test_another_answer_than_expected_is_down(row: list[str | None] | None, message: str) -> None:
    outcome = await look(TdsStandIn({"queue": row}), query="SELECT stuck FROM queue", expect="^0$")
    assert (outcome.state, outcome.message) == ("down", message)


@pytest.mark.asyncio
async def test_the_role_in_an_availability_group_and_its_lag() -> None:
    def server(role: str, health: str, lag: str | None) -> TdsStandIn:
        return TdsStandIn({"availability_replica_states": [role, health], "secondary_lag_seconds": [lag]})

    keys: dict[str, Any] = {"role": "primary", "lag_degraded_s": 10, "lag_down_s": 60}
    assert (await look(server("PRIMARY", "HEALTHY", "3"), **keys)).values["lag_s"] == 3
    assert (await look(server("PRIMARY", "HEALTHY", None), **keys)).state == "up"
    outcome = await look(server("SECONDARY", "HEALTHY", None), **keys)
    assert (outcome.state, outcome.message) == (
        "down", "it is SECONDARY in its availability group and should be PRIMARY"
    )  # fmt: skip
    outcome = await look(server("PRIMARY", "NOT_HEALTHY", "30"), **keys)
    assert (outcome.state, outcome.message) == (
        "degraded",
        "synchronisation of its availability group is NOT_HEALTHY; a secondary is 30.0 s behind (limit 10 s)",
    )
    assert (await look(server("PRIMARY", "HEALTHY", "60"), **keys)).state == "down"
    assert (await look(TdsStandIn(), role="primary")).message == "it belongs to no availability group"


@pytest.mark.asyncio
async def test_a_wrong_password_is_unknown_and_names_the_user() -> None:
    message = await reason(TdsStandIn(refusal=(18_456, "Login failed for user 'detak'.")))
    assert message == "the server refuses user detak: wrong password, no such login, or SQL logins are not allowed"


@pytest.mark.asyncio
async def test_a_missing_right_is_unknown_and_says_what_to_grant() -> None:
    server = TdsStandIn({"availability_replica": (300, "VIEW SERVER STATE permission was denied")})
    assert await reason(server, role="primary") == (
        "user detak may not see the server's state: GRANT VIEW SERVER STATE TO detak"
    )
    server = TdsStandIn({"N'siap'": ["ONLINE"], "USE": (916, "The server principal is not able to access")})
    assert await reason(server, database="siap") == (
        "user detak may not use database siap: CREATE USER detak FOR LOGIN detak in it"
    )


@pytest.mark.asyncio
async def test_a_query_that_is_not_right_is_unknown() -> None:
    message = await reason(
        TdsStandIn({"FROM nowhere": (208, "Invalid object name 'nowhere'.")}), query="SELECT 1 FROM nowhere"
    )
    assert message == "query is not right, or user detak may not see what it names: Invalid object name 'nowhere'."


@pytest.mark.asyncio
async def test_what_keeps_everybody_out_is_down_in_the_server_s_words() -> None:
    outcome = await look(TdsStandIn(refusal=(18_401, "Server is in script upgrade mode.")))
    assert (outcome.state, outcome.message) == (
        "down", "the server upgrades itself and lets nobody in yet: Server is in script upgrade mode."
    )  # fmt: skip
    outcome = await look(TdsStandIn({"tempdb": (823, "The operating system returned error 21")}))
    assert outcome.state == "down"
    assert outcome.message.endswith("answers with error 823: The operating system returned error 21")


@pytest.mark.parametrize("encryption", [ON, REQUIRED])
@pytest.mark.asyncio
async def test_with_tls_everything_from_the_sign_in_on_is_encrypted(
    certificates: Certificates, encryption: int
) -> None:
    server = TdsStandIn(context=certificates.context("good"), encryption=encryption)
    async with serve(server.handle) as port:
        keys: dict[str, Any] = {"host": "127.0.0.1", "port": port, "password": PASSWORD}
        assert (await ask("sqlserver", **keys, ca_file=certificates.authority)).state == "up"
        assert (await ask("sqlserver", **keys, verify_tls=False)).state == "up"
    assert server.tls_version == "TLSv1.2"
    assert server.sign_ins == 2


@pytest.mark.parametrize(("certificate", "words"), [
    ("self-signed", "the certificate of 127.0.0.1 is self-signed: name it in ca_file to trust it"),
    ("expired", "the certificate of 127.0.0.1 has expired: renew it"),
    ("other-name", "the certificate of 127.0.0.1 is for another address"),
])  # fmt: skip
@pytest.mark.asyncio
async def test_a_certificate_that_is_not_trusted_is_down_before_a_password_is_sent(
    certificates: Certificates, certificate: str, words: str
) -> None:
    server = TdsStandIn(context=certificates.context(certificate))
    outcome = await look(server, tls=True, ca_file=certificates.authority)
    assert (outcome.state, outcome.message) == ("down", words)
    assert server.sign_ins == 0


@pytest.mark.asyncio
async def test_a_server_without_tls_gets_no_password_unless_that_is_wanted() -> None:
    for encryption in (None, OFF):
        server = TdsStandIn(encryption=encryption)
        outcome = await look(server, tls=True)
        assert outcome.state == "down"
        assert outcome.message.endswith("offers no TLS, and tls = true asks for it")
        assert server.sign_ins == 0


@pytest.mark.asyncio
async def test_a_server_that_wants_tls_is_unknown_without_it() -> None:
    assert (await reason(TdsStandIn(encryption=REQUIRED))).endswith("takes encrypted connections only: set tls = true")


@pytest.mark.asyncio
async def test_a_refused_connection_says_by_whom() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ConnectionRefusedError, match=f"connection refused by 127.0.0.1:{port}"):
            await ask("sqlserver", host="127.0.0.1", port=port, password=PASSWORD)


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.asyncio
async def test_a_silent_server_is_down_at_the_deadline_every_time(tls: bool) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serve(silent) as port:
        probe = probe_of("sqlserver", host="127.0.0.1", port=port, **{**PLAIN, "tls": tls})
        # What loads the client is not to be measured here.
        await probe.sample(2_000)
        for _ in range(3):
            outcome = await probe.sample(150)
            assert outcome.state == "down"
            assert outcome.message == (
                f"127.0.0.1:{port} took the connection, but did not let the user in within 150 ms"
            )


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("said", [
    b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 100, b"\xff" * 100, REPLY + b"\x0b\0\0\1\0\1\0\xff",
    REPLY + b"\x08\0\0\1\0", REPLY + b"\x30\0\0\1\0" + b"\xff" * 40,
    REPLY + b"\x0f\0\0\1\0\1\0\6\0\1\xff\2" + REPLY + b"\x48\0\0\1\0" + b"\xaa" * 64,
])  # fmt: skip
@pytest.mark.asyncio
async def test_what_is_no_sql_server_is_down_or_refused_with_its_name(tls: bool, said: bytes) -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    async with serve(talk) as port:
        try:
            outcome = await ask("sqlserver", 1_500, host="127.0.0.1", port=port, **{**PLAIN, "tls": tls})
        except OSError as error:
            outcome = Outcome("down", str(error))
    assert outcome.state == "down"
    assert f"127.0.0.1:{port}" in outcome.message


@pytest.mark.asyncio
async def test_samples_leave_no_descriptors_and_no_threads(certificates: Certificates) -> None:
    async with serve(TdsStandIn(context=certificates.context("good")).handle) as port:
        keys: dict[str, Any] = {"host": "127.0.0.1", "port": port, "password": PASSWORD}
        probe = probe_of("sqlserver", **keys, ca_file=certificates.authority)
        for _ in range(5):
            await probe.sample(4_000)
        await asyncio.sleep(0.05)
        before, threads = open_files_at_first(), threading.active_count()
        for _ in range(50):
            assert (await probe.sample(4_000)).state == "up"
        await asyncio.sleep(0.05)
        assert open_files() <= before
        assert threading.active_count() <= threads


@pytest.mark.asyncio
async def test_the_driver_says_nothing_in_the_log_and_no_secret_is_in_a_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    outcome = await look(TdsStandIn(refusal=(4_711, "strange")))
    assert outcome.state == "down"
    assert PASSWORD not in outcome.message
    assert not [record for record in caplog.records if record.name.startswith("pytds")]


def test_names_and_texts_are_quoted() -> None:
    assert quoted("it's") == "N'it''s'"
    assert identifier("a]b") == "[a]]b]"


def test_what_a_packet_says_of_encryption_is_found_and_replaced() -> None:
    packet = b"\x12\1\0\x12\0\0\0\0" + b"\1\0\6\0\1\xff" + b"\0"
    assert encryption_of(packet) == 0
    assert encryption_of(with_encryption(packet, 3)) == 3
    with pytest.raises(NotSqlServerError):
        encryption_of(packet[:12])


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("sqlserver", host=r"db\SIAP", tls=False, ca_file="/x", expect="x", lag_degraded_s=5,
                       lag_down_s=1) == [
        ("host", "must be without an instance: write that instance's own port"),
        ("ca_file", "has no effect with tls = false, nor with verify_tls = false"),
        ("expect", "has no effect without query"),
        ("lag_down_s", "must not be less than lag_degraded_s"),
    ]  # fmt: skip
