"""One connection to MySQL or MariaDB for each sample. It imports PyMySQL: only `mysql` loads it, when it must."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.certificates import client_context, refusal
from detak_agent.checks.connecting import Caller, is_local_socket
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.mysql.health import (
    Answer,
    Facts,
    Freshness,
    SteadyStart,
    facts_of,
    judge,
    replica_statement,
    time_limit_statement,
)
from detak_agent.checks.kinds.mysql.kind import MysqlSettings
from detak_agent.checks.kinds.mysql.words import failed
from detak_agent.checks.secrets import SecretReader
from detak_agent.checks.threads import in_thread

_VARIABLES = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'read_only', 'max_connections')"
_STATUS = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Uptime', 'Threads_connected')"
_CLEAR_TEXT_REFUSED = 2061


Told: TypeAlias = "tuple[Facts, int, str | None]"
"""The facts, and of the query the rows seen, one at most, and the first value as the server writes it."""


class _NoMysqlError(Exception):
    """What answered is no MySQL server."""


class _InClear:
    """Stands for the ways of signing in that send the password as it is, where no TLS hides it."""

    def __init__(self, _connection: object) -> None:
        pass

    def authenticate(self, _packet: object) -> object:
        raise pymysql.err.OperationalError(_CLEAR_TEXT_REFUSED, "password in plain text without TLS")


class MysqlClient:
    """Keeps no connection, since one that stands would hide that new ones are refused; the driver runs in a thread."""

    def __init__(self, settings: MysqlSettings) -> None:
        self._settings = settings
        self._context = client_context(verify=settings.verify_tls, ca_file=settings.ca_file) if settings.tls else None
        self._caller = Caller(settings.host, settings.port)
        self._password = SecretReader(settings.password, settings.password_file)
        self._start = SteadyStart()
        self._freshness = Freshness()

    async def sample(self, deadline_ms: int) -> Outcome:
        patience = patience_s(deadline_ms)
        password = await self._password.read(deadline_ms)
        try:
            answer = await asyncio.wait_for(self._ask(password, time.monotonic() + patience), patience)
        except (asyncio.TimeoutError, TimeoutError):
            return Outcome("down", f"{self._caller.waiting_for} within {deadline_ms} ms")
        except _NoMysqlError:
            return Outcome("down", f"{self._caller.where} does not speak MySQL's protocol")
        except pymysql.err.Error as error:
            return self._failed(error, deadline_ms)
        return judge(answer, self._settings)

    async def _ask(self, password: str, until: float) -> Answer:
        begin = time.monotonic()
        connected = await self._caller.connected(until)
        # Shutting down this second handle wakes the thread out of whatever it waits for, within TLS too.
        handle = connected.dup()
        try:
            told = await in_thread(lambda: self._told(connected, password, until))
        finally:
            with contextlib.suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)
            handle.close()
        if isinstance(told, Exception):
            raise told
        facts, rows, value = told
        now = time.monotonic()
        lag_s = self._freshness.lag_s(now, facts.channels) if facts.channels and self._is_replica else None
        return Answer(facts, self._start.of(facts.started_s), lag_s, (now - begin) * 1_000, rows, value)

    @property
    def _is_replica(self) -> bool:
        return self._settings.role == "replica"

    def _told(self, connected: socket.socket, password: str, until: float) -> Told | Exception:
        """In a thread. It gives its errors back, since after the deadline nobody is there to catch them."""
        try:
            return self._converse(connected, password, until)
        except Exception as error:  # noqa: BLE001 - raised again by whoever still waits for it
            return error

    def _converse(self, connected: socket.socket, password: str, until: float) -> Told:
        """The whole conversation; it ends when `until` has come."""
        connection = self._signed_in(connected, password, until)
        try:
            self._caller.waiting_for = f"{self._caller.where} let the user in, but did not answer"
            facts = self._facts(connection)
            rows, value = self._first_value(connection, facts.version, until)
        finally:
            connection.close()
        return facts, rows, value

    def _signed_in(self, connected: socket.socket, password: str, until: float) -> Connection[Cursor]:
        left_s = max(until - time.monotonic(), 0.001)
        in_clear: dict[str, Callable[[Connection[Any]], Any]] = {}
        if self._context is None and not is_local_socket(self._settings.host):
            in_clear = {"mysql_clear_password": _InClear, "dialog": _InClear}
        connection = Connection(
            host=self._settings.host,
            user=self._settings.user,
            password=password.encode(),
            database=self._settings.database or None,
            ssl=self._context,
            ssl_disabled=self._context is None,
            auth_plugin_map=in_clear,
            autocommit=None,
            read_timeout=left_s,
            write_timeout=left_s,
            program_name="detak-agent",
            conv={},
            defer_connect=True,
        )
        try:
            connection.connect(connected)
        except RuntimeError as error:
            raise CouldNotCheckError(f"signing in needs a further library: {error}") from error
        except Exception as error:
            if isinstance(error, pymysql.err.MySQLError) and isinstance(error.args[0], int):
                raise
            raise _NoMysqlError from error
        finally:
            if not connection.open:
                connected.close()
        return connection

    def _facts(self, connection: Connection[Cursor]) -> Facts:
        now_s = int(_rows(connection, "SELECT UNIX_TIMESTAMP() AS now")[0]["now"])
        variables, status = (
            {row["Variable_name"]: row["Value"] for row in _rows(connection, statement)}
            for statement in (_VARIABLES, _STATUS)
        )
        channels = None
        if self._settings.role is not None:
            channels = _rows(connection, replica_statement(variables["version"]))
        return facts_of(variables, status, now_s, channels)

    def _first_value(self, connection: Connection[Cursor], version: str, until: float) -> tuple[int, str | None]:
        """Rows seen, one at most, and the first value as the server writes it."""
        if not self._settings.query:
            return 0, None
        self._caller.waiting_for = "the answer to the query did not come"
        left_ms = max(int((until - time.monotonic()) * 1_000), 1)
        with connection.cursor() as cursor:
            # The server, too, gives up in time, and sends one row: a sample that is over must not leave a query behind.
            cursor.execute(time_limit_statement(version, left_ms))
            cursor.execute("SET SESSION sql_select_limit = 1")
            cursor.execute("START TRANSACTION READ ONLY")
            cursor.execute(self._settings.query)
            row = cursor.fetchone()
        if row is None:
            return 0, None
        value = row[0]
        return 1, value.decode(errors="replace") if isinstance(value, bytes) else value

    def _failed(self, error: pymysql.err.Error, deadline_ms: int) -> Outcome:
        cause = getattr(error, "original_exception", None)
        if isinstance(cause, ssl.SSLError):
            return Outcome("down", refusal(cause, self._caller.where))
        code, text = error.args if len(error.args) == 2 else (0, str(error))
        if isinstance(cause, TimeoutError) or "timed out" in str(text):
            return Outcome("down", f"{self._caller.waiting_for} within {deadline_ms} ms")
        return failed(int(code), str(text), self._caller.where, self._settings.user)


def _rows(connection: Connection[Cursor], statement: str) -> list[dict[str, Any]]:
    """The rows of a statement by the names of their columns; every value is text as the server wrote it, or None."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
