import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.check_stage import Certificates, ask, probe_of, problems_of, serve, settings_of
from agent.checks.http_stage import answering, raw, silent
from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.kinds.http.kind import status_ranges
from detak_agent.checks.registry import REGISTRY


@pytest.mark.asyncio
async def test_a_good_answer_is_up_with_its_latency() -> None:
    async with serve(answering()) as port:
        outcome = await ask("http", url=f"http://127.0.0.1:{port}/health")
    assert outcome.state == "up"
    assert re.fullmatch(r"status 200 in \d+ ms", outcome.message)
    assert outcome.values["latency_ms"] > 0


@pytest.mark.asyncio
async def test_each_sample_is_a_fresh_connection() -> None:
    connections = []

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        await answering()(reader, writer)

    async with serve(counted) as port:
        probe = probe_of("http", url=f"http://127.0.0.1:{port}/")
        assert [(await probe.sample(4_000)).state for _ in range(3)] == ["up", "up", "up"]
    assert len(connections) == 3


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "wanted", "state"),
    [
        ("204 No Content", ["200-399"], "up"),
        ("404 Not Found", ["200-399"], "down"),
        ("503 Service Unavailable", ["200-399"], "down"),
        ("401 Unauthorized", [401], "up"),
        ("201 Created", [200, "3xx"], "down"),
        ("302 Found", ["3xx"], "up"),
    ],
)
async def test_the_status_decides(status: str, wanted: list[int | str], state: str) -> None:
    async with serve(answering(b"", status)) as port:
        outcome = await ask("http", url=f"http://127.0.0.1:{port}/", status=wanted)
    assert outcome.state == state
    assert state == "up" or outcome.message.startswith(f"status {status[:3]} (wanted ")


@pytest.mark.asyncio
async def test_the_answer_must_hold_what_it_should() -> None:
    async with serve(answering(b"database: broken")) as port:
        url = f"http://127.0.0.1:{port}/"
        assert (await ask("http", url=url, body_contains="database", body_pattern=r"bro.en$")).state == "up"
        missing = await ask("http", url=url, body_contains="database: ok")
        unmatched = await ask("http", url=url, body_pattern="^ok")
    assert (missing.state, unmatched.state) == ("down", "down")
    assert missing.message == "status 200, but 'database: ok' is not in the answer"
    assert unmatched.message == "status 200, but nothing in the answer matches '^ok'"


@pytest.mark.asyncio
async def test_no_more_of_a_large_answer_is_read_than_the_bound() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async with serve(endless) as port:
        outcome = await ask("http", url=f"http://127.0.0.1:{port}/", body_contains="y")
    assert outcome.message == "status 200, but 'y' is not in the first 256 KiB of the answer"


@pytest.mark.asyncio
async def test_a_refused_connection_is_said_so() -> None:
    async with serve(silent) as port:
        pass
    with pytest.raises(ConnectionRefusedError, match=f"^.Errno 111. connection refused by 127.0.0.1:{port}$"):
        await ask("http", url=f"http://127.0.0.1:{port}/")


@pytest.mark.asyncio
async def test_a_name_that_does_not_resolve_is_said_so() -> None:
    with pytest.raises(OSError, match=r"the name nowhere\.invalid does not resolve"):
        await ask("http", url="http://user:secret@nowhere.invalid/")


@pytest.mark.asyncio
async def test_a_silent_server_is_down_at_the_deadline() -> None:
    async with serve(silent) as port:
        probe = probe_of("http", url=f"http://127.0.0.1:{port}/")
        outcome = await probe.sample(400)
    assert outcome.state == "down"
    assert re.fullmatch(rf"127.0.0.1:{port} took the connection, but did not answer within \d+ ms", outcome.message)


@pytest.mark.asyncio
async def test_an_answer_that_trickles_is_down_at_the_deadline() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
    async with serve(raw(head, *[b"."] * 500, pause_s=0.01)) as port:
        probe = probe_of("http", url=f"http://127.0.0.1:{port}/")
        outcome = await probe.sample(400)
    assert outcome.state == "down"
    words = rf"127.0.0.1:{port} answered with status 200, but its answer did not end within \d+ ms"
    assert re.fullmatch(words, outcome.message)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([], "closed the connection without an answer"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"], "closed the connection in the middle of its answer"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "answered something that is not HTTP"),
    ],
)
async def test_a_broken_answer_is_down(parts: list[bytes], words: str) -> None:
    async with serve(raw(*parts)) as port:
        outcome = await ask("http", url=f"http://127.0.0.1:{port}/")
    assert (outcome.state, outcome.message) == ("down", f"127.0.0.1:{port} {words}")


