"""Which proxy is taken, by the usual variables; and a small real one that asks for a password."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.tls_server import OK, post, saying, server, serving_context
from detak_agent.config import CollectorSettings
from detak_agent.connection import Connection, ConnectionBrokenError
from detak_agent.failures import CouldNotError
from detak_agent.proxies import Proxy, proxy_for
from detak_agent.trust import Trust
from detak_agent.way import way_to_enrol

HOST = "detak.example.go.id"


def chosen(scheme: str = "https", host: str = HOST, **environment: str) -> str | None:
    found = proxy_for(scheme, host, environment)
    return None if found is None else f"{found.host}:{found.port} of {found.variable}"


@pytest.mark.parametrize(
    ("scheme", "environment", "taken"),
    [
        ("https", {}, None),
        ("https", {"HTTPS_PROXY": "http://p:3128"}, "p:3128 of HTTPS_PROXY"),
        ("https", {"https_proxy": "http://p:3128", "HTTPS_PROXY": "http://q:1"}, "p:3128 of https_proxy"),
        ("https", {"https_proxy": "", "HTTPS_PROXY": "http://q:1"}, "q:1 of HTTPS_PROXY"),
        ("https", {"https_proxy": "p"}, "p:80 of https_proxy"),
        ("https", {"https_proxy": "http://[fd00::1]:3128"}, "fd00::1:3128 of https_proxy"),
        ("https", {"http_proxy": "http://p:3128"}, None),
        ("https", {"all_proxy": "http://p:3128"}, "p:3128 of all_proxy"),
        ("http", {"http_proxy": "http://p:3128"}, "p:3128 of http_proxy"),
        ("http", {"HTTP_PROXY": "http://p:3128"}, None),
        ("http", {"HTTPS_PROXY": "http://p:3128", "ALL_PROXY": "q:2"}, "q:2 of ALL_PROXY"),
    ],
)
def test_the_usual_variables_name_the_proxy(scheme: str, environment: dict[str, str], taken: str | None) -> None:
    assert chosen(scheme, **environment) == taken


@pytest.mark.parametrize(
    ("host", "exempt", "is_exempt"),
    [
        (HOST, "*", True),
        (HOST, "detak.example.go.id", True),
        (HOST, "DETAK.Example.go.id", True),
        (HOST, "example.go.id", True),
        (HOST, ".example.go.id", True),
        (HOST, "a.test, go.id", True),
        (HOST, "ample.go.id", False),
        (HOST, "detak.example.go.id.test", False),
        (HOST, ".", False),
        ("10.20.3.4", "10.20.3.4", True),
        ("10.20.3.4", "10.20.0.0/16", True),
        ("10.20.3.4", "10.21.0.0/16,192.0.2.0/24", False),
        ("10.20.3.4", "3.4", False),
        ("fd00::7", "fd00::/8", True),
        ("fd00::7", "[fd00::7]", True),
        ("127.0.0.1", "", True),
        ("localhost", "", True),
        ("::1", "", True),
    ],
)
def test_no_proxy_and_this_machine_are_reached_directly(host: str, exempt: str, is_exempt: bool) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        assert (chosen(host=host, https_proxy="http://p:3128", **{name: exempt}) is None) == is_exempt


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("socks5://user:geheim@p:1080", "http:// only, not by socks5://"),
        ("http://user:geheim@p:port", "must be a proxy such as"),
        ("http://", "must be a proxy such as"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_said_without_its_password(written: str, reason: str) -> None:
    with pytest.raises(CouldNotError, match=reason) as error:
        proxy_for("https", HOST, {"https_proxy": written})
    assert "geheim" not in str(error.value)


def test_the_password_is_not_in_what_a_proxy_prints() -> None:
    found = proxy_for("https", HOST, {"https_proxy": "http://user:geh%40eim@p:1"})
    assert found is not None
    assert base64.b64decode(found.authorization.removeprefix("Basic ")) == b"user:geh@eim"
    assert "geh" not in repr(found)
    assert found.authorization not in repr(found)


@dataclass
class RealProxy:
    """CONNECT and absolute targets, for whoever has the password."""

    port: int = 0
    answer: bytes = b""
    """Said to everybody in place of connecting, where it is not empty."""
    asked: list[str] = field(default_factory=list)
    backs: list[asyncio.StreamWriter] = field(default_factory=list)
    user: str = "user:geheim"

    def proxy(self, user: str = "user:geheim", port: int | None = None) -> Proxy:
        proxy = proxy_for("https", HOST, {"https_proxy": f"http://{user}@127.0.0.1:{port or self.port}"})
        assert proxy is not None
        return proxy

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split(" ", 2)
        self.asked.append(f"{method} {target}")
        if self.answer:
            writer.write(self.answer)
        elif base64.b64encode(self.user.encode()).decode() not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        else:
            await self.carry(method, target, head, reader, writer)
        await writer.drain()
        writer.close()

    async def carry(
        self, method: str, target: str, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        authority = target if method == "CONNECT" else target.removeprefix("http://").partition("/")[0]
        host, _, port = authority.rpartition(":")
        there, back = await asyncio.open_connection(host, int(port))
        self.backs.append(back)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            back.write(head.encode())
        await asyncio.gather(copy(reader, back), copy(there, writer))


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(4_096):
            writer.write(data)
            await writer.drain()
        writer.close()
    except OSError:
        return


@asynccontextmanager
async def real_proxy() -> AsyncIterator[RealProxy]:
    one = RealProxy()
    async with server(one.serve) as url:
        one.port = int(url.rpartition(":")[2])
        try:
            yield one
        finally:
            for back in one.backs:
                back.transport.abort()
            await asyncio.sleep(0.01)


@pytest.mark.asyncio
async def test_a_tunnel_through_a_proxy_with_a_password_reaches_the_collector(certificate: Path) -> None:
    async with real_proxy() as one, server(saying(OK, OK), serving_context(certificate)) as url:
        connection = Connection(url, Trust(str(certificate)), one.proxy)
        assert await post(connection) == (200, b"hi")
        assert await post(connection) == (200, b"hi")
        assert one.asked == [f"CONNECT {url.removeprefix('https://')}"]
        connection.close()


@pytest.mark.asyncio
async def test_plain_http_goes_to_a_proxy_with_its_whole_target() -> None:
    async with real_proxy() as one, server(saying(OK)) as url:
        connection = Connection(url, None, one.proxy)
        assert await post(connection) == (200, b"hi")
        assert one.asked == [f"POST {url}/x"]
        connection.close()


@pytest.mark.asyncio
async def test_the_collector_s_certificate_counts_through_a_proxy_too(certificate: Path) -> None:
    async with real_proxy() as one, server(saying(OK), serving_context(certificate)) as url:
        with pytest.raises(ConnectionBrokenError, match="its certificate is refused"):
            await post(Connection(url, None, one.proxy))


@pytest.mark.asyncio
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("user", "reason"),
    [("user:wrong", r"refuses the user and password that stand there \(407\)"), (":", "refuses the user and password")],
)
async def test_a_wrong_password_is_said_and_not_shown(scheme: str, user: str, reason: str) -> None:
    async with real_proxy() as one, server(saying(OK)) as url:
        with pytest.raises(ConnectionBrokenError, match=reason) as error:
            await post(Connection(url.replace("http:", f"{scheme}:"), None, lambda: one.proxy(user)))
        assert f"the proxy 127.0.0.1:{one.port} of https_proxy" in str(error.value)
        assert "wrong" not in str(error.value)


@pytest.mark.asyncio
async def test_a_missing_password_is_said() -> None:
    async with real_proxy() as one:
        bare = proxy_for("https", HOST, {"https_proxy": f"127.0.0.1:{one.port}"})
        with pytest.raises(ConnectionBrokenError, match=r"wants a user and password \(407\): write http://USER"):
            await post(Connection("https://127.0.0.1:9", None, lambda: bare))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 403 Blocked by policy\r\n\r\n", "does not let us through to 127.0.0.1:9: 403 Blocked by policy"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "does not let us through to 127.0.0.1:9: 502"),
        (b"220 smtp ready\r\n\r\n", "does not answer as a proxy does"),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1", "does not answer as a proxy does: something follows"),
    ],
)
async def test_a_proxy_that_refuses_is_named_with_its_reason(answer: bytes, reason: str) -> None:
    async with real_proxy() as one:
        one.answer = answer
        with pytest.raises(ConnectionBrokenError, match=reason):
            await post(Connection("https://127.0.0.1:9", None, one.proxy))


@pytest.mark.asyncio
@pytest.mark.parametrize("url", ["https://127.0.0.1:9", "http://127.0.0.1:9"])
async def test_a_proxy_that_is_not_there_is_named(url: str) -> None:
    with pytest.raises(ConnectionBrokenError, match=r"the proxy 127\.0\.0\.1:9 of https_proxy cannot be reached"):
        await post(Connection(url, None, lambda: RealProxy().proxy(port=9)))


@pytest.mark.asyncio
async def test_the_way_to_a_collector_heeds_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with real_proxy() as one:
        monkeypatch.setenv("https_proxy", f"http://user:wrong@127.0.0.1:{one.port}")
        way = way_to_enrol(CollectorSettings(url=f"https://{HOST}"), None)
        with pytest.raises(ConnectionBrokenError, match="refuses the user and password"):
            await way.open()
        assert one.asked == [f"CONNECT {HOST}:443"]
        monkeypatch.setenv("NO_PROXY", "127.0.0.9")
        with pytest.raises(ConnectionBrokenError, match=r"^cannot be reached"):
            await way_to_enrol(CollectorSettings(url="https://127.0.0.9:9"), None).open()
        assert len(one.asked) == 1
