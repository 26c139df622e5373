import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agent.checks.check_stage import open_files, open_files_at_first
from detak_agent.checks.kinds.postgresql.detour import in_memory, led_to

PORT = 5432
MUCH = b"x" * 1_000_000


def abstract(host: str) -> str:
    return f"\0{host[1:]}/.s.PGSQL.{PORT}"


async def called(host: str) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(0)
    try:
        await asyncio.get_running_loop().sock_connect(client, abstract(host))
    except OSError:
        client.close()
        raise
    return client


async def received(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = await asyncio.get_running_loop().sock_recv(connection, 65_536)
        if not part:
            break
        data += part
    return data


def pair() -> tuple[socket.socket, socket.socket]:
    near, far = socket.socketpair()
    near.settimeout(0)
    far.settimeout(0)
    return near, far


def test_what_is_in_memory_can_be_read_by_its_path_until_the_end() -> None:
    before = open_files_at_first()
    with in_memory(b"a certificate") as path:
        assert Path(path).read_bytes() == b"a certificate"
        assert Path(path).read_bytes() == b"a certificate"
    assert open_files() == before


@pytest.mark.asyncio
async def test_whatever_either_end_says_reaches_the_other_however_much_it_is() -> None:
    near, server = pair()
    loop = asyncio.get_running_loop()
    with server:
        async with led_to(near, PORT) as host:
            with await called(host) as client:
                sending = asyncio.ensure_future(loop.sock_sendall(client, MUCH))
                assert await received(server, len(MUCH)) == MUCH
                await sending
                sending = asyncio.ensure_future(loop.sock_sendall(server, MUCH))
                assert await received(client, len(MUCH)) == MUCH
                await sending


@pytest.mark.asyncio
@pytest.mark.parametrize("closes", [0, 1], ids=["the client", "the server"])
async def test_when_one_end_closes_so_does_the_other(closes: int) -> None:
    near, server = pair()
    async with led_to(near, PORT) as host:
        client = await called(host)
        ends = [client, server]
        await asyncio.get_running_loop().sock_sendall(client, b"hello")
        assert await received(server, 5) == b"hello"
        ends.pop(closes).close()
        assert await asyncio.wait_for(received(ends[0], 1), 5) == b""
        ends[0].close()


@pytest.mark.asyncio
async def test_the_way_ends_with_its_block_and_leaves_nothing_open() -> None:

    before = open_files_at_first()
    near, server = pair()
    async with led_to(near, PORT) as host:
        client = await called(host)
    assert await asyncio.wait_for(received(server, 1), 5) == b""
    with pytest.raises(ConnectionRefusedError):
        await called(host)
    client.close()
    server.close()
    await asyncio.sleep(0.05)
    assert open_files() == before


@pytest.mark.asyncio
async def test_another_process_is_not_let_in() -> None:
    near, server = pair()
    stranger = """
import socket, sys
one = socket.socket(socket.AF_UNIX)
one.connect(chr(0) + sys.argv[1])
one.sendall(b"let me in")
print(one.recv(100))
"""
    with server:
        async with led_to(near, PORT) as host:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", stranger, abstract(host)[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            printed, _ = await asyncio.wait_for(process.communicate(), 20)
            assert b"let me in" not in printed
            with await called(host) as client:
                await asyncio.get_running_loop().sock_sendall(client, b"hello")
                assert await received(server, 5) == b"hello"
