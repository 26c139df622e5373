"""Speaks to the other collector over HTTP, one request at a time. It decides nothing."""

from __future__ import annotations

import asyncio
import ssl
from typing import TypeVar

import aiohttp
import msgspec

from detak_collector.pair.messages import (
    ANSWER_BYTES,
    Answered,
    Ask,
    FilePiece,
    Paired,
    Pairing,
    Records,
    Wanted,
    WantedFile,
)
from detak_collector.pair.trust import UntrustedError, context_of, met_certificate, pinned, reason_of
from detak_wire.codec import InvalidMessageError, compress, decode, encode
from detak_wire.messages import Problem

CHANGES = "/api/v1/pair/changes"
RECORDS = "/api/v1/pair/records"
FILES = "/api/v1/pair/files"
PAIR = "/api/v1/pair"
AUTHORITY = "/api/v1/authority"
WITHIN_S = 10.0
PEM_BYTES = 100_000

T = TypeVar("T", bound=msgspec.Struct)


class PeerError(Exception):
    """The other collector did not answer as it should; the text says why."""


class Client:
    """To the collector at `url`; `authority` (PEM) is what its certificate must be signed by, if it is pinned."""

    def __init__(self, url: str, key: str, authority: str | None) -> None:
        self.url = url
        self.authority = authority
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._tls: ssl.SSLContext | bool = context_of(authority) if url.startswith("https:") else False
        self._session: aiohttp.ClientSession | None = None

    async def changes(self, ask: Ask) -> Answered:
        """What is new there; raises PeerError."""
        return await self._post(CHANGES, ask, Answered)

    async def records(self, wanted: Wanted) -> Records:
        """Records of runs; raises PeerError."""
        return await self._post(RECORDS, wanted, Records)

    async def file(self, wanted: WantedFile) -> FilePiece:
        """A piece of an attachment; raises PeerError."""
        return await self._post(FILES, wanted, FilePiece)

    async def pair(self, pairing: Pairing) -> Paired:
        """Asks to be its pair; raises PeerError."""
        return await self._post(PAIR, pairing, Paired)

    async def announced(self) -> bytes | None:
        """The certificates of its own authorities (PEM), if it has any; raises PeerError."""
        status, body = await self._ask("GET", AUTHORITY, None)
        return body[:PEM_BYTES] if status == 200 else None

    async def close(self) -> None:
        """Lets the connection go."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, path: str, message: msgspec.Struct, kind: type[T]) -> T:
        status, body = await self._ask("POST", path, compress(encode(message)))
        if status != 200:
            raise PeerError(f"{self.url}: {_refusal(status, body)}")
        try:
            return decode(body, kind)
        except InvalidMessageError as error:
            raise PeerError(f"{self.url}: its answer is not understood: {error}") from error

    async def _ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WITHIN_S))
        headers = self._headers | ({"Content-Encoding": "gzip"} if body is not None else {})
        try:
            async with self._session.request(
                method, self.url + path, data=body, headers=headers, ssl=self._tls, allow_redirects=False
            ) as answer:
                told = bytearray()
                async for piece in answer.content.iter_chunked(65_536):
                    told += piece
                    if len(told) > ANSWER_BYTES:
                        raise PeerError(f"{self.url}: its answer is larger than {ANSWER_BYTES} bytes")
                return answer.status, bytes(told)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise PeerError(f"{self.url}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Without what only a programmer wants to know."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = error.certificate_error
        return f"its certificate is not trusted: {getattr(why, 'verify_message', '') or why}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or reason_of(error.os_error)
    return reason_of(error)


def _refusal(status: int, body: bytes) -> str:
    try:
        return decode(body, Problem).detail
    except InvalidMessageError:
        return f"answers with status {status}"


async def authority_to_trust(url: str, ca_keys: tuple[str, ...], fingerprint: str | None) -> str | None:
    """The certificates (PEM) that prove the collector at `url`, as was pasted; None where the system's list does.

    Raises PeerError or UntrustedError.
    """
    if not url.startswith("https:"):
        return None
    if fingerprint is not None:
        return await met_certificate(url, fingerprint)
    if not ca_keys:
        return None
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    client = Client(url, "", None)
    client._tls = unverified  # noqa: SLF001 - what is told is compared with the pasted keys, and nothing is sent
    try:
        async with asyncio.timeout(WITHIN_S):
            told = await client.announced()
    except TimeoutError as error:
        raise PeerError(f"{url}: {reason_of(error)}") from error
    finally:
        await client.close()
    if told is None:
        raise UntrustedError(f"{url}: has no authority of its own")
    return pinned(told, ca_keys)
