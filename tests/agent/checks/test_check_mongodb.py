import asyncio
import contextlib
import datetime as dt
import socket
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo import MongoClient

from agent.checks.check_stage import Certificates, ask, open_files, open_files_at_first, probe_of, problems_of, serve
from agent.checks.mongodb_stand_in import HELLO, PASSWORD, USER, MongodbStandIn, refusal
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.mongodb.health import lag_of
from detak_agent.checks.kinds.mongodb.scram import SaltedPasswords, Scram
from detak_agent.checks.kinds.mongodb.wire import NotMongoError, packed, unpacked

SIGNED_IN: dict[str, Any] = {"user": USER, "password": PASSWORD}
SECONDARY = {**HELLO, "isWritablePrimary": False, "secondary": True, "setName": "siap"}


async def look(server: MongodbStandIn, deadline_ms: int = 4_000, **keys: Any) -> Outcome:
    async with serve(server.handle) as port:
        return await ask("mongodb", deadline_ms, host="127.0.0.1", port=port, **keys)


async def reason(server: MongodbStandIn, **keys: Any) -> str:
    with pytest.raises(CouldNotCheckError) as caught:
        await look(server, **keys)
    return str(caught.value).partition(" ")[2]


def status(**seconds_ago: float) -> dict[str, Any]:
    now = dt.datetime(2025, 1, 1, 12, tzinfo=dt.timezone.utc)
    members = [
        {"stateStr": name.upper(), "optimeDate": now - dt.timedelta(seconds=ago), "self": name == "secondary"}
        for name, ago in seconds_ago.items()
    ]
    return {"ok": 1.0, "members": members}


@pytest.mark.asyncio
async def test_a_server_that_answers_is_up_and_marked_with_its_process() -> None:
    outcome = await look(MongodbStandIn())
    assert outcome.state == "up"
    assert outcome.message.startswith("standalone server, answered in ")
    assert outcome.marks == {"server_process": "64b000000000000000000001"}


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1"])
@pytest.mark.parametrize("one_more", [False, True])
@pytest.mark.asyncio
async def test_a_user_is_let_in_by_the_mechanism_that_the_server_offers(mechanism: str, one_more: bool) -> None:
    server = MongodbStandIn()
    server.mechanism, server.wants_one_more_step = mechanism, one_more
    async with serve(server.handle) as port:
        probe = probe_of("mongodb", host="127.0.0.1", port=port, **SIGNED_IN)
        assert [(await probe.sample(4_000)).state for _ in range(2)] == ["up", "up"]
    assert server.commands.count("saslStart") == 2


@pytest.mark.asyncio
async def test_the_driver_s_own_client_takes_the_stand_in_for_a_server() -> None:
    def sign_in(port: int) -> Any:
        with MongoClient[dict[str, Any]](
            "127.0.0.1", port, username=USER, password=PASSWORD, directConnection=True, serverSelectionTimeoutMS=5_000
        ) as client:
            return client.admin.command("ping")["ok"]

    async with serve(MongodbStandIn().handle) as port:
        assert await asyncio.to_thread(sign_in, port) == 1


def test_scram_is_that_of_the_example_in_its_specification() -> None:
    nonce = "rOprNGfwEbeRWgbNEkqO"
    exchange = Scram("SCRAM-SHA-256", "user", "pencil", SaltedPasswords(), lambda: nonce)
    assert exchange.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    served = rf"r={nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    assert exchange.final(served.encode()) == (
        rf"c=biws,r={nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode()
    )
    exchange.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


@pytest.mark.asyncio
async def test_a_wrong_password_is_unknown_and_names_the_user() -> None:
    assert await reason(MongodbStandIn(), user=USER, password="secret") == (
        f"refuses user {USER}: wrong password, or no such user in auth_database admin"
    )


@pytest.mark.asyncio
async def test_a_server_that_does_not_know_the_password_is_found_out() -> None:
    server = MongodbStandIn()
    server.knows_the_password = False
    assert "without knowing its password" in await reason(server, **SIGNED_IN)


