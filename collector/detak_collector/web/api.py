"""The endpoints that agents call: evidence and enrolment. They speak HTTP and decide nothing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import TypeVar

import msgspec
from aiohttp import web

from detak_collector.channel import enrol
from detak_collector.channel.door import Door, Visitor
from detak_collector.channel.enrol import Holder
from detak_collector.channel.keys_elsewhere import KeysElsewhere
from detak_collector.channel.limits import NODE_MESSAGES, Allowances
from detak_collector.clocks import Clock
from detak_collector.ingest.intake import RETRY_AFTER_S, Ingest, OverloadedError
from detak_collector.ingest.validation import InvalidRecordError
from detak_collector.operating.counters import refusals
from detak_collector.operating.events import Audit
from detak_collector.operating.logs import log_audit
from detak_collector.store.base import Arrival, NodeRegistry, Redeemed, StoreError
from detak_wire import PROTOCOL_VERSION, limits
from detak_wire.codec import InvalidMessageError, decode, encode, inflate
from detak_wire.messages import Enrolled, Enrolment, Evidence, KeyRenewal, Problem

JSON = "application/json"
PEM = "application/x-pem-file"
BODY_S = 30.0
"""A body must be whole so long after its head."""
VERSION = version("detak-collector")

T = TypeVar("T", Evidence, Enrolment, KeyRenewal)
R = TypeVar("R")
Handler = Callable[[web.Request], Awaitable[web.Response]]

_log = logging.getLogger(__name__)


class RefusedError(Exception):
    """A request that gets `problem` as its answer."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.status = status
        self.problem = problem


class _AnyVersion(msgspec.Struct):
    """The one field that every version of the protocol has."""

    protocol: int


