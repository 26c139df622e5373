"""HTTP/1.1 to one collector over asyncio streams: kept alive, with bounded answers. It never follows a redirect.

Time limits are the caller's: a call that is cancelled closes the connection.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import h11

from detak_agent.checks.certificates import NOT_TLS
from detak_agent.checks.threads import in_thread
from detak_agent.http_answer import AnswerReader, BrokenAnswerError, client
from detak_agent.proxies import Proxy
from detak_agent.telling import distrusting, tell_refusal, tell_refusal_at
from detak_agent.trust import Trust, mismatch
from detak_agent.tunnel import ProxyError, tunnel, unreachable, wants_password
from detak_wire import INSTANCE_HEADER, limits
from detak_wire.codec import InvalidMessageError, decode
from detak_wire.messages import Problem

AUTHORITY = "/api/v1/authority"
LEARN_S = 3_600.0
INSTANCE_CHARACTERS = 100

_NOT_TLS_WORDS = "what answers there does not speak TLS: is it a plain port, whose url begins with http?"

_log = logging.getLogger("detak_agent")


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
        self._url = url
        self._host = parts.hostname or ""
        self._is_tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_tls else 80)
        self._authority = parts.netloc
        self._prefix = parts.path.rstrip("/")
        self._trust = trust or Trust()
        self._find_proxy = find_proxy
        self._may_speak = may_speak
        self._proxy: Proxy | None = None
        self._instance = ""
        self._learns_at_s = 0.0
        self._tried: ssl.SSLContext | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._protocol = client()
        self._answer: AnswerReader | None = None

    async def open(self) -> None:
        """Connect unless connected, so that a time taken afterwards does not hold the handshake."""
        if self._writer is None or self._reader is None or self._reader.at_eof():
            await self._connect()
        await self._learn()

    async def _connect(self) -> None:
        self.close()
        self._learns_at_s = 0.0
        self._may_speak()
        self._proxy = self._find_proxy()
        try:
            self._reader, self._writer = await (self._connected_by_tls() if self._is_tls else self._connected())
        except ssl.SSLCertVerificationError as error:
            raise await self._refused(f"its certificate is refused: {error.verify_message}", self._tried) from error
        except ProxyError as error:
            raise ConnectionBrokenError(str(error)) from error
        except (OSError, ssl.SSLError) as error:
            raise ConnectionBrokenError(f"cannot be reached: {_why(error)}") from error
        self._trust.note("")
        self._protocol = client()
        self._answer = AnswerReader(self._protocol, self._reader.read)

    async def _refused(self, why: str, context: ssl.SSLContext | None = None) -> ConnectionBrokenError:
        """The error to raise, once the collector was told; `context` is what refused it."""
        self._trust.note(why)
        told_with = context or distrusting()
        with suppress(ProxyError):
            if self._proxy is None:
                await in_thread(partial(tell_refusal_at, self._host, self._port, told_with))
            else:
                end = await tunnel(self._proxy, self._host, self._port)
                await in_thread(partial(tell_refusal, end, told_with, self._host))
        return ConnectionBrokenError(why)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._proxy is None:
            return await asyncio.open_connection(self._host, self._port)
        try:
            return await asyncio.open_connection(self._proxy.host, self._proxy.port)
        except OSError as error:
            raise unreachable(self._proxy, error) from error

    async def _connected_by_tls(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Nothing is sent before the certificate is known to be the right one."""
        pins = self._trust.pins()
        if pins.authority_keys:
            return await self._by_authority(pins.authority_keys)
        if pins.fingerprint is None:
            return await self._secured(self._trust.context())
        reader, writer = await self._secured(self._trust.context(verified=False))
        session: ssl.SSLObject = writer.get_extra_info("ssl_object")
        problem = mismatch(pins.fingerprint, session.getpeercert(binary_form=True))
        if problem is not None:
            writer.transport.abort()
            raise await self._refused(problem)
        return reader, writer

    async def _by_authority(self, keys: Sequence[str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """What is known of the authority may have been renewed since: it is asked for again before one gives up."""
        known = self._trust.by_authority(keys)
        if known is not None:
            try:
                return await self._secured(known)
            except ssl.SSLCertVerificationError:
                pass
        problem = self._trust.meet(keys, await self._announced())
        met = self._trust.by_authority(keys)
        if problem is not None or met is None:
            raise await self._refused(problem or "its authority is not known")
        return await self._secured(met)

    async def _announced(self) -> str:
        """The authorities' certificates as anyone may tell them: nothing secret is sent, and the keys decide."""
        stranger = Connection(self._url, _Anyone(), self._find_proxy)
        try:
            await stranger.open()
            reply = await stranger.get(AUTHORITY)
        finally:
            stranger.close()
        if reply.status != 200:
            raise ConnectionBrokenError(f"it tells no certificate authority of its own (status {reply.status})")
        return reply.body.decode("ascii", "replace")

    async def _secured(self, context: ssl.SSLContext) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._tried = context
        if self._proxy is None:
            return await asyncio.open_connection(self._host, self._port, ssl=context)
        end = await tunnel(self._proxy, self._host, self._port)
        return await asyncio.open_connection(sock=end, ssl=context, server_hostname=self._host)

    async def _learn(self) -> None:
        """Once connected, and each hour: does the collector, which has proven who it is, announce another authority?"""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._learns_at_s or not self._is_tls or not self._trust.pins().authority_keys:
            return
        self._learns_at_s = now_s + LEARN_S
        reply = await self.get(AUTHORITY)
        learned = self._trust.learn(reply.body.decode("ascii", "replace")) if reply.status == 200 else None
        if learned is not None:
            _log.warning(
                "collector %s: from now on trusts the authority with the key %s", self._url, " or ".join(learned)
            )
        if self._writer is None:
            raise ConnectionBrokenError("closed the connection after it was asked for its authority")

    async def get(self, path: str) -> Reply:
        """As `post`, with nothing in the request but the path."""
        return await self._ask("GET", path, b"", {})

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """One request and its whole answer on the open connection."""
        return await self._ask("POST", path, body, headers)

    async def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        assert self._writer is not None, "open() comes first"
        try:
            await self._send(method, path, body, headers)
            reply = await self._receive()
            self._instance = _told_instance(reply) or self._instance
            self._renew()
        except (OSError, ssl.SSLError) as error:
            self.close()
            raise ConnectionBrokenError(f"the connection broke: {_why(error)}") from error
        except BrokenAnswerError as error:
            self.close()
            raise ConnectionBrokenError(str(error)) from error
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

    async def _send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        assert self._writer is not None
        lines = [("Host", self._authority), ("Content-Length", str(len(body))), *headers.items()]
        if self._instance:
            lines.append((INSTANCE_HEADER, self._instance))
        target = self._prefix + path
        if self._proxy is not None and not self._is_tls:
            target = f"http://{self._authority}{target}"
            lines += self._proxy.headers
        request = h11.Request(method=method, target=target, headers=lines)
        parts = (request, h11.Data(data=body), h11.EndOfMessage())
        self._writer.write(b"".join(self._protocol.send(part) or b"" for part in parts))
        await self._writer.drain()

    async def _receive(self) -> Reply:
        assert self._answer is not None
        head = await self._answer.head()
        body = bytearray()
        while part := await self._answer.part():
            body += part
            if len(body) > limits.BODY_BYTES:
                raise BrokenAnswerError(f"sends an answer longer than {limits.BODY_BYTES} bytes")
        return Reply(head.status_code, _texts(head), bytes(body))

    def _renew(self) -> None:
        assert self._answer is not None
        is_over = self._protocol.our_state is h11.MUST_CLOSE or self._protocol.their_state is not h11.DONE
        if is_over or self._answer.left_over:
            self.close()
        else:
            self._protocol.start_next_cycle()


class _Anyone(Trust):
    """Whoever answers is believed nothing but what can be checked."""

    def context(self, *, verified: bool = True) -> ssl.SSLContext:
        """As Trust says, but for verifying."""
        assert verified
        return super().context(verified=False)


def _told_instance(reply: Reply) -> str:
    """Which copy of its store the collector serves from: an older copy that hears of it serves no more."""
    told = reply.headers.get(INSTANCE_HEADER.lower(), "")
    return told if len(told) <= INSTANCE_CHARACTERS and told.isascii() and told.isprintable() else ""


def problem_of(reply: Reply) -> Problem:
    """The refusal that an answer other than 200 holds, or one made up from its status."""
    try:
        return decode(reply.body, Problem)
    except InvalidMessageError:
        return Problem("status", f"status {reply.status} without a reason")


def _texts(head: h11.Response | h11.InformationalResponse) -> dict[str, str]:
    return {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        words = (error.reason or str(error)).lower().replace("_", " ")
        return _NOT_TLS_WORDS if error.reason in NOT_TLS else f"it does not speak TLS as it should: {words}"
    # What asyncio says of a connection that failed is not meant for people.
    if error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__