@pytest.mark.asyncio
async def test_a_user_of_another_mechanism_is_unknown() -> None:
    server = MongodbStandIn()
    server.mechanism = "PLAIN"
    assert await reason(server, **SIGNED_IN) == "lets this user in by PLAIN only: give it SCRAM-SHA-256"


@pytest.mark.asyncio
async def test_a_member_that_serves_nobody_is_down() -> None:
    outcome = await look(MongodbStandIn({**HELLO, "isWritablePrimary": False, "setName": "siap"}))
    assert outcome.state == "down"
    assert outcome.message.startswith("it serves nobody")


@pytest.mark.asyncio
async def test_another_role_or_another_replica_set_is_down() -> None:
    assert (await look(MongodbStandIn(SECONDARY), role="secondary", replica_set="siap")).state == "up"
    outcome = await look(MongodbStandIn(SECONDARY), role="primary", replica_set="other")
    assert (outcome.state, outcome.message) == (
        "down", "it is a secondary and should be a primary; it belongs to replica set siap and should be in other"
    )  # fmt: skip
    assert "belongs to no replica set" in (await look(MongodbStandIn(), replica_set="siap")).message


@pytest.mark.asyncio
async def test_the_lag_of_a_secondary_is_degraded_and_then_down() -> None:
    async def lag(seconds: float) -> Outcome:
        server = MongodbStandIn(SECONDARY, replSetGetStatus=status(primary=0, secondary=seconds))
        return await look(server, lag_degraded_s=10, lag_down_s=60)

    assert (await lag(9)).state == "up"
    outcome = await lag(30)
    assert (outcome.state, outcome.message) == ("degraded", "30.0 s behind the primary (limit 10 s)")
    assert outcome.values["lag_s"] == 30
    assert (await lag(61)).state == "down"


@pytest.mark.asyncio
async def test_a_primary_is_not_asked_how_far_it_is_behind() -> None:
    assert (await look(MongodbStandIn(), lag_down_s=60)).state == "up"


def test_without_a_primary_the_lag_is_that_behind_the_furthest_member() -> None:
    assert lag_of(status(other=2, secondary=12)) == 10
    assert lag_of(status(primary=5, other=2, secondary=12)) == 7
    assert lag_of(status(primary=5, secondary=1)) == 0
    assert lag_of(status(primary=5)) is None


@pytest.mark.asyncio
async def test_the_share_of_connections_in_use() -> None:
    server = MongodbStandIn(serverStatus={"ok": 1.0, "connections": {"current": 95, "available": 5}})
    outcome = await look(server, connections_degraded_percent=90)
    assert (outcome.state, outcome.message) == (
        "degraded", "95.0 % of the connections in use, 95 of 100 (limit 90 %)"
    )  # fmt: skip
    assert outcome.values["connections_percent"] == 95


@pytest.mark.asyncio
async def test_a_missing_right_is_unknown_and_names_the_role_to_grant() -> None:
    server = MongodbStandIn(
        SECONDARY, replSetGetStatus=refusal(13, "not authorized"), find=refusal(13, "not authorized")
    )
    assert await reason(server, lag_down_s=60) == (
        "does not let whoever does not sign in run replSetGetStatus: grant the role clusterMonitor"
    )
    assert await reason(server, collection="siap.health") == (
        "does not let whoever does not sign in run find: grant the role read on siap.health"
    )


@pytest.mark.asyncio
async def test_a_collection_is_read() -> None:
    server = MongodbStandIn(find={"ok": 1.0, "cursor": {"firstBatch": [], "id": 0}})
    assert (await look(server, collection="siap.health")).state == "up"
    assert server.commands == ["hello", "find"]


@pytest.mark.asyncio
async def test_a_server_before_hello_is_asked_in_the_old_way() -> None:
    server = MongodbStandIn({"ismaster": True, "maxWireVersion": 7}, hello=refusal(59, "no such command: 'hello'"))
    outcome = await look(server)
    assert (outcome.state, outcome.marks) == ("up", {})
    assert server.commands == ["hello", "isMaster", "ping"]


@pytest.mark.asyncio
async def test_a_server_that_is_shut_down_is_down_in_its_own_words() -> None:
    outcome = await look(MongodbStandIn(ping=refusal(91, "The server is in quiesce mode and will shut down")))
    assert outcome.state == "down"
    assert outcome.message.endswith("is being shut down: The server is in quiesce mode and will shut down")


