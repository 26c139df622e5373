"""The endpoints that the other collector calls: pairing, what is new, and records. They decide nothing."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import msgspec
from aiohttp import web

from detak_collector.channel.door import Door
from detak_collector.channel.enrol import RANDOM_BYTES, digest
from detak_collector.clocks import Clock
from detak_collector.ingest.intake import RETRY_AFTER_S
from detak_collector.operating.counters import refusals
from detak_collector.pair import messages
from detak_collector.pair.follow import Following
from detak_collector.store.base import Redeemed, StoreError
from detak_collector.store.holdings import records_of
from detak_collector.store.peers import Peer
from detak_collector.store.telling import answer
from detak_collector.web.api import BODY_S, JSON, RefusedError
from detak_wire import limits
from detak_wire.codec import InvalidMessageError, compress, decode, encode, inflate
from detak_wire.messages import Problem

T = TypeVar("T", messages.Pairing, messages.Ask, messages.Wanted, messages.WantedFile)
Handler = Callable[[web.Request], Awaitable[msgspec.Struct]]

REFUSALS = {
    Redeemed.UNKNOWN: "this token is not known here",
    Redeemed.EXPIRED: "this token has expired",
    Redeemed.USED: "this token has been used already",
}


@dataclass(frozen=True, slots=True)
class PairApi:
    """What the endpoints stand on. Every refusal is counted by its fixed word."""

    following: Following
    clock: Clock
    door: Door

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.post("/api/v1/pair", partial(self._guarded, self.pair)),
            web.post("/api/v1/pair/changes", partial(self._guarded, self.changes)),
            web.post("/api/v1/pair/records", partial(self._guarded, self.records)),
            web.post("/api/v1/pair/files", partial(self._guarded, self.files)),
        ]

    async def pair(self, request: web.Request) -> messages.Paired:
        """A token for the keys between both."""
        self._limit_stranger(request)
        asked = await _message(request, messages.Pairing)
        store = self.following.store
        if asked.collector == store.collector:
            raise RefusedError(409, Problem("itself", "this is the same collector: two are needed for a pair"))
        key = secrets.token_hex(RANDOM_BYTES)
        peer = Peer(asked.collector, asked.url, asked.key, asked.authority)
        redeem = partial(store.peers.redeem, digest(asked.token), peer, digest(key), self.clock().utc)
        outcome = await asyncio.to_thread(redeem)
        if outcome is not Redeemed.ACCEPTED:
            detail = f"{REFUSALS[outcome]}: make another with `detak-collector pair token`"
            raise RefusedError(403, Problem("token", detail, "$.token"))
        address = request.remote or ""
        self.following.audit(
            "paired", f"collector {asked.collector} at {asked.url} is this one's pair from now on", address=address
        )
        return messages.Paired(store.collector, key)

    async def changes(self, request: web.Request) -> messages.Answered:
        """What is new after the marks of the request."""
        await self._authenticate(request)
        ask = await _message(request, messages.Ask)
        return await self.answer(ask)

    async def records(self, request: web.Request) -> messages.Records:
        """Records of runs."""
        await self._authenticate(request)
        wanted = await _message(request, messages.Wanted)
        return await self.find(wanted)

    async def files(self, request: web.Request) -> messages.FilePiece:
        """A piece of an attachment."""
        await self._authenticate(request)
        return await self.piece(await _message(request, messages.WantedFile))

    async def piece(self, wanted: messages.WantedFile) -> messages.FilePiece:
        """As `files`, of who has proven to be the other collector."""
        attachments = self.following.store.attachments
        found = await asyncio.to_thread(attachments.piece, wanted.digest, wanted.offset, messages.FILE_PIECE)
        return messages.FilePiece(None) if found is None else messages.FilePiece(*found)

    async def answer(self, ask: messages.Ask) -> messages.Answered:
        """As `changes`, of who has proven to be the other collector."""
        self.following.asked()
        return await asyncio.to_thread(self._answer, ask)

    async def find(self, wanted: messages.Wanted) -> messages.Records:
        """As `records`, of who has proven to be the other collector."""
        return await asyncio.to_thread(self._records, wanted)

    def _answer(self, ask: messages.Ask) -> messages.Answered:
        following = self.following
        services = following.services()
        with following.store.database.reading() as connection:
            return answer(connection, ask, self.clock(), leads=following.role.leads, services=services)

    def _records(self, wanted: messages.Wanted) -> messages.Records:
        with self.following.store.database.reading() as connection:
            return messages.Records(records_of(connection, wanted.runs))

    async def _authenticate(self, request: web.Request) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        peers = self.following.store.peers
        if scheme.lower() != "bearer" or not await asyncio.to_thread(peers.is_peer, digest(key.strip())):
            self._limit_stranger(request)
            detail = "this key is not that of the other collector: pair both anew with `detak-collector pair token`"
            raise RefusedError(401, Problem("unauthorized", detail))

    def _limit_stranger(self, request: web.Request) -> None:
        now_s, address = self.clock().boottime / 1_000, request.remote or ""
        if not self.door.strangers.take(address, now_s):
            wait_s = self.door.strangers.wait_s(address, now_s)
            detail = f"{address} asks without a valid key more often than is allowed"
            raise RefusedError(429, Problem("too_often", detail, retry_after_s=wait_s))

    async def _guarded(self, handler: Handler, request: web.Request) -> web.Response:
        """The answer, or any refusal as a Problem, counted."""
        try:
            return _json(200, await handler(request), request)
        except RefusedError as error:
            status, problem = error.status, error.problem
        except StoreError:
            detail = "the store cannot be asked now; the collector's log says why"
            status, problem = 503, Problem("unavailable", detail, retry_after_s=RETRY_AFTER_S)
        refusals.count(problem.error)
        response = _json(status, problem, request)
        if problem.retry_after_s is not None:
            response.headers["Retry-After"] = str(problem.retry_after_s)
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response


def _json(status: int, content: msgspec.Struct, request: web.Request) -> web.Response:
    body, headers = encode(content), {}
    if len(body) > 2_000 and "gzip" in request.headers.get("Accept-Encoding", ""):
        body, headers = compress(body), {"Content-Encoding": "gzip"}
    return web.Response(status=status, body=body, content_type=JSON, headers=headers)


async def _message(request: web.Request, kind: type[T]) -> T:
    try:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
        encoding = request.headers.get("Content-Encoding", "identity").lower()
        if encoding not in {"identity", "gzip"}:
            raise RefusedError(415, Problem("encoding", f"Content-Encoding {encoding!r} is not spoken here"))
        message = decode(inflate(body) if encoding == "gzip" else body, kind)
    except web.HTTPRequestEntityTooLarge:
        detail = f"a message has at most {limits.BODY_BYTES} bytes as transferred"
        raise RefusedError(413, Problem("too_large", detail)) from None
    except TimeoutError:
        raise RefusedError(408, Problem("slow", f"the body was not whole within {BODY_S:.0f} s")) from None
    except web.RequestPayloadError:
        raise RefusedError(400, Problem("malformed", "the body is not framed as HTTP/1.1 frames it")) from None
    except InvalidMessageError as error:
        raise RefusedError(400, Problem("invalid", error.reason, error.path)) from None
    if message.protocol != messages.PAIR_PROTOCOL:
        detail = f"pair protocol {message.protocol} is not spoken here; spoken is {messages.PAIR_PROTOCOL}: "
        raise RefusedError(400, Problem("protocol", detail + "bring both collectors to one version", "$.protocol"))
    return message
