"""The way to the syslog server, over real sockets: what arrives, what waits, what is let go."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from certificates import self_signed
from detak_collector.operating import syslog as module
from detak_collector.operating.events import Event
from detak_collector.operating.syslog import Syslog, send_now
from detak_collector.operating.syslog_format import Destination

pytestmark = pytest.mark.asyncio
QUICK = (0.01,)


class Server:
    """A syslog server over TCP or TLS, with what it was sent, frame by frame."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.messages: list[str] = []
        self.context = context
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                length = int(await reader.readuntil(b" "))
                self.messages.append((await reader.readexactly(length)).decode())

    def texts(self) -> list[str]:
        return [message.partition("\ufeff")[2] for message in self.messages]


def event(text: str) -> Event:
    return Event("audit", "tested", 0, text)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what is waited for does not say when it is there
            await asyncio.sleep(0.005)


@asynccontextmanager
async def running(to: Destination) -> AsyncIterator[Syslog]:
    syslog = Syslog(to, QUICK)
    task = asyncio.create_task(syslog.run())
    try:
        yield syslog
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_events_arrive_in_order_over_tcp() -> None:
    server = Server()
    await server.start()
    async with running(Destination("tcp", "127.0.0.1", server.port)) as syslog:
        for number in range(5):
            syslog.tell(event(f"event {number}"))
        assert await syslog.flushed(10)
        await until(lambda: len(server.messages) == 5)
        assert server.texts() == [f"event {number}" for number in range(5)]
        assert (syslog.sent, syslog.lost, syslog.trouble) == (5, 0, "")
    await server.stop()


async def test_what_is_told_while_the_server_is_away_arrives_when_it_is_back() -> None:
    server = Server()
    await server.start()
    async with running(Destination("tcp", "127.0.0.1", server.port)) as syslog:
        syslog.tell(event("before"))
        await until(lambda: server.texts() == ["before"])
        await server.stop()
        # The end of the idle connection is noticed before anything is lost in it.
        await until(lambda: syslog.trouble != "")
        syslog.tell(event("during"))
        await asyncio.sleep(0.05)
        assert syslog.waiting == 1
        await server.start()
        await until(lambda: server.texts() == ["before", "during"])
        assert (syslog.lost, syslog.trouble) == (0, "")
    await server.stop()


async def test_what_a_connection_did_not_take_is_sent_by_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bytes] = []

    class Breaking:
        """A way that breaks at the second message of its first life."""

        lives = 0

        async def send(self, message: bytes) -> None:
            if Breaking.lives == 1 and len(taken) == 1:
                raise ConnectionResetError("closed")
            taken.append(message)

        async def idle(self, arrived: asyncio.Event) -> None:
            await arrived.wait()

    @asynccontextmanager
    async def channel(_: Destination) -> AsyncIterator[Breaking]:
        Breaking.lives += 1
        yield Breaking()

    monkeypatch.setattr(module, "_channel", channel)
    async with running(Destination("tcp", "127.0.0.1", 1)) as syslog:
        for number in range(3):
            syslog.tell(event(f"event {number}"))
        assert await syslog.flushed(10)
    assert [message.decode().partition("\ufeff")[2] for message in taken] == ["event 0", "event 1", "event 2"]
    assert (syslog.sent, Breaking.lives) == (3, 2)


async def test_a_server_that_nobody_reaches_costs_the_oldest_events_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with running(Destination("tcp", "127.0.0.1", port)) as syslog:
        for number in range(5):
            syslog.tell(event(f"event {number}"))
        await until(lambda: syslog.trouble != "")
        assert (syslog.waiting, syslog.lost) == (3, 2)
        assert syslog.trouble == "Connection refused"
        server = Server()
        server.port = port
        await server.start()
        await until(lambda: server.texts() == ["event 2", "event 3", "event 4"])
        await server.stop()


async def test_events_arrive_as_packets_over_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        async with running(Destination("udp", "127.0.0.1", server.getsockname()[1])) as syslog:
            syslog.tell(event("hello"))
            packet = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(server, 2_048), 10)
            assert packet.decode().endswith("\ufeffhello")


async def test_over_tls_the_server_is_held_against_the_authority_named(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    certificate = self_signed(require("openssl"), tmp_path, "127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server = Server(context)
    await server.start()
    trusted = Destination("tls", "127.0.0.1", server.port, ca_file=certificate)
    assert await send_now(trusted, [event("sealed")], 10) == ""
    await until(lambda: server.texts() == ["sealed"])
    said = await send_now(Destination("tls", "127.0.0.1", server.port), [event("not sent")], 0.5)
    assert "its certificate is refused: self-signed certificate" in said
    assert server.texts() == ["sealed"]
    await server.stop()


async def test_a_command_that_cannot_reach_the_server_says_why_and_goes_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert await send_now(Destination("tcp", "127.0.0.1", port), [event("x")], 0.3) == "Connection refused"
