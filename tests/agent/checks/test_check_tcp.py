import asyncio
import socket
from typing import Any

import pytest

from agent.checks.check_stage import ask, problems_of, serve, settings_of
from detak_agent.checks.registry import REGISTRY


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def greeting(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail ready\r\n")
    await writer.drain()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"you said " + await reader.readline())
    await writer.drain()


async def trickle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(1_000):
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.01)


def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.mark.asyncio
async def test_a_port_that_takes_connections_is_up() -> None:
    async with serve(silent) as port:
        outcome = await ask("tcp", host="127.0.0.1", port=port)
    assert outcome.state == "up"
    assert outcome.values["latency_ms"] > 0


@pytest.mark.asyncio
async def test_a_host_name_with_several_addresses_is_up_if_one_of_them_is() -> None:
    async with serve(silent) as port:
        assert (await ask("tcp", host="localhost", port=port)).state == "up"


@pytest.mark.asyncio
async def test_a_refused_connection_says_by_whom() -> None:
    port = unused_port()
    with pytest.raises(ConnectionRefusedError, match=f"connection refused by 127.0.0.1:{port}"):
        await ask("tcp", host="127.0.0.1", port=port)


@pytest.mark.asyncio
async def test_a_refusal_of_a_name_shows_the_address_too() -> None:
    port = unused_port()
    with pytest.raises(ConnectionRefusedError, match=rf"connection refused by localhost \(.*:{port}\)"):
        await ask("tcp", host="localhost", port=port)


@pytest.mark.asyncio
async def test_what_is_sent_and_expected_makes_it_up() -> None:
    async with serve(echo) as port:
        outcome = await ask("tcp", host="127.0.0.1", port=port, send="ping\r\n", expect="said p.ng")
    assert outcome.state == "up"


@pytest.mark.asyncio
async def test_another_answer_is_down_and_shown() -> None:
    async with serve(greeting) as port:
        outcome = await ask("tcp", host="127.0.0.1", port=port, expect="^SSH-2")
    assert outcome.state == "down"
    assert outcome.message == (
        f"127.0.0.1:{port} closed the connection, and not '^SSH-2' but '220 mail ready\\r\\n' came"
    )


@pytest.mark.asyncio
async def test_a_connection_closed_without_a_word_is_down() -> None:
    async def close(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        return

    async with serve(close) as port:
        outcome = await ask("tcp", host="127.0.0.1", port=port, expect="x")
    assert (outcome.state, outcome.message) == ("down", f"127.0.0.1:{port} closed the connection and sent nothing")


@pytest.mark.asyncio
async def test_a_silent_server_is_down_at_the_deadline() -> None:
    async with serve(silent) as port:
        outcome = await ask("tcp", 120, host="127.0.0.1", port=port, expect="x")
    assert outcome.state == "down"
    assert outcome.message == f"127.0.0.1:{port} took the connection but sent nothing within 120 ms"


@pytest.mark.asyncio
async def test_a_server_that_trickles_is_down_at_the_deadline() -> None:
    async with serve(trickle) as port:
        outcome = await ask("tcp", 120, host="127.0.0.1", port=port, expect="never")
    assert outcome.state == "down"
    assert f"127.0.0.1:{port} did not go on, and not 'never' but '." in outcome.message


@pytest.mark.asyncio
async def test_a_server_that_takes_no_more_connections_is_down_at_the_deadline() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        outcome = await ask("tcp", 120, host="127.0.0.1", port=port)
        for one in waiting:
            one.close()
    assert (outcome.state, outcome.message) == ("down", f"127.0.0.1:{port} did not take the connection within 120 ms")


@pytest.mark.asyncio
async def test_endless_output_is_read_only_as_far_as_needed() -> None:
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(1_000):
            writer.write(b"a" * 65_536)
            await writer.drain()

    async with serve(flood) as port:
        outcome = await ask("tcp", host="127.0.0.1", port=port, expect="b")
    assert outcome.state == "down"
    assert "sent 4096 bytes, and not 'b' but 'aaa" in outcome.message


def test_the_settings_decide_who_is_remote_where_they_say_so() -> None:
    def remote(**keys: Any) -> bool:
        return REGISTRY["tcp"].remote(settings_of("tcp", port=1, **keys))

    assert remote(host="192.0.2.1")
    assert not remote(host="127.0.0.1")
    assert remote(host="127.0.0.1", remote=True)
    assert not remote(host="192.0.2.1", remote=False)


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("tcp", host="[::1]", port=1, expect="(") == [
        ("host", "must be a host name or an address, without port, brackets or spaces"),
        ("expect", "is no regular expression: missing ), unterminated subpattern at position 0"),
    ]