@pytest.mark.asyncio
async def test_a_slow_answer_is_degraded() -> None:
    async with serve(answering(wait_s=0.06)) as port:
        outcome = await ask("http", url=f"http://127.0.0.1:{port}/", slow_ms=50)
    assert outcome.state == "degraded"
    assert re.fullmatch(r"slow: the answer took \d+ ms \(limit 50 ms\)", outcome.message)


@pytest.mark.asyncio
async def test_the_request_is_as_the_settings_say() -> None:
    requests: list[str] = []
    async with serve(answering(requests=requests)) as port:
        url = f"http://user:secret@127.0.0.1:{port}/a%20b?c=d"
        assert (await ask("http", url=url, method="POST", body="käse", headers={"X-Key": "7"})).state == "up"
        assert (await ask("http", url=url, method="HEAD")).state == "up"
    assert requests[0].startswith("POST /a%20b?c=d HTTP/1.1\r\n")
    assert "Authorization: Basic dXNlcjpzZWNyZXQ=\r\n" in requests[0]
    assert "X-Key: 7\r\n" in requests[0]
    assert requests[0].endswith("\r\n\r\nkäse")
    assert requests[1].startswith("HEAD /a%20b?c=d HTTP/1.1\r\n")


TlsCase = Callable[..., Awaitable[tuple[str, str]]]


@pytest.fixture
def tls_case(certificates: Certificates) -> TlsCase:
    async def run(name: str, host: str = "localhost", **keys: Any) -> tuple[str, str]:
        keys = {"ca_file": certificates.authority, **keys}
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        async with serve(answering(), tls=certificates.context(name)) as port:
            outcome = await ask("http", url=f"https://{host}:{port}/", **keys)
        return outcome.state, outcome.message

    return run


@pytest.mark.asyncio
async def test_a_good_certificate_is_up_and_its_days_are_measured(certificates: Certificates) -> None:
    async with serve(answering(), tls=certificates.context("good")) as port:
        outcome = await ask("http", url=f"https://localhost:{port}/", ca_file=certificates.authority)
    assert outcome.state == "up"
    assert 364 < outcome.values["certificate_days_left"] <= 365


@pytest.mark.asyncio
async def test_a_certificate_that_soon_expires_is_degraded(tls_case: TlsCase) -> None:
    state, message = await tls_case("soon")
    assert state == "degraded"
    assert re.fullmatch(r"the certificate expires in (4\.9|5\.0) days \(warning 14 days before\)", message)
    assert (await tls_case("soon", expiry_warning_days=3))[0] == "up"


@pytest.mark.asyncio
async def test_an_expired_certificate_is_down_also_where_it_is_not_verified(tls_case: TlsCase) -> None:
    assert await tls_case("expired") == ("down", "the certificate of localhost has expired: renew it")
    unverified = await tls_case("expired", ca_file="", verify_tls=False)
    assert unverified == ("down", "the certificate expired 1.0 days ago: renew it")


@pytest.mark.asyncio
async def test_a_certificate_for_another_name_is_down(tls_case: TlsCase) -> None:
    assert await tls_case("other-name") == ("down", "the certificate of localhost is for another name")
    assert await tls_case("other-name", "127.0.0.1") == ("down", "the certificate of 127.0.0.1 is for another address")


@pytest.mark.asyncio
async def test_a_self_signed_certificate_is_down_unless_it_is_trusted(
    tls_case: TlsCase, certificates: Certificates
) -> None:
    words = "the certificate of localhost is self-signed: name it in ca_file to trust it"
    assert await tls_case("self-signed") == ("down", words)
    assert (await tls_case("self-signed", ca_file=str(certificates.path("self-signed"))))[0] == "up"
    assert (await tls_case("self-signed", ca_file="", verify_tls=False))[0] == "up"


