"""The bytes of attachments, each once, by their SHA-256. That they belong somewhere is said by entries, not here.

Nothing is ever deleted: a digest in the ledger whose bytes are gone would prove nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from detak_collector.store.database import Connection, Database
from detak_collector.store.instance import Executes

_ADD = "INSERT INTO attachment (digest, size, kept_utc, content) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING"

# PostgreSQL cuts bytes only at numbers of four bytes.
_PIECE = "SELECT size, substr(content, CAST(? AS INTEGER), CAST(? AS INTEGER)) FROM attachment WHERE digest = ?"


class SqlAttachments:
    """The attachments in one database. Any thread may use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def content(self, digest: str) -> bytes | None:
        """The bytes with that SHA-256 (64 hexadecimal digits); None where they are not here."""
        with self._database.reading() as connection:
            row = connection.execute("SELECT content FROM attachment WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else bytes(row[0])

    def piece(self, digest: str, offset: int, most: int) -> tuple[int, bytes] | None:
        """How many bytes there are in all, and at most so many from `offset` on; None where they are not here."""
        with self._database.reading() as connection:
            row = connection.execute(_PIECE, (offset + 1, most, digest)).fetchone()
        return None if row is None else (int(row[0]), bytes(row[1]))

    def lacking(self, digests: Iterable[str]) -> list[str]:
        """Those of which the bytes are not here."""
        with self._database.reading() as connection:
            return [one for one in dict.fromkeys(digests) if not holds(connection, one)]

    def take(self, content: bytes, now_utc: int) -> str:
        """Keeps the bytes, durably; what they are called by."""
        with self._database.writing() as connection:
            return keep(connection, content, now_utc)


def keep(connection: Executes, content: bytes, now_utc: int) -> str:
    """As `SqlAttachments.take` says, within a transaction of the caller's."""
    digest = digest_of(content)
    connection.execute(_ADD, (digest, len(content), now_utc, content))
    return digest


def holds(connection: Connection, digest: str) -> bool:
    """Whether the bytes are here."""
    return connection.execute("SELECT 1 FROM attachment WHERE digest = ?", (digest,)).fetchone() is not None


def bytes_together(connection: Connection) -> int:
    """How many bytes all of them have."""
    (found,) = connection.execute("SELECT coalesce(sum(size), 0) FROM attachment").fetchone()
    return int(found)


def digest_of(content: bytes) -> str:
    """What content is called by: its SHA-256, as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
