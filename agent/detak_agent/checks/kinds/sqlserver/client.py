"""One connection to SQL Server for each sample. It imports pytds: only `sqlserver` loads it, when it must."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from typing import Any

import pytds  # type: ignore[import-untyped]  # it has some hints, and does not claim that they are right

from detak_agent.checks.addresses import met
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.certificates import client_context, refusal
from detak_agent.checks.connecting import Caller
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.sqlserver.health import (
    LAG,
    ONLINE,
    REPLICA,
    START,
    STATE,
    Answer,
    identifier,
    judge,
    quoted,
)
from detak_agent.checks.kinds.sqlserver.kind import SqlserverSettings
from detak_agent.checks.kinds.sqlserver.transport import LostError, NotSqlServerError, Transport, UntrustedError
from detak_agent.checks.kinds.sqlserver.words import refused
from detak_agent.checks.secrets import SecretReader
from detak_agent.checks.threads import Lane

# It tells of every connection, and of each that fails.
logging.getLogger("pytds").setLevel(logging.CRITICAL)

_STRANGE = (pytds.Error, AssertionError, ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError)
"""What a pure Python parser raises at an answer that no SQL Server gives."""


class SqlserverClient:
    """Keeps no connection, since one that stands would hide that new ones are refused; only the TLS context."""

    def __init__(self, settings: SqlserverSettings) -> None:
        self._settings = settings
        self._caller = Caller(settings.host, settings.port)
        self._password = SecretReader(settings.password, settings.password_file)
        self._context = _context(settings) if settings.tls else None
        self._lane = Lane()

    async def sample(self, deadline_ms: int) -> Outcome:
        patience = patience_s(deadline_ms)
        until = time.monotonic() + patience
        password = await self._password.read(deadline_ms)
        try:
            return judge(await asyncio.wait_for(self._ask(password, until), patience), self._settings)
        except asyncio.TimeoutError:
            return Outcome("down", f"{self._caller.waiting_for} within {deadline_ms} ms")
        except LostError as error:
            raise met(error.error or ConnectionResetError(), self._caller.where) from None
        except UntrustedError as error:
            return Outcome("down", refusal(error.error, self._settings.host))
        except NotSqlServerError as error:
            return Outcome("down", f"{self._caller.where} {error}")
        except pytds.DatabaseError as error:
            where = self._caller.where
            return refused(error.msg_no, _text(error), self._settings.user, self._settings.database, where)
        except _STRANGE as error:
            return self._strange(error)

    def _strange(self, error: Exception) -> Outcome:
        where = self._caller.where
        if "encryption" in str(error) and "required by server" in str(error):
            raise CouldNotCheckError(f"{where} takes encrypted connections only: set tls = true")
        if isinstance(error, pytds.ClosedConnectionError):
            return Outcome("down", f"{where} closed the connection before it had answered")
        return Outcome("down", f"{where} does not speak SQL Server's protocol: {' '.join(str(error).split())}")

    async def _ask(self, password: str, until: float) -> Answer:
        begin = time.monotonic()
        connected = await self._caller.connected(until)
        connected.settimeout(None)
        transport = Transport(connected, self._context, self._settings.host)
        taken = False

        def work() -> Answer | Exception:
            nonlocal taken
            taken = True
            with contextlib.closing(transport):
                try:
                    return self._talk(transport, password, begin)
                except Exception as error:  # noqa: BLE001 - handed over; raised here, nobody might be left to take it
                    return error

        try:
            # The caller's deadline ends it; this one is only for a thread that never begins.
            found = await self._lane.run(work, int((until - time.monotonic()) * 1_000) + 1_000)
        except BaseException:
            transport.hang_up()
            if not taken:
                transport.close()
            # A thread whose connection is gone ends by itself, a moment later.
            self._lane = Lane()
            raise
        if isinstance(found, Exception):
            raise found
        return found

    def _talk(self, transport: Transport, password: str, begin: float) -> Answer:
        settings = self._settings
        with contextlib.closing(self._signed_in(transport, password)) as connection:
            self._wait_for("let the user in, but did not answer")
            started, state = _first(connection, START), None
            if settings.database:
                state = _first(connection, STATE.format(quoted(settings.database)))
            role, health = _row(connection, REPLICA, 2) if settings.wants_replica else (None, None)
            lag = _first(connection, LAG) if settings.wants_lag else None
            rows, value = 0, None
            if state == ONLINE or not settings.database:
                rows, value = self._queried(connection)
        return Answer(
            latency_ms=(time.monotonic() - begin) * 1_000,
            started=started,
            state=state,
            role=role,
            health=health,
            lag_s=None if lag is None else float(lag),
            rows=rows,
            value=value,
        )

    def _signed_in(self, transport: Transport, password: str) -> Any:  # noqa: ANN401 - a connection of the driver
        self._wait_for("took the connection, but did not let the user in")
        try:
            # With no time of its own for signing in the driver tries once, and does not sleep before it says why not.
            return pytds.connect(
                dsn=self._settings.host,
                port=self._settings.port,
                user=self._settings.user,
                password=password,
                sock=transport,
                login_timeout=0,
                appname="detak-agent",
                autocommit=True,
                disable_connect_retry=True,
            )
        except TimeoutError as error:
            raise error.__cause__ or error from None

    def _queried(self, connection: Any) -> tuple[int, str | None]:  # noqa: ANN401 - a connection of the driver
        settings = self._settings
        if settings.database:
            self._wait_for(f"did not open database {settings.database}")
            with connection.cursor() as cursor:
                cursor.execute(f"USE {identifier(settings.database)}")
        if not settings.query:
            return 0, None
        self._wait_for("did not answer the query")
        with connection.cursor() as cursor:
            cursor.execute(settings.query)
            row = cursor.fetchone()
        return (0, None) if row is None else (1, None if row[0] is None else str(row[0]))

    def _wait_for(self, what: str) -> None:
        self._caller.waiting_for = f"{self._caller.where} {what}"


def _context(settings: SqlserverSettings) -> ssl.SSLContext:
    context = client_context(verify=settings.verify_tls, ca_file=settings.ca_file)
    # Inside SQL Server's own packets there is no TLS 1.3 (MS-TDS, 1.7).
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def _row(connection: Any, statement: str, columns: int) -> tuple[str | None, ...]:  # noqa: ANN401 - of the driver
    with connection.cursor() as cursor:
        cursor.execute(statement)
        # To its end: what is left unread has to be cancelled, at the price of a message.
        row = next(iter(cursor.fetchall()), None)
    return (None,) * columns if row is None else tuple(None if value is None else str(value) for value in row)


def _first(connection: Any, statement: str) -> str | None:  # noqa: ANN401 - a connection of the driver
    return _row(connection, statement, 1)[0]


def _text(error: Any) -> str:  # noqa: ANN401 - an error of the driver
    return str(getattr(error, "text", "") or error)