@pytest.mark.asyncio
async def test_an_unknown_authority_is_down(tls_case: TlsCase) -> None:
    state, message = await tls_case("good", ca_file="")
    assert state == "down"
    assert "comes from an authority that this node does not know" in message


@pytest.mark.asyncio
async def test_a_server_that_speaks_no_tls_is_down() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with serve(plain) as port:
        outcome = await ask("http", url=f"https://127.0.0.1:{port}/", verify_tls=False)
    assert (outcome.state, outcome.message) == (
        "down", "127.0.0.1 does not speak TLS as it should: wrong version number",
    )  # fmt: skip


@pytest.mark.asyncio
async def test_a_connection_closed_within_the_handshake_is_down() -> None:
    async def close(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(10)

    async with serve(close) as port:
        with pytest.raises(ConnectionResetError, match=f"connection reset by 127.0.0.1:{port}"):
            await ask("http", url=f"https://127.0.0.1:{port}/", verify_tls=False)


@pytest.mark.asyncio
async def test_a_ca_file_that_cannot_be_used_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(CouldNotCheckError, match="cannot be read: No such file"):
        await ask("http", url="https://127.0.0.1:1/", ca_file=str(tmp_path / "absent.pem"))
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(CouldNotCheckError, match="holds no certificate in PEM form"):
        await ask("http", url="https://127.0.0.1:1/", ca_file=str(tmp_path / "empty.pem"))


@pytest.mark.asyncio
async def test_a_ca_file_that_hangs_is_never_taken_for_a_failure_of_the_server(tmp_path: Path) -> None:
    hanging = tmp_path / "ca.pem"
    os.mkfifo(hanging)
    with pytest.raises(CouldNotCheckError, match="the next sample will measure"):
        await probe_of("http", url="https://127.0.0.1:1/", ca_file=str(hanging)).sample(200)
    # Whoever waits to read it goes on, and finds nothing.
    os.close(os.open(hanging, os.O_WRONLY))


def test_a_target_shows_no_secret_and_a_loopback_one_is_local() -> None:
    kind = REGISTRY["http"]
    settings = settings_of("http", url="https://user:pass@Portal.example:8443/health?token=1#x", method="HEAD")
    assert kind.target(settings) == "HEAD https://portal.example:8443/health?…"
    assert kind.remote(settings)
    assert not kind.remote(settings_of("http", url="http://[::1]:80/"))
    assert kind.remote(settings_of("http", url="http://127.0.0.1/", remote=True))


@given(st.integers(100, 599), st.integers(100, 599))
def test_a_range_of_statuses_holds_what_lies_between(first: int, last: int) -> None:
    low, high = sorted((first, last))
    assert status_ranges((f"{low}-{high}",)) == [(low, high)]
    assert status_ranges((low,)) == [(low, low)]
    assert status_ranges((f"{low // 100}xx",)) == [(low // 100 * 100, low // 100 * 100 + 99)]


@pytest.mark.parametrize("status", [99, 600, "2x", "399-200", "", "abc"])
def test_what_is_no_status_is_refused(status: int | str) -> None:
    assert [key for key, _ in problems_of("http", url="http://h/", status=[status])] == ["status"]


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"url": "ftp://h/"}, ["url"]),
        ({"url": "http:///x"}, ["url"]),
        ({"url": "http://h:99999/"}, ["url"]),
        ({"url": "http://h/a b"}, ["url"]),
        ({"url": "http://h/", "ca_file": "/x.pem"}, ["ca_file"]),
        ({"url": "https://h/", "ca_file": "/x.pem", "verify_tls": False}, ["ca_file"]),
        ({"url": "http://h/", "body": "x"}, ["body"]),
        ({"url": "http://h/", "headers": {"a b": "x"}}, ["headers"]),
        ({"url": "http://h/", "headers": {"a": "x\r\ny: z"}}, ["headers"]),
        ({"url": "http://h/", "status": []}, ["status"]),
        ({"url": "http://h/", "body_pattern": "("}, ["body_pattern"]),
        ({"url": "http://h/", "method": "HEAD", "body_contains": "x"}, ["body_contains"]),
        ({"url": "http://h/", "slow_ms": 4_000}, ["slow_ms"]),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, object], wrong: list[str]) -> None:
    assert [key for key, _ in problems_of("http", **keys)] == wrong
