import asyncio
import contextlib
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.checks.check_stage import (
    Certificates,
    Handler,
    ask,
    open_files,
    open_files_at_first,
    probe_of,
    problems_of,
    serve,
    settings_of,
)
from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.registry import REGISTRY

HOST = "127.0.0.1"
SMTP = (b"220 mail ready\r\n", b"250-mail\r\n250-SIZE 1000\r\n250 STARTTLS\r\n", b"220 go on\r\n")
IMAP = (b"* OK ready\r\n", b"* CAPABILITY IMAP4rev1\r\ndetak OK begin TLS\r\n")
POP3 = (b"+OK ready\r\n", b"+OK begin TLS\r\n")
FTP = (b"220-welcome\r\nto our server\r\n220 ready\r\n", b"234 go on\r\n")
LDAP = (b"", b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00")
POSTGRESQL = (b"", b"S")


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


def talking(
    replies: tuple[bytes, ...], context: ssl.SSLContext | None = None, heard: list[bytes] | None = None
) -> Handler:
    """Says the first reply at once and each other one when spoken to; then goes on in TLS, or closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, reply in enumerate(replies):
            if number:
                said = await reader.read(1_000)
                if heard is not None:
                    heard.append(said)
            writer.write(reply)
            await writer.drain()
        if context is None:
            return
        transport, loop = writer.transport, asyncio.get_running_loop()
        secured = await loop.start_tls(transport, transport.get_protocol(), context, server_side=True)
        try:
            await reader.read()
        finally:
            if secured is not None:
                secured.abort()

    return handle


async def tls(port: int, certificates: Certificates | None = None, **keys: Any) -> tuple[str, str]:
    """State and message; an OSError is `down`, as the runner has it."""
    if certificates is not None:
        keys["ca_file"] = certificates.authority
    try:
        outcome = await ask("tls", host=HOST, port=port, **keys)
    except OSError as error:
        return "down", error.strerror or str(error)
    return outcome.state, outcome.message


@pytest.mark.asyncio
async def test_a_good_handshake_is_up_with_version_latency_and_days(certificates: Certificates) -> None:
    async with serve(silent, tls=certificates.context("good")) as port:
        outcome = await ask("tls", host=HOST, port=port, ca_file=certificates.authority)
    assert outcome.state == "up"
    assert re.fullmatch(r"TLSv1.3 in \d+ ms, the certificate holds for 365 days", outcome.message)
    assert 364 < outcome.values["certificate_days_left"] <= 365
    assert outcome.values["latency_ms"] > 0


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("replies", "protocol", "said"),
    [
        (SMTP, "smtp", [b"EHLO [127.0.0.1]\r\n", b"STARTTLS\r\n"]),
        (IMAP, "imap", [b"detak STARTTLS\r\n"]),
        (POP3, "pop3", [b"STLS\r\n"]),
        (FTP, "ftp", [b"AUTH TLS\r\n"]),
        (LDAP, "ldap", [b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"]),
        (POSTGRESQL, "postgresql", [b"\x00\x00\x00\x08\x04\xd2\x16\x2f"]),
    ],
)
async def test_tls_is_begun_as_the_protocol_has_it(
    certificates: Certificates, replies: tuple[bytes, ...], protocol: str, said: list[bytes]
) -> None:
    heard: list[bytes] = []
    async with serve(talking(replies, certificates.context("good"), heard)) as port:
        state, message = await tls(port, certificates, starttls=protocol)
    assert (state, heard) == ("up", said), message


@pytest.mark.asyncio
async def test_a_certificate_behind_starttls_is_judged_too(certificates: Certificates) -> None:
    async with serve(talking(SMTP, certificates.context("soon"))) as port:
        state, message = await tls(port, certificates, starttls="smtp")
    assert (state, message) == ("degraded", "the certificate expires in 5.0 days (warning 14 days before)")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("replies", "protocol", "words"),
    [
        ((b"554 go away\r\n",), "smtp", "greeted with '554 go away'"),
        ((b"220 mail\r\n", b"250-mail\r\n250 SIZE\r\n"), "smtp", "does not offer STARTTLS"),
        ((*SMTP[:2], b"454 no key\r\n"), "smtp", "answered to STARTTLS with '454 no key'"),
        ((*SMTP[:2], b"220 go on\r\n250 injected\r\n"), "smtp", "went on in plain text after it had agreed to TLS"),
        ((b"220 mail\r\n",), "smtp", "greeted, but did not answer to EHLO: it closed the connection"),
        ((b"220-" + b"x" * 9_000,), "smtp", "sent a line that does not end"),
        ((b"220-x\r\n" * 101,), "smtp", "greeted with more than 100 lines"),
        ((), "smtp", "took the connection, but did not greet: it closed the connection"),
        ((b"* BYE too many users\r\n",), "imap", "greeted with '* BYE too many users'"),
        ((b"* OK\r\n", b"detak NO not now\r\n"), "imap", "answered to STARTTLS with 'detak NO not now'"),
        ((b"-ERR\r\n",), "pop3", "greeted with '-ERR'"),
        ((b"+OK\r\n", b"-ERR unknown command\r\n"), "pop3", "answered to STLS with '-ERR unknown command'"),
        ((b"220 ftp\r\n", b"502 no\r\n"), "ftp", "answered to AUTH TLS with '502 no'"),
        ((b"", LDAP[1].replace(b"\x0a\x01\x00", b"\x0a\x01\x02")), "ldap", "refuses STARTTLS with LDAP result code 2"),
        ((b"", b"HTTP/1.1 400 \r\n"), "ldap", "answered to STARTTLS with something that is not LDAP: b'HT'"),
        ((b"", b"\x30\x02\xff\xff"), "ldap", "answered to STARTTLS with something that is not LDAP"),
        ((b"", b"N"), "postgresql", "does not offer TLS (PostgreSQL's setting ssl is off)"),
        ((b"", b"E"), "postgresql", "answered to the request for TLS with b'E', as PostgreSQL does not"),
    ],
)  # fmt: skip
async def test_a_server_that_does_not_begin_tls_is_down_with_its_words(
    replies: tuple[bytes, ...], protocol: str, words: str
) -> None:
    async with serve(talking(replies)) as port:
        assert await tls(port, starttls=protocol) == ("down", f"127.0.0.1:{port} {words}")


@pytest.mark.asyncio
async def test_a_plain_server_is_down_with_a_hint() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with serve(plain) as port:
        state, message = await tls(port)
    assert state == "down"
    assert (
        message
        == f"127.0.0.1:{port} answered something that is not TLS: is it a plain port, or one that needs starttls?"
    )


@pytest.mark.asyncio
async def test_a_server_that_closes_in_the_handshake_is_down() -> None:
    async def close(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with serve(close) as port:
        state, message = await tls(port)
    assert state == "down"
    assert message in {
        f"127.0.0.1:{port} did not complete the TLS handshake: it closed the connection",
        f"connection reset by 127.0.0.1:{port}",
    }


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("replies", "protocol", "words"),
    [
        ((), "", "did not complete the TLS handshake"),
        ((b"",), "smtp", "took the connection, but did not greet"),
        ((b"220 mail\r\n",), "smtp", "greeted, but did not answer to EHLO"),
        ((SMTP[:2]), "smtp", "did not answer to STARTTLS"),
        ((b"",), "postgresql", "took the connection, but did not answer to the request for TLS"),
    ],
)
async def test_a_server_that_falls_silent_is_down_and_the_message_says_when(
    replies: tuple[bytes, ...], protocol: str, words: str
) -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talking(replies)(reader, writer)
        await reader.read()
        await reader.read()

    async with serve(stall) as port:
        outcome = await ask("tls", 400, host=HOST, port=port, starttls=protocol)
    assert outcome.state == "down"
    assert re.fullmatch(rf"127.0.0.1:{port} {re.escape(words)} within \d+ ms", outcome.message)


@pytest.mark.asyncio
async def test_a_refused_connection_is_said_so() -> None:
    async with serve(silent) as port:
        pass
    assert await tls(port) == ("down", f"connection refused by 127.0.0.1:{port}")


@pytest.mark.asyncio
async def test_a_slow_handshake_is_degraded(certificates: Certificates) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.06)
        await talking(SMTP, certificates.context("good"))(reader, writer)

    async with serve(slow) as port:
        state, message = await tls(port, certificates, starttls="smtp", slow_ms=50)
    assert state == "degraded"
    assert re.fullmatch(r"slow: the handshake took \d+ ms \(limit 50 ms\)", message)


@pytest.mark.asyncio
async def test_the_server_name_is_told_to_the_server_and_verified(certificates: Certificates) -> None:
    context = certificates.context("other-name")
    told: list[str | None] = []
    context.sni_callback = lambda _connection, name, _context: told.append(name)
    async with serve(silent, tls=context) as port:
        right = await tls(port, certificates, server_name="other.example")
        wrong = await tls(port, certificates, server_name="portal.example")
    assert (right[0], told) == ("up", ["other.example", "portal.example"])
    words = f"the certificate of 127.0.0.1:{port} (asked for as portal.example) is for another name"
    assert wrong == ("down", words)


@pytest.fixture
def encrypted_key(certificates: Certificates, require: Callable[[str], str], tmp_path: Path) -> str:
    path = str(tmp_path / "encrypted.pem")
    command = [require("openssl"), "ec", "-in", certificates.key, "-aes256", "-passout", "pass:secret", "-out", path]
    subprocess.run(command, check=True, capture_output=True)
    return path


@pytest.mark.asyncio
async def test_files_that_cannot_be_used_make_the_check_unknown(
    certificates: Certificates, tmp_path: Path, encrypted_key: str
) -> None:
    good, missing = str(certificates.path("good")), str(tmp_path / "none.pem")
    for certificate_file, key_file, ca_file, words in (
        (missing, "", "", f"certificate_file {missing} cannot be read: No such file or directory"),
        (good, "", "", f"certificate_file {good} cannot be used: "),
        (good, encrypted_key, "", f"certificate_file {good} with key_file {encrypted_key} cannot be used: "),
        ("", "", missing, f"ca_file {missing} cannot be read: "),
    ):
        with pytest.raises(CouldNotCheckError, match=re.escape(words)):
            await tls(1, certificate_file=certificate_file, key_file=key_file, ca_file=ca_file)


@pytest.mark.asyncio
async def test_a_file_that_changed_is_read_again(certificates: Certificates, tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    shutil.copy(certificates.path("self-signed"), authority)
    async with serve(silent, tls=certificates.context("good")) as port:
        probe = probe_of("tls", host=HOST, port=port, ca_file=str(authority))
        with pytest.raises(OSError, match="authority"):
            await probe.sample(4_000)
        shutil.copy(certificates.authority, authority)
        os.utime(authority, ns=(0, 1))
        assert (await probe.sample(4_000)).state == "up"


@pytest.mark.asyncio
async def test_a_sample_that_is_given_up_leaves_nothing_open() -> None:
    async with serve(silent) as port:
        probe = probe_of("tls", host=HOST, port=port)
        with contextlib.suppress(CouldNotCheckError):
            await probe.sample(4_000)
        before = open_files_at_first()
        for _ in range(10):
            asked = asyncio.ensure_future(probe.sample(4_000))
            await asyncio.sleep(0.01)
            asked.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asked
        await asyncio.sleep(0.05)
        assert open_files() <= before + 1


def test_the_target_and_who_is_remote_are_as_the_settings_say() -> None:
    kind = REGISTRY["tls"]
    settings = settings_of("tls", host="10.0.0.5", port=25, server_name="mail.example", starttls="smtp")
    assert kind.target(settings) == "10.0.0.5:25 as mail.example (smtp)"
    assert kind.target(settings_of("tls", host="::1")) == "[::1]:443"
    assert kind.remote(settings)
    assert not kind.remote(settings_of("tls", host="127.0.0.1"))
    assert not kind.remote(settings_of("tls", host="10.0.0.5", remote=False))


def test_wrong_settings_are_all_named() -> None:
    assert problems_of(
        "tls", host="a/b", server_name="a b", verify_tls=False, ca_file="x", key_file="k", slow_ms=5_000
    ) == [
        ("host", "must be a host name or an address, without port, brackets or spaces"),
        ("server_name", "must be a host name or an address, without port, brackets or spaces"),
        ("ca_file", "has no effect with verify_tls = false"),
        ("key_file", "has no effect without certificate_file"),
        ("slow_ms", "must be less than timeout_ms, which makes the check down"),
    ]