@pytest.mark.asyncio
async def test_a_refused_connection_says_by_whom() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ConnectionRefusedError, match=f"connection refused by 127.0.0.1:{port}"):
            await ask("mongodb", host="127.0.0.1", port=port)


@pytest.mark.asyncio
async def test_a_silent_server_is_down_at_the_deadline() -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serve(silent) as port:
        for tls, awaited in ((False, "did not answer to hello"), (True, "did not complete the TLS handshake")):
            probe = probe_of("mongodb", host="127.0.0.1", port=port, tls=tls, verify_tls=False)
            # What loads the client is not to be measured here.
            await probe.sample(2_000)
            outcome = await probe.sample(150)
            assert outcome.state == "down"
            assert outcome.message == f"127.0.0.1:{port} {awaited} within 150 ms"


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 100, b"\xff" * 100])
@pytest.mark.asyncio
async def test_what_does_not_speak_the_protocol_is_down(said: bytes) -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    async with serve(talk) as port:
        outcome = await ask("mongodb", host="127.0.0.1", port=port)
    assert (outcome.state, outcome.message) == ("down", f"127.0.0.1:{port} does not speak MongoDB's protocol")


@pytest.mark.asyncio
async def test_a_connection_closed_at_once_is_an_error_with_words() -> None:
    async def close(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        return

    async with serve(close) as port:
        with pytest.raises(OSError, match=f"by 127.0.0.1:{port}"):
            await ask("mongodb", host="127.0.0.1", port=port)


@pytest.mark.asyncio
async def test_tls_is_up_where_the_certificate_is_trusted_and_down_where_not(certificates: Certificates) -> None:
    server = MongodbStandIn()
    async with serve(server.handle, tls=certificates.context("good")) as port:
        keys: dict[str, Any] = {"host": "127.0.0.1", "port": port, "tls": True}
        assert (await ask("mongodb", **keys, ca_file=certificates.authority)).state == "up"
        assert (await ask("mongodb", **keys, verify_tls=False)).state == "up"
        server.commands.clear()
        outcome = await ask("mongodb", **keys)
        assert outcome.state == "down"
        assert "comes from an authority that this node does not know" in outcome.message
    assert server.commands == []


@pytest.mark.asyncio
async def test_samples_leave_no_open_files() -> None:
    async with serve(MongodbStandIn().handle) as port:
        probe = probe_of("mongodb", host="127.0.0.1", port=port, **SIGNED_IN)
        for _ in range(5):
            await probe.sample(4_000)
        await asyncio.sleep(0.05)
        before = open_files_at_first()
        for _ in range(50):
            assert (await probe.sample(4_000)).state == "up"
        await asyncio.sleep(0.05)
        assert open_files() <= before


@given(st.dictionaries(st.text("abc", min_size=1), st.one_of(st.integers(-(2**31), 2**31), st.text()), max_size=5))
def test_a_message_is_read_as_it_was_written(document: dict[str, Any]) -> None:
    assert unpacked(packed(1, document)[16:]) == document


@given(st.binary(min_size=5, max_size=60))
def test_any_reply_is_a_document_or_refused(body: bytes) -> None:
    with contextlib.suppress(NotMongoError):
        assert isinstance(unpacked(body), dict)


def test_a_checksum_at_the_end_of_a_reply_is_left_out() -> None:
    assert unpacked(b"\1\0\0\0\0" + bson.encode({"ok": 1}) + b"\1\2\3\4") == {"ok": 1}


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("mongodb", host="/run/x", collection="health", user="u", ca_file="/x", lag_degraded_s=5,
                       lag_down_s=1, slow_ms=4_000) == [
        ("host", "must be a host name or an address"),
        ("collection", 'must be written as "database.collection"'),
        ("user", "needs a password or password_file, and these need a user"),
        ("ca_file", "has no effect without tls = true, nor with verify_tls = false"),
        ("lag_down_s", "must not be less than lag_degraded_s"),
        ("slow_ms", "must be less than timeout_ms, which makes the check down"),
    ]  # fmt: skip
