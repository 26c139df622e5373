"""The HTTP client against bare sockets that misbehave, and against TLS of several kinds."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from detak_agent.connection import Connection, ConnectionBrokenError
from detak_agent.failures import CouldNotError
from detak_agent.timing import within

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    writers: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await serve(reader, writer)

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    try:
        scheme = "http" if context is None else "https"
        yield f"{scheme}://localhost:{listening.sockets[0].getsockname()[1]}"
    finally:
        for writer in writers:
            writer.transport.abort()
        listening.close()


def saying(*answers: bytes) -> Serve:
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
            writer.write(left.pop(0))
            await writer.drain()
        writer.close()

    return serve


async def post(connection: Connection) -> tuple[int, bytes]:
    await connection.open()
    reply = await connection.post("/x", b"{}", {})
    return reply.status, reply.body


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.mark.asyncio
async def test_a_connection_is_kept_and_opened_again_when_it_was_closed() -> None:
    opened: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(1)
        await saying(OK, OK)(reader, writer)

    async with server(serve) as url:
        connection = Connection(url)
        for _ in range(2):
            assert await post(connection) == (200, b"hi")
        assert len(opened) == 1
        await asyncio.sleep(0.05)
        assert await post(connection) == (200, b"hi")
        assert len(opened) == 2
        connection.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "closed without an answer"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + b"x" * 400_000, "longer than 262144 bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, "does not speak HTTP"),
    ],
)
async def test_what_is_no_answer_is_said_so(answer: bytes, reason: str) -> None:
    async with server(saying(answer)) as url:
        connection = Connection(url)
        with pytest.raises(ConnectionBrokenError, match=reason):
            await post(connection)


@pytest.mark.asyncio
async def test_an_answer_that_trickles_ends_with_the_deadline() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)

    async with server(trickle) as url:
        connection = Connection(url)
        with pytest.raises(TimeoutError):
            await within(0.3, post(connection))


@pytest.mark.asyncio
async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with server(saying(b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n")) as url:
        connection = Connection(url)
        assert await post(connection) == (302, b"")
        connection.close()


@pytest.fixture
def certificate(tmp_path: Path, require: Callable[[str], str]) -> Path:
    arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    names = [
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        str(tmp_path / "key.pem"),
        "-out",
        str(tmp_path / "ca.pem"),
    ]
    subprocess.run([require("openssl"), *arguments, *names], check=True, capture_output=True)
    return tmp_path / "ca.pem"


def serving_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


@pytest.mark.asyncio
async def test_tls_by_an_own_ca_file(certificate: Path) -> None:
    async with server(saying(OK), serving_context(certificate)) as url:
        connection = Connection(url, str(certificate))
        assert await post(connection) == (200, b"hi")
        connection.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("host", "trusts", "reason"),
    [
        ("localhost", False, "certificate is refused"),
        ("127.0.0.1", True, "certificate is refused: IP address mismatch"),
    ],
)
async def test_a_certificate_that_does_not_fit_is_refused(
    certificate: Path, host: str, trusts: bool, reason: str
) -> None:
    async with server(saying(OK), serving_context(certificate)) as url:
        connection = Connection(url.replace("localhost", host), str(certificate) if trusts else None)
        with pytest.raises(ConnectionBrokenError, match=reason):
            await post(connection)


@pytest.mark.asyncio
async def test_a_ca_file_that_is_not_there_or_no_certificate_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(CouldNotError, match="there is no such file"):
        await Connection("https://localhost:9", str(tmp_path / "none.pem")).open()
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(CouldNotError, match="not a list of PEM certificates"):
        await Connection("https://localhost:9", str(tmp_path / "empty.pem")).open()


@pytest.mark.asyncio
async def test_a_port_that_refuses_is_said_plainly() -> None:
    with pytest.raises(ConnectionBrokenError, match="cannot be reached"):
        await Connection("http://127.0.0.1:9").open()
