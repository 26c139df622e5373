"""The other collector of two: how it is reached, the keys between both, and how far it was followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from detak_collector.pair.messages import Marks
from detak_collector.store.base import Redeemed
from detak_collector.store.database import Connection, Database


class ToldOfItself(msgspec.Struct, frozen=True):
    """What the other collector said of itself last. `services` is a digest of its services.toml."""

    leads: bool
    services: str


NO_MARKS = Marks()


@dataclass(frozen=True, slots=True)
class Peer:
    """The other collector. `secret` is shown to it; `authority` (PEM) is what its certificate has to be signed by."""

    collector: str
    url: str
    secret: str
    authority: str | None = None
    marks: Marks = NO_MARKS
    told_utc: int | None = None
    told: ToldOfItself | None = None


class SqlPeers:
    """In one database. Any thread may use it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, token_hash: bytes, expires_utc: int) -> None:
        """Remembers a one-time token for a pairing."""
        with self._database.writing() as connection:
            connection.execute("INSERT INTO peer_token (hash, expires_utc) VALUES (?, ?)", (token_hash, expires_utc))

    def redeem(self, token_hash: bytes, peer: Peer, key_hash: bytes, now_utc: int) -> Redeemed:
        """Uses the token up, and from now on that is the other collector."""
        with self._database.writing() as connection:
            query = "SELECT expires_utc, used_utc FROM peer_token WHERE hash = ?"
            found = connection.execute(query, (token_hash,)).fetchone()
            if found is None:
                return Redeemed.UNKNOWN
            if found[1] is not None:
                return Redeemed.USED
            if now_utc >= found[0]:
                return Redeemed.EXPIRED
            connection.execute("UPDATE peer_token SET used_utc = ? WHERE hash = ?", (now_utc, token_hash))
            _put(connection, peer, key_hash, now_utc)
        return Redeemed.ACCEPTED

    def put(self, peer: Peer, key_hash: bytes, now_utc: int) -> None:
        """From now on that is the other collector."""
        with self._database.writing() as connection:
            _put(connection, peer, key_hash, now_utc)

    def trust(self, authority: str) -> None:
        """It has proven who it is, and its authority is to be known by this from now on."""
        with self._database.writing() as connection:
            connection.execute("UPDATE peer SET authority = ?", (authority,))

    def part(self) -> bool:
        """There is no other collector any more; what it told is kept. False where there was none."""
        with self._database.writing() as connection:
            return connection.execute("DELETE FROM peer").rowcount > 0

    def peer(self) -> Peer | None:
        """The other collector, if there is one."""
        with self._database.reading() as connection:
            return peer_of(connection)

    def is_peer(self, key_hash: bytes) -> bool:
        """Whether that is its key."""
        with self._database.reading() as connection:
            return connection.execute("SELECT 1 FROM peer WHERE key_hash = ?", (key_hash,)).fetchone() is not None


def peer_of(connection: Connection) -> Peer | None:
    """As `SqlPeers.peer` says, in a view of the caller's."""
    row = connection.execute("SELECT collector, url, secret, authority, marks, told_utc, told FROM peer").fetchone()
    return None if row is None else _peer(row)


def _put(connection: Connection, peer: Peer, key_hash: bytes, now_utc: int) -> None:
    connection.execute("DELETE FROM peer")
    connection.execute(
        "INSERT INTO peer (collector, url, authority, secret, key_hash, paired_utc, marks) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (peer.collector, peer.url, peer.authority, peer.secret, key_hash, now_utc, "{}"),
    )


def _peer(row: tuple[Any, ...]) -> Peer:
    collector, url, secret, authority, marks, told_utc, told = row
    return Peer(
        collector,
        url,
        secret,
        authority,
        msgspec.json.decode(marks, type=Marks),
        told_utc,
        None if told is None else msgspec.json.decode(told, type=ToldOfItself),
    )
