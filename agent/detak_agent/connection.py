"""HTTP/1.1 to one collector over asyncio streams: kept alive, with bounded answers. It never follows a redirect.

Time limits are the caller's: a call that is cancelled closes the connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from detak_agent.proxies import Proxy
from detak_agent.trust import Trust, mismatch
from detak_agent.tunnel import ProxyError, tunnel, unreachable, wants_password
from detak_wire import limits
from detak_wire.codec import InvalidMessageError, decode
from detak_wire.messages import Problem

_READ_BYTES = 65_536


class ConnectionBrokenError(Exception):
    """No answer came: not reachable, refused by TLS, closed, or not HTTP. The message is for people."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. Names of headers are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """At most one connection to one collector; opened when needed, again after it broke."""

    def __init__(
        self,
        url: str,
        trust: Trust | None = None,
        find_proxy: Callable[[], Proxy | None] = lambda: None,
        may_speak: Callable[[], None] = lambda: None,
    ) -> None:
        """`may_speak` is asked before a connection is opened, and raises CouldNotError where none may be."""
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._is_tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_tls else 80)
        self._authority = parts.netloc
        self._prefix = parts.path.rstrip("/")
        self._trust = trust or Trust()
        self._find_proxy = find_proxy
        self._may_speak = may_speak
        self._proxy: Proxy | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._protocol = h11.Connection(h11.CLIENT)

    async def open(self) -> None:
        """Connect unless connected, so that a time taken afterwards does not hold the handshake."""
        if self._writer is not None and self._reader is not None and not self._reader.at_eof():
            return
        self.close()
        self._may_speak()
        self._proxy = self._find_proxy()
        try:
            self._reader, self._writer = await (self._connected_by_tls() if self._is_tls else self._connected())
        except ssl.SSLCertVerificationError as error:
            raise ConnectionBrokenError(f"its certificate is refused: {error.verify_message}") from error
        except ProxyError as error:
            raise ConnectionBrokenError(str(error)) from error
        except (OSError, ssl.SSLError) as error:
            raise ConnectionBrokenError(f"cannot be reached: {_why(error)}") from error
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=16_384)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._proxy is None:
            return await asyncio.open_connection(self._host, self._port)
        try:
            return await asyncio.open_connection(self._proxy.host, self._proxy.port)
        except OSError as error:
            raise unreachable(self._proxy, error) from error

    async def _connected_by_tls(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Nothing is sent before the certificate is known to be the right one."""
        pinned = self._trust.pinned()
        context = self._trust.context(pinned)
        if self._proxy is None:
            reader, writer = await asyncio.open_connection(self._host, self._port, ssl=context)
        else:
            end = await tunnel(self._proxy, self._host, self._port)
            reader, writer = await asyncio.open_connection(sock=end, ssl=context, server_hostname=self._host)
        if pinned is not None:
            session: ssl.SSLObject = writer.get_extra_info("ssl_object")
            problem = mismatch(pinned, session.getpeercert(binary_form=True))
            if problem is not None:
                writer.transport.abort()
                raise ConnectionBrokenError(problem)
        return reader, writer

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """One request and its whole answer on the open connection."""
        assert self._writer is not None, "open() comes first"
        try:
            await self._send(path, body, headers)
            reply = await self._receive()
            self._renew()
        except (OSError, ssl.SSLError) as error:
            self.close()
            raise ConnectionBrokenError(f"the connection broke: {_why(error)}") from error
        except h11.ProtocolError as error:
            self.close()
            raise ConnectionBrokenError(f"does not speak HTTP: {error}") from error
        except BaseException:
            self.close()
            raise
        if reply.status == 407 and self._proxy is not None:
            self.close()
            raise ConnectionBrokenError(str(wants_password(self._proxy)))
        return reply

    def close(self) -> None:
        """Drop the connection, if there is one, without waiting."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _send(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        assert self._writer is not None
        lines = [("Host", self._authority), ("Content-Length", str(len(body))), *headers.items()]
        target = self._prefix + path
        if self._proxy is not None and not self._is_tls:
            target = f"http://{self._authority}{target}"
            lines += self._proxy.headers
        request = h11.Request(method="POST", target=target, headers=lines)
        parts = (request, h11.Data(data=body), h11.EndOfMessage())
        self._writer.write(b"".join(self._protocol.send(part) or b"" for part in parts))
        await self._writer.drain()

    async def _receive(self) -> Reply:
        head: h11.Response | None = None
        body = bytearray()
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                await self._feed()
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > limits.BODY_BYTES:
                    raise h11.RemoteProtocolError(f"the answer is longer than {limits.BODY_BYTES} bytes")
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return Reply(head.status_code, _texts(head), bytes(body))
            elif not isinstance(event, h11.InformationalResponse):
                raise h11.RemoteProtocolError("closed before the answer was whole")

    async def _feed(self) -> None:
        assert self._reader is not None
        data = await self._reader.read(_READ_BYTES)
        if not data and self._protocol.their_state is h11.SEND_RESPONSE:
            raise ConnectionResetError("closed without an answer")
        self._protocol.receive_data(data)

    def _renew(self) -> None:
        if self._protocol.our_state is h11.MUST_CLOSE or self._protocol.their_state is not h11.DONE:
            self.close()
        else:
            self._protocol.start_next_cycle()


def problem_of(reply: Reply) -> Problem:
    """The refusal that an answer other than 200 holds, or one made up from its status."""
    try:
        return decode(reply.body, Problem)
    except InvalidMessageError:
        return Problem("status", f"status {reply.status} without a reason")


def _texts(head: h11.Response) -> dict[str, str]:
    return {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
