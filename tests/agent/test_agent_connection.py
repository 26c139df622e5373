"""The HTTP client against bare sockets that misbehave, and against TLS of several kinds."""

import asyncio
import hashlib
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from agent.tls_server import OK, post, saying, server, serving_context
from detak_agent.connection import Connection, ConnectionBrokenError
from detak_agent.failures import CouldNotError
from detak_agent.timing import within
from detak_agent.trust import PinFiles, Pins, Trust


def files_at(pin: Path) -> PinFiles:
    return PinFiles(pin, pin.with_name("authority"), pin.with_name("refusal"), pin.parent)


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
        (b"", "closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "answered something that is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", "closed the connection in the middle of its answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + b"x" * 400_000, "longer than 262144 bytes"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, "sends more than 64 KiB of headers"),
    ],
)
async def test_what_is_no_answer_is_said_so(answer: bytes, reason: str) -> None:
    async with server(saying(answer)) as url:
        connection = Connection(url)
        with pytest.raises(ConnectionBrokenError, match=reason):
            await post(connection)


@pytest.mark.asyncio
@pytest.mark.parametrize("more", [b"HTTP/1.1 500 Stale\r\nContent-Length: 0\r\n\r\n", b"x" * 100_000])
async def test_what_follows_an_answer_is_never_taken_for_the_next(more: bytes) -> None:
    async with server(saying(OK + more, OK)) as url:
        connection = Connection(url)
        for _ in range(2):
            assert await post(connection) == (200, b"hi")
        connection.close()


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


@pytest.mark.asyncio
async def test_tls_by_an_own_ca_file(certificate: Path) -> None:
    async with server(saying(OK), serving_context(certificate)) as url:
        connection = Connection(url, Trust(str(certificate)))
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
        connection = Connection(url.replace("localhost", host), Trust(str(certificate) if trusts else None))
        with pytest.raises(ConnectionBrokenError, match=reason):
            await post(connection)


@pytest.mark.asyncio
async def test_a_ca_file_that_is_not_there_or_no_certificate_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(CouldNotError, match="there is no such file"):
        await Connection("https://localhost:9", Trust(str(tmp_path / "none.pem"))).open()
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(CouldNotError, match="not a list of PEM certificates"):
        await Connection("https://localhost:9", Trust(str(tmp_path / "empty.pem"))).open()


@pytest.mark.asyncio
async def test_a_port_that_refuses_is_said_plainly() -> None:
    with pytest.raises(ConnectionBrokenError, match=r"^cannot be reached: Connection refused$"):
        await Connection("http://127.0.0.1:9").open()


@pytest.mark.asyncio
async def test_a_plain_port_that_is_asked_for_tls_is_called_one() -> None:
    async def refuse(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with server(refuse) as url:
        with pytest.raises(ConnectionBrokenError, match="does not speak TLS: is it a plain port"):
            await Connection(url.replace("http:", "https:")).open()


def sha256(certificate: Path) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


@pytest.mark.asyncio
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_pinned_certificate_is_trusted_under_any_name_and_without_an_authority(
    certificate: Path, host: str
) -> None:
    async with server(saying(OK), serving_context(certificate)) as url:
        connection = Connection(url.replace("localhost", host), Trust(configured=Pins(sha256(certificate))))
        assert await post(connection) == (200, b"hi")
        connection.close()


@pytest.mark.asyncio
async def test_another_certificate_than_the_pinned_one_is_shown_and_gets_nothing(certificate: Path) -> None:
    received: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):
            received.append(await reader.read(100))

    wanted = "sha256:" + "ab" * 32
    async with server(listen, serving_context(certificate)) as url:
        with pytest.raises(ConnectionBrokenError) as error:
            await within(5, post(Connection(url, Trust(configured=Pins(wanted)))))
        assert f"met {sha256(certificate)}, trusted is {wanted}" in str(error.value)
        await asyncio.sleep(0.05)
    assert received in ([], [b""])


@pytest.mark.asyncio
async def test_a_fingerprint_that_was_pasted_is_read_anew_for_each_connection(
    certificate: Path, tmp_path: Path
) -> None:
    pin = tmp_path / "pin"
    pin.write_text("sha256:" + "ab" * 32 + "\n")
    async with server(saying(OK), serving_context(certificate)) as url:
        connection = Connection(url, Trust(files=files_at(pin)))
        with pytest.raises(ConnectionBrokenError, match="its certificate is another one"):
            await post(connection)
        pin.write_text(sha256(certificate).upper().replace("SHA", "sha") + "\n")
        assert await post(connection) == (200, b"hi")
        connection.close()


@pytest.mark.asyncio
async def test_a_ca_file_in_the_configuration_wins_over_a_pasted_fingerprint(certificate: Path, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text("sha256:" + "ab" * 32)
    async with server(saying(OK), serving_context(certificate)) as url:
        connection = Connection(url, Trust(str(certificate), files=files_at(pin)))
        assert await post(connection) == (200, b"hi")
        connection.close()


@pytest.mark.asyncio
async def test_a_pasted_fingerprint_that_is_none_trusts_nobody(tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text("")
    with pytest.raises(CouldNotError, match="this is no fingerprint: enrol this node again"):
        await Connection("https://localhost:9", Trust(files=files_at(pin))).open()


@pytest.mark.asyncio
async def test_a_collector_is_told_which_copy_of_it_answered_last() -> None:
    heads: list[bytes] = []
    told = [b"Detak-Instance: 7.ab\r\n", b"", b"Detak-Instance: " + b"x" * 500 + b"\r\n", b""]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in told:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            await reader.readexactly(int(heads[-1].lower().partition(b"content-length: ")[2].split(b"\r")[0]))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + line + b"\r\n")
        await writer.drain()
        writer.close()

    async with server(serve) as url:
        connection = Connection(url)
        for _ in told:
            await post(connection)
        connection.close()
    # Not before anything was told; the last one that makes sense from then on.
    assert [b"Detak-Instance: 7.ab\r\n" in head for head in heads] == [False, True, True, True]
