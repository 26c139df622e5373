"""Which of the collectors that share a store does what must be done once: tidying, and telling of outages.

Whoever has the duty says so again each second. Once it has not for `LASTS_MS`, by the database's own clock, another
one takes it; and what it does under its duty is written only in a transaction that finds it still has it.
"""

from __future__ import annotations

import os
import secrets
import socket
from typing import Protocol

from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.database import Connection, Database

LASTS_MS = 5_000

_TAKE = f"""
    INSERT INTO duty (id, holder, until) VALUES (1, ?, clock_timestamp() + interval '{LASTS_MS} milliseconds')
    ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE duty.holder = excluded.holder OR duty.until < clock_timestamp() OR duty.until > excluded.until
    RETURNING id
"""  # noqa: S608 - of constants
"""What lies further ahead than anybody takes it was taken by another clock: of a server that was replaced since."""

_STILL = "SELECT 1 FROM duty WHERE holder = ? AND until > clock_timestamp()"
_CLOCK = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
_LET_GO = "DELETE FROM duty WHERE holder = ?"


class NotOnDutyError(StoreUnavailableError):
    """Another collector does this now."""


class Duty(Protocol):
    """One thread takes it and lets it go; any thread may ask."""

    @property
    def is_mine(self) -> bool:
        """Whether this collector had it when it was last taken."""
        ...

    def take(self) -> None:
        """Takes it where nobody has it, or keeps it."""
        ...

    def require(self, connection: Connection) -> None:
        """Within a writing transaction: raises NotOnDutyError where another collector may have it by now."""
        ...

    def utc(self) -> int | None:
        """What the clock is that all who share the store see; None where nobody does."""
        ...

    def close(self) -> None:
        """Lets it go at once, for another one to take."""
        ...


class SoleDuty:
    """Of a collector that shares its store with nobody."""

    is_mine = True

    def take(self) -> None:
        """As the seam says."""

    def require(self, _connection: Connection) -> None:
        """As the seam says."""

    def utc(self) -> None:
        """As the seam says."""

    def close(self) -> None:
        """As the seam says."""


class SharedDuty:
    """Of one among several collectors. `holder` names it to people too."""

    def __init__(self, database: Database) -> None:
        self.holder = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self.is_mine = False
        self._connection = database.connect()

    def take(self) -> None:
        """As the seam says; raises StoreUnavailableError, and then it is not this collector's."""
        self.is_mine = False
        with self._connection.transaction():
            taken = self._connection.execute(_TAKE, (self.holder,)).fetchone() is not None
        self.is_mine = taken

    def require(self, connection: Connection) -> None:
        """As the seam says. Nobody else can take it before the transaction ends: writing ones are one at a time."""
        if connection.execute(_STILL, (self.holder,)).fetchone() is None:
            self.is_mine = False
            raise NotOnDutyError("another collector has the duty")

    def utc(self) -> int:
        """As the seam says: the database's."""
        (found,) = self._connection.execute(_CLOCK).fetchone()
        return int(found)

    def close(self) -> None:
        """As the seam says."""
        if self.is_mine:
            with self._connection.transaction():
                self._connection.execute(_LET_GO, (self.holder,))
        self._connection.close()
