"""One connection to a PostgreSQL server: safe, found again when it is lost, its errors told as decisions.

What was committed is on the server's disk, and on its synchronous standby's. A commit of which the answer is lost, or
doubtful, has failed for whoever asked for it.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper

from detak_collector.store.base import StoreBrokenError, StoreError, StoreUnavailableError
from detak_collector.store.database import Values
from detak_collector.store.postgresql_safety import SAFETY, WRITING, Safety
from detak_collector.store.postgresql_servers import Server, Servers
from detak_collector.store.postgresql_sql import statement

Psycopg = psycopg.Connection[tuple[Any, ...]]
Row = tuple[Any, ...]

PATIENCE_S = 20.0
"""How long a server may take for one answer; more than it lets anybody wait for the lock."""

STREAMED = 20_000
"""Rows that are fetched at once."""

_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_CHANGES = "SELECT coalesce(sum(hash_record_extended(node, 0)), 0) FROM node"

_REFUSED = {"22", "23", "54"}
"""Classes of SQLSTATE: wrong data, a broken constraint, beyond a limit."""

_BROKEN = {"42", "XX", "F0"}
"""A table or a right that is missing, corruption."""


def translated(error: psycopg.Error, place: str) -> StoreError:
    """The same error as a decision: refuse this one thing, try again, or end."""
    # No detail: it may hold what was to be written.
    kind, text = (error.sqlstate or "")[:2], error.diag.message_primary or " ".join(str(error).split())
    if kind in _REFUSED or (not kind and isinstance(error, psycopg.DataError)):
        return StoreError(f"{place}: {text}")
    broken = kind in _BROKEN or (not kind and isinstance(error, psycopg.ProgrammingError))
    return (StoreBrokenError if broken else StoreUnavailableError)(f"{place}: {text}")


class PostgresqlConnection:
    """A connection to one of `servers`; `place` is what people are told of it. `lives`: how often it was made anew."""

    def __init__(self, servers: Servers, place: str, *, durable: bool = True) -> None:
        self.lives = 0
        self.asked_at: float | None = None
        self.patience_s = PATIENCE_S
        self._servers = servers
        self._place = place
        self._durable = durable
        self._doubts: list[str] = []
        self._in_transaction = False
        self._psycopg: Psycopg | None = None
        self._server: Server | None = None
        self._connected()

    def execute(self, query: str, values: Values = (), /) -> psycopg.Cursor[Row]:
        """As the seam says."""
        asked = statement(query)
        ordered = asked.ordered(values) or None
        with self._translating():
            try:
                return self._connected().execute(asked.text, ordered, binary=True)
            except psycopg.OperationalError:
                if self._in_transaction or not self._is_lost:
                    raise
                return self._connected().execute(asked.text, ordered, binary=True)

    def executemany(self, query: str, rows: Iterable[Sequence[Any]], /) -> None:
        """As the seam says; all rows travel at once."""
        with self._translating(), self._connected().cursor() as cursor:
            cursor.executemany(statement(query).text, rows)

    def copy_in(self, into: str, rows: Iterable[Sequence[Any]]) -> None:
        """Many rows by `COPY … FROM STDIN`, within a transaction of the caller's."""
        with self._translating(), self._connected().cursor() as cursor, cursor.copy(into.encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def stream(self, query: str) -> Iterator[Row]:
        """The rows of a query that are too many to hold, within a transaction of the caller's."""
        with self._translating(), psycopg.RawServerCursor(self._connected(), "stream") as cursor:
            cursor.itersize = STREAMED
            for row in cursor.execute(query.encode(), binary=True):
                # What whoever reads does with it takes as long as it takes.
                self.asked_at = None
                yield row
                self.asked_at = time.monotonic()

    @contextmanager
    def transaction(self, *, writing: bool = True) -> Iterator[None]:
        """As the seam says."""
        try:
            self._begin(WRITING if writing else _READING)
            yield
            self._commit()
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._in_transaction = False

    @contextmanager
    def together(self) -> Iterator[None]:
        """As the seam says: one journey for all of them."""
        with self._translating(), self._connected().pipeline():
            yield

    def changes(self) -> int:
        """As the seam says."""
        ((changes,),) = self.execute(_CHANGES).fetchall()
        return int(changes)

    def close(self) -> None:
        """As the seam says."""
        if self._psycopg is not None:
            self._psycopg.close()

    def _begin(self, how: str) -> None:
        """Where the connection turns out to be lost, on a new one: nothing has been asked of it yet."""
        with self._translating():
            try:
                begun = self._connected().execute(how, prepare=False)
            except psycopg.errors.LockNotAvailable:
                # Whoever has it may wait for a standby that serves by itself by now, and never comes back.
                self._leave()
                raise
            except psycopg.OperationalError:
                if not self._is_lost:
                    raise
                begun = self._connected().execute(how, prepare=False)
            if how == WRITING:
                self._judge(begun)
        self._in_transaction = True

    def _commit(self) -> None:
        self._doubts.clear()
        with self._translating():
            ended = self._connected().execute("COMMIT", prepare=False).statusmessage
        if ended != "COMMIT":
            raise StoreBrokenError(f"{self._place}: a transaction ended with {ended} and not with COMMIT")
        if self._doubts:
            # Such as: cancelled while it waited for the standby. It may be lost with this server.
            raise StoreUnavailableError(f"{self._place}: not certainly kept: {'; '.join(self._doubts)}")

    def _roll_back(self) -> None:
        if self._psycopg is None or self._is_lost or self._psycopg.info.transaction_status is TransactionStatus.IDLE:
            return
        try:
            with self._translating():
                self._psycopg.execute("ROLLBACK", prepare=False)
        except StoreError:
            self._psycopg.close()

    @property
    def _is_lost(self) -> bool:
        return self._psycopg is None or self._psycopg.closed or self._psycopg.broken

    def _connected(self) -> Psycopg:
        """The connection, made again where it was lost or its server was replaced; never within a transaction."""
        if self._psycopg is not None and not self._is_lost and not self._is_replaced:
            return self._psycopg
        if self._in_transaction:
            raise StoreUnavailableError(f"{self._place}: the connection was lost")
        with self._translating():
            if self._psycopg is not None:
                self._psycopg.close()
            self._psycopg = connection = psycopg.connect(
                self._servers.conninfo(), autocommit=True, cursor_factory=psycopg.RawCursor
            )
            connection.adapters.register_dumper(int, Int8Dumper)
            connection.add_notice_handler(self._noticed)
            self._server = self._servers.accept(connection, self._place)
            if self._durable:
                self._judge(connection.execute(SAFETY))
            else:
                connection.execute("SET synchronous_commit = off")
        self.lives += 1
        return connection

    @property
    def _is_replaced(self) -> bool:
        return not self._in_transaction and self._server is not None and self._servers.is_outdated(self._server)

    def _judge(self, asked: psycopg.Cursor[Row]) -> None:
        """Of what a server says of its safety, in the last result; raises StoreBrokenError where it is not safe."""
        while asked.nextset():
            pass
        if not self._durable:
            return
        safety = Safety(*asked.fetchall()[0])
        fault = safety.fault()
        if fault is not None:
            if self._psycopg is not None:
                self._psycopg.close()
            raise StoreBrokenError(f"{self._place}: {fault}")
        self._servers.has_standby = safety.has_standby

    def give_up(self) -> None:
        """Its server did not answer for too long: whoever waits for it waits no more, and looks elsewhere first."""
        if self._psycopg is None or self._psycopg.closed:
            return
        self._avoid()
        with suppress(OSError), socket.socket(fileno=os.dup(self._psycopg.fileno())) as copy:
            copy.shutdown(socket.SHUT_RDWR)

    def _leave(self) -> None:
        self._avoid()
        self.close()

    def _avoid(self) -> None:
        if self._server is not None:
            self._servers.avoid(self._server)

    def _noticed(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self._doubts.append(notice.message_primary or "")

    @contextmanager
    def _translating(self) -> Iterator[None]:
        before, self.asked_at = self.asked_at, time.monotonic()
        try:
            yield
        except psycopg.Error as error:
            raise translated(error, self._place) from error
        finally:
            # Within another one, the next question begins now.
            self.asked_at = None if before is None else time.monotonic()
