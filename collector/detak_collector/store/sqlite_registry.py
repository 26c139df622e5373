"""The node registry in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from detak_collector.clocks import Reading
from detak_collector.rivals import Speaker
from detak_collector.store.base import NodeRow, Redeemed
from detak_collector.store.sqlite_database import connect, transaction
from detak_collector.store.sqlite_outlines import all_heard_utc, heard_utc, runs_of

RIVALRY_LASTS_MS = 15_000
"""What was noted longer ago than this is over, or the collector is not running."""


class SqliteRegistry:
    """The registry on one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        self._version = self._data_version()

    def close(self) -> None:
        """Gives the file back."""
        self._connection.close()

    def issue(self, node: str, token_hash: bytes, expires_utc: int, now: Reading) -> None:
        """As the seam says."""
        with transaction(self._connection, self._path):
            self._connection.execute(
                "INSERT INTO token (hash, node, issued_utc, expires_utc) VALUES (?, ?, ?, ?)",
                (token_hash, node, now.utc, expires_utc),
            )

    def redeem(self, token_hash: bytes, node: str, key_hash: bytes, now: Reading) -> Redeemed:
        """As the seam says."""
        with transaction(self._connection, self._path):
            outcome = self._judge(token_hash, node, now)
            if outcome is Redeemed.ACCEPTED:
                self._connection.execute("UPDATE token SET used_utc = ? WHERE hash = ?", (now.utc, token_hash))
                self._connection.execute(
                    "INSERT INTO node (name, key_hash, enrolled_utc, issued_utc) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET key_hash = excluded.key_hash, revoked_utc = NULL, "
                    "enrolled_utc = excluded.enrolled_utc, issued_utc = excluded.issued_utc, "
                    "fresh_key_hash = NULL, fresh_issued_utc = NULL",
                    (node, key_hash, now.utc, now.utc),
                )
        return outcome

    def _judge(self, token_hash: bytes, node: str, now: Reading) -> Redeemed:
        query = "SELECT node, expires_utc, used_utc FROM token WHERE hash = ?"
        row = self._connection.execute(query, (token_hash,)).fetchone()
        if row is None:
            return Redeemed.UNKNOWN
        owner, expires_utc, used_utc = row
        if owner != node:
            return Redeemed.OTHER_NODE
        if used_utc is not None:
            return Redeemed.USED
        return Redeemed.ACCEPTED if now.utc < expires_utc else Redeemed.EXPIRED

    def renew(self, key_hash: bytes, fresh_hash: bytes, now: Reading) -> bool:
        """As the seam says."""
        with transaction(self._connection, self._path):
            renewed = self._connection.execute(
                "UPDATE node SET fresh_key_hash = ?, fresh_issued_utc = ? WHERE key_hash = ?",
                (fresh_hash, now.utc, key_hash),
            )
            return renewed.rowcount > 0

    def settle(self, fresh_hash: bytes) -> None:
        """As the seam says."""
        with transaction(self._connection, self._path):
            self._connection.execute(
                "UPDATE node SET key_hash = fresh_key_hash, issued_utc = fresh_issued_utc, fresh_key_hash = NULL, "
                "fresh_issued_utc = NULL WHERE fresh_key_hash = ?",
                (fresh_hash,),
            )

    def revoke(self, node: str, now: Reading) -> bool:
        """As the seam says."""
        with transaction(self._connection, self._path):
            revoked = self._connection.execute(
                "UPDATE node SET key_hash = NULL, fresh_key_hash = NULL, fresh_issued_utc = NULL, revoked_utc = ? "
                "WHERE name = ? AND key_hash IS NOT NULL",
                (now.utc, node),
            )
            return revoked.rowcount > 0

    def keys(self) -> dict[bytes, str]:
        """As the seam says."""
        held = (
            "SELECT key_hash, name FROM node WHERE key_hash IS NOT NULL UNION ALL "
            "SELECT fresh_key_hash, name FROM node WHERE fresh_key_hash IS NOT NULL"
        )
        return dict(self._connection.execute(held))

    def fresh_keys(self) -> frozenset[bytes]:
        """As the seam says."""
        fresh = "SELECT fresh_key_hash FROM node WHERE fresh_key_hash IS NOT NULL"
        return frozenset(key_hash for (key_hash,) in self._connection.execute(fresh))

    def note_rivals(self, found: Mapping[str, Sequence[Speaker]], now: Reading) -> None:
        """As the seam says."""
        with transaction(self._connection, self._path):
            for node, speakers in found.items():
                forget = "DELETE FROM rival WHERE node = (SELECT id FROM node WHERE name = ?)"
                self._connection.execute(forget, (node,))
                self._connection.executemany(
                    "INSERT INTO rival (node, run, address, noted_utc) SELECT id, ?, ?, ? FROM node WHERE name = ?",
                    [(one.run, one.address, now.utc, node) for one in speakers],
                )

    def changed_elsewhere(self) -> bool:
        """As the seam says."""
        before, self._version = self._version, self._data_version()
        return before != self._version

    def listing(self, now: Reading, names: Collection[str] | None = None) -> list[NodeRow]:
        """As the seam says."""
        with closing(connect(self._path)) as connection, transaction(connection, self._path, writing=False):
            rows = connection.execute(
                "SELECT name, key_hash, issued_utc, revoked_utc FROM node ORDER BY name"
            ).fetchall()
            return [_listed(connection, row, now) for row in rows if names is None or row[0] in names]

    def heard(self, now: Reading) -> dict[str, int | None]:
        """As the seam says."""
        with closing(connect(self._path)) as connection, transaction(connection, self._path, writing=False):
            heard = all_heard_utc(connection, now)
            return {name: heard.get(name) for (name,) in connection.execute("SELECT name FROM node")}

    def _data_version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version


def _listed(
    connection: sqlite3.Connection, row: tuple[str, bytes | None, int | None, int | None], now: Reading
) -> NodeRow:
    name, key_hash, issued_utc, revoked_utc = row
    runs = runs_of(connection, name)
    newest = max((run for run in runs if run.current), key=lambda run: run.begin_utc, default=None)
    return NodeRow(
        name=name,
        enrolled=key_hash is not None,
        issued_utc=issued_utc,
        revoked_utc=revoked_utc,
        heard_utc=heard_utc(connection, name, now),
        agent_version=newest.opening.agent_version if newest else "",
        states={span.check: span.state for span in sorted(newest.open, key=lambda span: span.number)} if newest else {},
        stopped=newest.stopped if newest else None,
        rivals=_rivals(connection, name, now),
        conflicts=_conflicts(connection, name),
    )


def _conflicts(connection: sqlite3.Connection, node: str) -> int:
    query = (
        "SELECT count(*) FROM conflict JOIN run ON run.sequence = conflict.run "
        "JOIN node ON node.id = run.node WHERE node.name = ?"
    )
    found: int = connection.execute(query, (node,)).fetchone()[0]
    return found


def _rivals(connection: sqlite3.Connection, node: str, now: Reading) -> tuple[Speaker, ...]:
    query = (
        "SELECT rival.run, address, coalesce(run.boot, '') FROM rival JOIN node ON node.id = rival.node "
        "LEFT JOIN run ON run.node = rival.node AND run.run = rival.run "
        "WHERE node.name = ? AND noted_utc BETWEEN ? AND ? ORDER BY run.recorded_utc"
    )
    begin, end = now.utc - RIVALRY_LASTS_MS, now.utc + RIVALRY_LASTS_MS
    return tuple(Speaker(*row) for row in connection.execute(query, (node, begin, end)))