@dataclass(slots=True)
class Api:
    """What the endpoints stand on. Every refusal is counted by its fixed word."""

    ingest: Ingest
    registry: NodeRegistry
    keyring: enrol.Keyring
    thread: ThreadPoolExecutor
    clock: Clock
    collector: str
    stored: Callable[[Arrival], None] = lambda _: None
    """Told of each message once it is durable."""
    audit: Audit = log_audit
    door: Door | None = None
    authorities: Callable[[], bytes | None] = lambda: None
    messages: Allowances = field(default_factory=lambda: Allowances(NODE_MESSAGES))
    _elsewhere: KeysElsewhere | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.keyring.shared:
            self._elsewhere = KeysElsewhere(self.keyring, self.thread)

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.post("/api/v1/evidence", partial(self._guarded, self.evidence)),
            web.post("/api/v1/enrol", partial(self._guarded, self.enrol)),
            web.post("/api/v1/renew", partial(self._guarded, self.renew)),
            web.get("/api/v1/authority", partial(self._guarded, self.authority)),
        ]

    async def evidence(self, request: web.Request) -> web.Response:
        """One beat: authenticate, decode, store, then acknowledge."""
        at = self.clock()
        holder = await self._holder(request)
        body = await _body(request)
        async with self.ingest.turn(len(body)):
            evidence = _decoded(body, Evidence)
            _refuse_other_node(holder, evidence.node)
            arrival = Arrival(holder.node, evidence, at, request.remote or "")
            answer = await self.ingest.take(arrival, len(body))
        self.stored(arrival)
        return _json(200, encode(answer))

    async def enrol(self, request: web.Request) -> web.Response:
        """A token for a key, once."""
        self._limit_stranger(request)
        enrolment = _decoded(await _body(request), Enrolment)
        redeem = partial(enrol.redeem, self.registry, enrolment.node, enrolment.token, self.clock())
        outcome, key = await self._in_store(redeem)
        if outcome is not Redeemed.ACCEPTED:
            detail = f"{enrol.REFUSALS[outcome]}: make another with `detak-collector enroll {enrolment.node}`"
            raise RefusedError(403, Problem("token", detail, "$.token"))
        await self._in_store(self.keyring.refill)
        node, address = enrolment.node, request.remote or ""
        self.audit("enrolled", f"node {node} has enrolled from {address}", node=node, address=address)
        return _json(200, encode(Enrolled(enrolment.node, key, self.collector)))

    async def renew(self, request: web.Request) -> web.Response:
        """A fresh key for a valid one, which stays valid until the fresh one is first used."""
        holder = await self._holder(request)
        _refuse_other_node(holder, _decoded(await _body(request), KeyRenewal).node)
        key = await self._in_store(partial(enrol.renew, self.registry, holder.key_hash, self.clock()))
        if key is None:
            raise _unauthorized()
        await self._in_store(self.keyring.refill)
        self.audit("key-renewed", f"node {holder.node} has a new key", node=holder.node)
        return _json(200, encode(Enrolled(holder.node, key, self.collector)))

    async def authority(self, _: web.Request) -> web.Response:
        """The certificates of the own authorities, PEM: agents that pin their keys find them here."""
        announced = self.authorities()
        if announced is None:
            raise RefusedError(404, Problem("unknown", "this collector has no authority of its own"))
        return web.Response(body=announced, content_type=PEM)

    async def _holder(self, request: web.Request) -> Holder:
        """Whose key came with the request; the first use of a fresh one voids the one before it, durably."""
        told = request.headers.get("Authorization", "")
        holder = self.keyring.holder_of(told)
        if holder is None:
            self._limit_stranger(request)
            if self._elsewhere is not None:
                await self._elsewhere.look()
            holder = self.keyring.holder_of(told)
        if holder is None:
            raise _unauthorized()
        if isinstance(request.protocol, Visitor):
            request.protocol.shows_key()
        now_s = self.clock().boottime / 1_000
        if not self.messages.take(holder.node, now_s):
            raise _too_often(f"node {holder.node} sends", self.messages.wait_s(holder.node, now_s))
        if holder.is_fresh:
            await self._in_store(partial(self.registry.settle, holder.key_hash))
            await self._in_store(self.keyring.refill)
        return holder

    def _limit_stranger(self, request: web.Request) -> None:
        """What comes without a valid key is limited by address, since there is nothing else to go by."""
        now_s, address = self.clock().boottime / 1_000, request.remote or ""
        if self.door is not None and not self.door.strangers.take(address, now_s):
            raise _too_often(f"{address} asks without a valid key", self.door.strangers.wait_s(address, now_s))

    async def _in_store(self, work: Callable[[], R]) -> R:
        """The result of something that only the store's thread may do."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)

    async def _guarded(self, handler: Handler, request: web.Request) -> web.Response:
        """Any refusal as a Problem, counted."""
        try:
            return await handler(request)
        except RefusedError as error:
            status, problem = error.status, error.problem
        except InvalidRecordError as error:
            status = 400
            run = error.run if error.number is not None else None
            problem = Problem("invalid", error.reason, error.path, run, error.number)
        except OverloadedError:
            status, problem = 429, Problem("overloaded", "too much is waiting", retry_after_s=RETRY_AFTER_S)
        except StoreError as error:
            _log.debug("refused: %s", error)
            detail = "nothing can be stored now; the collector's log says why"
            status, problem = 503, Problem("unavailable", detail, retry_after_s=RETRY_AFTER_S)
        refusals.count(problem.error)
        response = _json(status, encode(problem))
        if problem.retry_after_s is not None:
            response.headers["Retry-After"] = str(problem.retry_after_s)
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response


def _unauthorized() -> RefusedError:
    detail = "unknown or revoked key: enrol this node with the line that `detak-collector enroll NODE` prints"
    return RefusedError(401, Problem("unauthorized", detail))


def _too_often(who: str, wait_s: int) -> RefusedError:
    return RefusedError(429, Problem("too_often", f"{who} more often than is allowed", retry_after_s=wait_s))


def _refuse_other_node(holder: Holder, node: str) -> None:
    if node != holder.node:
        detail = f"this key belongs to node {holder.node!r}, not to {node!r}"
        raise RefusedError(403, Problem("forbidden", detail, "$.node"))


def _json(status: int, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, content_type=JSON)


async def _body(request: web.Request) -> bytes:
    """The body, unpacked; never more of it in memory than the limits allow."""
    if (request.content_length or 0) > limits.BODY_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large() from None
    except TimeoutError:
        raise RefusedError(408, Problem("slow", f"the body was not whole within {BODY_S:.0f} s")) from None
    except web.RequestPayloadError:
        raise RefusedError(400, Problem("malformed", "the body is not framed as HTTP/1.1 frames it")) from None
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise RefusedError(415, Problem("encoding", f"Content-Encoding {encoding!r} is not spoken here: gzip or none"))
    try:
        return inflate(body)
    except InvalidMessageError as error:
        raise RefusedError(400, Problem("invalid", error.reason, error.path)) from None


def _too_large() -> RefusedError:
    detail = f"a message has at most {limits.BODY_BYTES} bytes as transferred: send fewer records at once"
    return RefusedError(413, Problem("too_large", detail))


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        message = decode(body, kind)
    except InvalidMessageError as error:
        _refuse_other_version(body)
        raise RefusedError(400, Problem("invalid", error.reason, error.path)) from None
    if message.protocol != PROTOCOL_VERSION:
        raise _other_version(message.protocol)
    return message


def _refuse_other_version(body: bytes) -> None:
    """A message of another version may look like anything but for the field that says so."""
    try:
        spoken = msgspec.json.decode(body, type=_AnyVersion).protocol
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    if spoken != PROTOCOL_VERSION:
        raise _other_version(spoken)


def _other_version(spoken: int) -> RefusedError:
    detail = f"protocol {spoken} is not spoken here; spoken is {PROTOCOL_VERSION}"
    return RefusedError(400, Problem("protocol", detail, "$.protocol"))
