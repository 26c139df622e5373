import asyncio
from dataclasses import replace
from typing import Any

import pytest

from agent.checks.check_stage import ask, probe_of, problems_of, serve, settings_of
from agent.checks.database_stand_ins import cancelled_before_an_answer, closing, endless, silent, web
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.mysql.health import (
    Answer,
    Channel,
    Facts,
    Freshness,
    SteadyStart,
    channel_of,
    facts_of,
    judge,
    replica_statement,
    time_limit_statement,
)
from detak_agent.checks.kinds.mysql.kind import MysqlSettings
from detak_agent.checks.kinds.mysql.words import failed

RUNNING = Channel(name="", source="10.0.0.4:3306", receiving="Yes", applying="Yes", behind_s=0.0, error="")
FACTS = Facts("10.11.14-MariaDB", 1_000_000, read_only=False, connections=10, max_connections=100)

# What a server says first: protocol 10, its version, and a challenge; no TLS.
GREETING = (
    b"\x0a5.7.0-fake\x00\x01\x00\x00\x00challeng\x00\xff\xf7\x21\x02\x00\x0f\x80\x15"
    + b"\x00" * 10
    + b"challenge123\x00"
    b"mysql_native_password\x00"
)


def packet(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


def judged(facts: Facts, lag_s: float | None = None, **keys: Any) -> Outcome:
    settings = settings_of("mysql", host="10.0.0.5", **keys)
    assert isinstance(settings, MysqlSettings)
    return judge(Answer(facts, facts.started_s, lag_s, 5.0), settings)


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("mysql", host="a b", password="a", password_file="b", ca_file="/a.pem", lag_down_s=5) == [
        ("host", "must be a host name or an address without port, brackets or spaces, or an absolute path"),
        ("password_file", "may not stand beside password: which of them counts?"),
        ("ca_file", "has no effect without tls = true"),
        ("lag_down_s", "has an effect with role = 'replica' only"),
    ]
    assert problems_of("mysql", host="/run/mysqld/mysqld.sock", tls=True) == [
        ("tls", "has no effect on a local socket")
    ]
    assert problems_of("mysql", host="db", tls=True, verify_tls=False, ca_file="/a.pem", expect="1") == [
        ("ca_file", "has no effect with verify_tls = false"),
        ("expect", "has no effect without query"),
    ]


def test_each_server_is_asked_in_words_that_it_knows() -> None:
    assert replica_statement("10.11.14-MariaDB-0+deb12u2") == "SHOW ALL SLAVES STATUS"
    assert replica_statement("8.0.22") == replica_statement("8.4.3-commercial") == "SHOW REPLICA STATUS"
    assert replica_statement("8.0.21") == replica_statement("5.7.44-log") == "SHOW SLAVE STATUS"
    assert time_limit_statement("11.4.2-MariaDB", 1_500) == "SET SESSION max_statement_time = 1.500"
    assert time_limit_statement("8.4.3", 1_500) == "SET SESSION max_execution_time = 1500"


def test_replication_is_read_in_old_words_and_in_new_ones() -> None:
    old = {"Connection_name": "dc", "Master_Host": "10.0.0.4", "Master_Port": "3306", "Slave_IO_Running": "Yes",
           "Slave_SQL_Running": "No", "Seconds_Behind_Master": None, "Last_SQL_Error": ""}  # fmt: skip
    new = {"Channel_Name": "dc", "Source_Host": "10.0.0.4", "Source_Port": "3306", "Replica_IO_Running": "Yes",
           "Replica_SQL_Running": "No", "Seconds_Behind_Source": None, "Last_SQL_Error": ""}  # fmt: skip
    assert channel_of(old) == channel_of(new) == Channel("dc", "10.0.0.4:3306", "Yes", "No", None, "")
    assert channel_of({**new, "Seconds_Behind_Source": "7"}).behind_s == 7


def test_facts_come_from_variables_and_status() -> None:
    variables = {"version": "8.4.3", "read_only": "OFF", "max_connections": "151"}
    facts = facts_of(variables, {"Uptime": "60", "Threads_connected": "3"}, 1_000, None)
    assert facts == Facts("8.4.3", 940, read_only=False, connections=3, max_connections=151)
    for value in ("ON", "1", "NO_LOCK"):
        assert facts_of({**variables, "read_only": value}, {"Uptime": "1", "Threads_connected": "1"}, 9, None).read_only


def test_a_start_that_wobbles_is_one_mark_and_a_restart_another() -> None:
    start = SteadyStart()
    assert [start.of(seconds) for seconds in (100, 101, 99, 102, 98)] == [100] * 5
    assert [start.of(seconds) for seconds in (103, 104, 101)] == [103] * 3


def test_the_lag_goes_on_while_the_server_cannot_tell_it() -> None:
    freshness, stopped = Freshness(), replace(RUNNING, receiving="No", behind_s=None)
    assert freshness.lag_s(100.0, [replace(RUNNING, behind_s=4.0)]) == 4
    assert freshness.lag_s(110.0, [stopped]) == 14
    assert freshness.lag_s(120.0, [RUNNING]) == 0
    assert freshness.lag_s(125.0, [stopped, replace(RUNNING, behind_s=30.0)]) == 30


def test_replication_that_is_stopped_at_first_sight_is_late_since_then() -> None:
    freshness, stopped = Freshness(), [replace(RUNNING, behind_s=None)]
    assert [freshness.lag_s(now, stopped) for now in (100.0, 160.0)] == [0, 60]


def test_each_way_in_which_replication_stops_has_its_words() -> None:
    def of(**changes: Any) -> str:
        channels = (replace(RUNNING, name="dc", **changes),)
        outcome = judged(replace(FACTS, channels=channels), 0.0, role="replica")
        assert outcome.state == "degraded"
        return outcome.message.removeprefix("replication of channel dc from 10.0.0.4:3306 ")

    assert of(receiving="No", applying="No") == "does not run"
    assert of(applying="No", error="Duplicate\nentry") == (
        "receives, but does not apply what it received (SQL thread): Duplicate entry"
    )
    assert of(receiving="No") == "does not receive (IO thread)"
    assert of(receiving="Connecting") == "cannot connect (IO thread)"


def test_limits_roles_and_writes_are_judged() -> None:
    replica = replace(FACTS, channels=(RUNNING,))
    assert judged(replica, 5.0, role="replica", lag_degraded_s=5, lag_down_s=9).state == "degraded"
    assert judged(replica, 9.0, role="replica", lag_degraded_s=5, lag_down_s=9).state == "down"
    assert judged(replica, 4.0, role="replica", lag_degraded_s=5).message.startswith("replica 4 s behind, 10 of 100")
    assert judged(replica, role="primary").state == "down"
    stopped = replace(FACTS, channels=(replace(RUNNING, receiving="No", applying="No"),))
    assert judged(stopped, role="primary").state == "up"
    assert judged(replace(FACTS, channels=()), role="replica").state == "down"
    assert judged(replace(FACTS, read_only=True), writable=True).state == "down"
    assert judged(replace(FACTS, connections=90)).state == "degraded"
    assert judged(FACTS).marks == {"server_start": "1000000"}


def test_what_shuts_out_users_is_down_and_what_shuts_out_the_check_is_unknown() -> None:
    assert failed(1040, "Too many connections", "db:3306", "detak").state == "down"
    assert failed(1053, "Server shutdown in progress", "db:3306", "detak").message == "the server is shutting down"
    assert failed(1047, "WSREP has not yet prepared node", "db:3306", "detak").state == "down"
    assert failed(2013, "Lost connection", "db:3306", "detak").message == (
        "db:3306 closed the connection before it had answered"
    )
    for code, words in ((1045, "wrong password"), (1129, "FLUSH HOSTS"), (1130, "CREATE USER"), (3159, "tls = true")):
        with pytest.raises(CouldNotCheckError, match=words):
            failed(code, "words", "db:3306", "detak")


@pytest.mark.asyncio
async def test_a_port_where_something_else_listens_is_down() -> None:
    async with serve(web) as port:
        other = await ask("mysql", host="127.0.0.1", port=port)
    async with serve(closing) as port_that_closes:
        gone = await ask("mysql", host="127.0.0.1", port=port_that_closes)
    assert other.state == "down"
    closed = f"127.0.0.1:{port_that_closes} closed the connection before it had answered"
    assert (gone.state, gone.message) == ("down", closed)


@pytest.mark.asyncio
async def test_a_greeting_that_is_none_is_down() -> None:
    async def garbled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(packet(0, b"\x0agarbage"))
        await writer.drain()
        await reader.read(1_000)

    async with serve(garbled) as port:
        outcome = await ask("mysql", host="127.0.0.1", port=port)
    assert (outcome.state, outcome.message) == ("down", f"127.0.0.1:{port} does not speak MySQL's protocol")


@pytest.mark.asyncio
@pytest.mark.parametrize("handler", [silent, endless])
async def test_a_port_that_never_comes_to_an_answer_is_down_again_and_again(handler: Any) -> None:
    async with serve(handler) as port:
        probe = probe_of("mysql", host="127.0.0.1", port=port)
        await probe.sample(1_500)
        outcomes = [await probe.sample(150) for _ in range(3)]
    assert [outcome.state for outcome in outcomes] == ["down"] * 3


@pytest.mark.asyncio
async def test_a_server_that_trickles_for_ever_is_hung_up_on() -> None:
    talking = 0

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal talking
        talking += 1
        writer.write(packet(0, b"\x0a" * 60_000)[:4])
        try:
            await endless(reader, writer)
        finally:
            talking -= 1

    async with serve(trickle) as port:
        probe = probe_of("mysql", host="127.0.0.1", port=port)
        await probe.sample(1_500)
        await probe.sample(150)
        await asyncio.sleep(0.2)
        assert talking == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("way", [b"mysql_clear_password", b"dialog"])
async def test_the_password_is_not_sent_in_plain_text_to_whoever_asks(way: bytes) -> None:
    heard = bytearray()

    async def curious(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(packet(0, GREETING))
        await reader.read(1_000)
        writer.write(packet(2, b"\xfe" + way + b"\x00" + (b"\x03Password: " if way == b"dialog" else b"")))
        await writer.drain()
        heard.extend(await reader.read(1_000))

    async with serve(curious) as port:
        with pytest.raises(CouldNotCheckError, match="wants the password of user detak in plain text: set tls = true"):
            await ask("mysql", host="127.0.0.1", port=port, password="s3kret")
    assert b"s3kret" not in heard


@pytest.mark.asyncio
async def test_a_server_without_tls_is_not_told_the_password_where_tls_is_wanted() -> None:
    heard = bytearray()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(packet(0, GREETING))
        await writer.drain()
        heard.extend(await reader.read(1_000))

    async with serve(plain) as port:
        outcome = await ask("mysql", host="127.0.0.1", port=port, password="s3kret", tls=True, verify_tls=False)
    assert (outcome.state, outcome.message) == ("down", "the server offers no TLS, and tls = true asks for it")
    assert not heard


@pytest.mark.asyncio
async def test_a_sample_that_is_cancelled_leaves_nothing_to_warn_about() -> None:
    assert (await cancelled_before_an_answer("mysql")).cancelled()
