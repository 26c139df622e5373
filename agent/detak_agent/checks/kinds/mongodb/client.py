"""One connection to MongoDB for each sample. It imports bson: only `mongodb` loads it, when it must."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from detak_agent.checks.addresses import met
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.certificates import client_context, refusal
from detak_agent.checks.connecting import Caller
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.mongodb.health import COMMAND_NOT_FOUND, Answer, Server, judge, lag_of, refused, server_of
from detak_agent.checks.kinds.mongodb.kind import MongodbSettings
from detak_agent.checks.kinds.mongodb.scram import SaltedPasswords, Scram, ScramError, chosen
from detak_agent.checks.kinds.mongodb.wire import CommandError, Conversation, NotMongoError
from detak_agent.checks.secrets import SecretReader

_CLIENT = {"driver": {"name": "detak-agent", "version": "1"}, "os": {"type": "Linux"}}


class MongodbClient:
    """Keeps no connection, since one that stands would hide that new ones are refused; only what is dear to derive."""

    def __init__(self, settings: MongodbSettings) -> None:
        self._settings = settings
        self._caller = Caller(settings.host, settings.port)
        self._password = SecretReader(settings.password, settings.password_file)
        self._salted = SaltedPasswords()
        self._context = client_context(verify=settings.verify_tls, ca_file=settings.ca_file) if settings.tls else None
        self._command = ""

    async def sample(self, deadline_ms: int) -> Outcome:
        patience = patience_s(deadline_ms)
        password = await self._password.read(deadline_ms)
        try:
            answer = await asyncio.wait_for(self._ask(password, time.monotonic() + patience), patience)
        except asyncio.TimeoutError:
            return Outcome("down", f"{self._caller.waiting_for} within {deadline_ms} ms")
        except ssl.SSLError as error:
            return Outcome("down", refusal(error, self._settings.host))
        except NotMongoError as error:
            return Outcome("down", f"{self._caller.where} {error}")
        except ScramError as error:
            raise CouldNotCheckError(f"{self._caller.where} {error}") from None
        except CommandError as error:
            return refused(error, self._command, self._caller.where, self._settings)
        return judge(answer, self._settings)

    async def _ask(self, password: str, until: float) -> Answer:
        begin = time.monotonic()
        settings = self._settings
        async with self._conversation(until) as conversation:
            server = await self._greet(conversation)
            if settings.user:
                await self._sign_in(conversation, server, password)
            lag_s = None
            if settings.wants_lag and server.role == "secondary":
                lag_s = lag_of(await self._run(conversation, "admin", {"replSetGetStatus": 1}))
            used, most = await self._connections(conversation) if settings.wants_connections else (None, None)
            if settings.collection:
                await self._read(conversation)
            else:
                await self._run(conversation, "admin", {"ping": 1})
        return Answer(server, (time.monotonic() - begin) * 1_000, lag_s, used, most)

    async def _greet(self, conversation: Conversation) -> Server:
        asked: dict[str, Any] = {"client": _CLIENT}
        if self._settings.user:
            asked["saslSupportedMechs"] = f"{self._settings.auth_database}.{self._settings.user}"
        try:
            return server_of(await self._run(conversation, "admin", {"hello": 1, **asked}))
        except CommandError as error:
            if error.code != COMMAND_NOT_FOUND:
                raise
            return server_of(await self._run(conversation, "admin", {"isMaster": 1, **asked}))

    async def _sign_in(self, conversation: Conversation, server: Server, password: str) -> None:
        mechanism = chosen(server.mechanisms)
        exchange = Scram(mechanism, self._settings.user, password, self._salted)
        database = self._settings.auth_database
        start = {"saslStart": 1, "mechanism": mechanism, "payload": exchange.first()}
        said = await self._run(conversation, database, {**start, "options": {"skipEmptyExchange": True}})
        said = await self._go_on(conversation, said, exchange.final(_payload(said)))
        exchange.verify(_payload(said))
        if not said.get("done"):
            await self._go_on(conversation, said, b"")

    async def _go_on(self, conversation: Conversation, said: Mapping[str, Any], payload: bytes) -> dict[str, Any]:
        command = {"saslContinue": 1, "conversationId": said.get("conversationId"), "payload": payload}
        return await self._run(conversation, self._settings.auth_database, command)

    async def _connections(self, conversation: Conversation) -> tuple[int, int]:
        """In use, and how many there may be."""
        left_out = dict.fromkeys(("metrics", "wiredTiger", "locks", "tcmalloc", "repl"), 0)
        connections = (await self._run(conversation, "admin", {"serverStatus": 1, **left_out}))["connections"]
        return int(connections["current"]), int(connections["current"]) + int(connections["available"])

    async def _read(self, conversation: Conversation) -> None:
        database, _, collection = self._settings.collection.partition(".")
        find = {"find": collection, "limit": 1, "singleBatch": True, "projection": {"_id": 1}}
        await self._run(conversation, database, {**find, "$readPreference": {"mode": "primaryPreferred"}})

    async def _run(self, conversation: Conversation, database: str, command: dict[str, Any]) -> dict[str, Any]:
        self._command = next(iter(command))
        self._caller.waiting_for = f"{self._caller.where} did not answer to {self._command}"
        try:
            return await conversation.command(database, command)
        except ssl.SSLError:
            raise
        except OSError as error:
            raise met(error, self._caller.where) from error

    @contextlib.asynccontextmanager
    async def _conversation(self, until: float) -> AsyncIterator[Conversation]:
        connected = await self._caller.connected(until)
        try:
            if self._context is not None:
                self._caller.waiting_for = f"{self._caller.where} did not complete the TLS handshake"
            name = self._settings.host if self._context is not None else None
            reader, writer = await asyncio.open_connection(sock=connected, ssl=self._context, server_hostname=name)
        except ssl.SSLError:
            raise
        except OSError as error:
            raise met(error, self._caller.where) from error
        try:
            yield Conversation(reader, writer)
        finally:
            writer.transport.abort()


def _payload(said: Mapping[str, Any]) -> bytes:
    payload = said.get("payload")
    if not isinstance(payload, bytes):
        raise ScramError("did not go on with the sign-in")
    return payload
