"""One HTTP request for each sample, on a fresh connection. It imports aiohttp: only `http` loads it, when it must."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from detak_agent.checks.addresses import Lookup, endpoint, met
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.certificates import client_context, days_left, refusal
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.http.kind import HttpSettings, host_and_port, status_ranges

MOST_BODY_BYTES = 256 * 1_024
MOST_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as far as it is judged."""

    status: int
    body: bytes
    cut: bool
    latency_ms: float
    certificate_days: float | None


def judge(answer: Answer, settings: HttpSettings) -> Outcome:
    """Pure: the state for an answer."""
    values = {"latency_ms": answer.latency_ms}
    if answer.certificate_days is not None:
        values["certificate_days_left"] = answer.certificate_days
    wrong = _wrong(answer, settings)
    if wrong:
        return Outcome("down", wrong, values=values)
    doubtful = _doubtful(answer, settings)
    if doubtful:
        return Outcome("degraded", doubtful, values=values)
    return Outcome("up", f"status {answer.status} in {answer.latency_ms:.0f} ms", values=values)


def _wrong(answer: Answer, settings: HttpSettings) -> str:
    if not any(low <= answer.status <= high for low, high in status_ranges(settings.status)):
        wanted = ", ".join(str(one) for one in settings.status)
        return f"status {answer.status} (wanted {wanted})"
    if answer.certificate_days is not None and answer.certificate_days <= 0:
        return f"the certificate expired {-answer.certificate_days:.1f} days ago: renew it"
    where = f"the first {MOST_BODY_BYTES // 1_024} KiB of the answer" if answer.cut else "the answer"
    text = answer.body.decode(errors="replace")
    if settings.body_contains and settings.body_contains not in text:
        return f"status {answer.status}, but {settings.body_contains!r} is not in {where}"
    if settings.body_pattern and re.search(settings.body_pattern, text) is None:
        return f"status {answer.status}, but nothing in {where} matches {settings.body_pattern!r}"
    return ""


def _doubtful(answer: Answer, settings: HttpSettings) -> str:
    found = []
    if settings.slow_ms is not None and answer.latency_ms > settings.slow_ms:
        found.append(f"slow: the answer took {answer.latency_ms:.0f} ms (limit {settings.slow_ms} ms)")
    days = answer.certificate_days
    if days is not None and days < settings.expiry_warning_days:
        found.append(f"the certificate expires in {days:.1f} days (warning {settings.expiry_warning_days} days before)")
    return "; ".join(found)


class _Resolver(AbstractResolver):
    """Names for aiohttp by our own lookup, whose threads hold up nothing."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host, host=found.host, port=port, family=found.family, proto=0, flags=socket.AI_NUMERICHOST
            )
            for found in await self._lookup.addresses(host, port)
            if family in {socket.AF_UNSPEC, found.family}
        ]

    async def close(self) -> None:
        """It holds nothing."""


class HttpClient:
    """Keeps what is dear (the TLS context); makes the session and its connection anew for each sample."""

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._url = urlsplit(settings.url)
        self._where = endpoint(*host_and_port(self._url))
        self._context = client_context(verify=settings.verify_tls, ca_file=settings.ca_file)
        self._lookup = Lookup()
        self._headers = {"User-Agent": "detak-agent", **settings.headers}
        self._body = settings.body.encode() if settings.method == "POST" else None
        self._waiting_for = ""

    async def sample(self, deadline_ms: int) -> Outcome:
        self._waiting_for = f"{self._where} did not take the connection"
        self._context.take()
        try:
            answer = await asyncio.wait_for(self._ask(), patience_s(deadline_ms))
        except asyncio.TimeoutError:
            return Outcome("down", f"{self._waiting_for} within {deadline_ms} ms")
        except aiohttp.ClientError as error:
            return self._failed(error)
        except OSError as error:
            raise met(error, self._where) from error
        return judge(answer, self._settings)

    async def _ask(self) -> Answer:
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(self._lookup), use_dns_cache=False, force_close=True, ssl=self._context
        )
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._connected)
        begin = time.perf_counter()
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                trace_configs=[trace],
            ) as session,
            session.request(
                self._settings.method,
                self._settings.url,
                headers=self._headers,
                data=self._body,
                allow_redirects=self._settings.follow_redirects,
                max_redirects=MOST_REDIRECTS,
            ) as response,
        ):
            self._waiting_for = f"{self._where} answered with status {response.status}, but its answer did not end"
            body, cut = await self._read(response)
        latency_ms = (time.perf_counter() - begin) * 1_000
        now = dt.datetime.now(dt.timezone.utc)
        return Answer(response.status, body, cut, latency_ms, days_left(self._context.take(), now))

    async def _connected(self, *_about: object) -> None:
        self._waiting_for = f"{self._where} took the connection, but did not answer"

    @staticmethod
    async def _read(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
        body = b""
        while len(body) < MOST_BODY_BYTES:
            part = await response.content.read(MOST_BODY_BYTES - len(body))
            if not part:
                return body, False
            body += part
        return body, True

    def _failed(self, error: aiohttp.ClientError) -> Outcome:
        """The state for an error of aiohttp, whose own words would show the URL with all that is in it."""
        if isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError)):
            cause = (
                error.certificate_error
                if isinstance(error, aiohttp.ClientConnectorCertificateError)
                else error.os_error
            )
            host = str(error.host)
            return Outcome(
                "down", refusal(cause, host) if isinstance(cause, ssl.SSLError) else f"TLS with {host} failed"
            )
        if isinstance(error, aiohttp.ClientConnectorError):
            where = endpoint(error.host, error.port or 0)
            # A lookup that failed has its words already, and a number that means nothing elsewhere.
            raise error.os_error if isinstance(error, aiohttp.ClientConnectorDNSError) else met(error.os_error, where)
        if isinstance(error, OSError) and not isinstance(error, aiohttp.ServerDisconnectedError):
            raise met(error, self._where)
        return Outcome("down", self._broken(error))

    def _broken(self, error: aiohttp.ClientError) -> str:
        if isinstance(error, aiohttp.TooManyRedirects):
            return f"{self._where} redirects more than {MOST_REDIRECTS} times"
        if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
            return f"{self._where} redirects to something that is not a web address"
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return f"{self._where} closed the connection without an answer"
        if isinstance(error, aiohttp.ClientPayloadError):
            return f"{self._where} closed the connection in the middle of its answer"
        if isinstance(error, aiohttp.ClientResponseError):
            return f"{self._where} answered something that is not HTTP"
        raise CouldNotCheckError(f"the HTTP client failed: {type(error).__name__}")
