import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.check_stage import Handler, ask, probe_of, problems_of, serve, settings_of
from agent.checks.database_stand_ins import closing, endless, silent, web
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.redis.connection import NotRedisError, Refusal, command, replies
from detak_agent.checks.kinds.redis.health import Answer, Facts, facts_of, judge, trouble
from detak_agent.checks.kinds.redis.kind import RedisSettings

INFO = """# Server
run_id:abc
uptime_in_seconds:500
# Clients
connected_clients:5
maxclients:100
# Memory
used_memory:50
maxmemory:100
maxmemory_policy:noeviction
# Persistence
loading:0
# Replication
role:master
connected_slaves:2
"""
REPLICA = INFO.replace("role:master", "role:slave") + "master_link_status:up\nmaster_last_io_seconds_ago:3\n"
FACTS = facts_of(INFO)


def judged(facts: Facts, refusal: str = "", **keys: Any) -> Outcome:
    settings = settings_of("redis", host="10.0.0.5", **keys)
    assert isinstance(settings, RedisSettings)
    return judge(Answer(refusal, facts, 5.0), settings)


def saying(*parts: bytes) -> Handler:
    """A server that reads a while and says this, part after part."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        await reader.read(1_000)

    return handler


def bulk(text: str) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(text.encode()), text.encode())


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("redis", host="a/b", user="detak", tls=False, ca_file="/a.pem", slow_ms=5_000) == [
        ("host", "must be a host name or an address without port, brackets or spaces, or an absolute path"),
        ("ca_file", "has no effect without tls = true"),
        ("slow_ms", "must be less than timeout_ms, which makes the check down"),
        ("user", "signs in with a password only: add password_file"),
    ]
    assert problems_of("redis", host="db", memory_down_percent=80, lag_degraded_s=60, lag_down_s=30) == [
        ("memory_down_percent", "must not be less than memory_degraded_percent"),
        ("lag_down_s", "must not be less than lag_degraded_s"),
    ]


def test_commands_carry_any_text() -> None:
    assert command("AUTH", "pa ss\r\n", "ä") == b"*3\r\n$4\r\nAUTH\r\n$7\r\npa ss\r\n\r\n$2\r\n\xc3\xa4\r\n"


def test_replies_are_told_apart_and_an_unfinished_one_is_not_given() -> None:
    whole = b"+PONG\r\n-ERR no\r\n:5\r\n$3\r\na\r\n\r\n"
    assert replies(whole) == ["PONG", Refusal("ERR no"), "5", "a\r\n"]
    assert replies(whole[:-1]) == replies(whole)[:3]


@pytest.mark.parametrize("data", [b"HTTP/1.1 400", b"$x\r\n", b"$-1\r\n", b"$99999999\r\n", b"*1\r\n"])
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    with pytest.raises(NotRedisError):
        replies(data)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reading_of_replies(data: bytes) -> None:
    try:
        found = replies(data)
    except NotRedisError:
        return
    assert all(isinstance(one, str | Refusal) for one in found)


def test_info_becomes_facts() -> None:
    assert (FACTS.run_id, FACTS.primary, FACTS.replicas, FACTS.linked, FACTS.silent_s) == ("abc", True, 2, False, None)
    assert (FACTS.memory_percent, FACTS.connections_percent) == (50, 5)
    old = facts_of(INFO.replace("maxclients:100\n", "").replace("maxmemory:100", "maxmemory:0"))
    assert (old.memory_percent, old.connections_percent) == (None, None)


def test_a_replica_counts_since_it_last_heard_from_its_primary() -> None:
    down = REPLICA.replace("master_link_status:up", "master_link_status:down")
    assert facts_of(REPLICA).silent_s == 3
    assert facts_of(down + "master_link_down_since_seconds:77\n").silent_s == 77
    assert facts_of(down + "master_link_down_since_seconds:-1\n").silent_s == 500


def test_roles_links_and_limits_are_judged() -> None:
    replica = facts_of(REPLICA)
    assert judged(FACTS).state == "up"
    assert judged(replica, role="primary").state == "down"
    assert judged(FACTS, role="replica").state == "down"
    assert judged(replace(replica, silent_s=30.0), lag_degraded_s=30, lag_down_s=60).state == "degraded"
    assert judged(replace(replica, silent_s=60.0), lag_degraded_s=30, lag_down_s=60).state == "down"
    assert judged(replace(replica, linked=False)).state == "degraded"
    copying = judged(replace(replica, linked=False, copying=True))
    assert copying.message == "replication has not begun: it still copies all data from its primary"
    assert judged(replace(FACTS, memory=90)).state == "degraded"
    assert judged(replace(FACTS, memory=90, evicts=True)).state == "up"
    assert judged(replace(FACTS, memory=90), memory_degraded_percent=None).state == "up"
    assert judged(replace(FACTS, connections=90), connections_down_percent=90).state == "down"
    assert judged(FACTS).marks == {"run_id": "abc"}


def test_loading_says_how_far_it_is() -> None:
    loading = replace(FACTS, loading=True, loaded_percent=45.4, left_to_load_s=3.0)
    outcome = judged(loading, "LOADING Redis is loading the dataset in memory")
    words = "it is loading its data into memory, 45 % done, about 3 s to go"
    assert (outcome.state, outcome.message) == ("down", words)


def test_a_refusal_is_down_in_the_servers_own_words_unless_it_is_the_checks_fault() -> None:
    assert trouble("PONG", "detak") == ""
    assert trouble(Refusal("ERR max number of clients reached"), "") == "max number of clients reached"
    assert judged(FACTS, trouble(Refusal("MISCONF Errors writing to the AOF file"), "")).state == "down"
    for text, words in (("NOAUTH x", "wants a password"), ("WRONGPASS x", "user default"), ("NOPERM x", r"\+ping")):
        with pytest.raises(CouldNotCheckError, match=words):
            trouble(Refusal(text), "")


@pytest.mark.asyncio
async def test_an_answer_in_pieces_is_an_answer() -> None:
    whole = b"+PONG\r\n" + bulk(INFO)
    async with serve(saying(whole[:3], whole[3:20], whole[20:])) as port:
        outcome = await ask("redis", host="127.0.0.1", port=port)
    assert (outcome.state, outcome.marks) == ("up", {"run_id": "abc"})


@pytest.mark.asyncio
async def test_what_is_said_before_the_connection_ends_is_heard() -> None:
    async def full(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-ERR max number of clients reached\r\n")
        await writer.drain()

    async with serve(full) as port:
        outcome = await ask("redis", host="127.0.0.1", port=port)
    refused = f"127.0.0.1:{port} refuses commands: max number of clients reached"
    assert (outcome.state, outcome.message) == ("down", refused)


@pytest.mark.asyncio
async def test_a_port_where_something_else_listens_is_down() -> None:
    async with serve(web) as port:
        other = await ask("redis", host="127.0.0.1", port=port)
    assert (other.state, other.message) == ("down", f"127.0.0.1:{port} does not speak Redis's protocol")
    async with serve(saying(b"+PONG\r\n", b"+what\r\n")) as port:
        odd = await ask("redis", host="127.0.0.1", port=port)
    assert (odd.state, odd.message) == (
        "down",
        f"127.0.0.1:{port} refuses commands: its answers are not those of Redis",
    )
    async with serve(closing) as port:
        with pytest.raises(ConnectionResetError, match=f"connection reset by 127.0.0.1:{port}"):
            await ask("redis", host="127.0.0.1", port=port)


@pytest.mark.asyncio
async def test_an_info_that_lacks_what_is_judged_is_unknown() -> None:
    async with serve(saying(b"+PONG\r\n" + bulk("run_id:abc\n"))) as port:
        with pytest.raises(CouldNotCheckError, match="INFO of the server cannot be read: 'role'"):
            await ask("redis", host="127.0.0.1", port=port)


@pytest.mark.asyncio
@pytest.mark.parametrize("handler", [silent, endless])
async def test_a_port_that_never_comes_to_an_answer_is_down_at_the_deadline(handler: Handler) -> None:
    async with serve(handler) as port:
        probe = probe_of("redis", host="127.0.0.1", port=port)
        await probe.sample(500)
        outcome = await probe.sample(150)
    silence = f"127.0.0.1:{port} took the connection, but did not answer within 150 ms"
    assert (outcome.state, outcome.message) == ("down", silence)


@pytest.mark.asyncio
async def test_a_flood_that_is_no_answer_is_given_up() -> None:
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"+" * 65_536)
            await writer.drain()

    async with serve(flood) as port:
        outcome = await ask("redis", host="127.0.0.1", port=port)
    assert (outcome.state, outcome.message) == ("down", f"127.0.0.1:{port} does not speak Redis's protocol")
