"""One connection to PostgreSQL for each sample. It imports psycopg: only `postgresql` loads it, when it must."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo
from psycopg.rows import class_row

from detak_agent.checks.addresses import Address, met
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.connecting import Caller, PasswordReader, is_local_socket
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.postgresql.health import FACTS, Answer, Backlog, Facts, judge
from detak_agent.checks.kinds.postgresql.kind import VERIFYING, PostgresqlSettings
from detak_agent.checks.kinds.postgresql.words import broken, refused
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


class _ConnectingError(Exception):
    """libpq could not connect, and it was not the network that kept it from it."""


class PostgresqlClient:
    """Keeps no connection, since one that stands would hide that new ones are refused; only what it knew of the lag."""

    def __init__(self, settings: PostgresqlSettings) -> None:
        self._settings = settings
        self._caller = Caller(settings.host, settings.port)
        self._password = PasswordReader(settings.password, settings.password_file)
        self._paths = Lane()
        self._backlog = Backlog()
        self._started = ""

    async def sample(self, deadline_ms: int) -> Outcome:
        patience = patience_s(deadline_ms)
        password = await self._password.read(deadline_ms)
        await self._look_at_paths(deadline_ms)
        try:
            answer = await asyncio.wait_for(self._ask(password, time.monotonic() + patience), patience)
        except asyncio.TimeoutError:
            return Outcome("down", f"{self._caller.waiting_for} within {deadline_ms} ms")
        except _ConnectingError as error:
            return refused(str(error), self._caller.where, self._settings.user)
        except psycopg.Error as error:
            return broken(error.sqlstate, _text(error), self._settings.user)
        return judge(answer, self._settings)

    async def _look_at_paths(self, deadline_ms: int) -> None:
        """In a thread first: the library opens them where it would hold up all other checks."""
        if self._settings.ca_file or is_local_socket(self._settings.host):
            try:
                await self._paths.run(lambda: _look_at(self._settings), deadline_ms)
            except asyncio.TimeoutError:
                where = self._settings.ca_file or self._settings.host
                raise CouldNotCheckError(f"{where} hangs: its disk or file server does not answer") from None

    async def _ask(self, password: str, until: float) -> Answer:
        begin = time.monotonic()
        async with self._connection(password, until) as connection:
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
        self, password: str, until: float
    ) -> AsyncIterator[psycopg.AsyncConnection[tuple[object, ...]]]:
        connection = await self._caller.first(until, lambda address: self._connect(address, password))
        try:
            self._caller.waiting_for = f"{self._caller.where} let the user in, but did not answer"
            yield connection
        finally:
            await connection.close()

    async def _connect(self, address: Address, password: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
        self._caller.waiting_for = f"{self._caller.where} did not answer"
        parameters = {**_parameters(self._settings), "password": password or None}
        if address.family != socket.AF_UNIX:
            parameters["hostaddr"] = address.host
        try:
            return await psycopg.AsyncConnection.connect(make_conninfo("", **parameters), autocommit=True)
        except psycopg.Error as error:
            text = _text(error)
            for number in _MET:
                if os.strerror(number) in text:
                    raise met(OSError(number, ""), self._caller.where) from None
            raise _ConnectingError(text) from None


def _parameters(settings: PostgresqlSettings) -> dict[str, str | int | None]:
    parameters: dict[str, str | int | None] = {
        "host": settings.host,
        "port": settings.port,
        "dbname": settings.database,
        "user": settings.user,
        "sslmode": settings.sslmode,
        "gssencmode": "disable",
        "application_name": "detak-agent",
    }
    if settings.sslmode in VERIFYING:
        parameters["sslrootcert"] = settings.ca_file
    if pq.version() >= _SSLCERTMODE_SINCE:
        # Else it looks for one in a home directory that a service may not see, and fails.
        parameters["sslcertmode"] = "disable"
    return parameters


def _look_at(settings: PostgresqlSettings) -> None:
    """The library's own words would call a missing file of ours a fault of the connection."""
    if is_local_socket(settings.host):
        # Opening asks a file server, which stat(2) may leave out; that there is nothing, the library says.
        with contextlib.suppress(OSError):
            os.close(os.open(settings.host, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
    try:
        if settings.ca_file:
            os.close(os.open(settings.ca_file, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        raise CouldNotCheckError(f"ca_file {settings.ca_file} cannot be read: {error.strerror}") from None


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
