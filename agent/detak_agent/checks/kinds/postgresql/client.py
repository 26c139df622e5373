"""One connection to PostgreSQL for each sample. It imports psycopg: only `postgresql` loads it, when it must."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import TypeAlias

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo
from psycopg.rows import class_row

from detak_agent.checks.addresses import met
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.connecting import Caller, is_local_socket
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.postgresql.detour import in_memory, led_to
from detak_agent.checks.kinds.postgresql.health import FACTS, Answer, Backlog, Facts, judge
from detak_agent.checks.kinds.postgresql.kind import PostgresqlSettings
from detak_agent.checks.kinds.postgresql.words import broken, refused
from detak_agent.checks.secrets import SecretReader
from detak_agent.checks.threads import Lane

_SSLCERTMODE_SINCE = 160_000
_MET = (
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.ETIMEDOUT,
    errno.ENOENT,
    errno.EACCES,
    errno.EPERM,
    errno.EMFILE,
    errno.ENFILE,
    errno.EADDRNOTAVAIL,
)

Parameters: TypeAlias = "dict[str, str | int | None]"
"""Of a connection, as libpq names them."""


class _ConnectingError(Exception):
    """libpq could not connect, and it was not the network that kept it from it."""


class PostgresqlClient:
    """Keeps no connection, since one that stands would hide that new ones are refused; only what it knew of the lag."""

    def __init__(self, settings: PostgresqlSettings) -> None:
        self._settings = settings
        self._caller = _called(settings)
        self._password = SecretReader(settings.password, settings.password_file)
        self._files = Lane()
        self._backlog = Backlog()
        self._started = ""

    async def sample(self, deadline_ms: int) -> Outcome:
        patience = patience_s(deadline_ms)
        password = await self._password.read(deadline_ms)
        authorities = await self._authorities(deadline_ms)
        try:
            until = time.monotonic() + patience
            answer = await asyncio.wait_for(self._ask(password, authorities, until), patience)
        except asyncio.TimeoutError:
            return Outcome("down", f"{self._caller.waiting_for} within {deadline_ms} ms")
        except _ConnectingError as error:
            return refused(str(error), self._caller.where, self._settings.user)
        except psycopg.Error as error:
            return broken(error.sqlstate, _text(error), self._settings.user)
        return judge(answer, self._settings)

    async def _authorities(self, deadline_ms: int) -> bytes | None:
        """What is in ca_file, where one is set."""
        ca_file = self._settings.ca_file
        if not ca_file:
            return None
        try:
            return await self._files.run(Path(ca_file).read_bytes, deadline_ms)
        except asyncio.TimeoutError:
            raise CouldNotCheckError(f"{ca_file} hangs: its disk or file server does not answer") from None
        except OSError as error:
            raise CouldNotCheckError(f"ca_file {ca_file} cannot be read: {error.strerror}") from None

    async def _ask(self, password: str, authorities: bytes | None, until: float) -> Answer:
        begin = time.monotonic()
        async with self._connection(password, authorities, until) as connection:
            facts = await _facts(connection)
            lag_s = self._lag_s(facts)
            rows, value = 0, None
            if self._settings.query:
                self._caller.waiting_for = "the answer to the query did not come"
                rows, value = await _first_value(connection, self._settings.query, until)
        return Answer(facts, lag_s, (time.monotonic() - begin) * 1_000, rows, value)

    def _lag_s(self, facts: Facts) -> float | None:
        if facts.started != self._started:
            self._started, self._backlog = facts.started, Backlog()
        return self._backlog.lag_s(time.monotonic(), facts) if facts.in_recovery else None

    @contextlib.asynccontextmanager
    async def _connection(
        self, password: str, authorities: bytes | None, until: float
    ) -> AsyncIterator[psycopg.AsyncConnection[tuple[object, ...]]]:
        parameters = {**_parameters(self._settings), "password": password or None}
        async with contextlib.AsyncExitStack() as ways:
            if authorities is not None:
                parameters["sslrootcert"] = ways.enter_context(in_memory(authorities))
            if is_local_socket(self._settings.host):
                server = await self._caller.connected(until)
                parameters["host"] = await ways.enter_async_context(led_to(server, self._settings.port))
                connection = await self._connect(parameters)
            else:
                connection = await self._caller.first(
                    until, lambda address: self._connect({**parameters, "hostaddr": address.host})
                )
            ways.push_async_callback(connection.close)
            self._caller.waiting_for = f"{self._caller.where} let the user in, but did not answer"
            yield connection

    async def _connect(self, parameters: Parameters) -> psycopg.AsyncConnection[tuple[object, ...]]:
        self._caller.waiting_for = f"{self._caller.where} did not answer"
        try:
            return await psycopg.AsyncConnection.connect(make_conninfo("", **parameters), autocommit=True)
        except psycopg.Error as error:
            text = _text(error)
            for number in _MET:
                if os.strerror(number) in text:
                    raise met(OSError(number, ""), self._caller.where) from None
            raise _ConnectingError(text) from None


def _called(settings: PostgresqlSettings) -> Caller:
    """By its local socket, a server is known by the folder that has it."""
    if not is_local_socket(settings.host):
        return Caller(settings.host, settings.port)
    caller = Caller(f"{settings.host}/.s.PGSQL.{settings.port}", settings.port)
    caller.where = settings.host
    return caller


def _parameters(settings: PostgresqlSettings) -> Parameters:
    parameters: Parameters = {
        "host": settings.host,
        "port": settings.port,
        "dbname": settings.database,
        "user": settings.user,
        "sslmode": settings.sslmode,
        "gssencmode": "disable",
        "application_name": "detak-agent",
    }
    if pq.version() >= _SSLCERTMODE_SINCE:
        # Else it looks for one in a home directory that a service may not see, and fails.
        parameters["sslcertmode"] = "disable"
    return parameters


async def _facts(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> Facts:
    async with connection.cursor(row_factory=class_row(Facts)) as cursor:
        await cursor.execute(FACTS)
        facts = await cursor.fetchone()
    assert facts is not None
    return facts


async def _first_value(
    connection: psycopg.AsyncConnection[tuple[object, ...]], query: str, until: float
) -> tuple[int, str | None]:
    """Rows seen, one at most, and the first value as the server writes it. What comes after is not read."""
    left_ms = max(int((until - time.monotonic()) * 1_000), 1)
    # The server, too, gives up in time: a sample that is over must not leave a query behind.
    await connection.execute(f"BEGIN READ ONLY; SET LOCAL statement_timeout = {left_ms}".encode())
    async with connection.cursor() as cursor:
        rows = cursor.stream(query.encode())
        assert isinstance(rows, AsyncGenerator)
        try:
            if await anext(rows, None) is None:
                return 0, None
            assert cursor.pgresult is not None
            value = cursor.pgresult.get_value(0, 0)
            return 1, None if value is None else value.decode(errors="replace")
        finally:
            # Closed first, so that the stream has nothing left to read to its end.
            await connection.close()
            await rows.aclose()


def _text(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error)
